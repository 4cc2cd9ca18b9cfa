//! Faults for everyone: adding them, taking them away, and those at the door.

use super::Service;
use crate::{
    Environment, Recorded, Timestamp,
    fault::{
        Accepting, Action, Fault, FaultError, FaultName, FiredAt, Handshake, KnownFault, Moment, Occasion,
        Strike,
    },
};

/// Faults of the whole service.
impl Service {
    /// Adds a fault for everyone, behind those that there are. For each request the faults of its team are looked at first, then
    /// these; the first that fires wins.
    ///
    /// Times in it are the machine's.
    pub fn add_fault(&mut self, now: Timestamp, fault: Fault) -> Result<(), FaultError> {
        self.record(|| Recorded::add_fault(now, &fault));
        if let Some(team) = fault.matching.team()
            && self.team(team).is_none()
        {
            return Err(FaultError::NoSuchTeam(team));
        }
        self.faults.add(now, fault)?;
        self.wake_for_first_timers();
        Ok(())
    }

    /// Removes the fault for everyone of this name. `false`: there is none.
    pub fn remove_fault(&mut self, name: &FaultName) -> bool {
        self.record(|| Recorded::remove_fault(name));
        self.faults.remove(name)
    }

    /// Removes every fault for everyone.
    pub fn clear_faults(&mut self) {
        self.record(Recorded::clear_faults);
        self.faults.clear();
    }

    /// The faults for everyone, in the order in which they were added.
    pub fn faults(&self, now: Timestamp) -> impl Iterator<Item = KnownFault<'_>> {
        self.faults.iter(now)
    }

    /// A connection was accepted by the listener of this environment: what goes wrong with it, if anything does.
    pub fn accepting(&mut self, now: Timestamp, environment: Environment) -> Option<(FaultName, Accepting)> {
        let strike = self.strike_at_door(now, Moment::Accept, environment)?;
        match strike.action() {
            Action::Accepting(it) => Some((strike.name().clone(), it.clone())),
            _ => None,
        }
    }

    /// A client has said hello to the listener of this environment: what goes wrong with its handshake, if anything does.
    pub fn shaking_hands(
        &mut self,
        now: Timestamp,
        environment: Environment,
    ) -> Option<(FaultName, Handshake)> {
        let strike = self.strike_at_door(now, Moment::Handshake, environment)?;
        match strike.action() {
            Action::Handshake(it) => Some((strike.name().clone(), it.clone())),
            _ => None,
        }
    }

    /// Nothing is known of the connection, and nobody's journal but the service's own can tell of it. What changes nothing, as there is
    /// no such rule and none is due in a scenario, is not written down either.
    fn strike_at_door(&mut self, now: Timestamp, moment: Moment, environment: Environment) -> Option<Strike> {
        if self.replaying.is_none() && !self.faults.are_at(moment) && !self.is_due(now) {
            return None;
        }
        self.record(|| Recorded::at_door(now, moment, environment));
        self.catch_up_if_due(now);
        let occasion = Occasion {
            moment,
            team: None,
            key: None,
            environment,
            among_team: None,
            among_all: self.providers.among_all(None),
            stream: None,
            record: None,
        };
        let opened = self.providers.next_id().ordinal();
        let again = self.replaying.as_mut().and_then(|replaying| replaying.at_door(moment, opened));
        let strike = again.or_else(|| self.faults.strike(now, &occasion))?;
        self.tell(now, None, &strike, FiredAt::Door { opened });
        Some(strike)
    }
}
