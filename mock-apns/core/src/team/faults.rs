//! Faults of a team: adding them, taking them away, and those that fire at a time.

use super::TeamAt;
use crate::{
    ConnectionId, Effect,
    connection::Connection,
    fault::{Fault, FaultError, FaultName, FiredAt, KnownFault, Moment, Occasion},
    journal::{Compact, TurnedAway},
    recording::TeamCall,
};

/// Faults of a team.
impl TeamAt<'_> {
    /// Adds a fault, behind those that there are. It is about this team's connections and requests alone, and its times are the
    /// team's.
    pub fn add_fault(&mut self, fault: Fault) -> Result<(), FaultError> {
        self.record(|| TeamCall::add_fault(&fault));
        self.team.faults.add(self.now, fault)?;
        self.wake_for_first_timer();
        Ok(())
    }

    /// Removes the fault of this name. `false`: there is none.
    pub fn remove_fault(&mut self, name: &FaultName) -> bool {
        self.record(|| TeamCall::RemoveFault(name.clone()));
        self.team.faults.remove(name)
    }

    /// Removes every fault.
    pub fn clear_faults(&mut self) {
        self.record(|| TeamCall::ClearFaults);
        self.team.faults.clear();
    }

    /// The team's faults, in the order in which they were added.
    pub fn faults(&self) -> impl Iterator<Item = KnownFault<'_>> {
        self.team.faults.iter(self.now)
    }

    /// The team's faults whose time is now fire at each of its connections that they are about.
    pub(crate) fn strike_on_time(&mut self) {
        while let Some(due) = self.team.faults.take_due(self.now) {
            for id in self.around.providers.open_ids() {
                let Some(occasion) = self.clock_occasion(id) else { continue };
                let Some(strike) = self.team.faults.strike_due(&due, &occasion) else { continue };
                let (fault, deed) = (strike.name().clone(), strike.deed());
                self.around.effects.push_back(Effect::Fault { connection: id, stream: None, fault, deed });
                let requests = self.around.providers.connections.get(&id).map_or(0, Connection::requests);
                self.around.totals.fault_firings.count(strike.name());
                let firing = strike.firing(FiredAt::Connection { connection: id, requests });
                self.log(Compact::TurnedAway(TurnedAway::Fault(Box::new(firing))));
            }
        }
    }

    /// What is known of a connection, if it is one of this team's.
    fn clock_occasion(&self, id: ConnectionId) -> Option<Occasion<'static>> {
        let connection = self.around.providers.connections.get(&id)?;
        if connection.team() != Some(self.index) {
            return None;
        }
        Some(Occasion {
            moment: Moment::Clock,
            team: Some(self.team.id()),
            key: connection.first_key().and_then(|key| self.team.key_at(key)).map(|key| key.id),
            environment: connection.environment,
            among_team: self.around.providers.among_team(id, true),
            among_all: self.around.providers.among_all(Some(id)),
            stream: None,
            record: None,
        })
    }
}
