//! What goes wrong on purpose: when faults are looked at, and what follows from one that fires.

use super::{Effect, Service};
use crate::{
    Answer, ConnectionId, Reason, Record, Team, Timestamp,
    answer::STATUS_OK,
    answering::{Concluded, Verdict},
    connection::Connection,
    fault::{Course, Faults, FaultyPush, FiredAt, Moment, Occasion, Otherwise, Strike},
    journal::{Compact, Entry, Status, TurnedAway},
    settings::Purity,
    team::{KeyIndex, TeamIndex},
};

impl Service {
    /// A connection is open: faults for everyone are looked at for it, and those of `team`, whose it has shown to be.
    pub(crate) fn strike_at_connection(&mut self, now: Timestamp, id: ConnectionId, team: Option<TeamIndex>) {
        let Some(occasion) = self.occasion(Moment::Connection, id, team) else { return };
        let strike = match team {
            Some(index) => self.strike_of_team(now, index, &occasion),
            None => self.faults.strike(now, &occasion),
        };
        if let Some(strike) = strike {
            self.misbehave_on_connection(now, id, team, &strike);
        }
    }

    fn strike_of_team(
        &mut self,
        now: Timestamp,
        index: TeamIndex,
        occasion: &Occasion<'_>,
    ) -> Option<Strike> {
        let team = self.teams.get_mut(index)?;
        let now = team.now(now);
        team.faults.strike(now, occasion)
    }

    /// The faults of the request's team are looked at, then those for everyone.
    pub(crate) fn strike_at_request(&mut self, now: Timestamp, concluded: &Concluded<'_>) -> Option<Strike> {
        let judged = concluded.judged;
        let team = judged.team.and_then(|index| self.teams.get_mut(index));
        let are_teams = team.as_ref().is_some_and(|team| team.faults.are_at(Moment::Request));
        if !are_teams && !self.faults.are_at(Moment::Request) {
            return None;
        }
        let mut teams_own = team.map(|team| std::mem::take(&mut team.faults)).unwrap_or_default();
        let mut everyones = std::mem::take(&mut self.faults);
        let faults = [(&mut teams_own, judged.now), (&mut everyones, now)];
        let strike = self.strike_with(now, concluded, faults);
        self.faults = everyones;
        if let Some(team) = judged.team.and_then(|index| self.teams.get_mut(index)) {
            team.faults = teams_own;
        }
        strike
    }

    fn strike_with(
        &self,
        now: Timestamp,
        concluded: &Concluded<'_>,
        faults: [(&mut Faults, Timestamp); 2],
    ) -> Option<Strike> {
        let judged = concluded.judged;
        let key = judged.verified.map(|token| token.key);
        let counts = faults.iter().any(|(faults, _)| faults.count_connections());
        let basic = self.occasion_with(Moment::Request, concluded.connection, (judged.team, key), counts)?;
        let entry = |event| Entry { at: now, event };
        let (in_team, unclaimed);
        let record = match (&concluded.verdict, judged.team.and_then(|index| self.teams.get(index))) {
            (Verdict::Accepted(notification), Some(team)) => {
                let (notification, status) = (notification.clone(), Status::Received);
                in_team = entry(Compact::Notification { notification, status, cause: None });
                Record::new(team, team.next_cursor(), &in_team)
            }
            (Verdict::Refused(refused), Some(team)) => {
                in_team = entry(Compact::TurnedAway(TurnedAway::Push(refused.clone())));
                Record::new(team, team.next_cursor(), &in_team)
            }
            (Verdict::Refused(refused), None) => {
                unclaimed = Entry { at: now, event: TurnedAway::Push(refused.clone()) };
                Record::unclaimed(self.unclaimed.cursors().end, &unclaimed)
            }
            (Verdict::Accepted(_), None) => return None,
        };
        let environment = judged.environment;
        let occasion = Occasion { environment, record: Some(&record), ..basic };
        faults.into_iter().find_map(|(faults, now)| faults.strike(now, &occasion))
    }

    fn occasion(
        &self,
        moment: Moment,
        id: ConnectionId,
        team: Option<TeamIndex>,
    ) -> Option<Occasion<'static>> {
        let key = self.providers.connections.get(&id)?.first_key();
        self.occasion_with(moment, id, (team, key), true)
    }

    fn occasion_with(
        &self,
        moment: Moment,
        id: ConnectionId,
        (team, key): (Option<TeamIndex>, Option<KeyIndex>),
        counts: bool,
    ) -> Option<Occasion<'static>> {
        let connection = self.providers.connections.get(&id)?;
        Some(Occasion {
            moment,
            team: team.and_then(|index| self.teams.get(index)).map(Team::id),
            key: key.and_then(|key| self.teams.key(key)).map(|key| key.id),
            environment: connection.environment,
            among_team: self.providers.among_team(id, counts),
            among_all: self.providers.among_all(Some(id)),
            stream: Some(connection.requests()),
            record: None,
        })
    }

    /// A fault has fired at a request.
    pub(crate) fn misbehave(&mut self, now: Timestamp, strike: &Strike, concluded: Concluded<'_>) {
        let Concluded { connection, stream, judged, ref answer, is_own, .. } = concluded;
        let Course { takes_effect, is_answered } = strike.course(stream);
        let takes_effect = takes_effect && is_own;
        let (status, reason) = strike.told(answer, stream);
        let settings =
            judged.team.and_then(|index| self.teams.get(index)).map_or(&self.settings, Team::settings);
        let is_named = settings.pure == Purity::Off;
        let deed = strike.deed_at_request(answer, judged.now, is_named);
        let fired = strike.told_at(answer, judged.now);
        let fault = strike.name().clone();
        let own = is_answered.then(|| {
            let fault = is_named.then(|| fault.clone());
            Effect::Respond { connection, stream, answer: Answer { fault, ..answer.clone() } }
        });
        let deed = Effect::Fault { connection, stream: Some(stream), fault, deed };
        let effects = if strike.answers_first() { [own, Some(deed)] } else { [Some(deed), own] };
        self.effects.extend(effects.into_iter().flatten());

        let push = FaultyPush {
            apns_id: answer.apns_id,
            apns_unique_id: answer.apns_unique_id,
            status,
            reason: reason.map(Into::into),
            otherwise: Otherwise::of(answer),
            took_effect: takes_effect,
            request: concluded.verdict.request().clone(),
        };
        let (files_with, own_reason) = (concluded.files_with, answer.reason.map(Reason::as_str));
        let is_told_so = status == Some(answer.status) && reason == own_reason;
        let told = reason.and_then(Reason::from_wire).filter(|reason| Some(reason.status()) == status);
        if takes_effect && is_told_so {
            self.count_answer(judged, concluded.refusal);
        } else if status == Some(STATUS_OK) || told.is_some() {
            self.answers.count(judged.environment, told, judged.push_type);
        }
        let (team, refusal) = (judged.team, concluded.refusal);
        if takes_effect {
            self.settle(now, files_with, concluded.verdict);
        }
        if takes_effect && is_told_so {
            self.call_to_account(now, connection, team, refusal.map(|refusal| refusal.reason));
        }
        self.tell(now, files_with, &fired, FiredAt::Request(Box::new(push)));
    }

    /// A fault has fired at a connection.
    pub(crate) fn misbehave_on_connection(
        &mut self,
        now: Timestamp,
        connection: ConnectionId,
        team: Option<TeamIndex>,
        strike: &Strike,
    ) {
        let (fault, deed) = (strike.name().clone(), strike.deed());
        self.effects.push_back(Effect::Fault { connection, stream: None, fault, deed });
        let requests = self.providers.connections.get(&connection).map_or(0, Connection::requests);
        self.tell(now, team, strike, FiredAt::Connection { connection, requests });
    }

    /// Writes down that a fault has fired.
    pub(super) fn tell(&mut self, now: Timestamp, team: Option<TeamIndex>, strike: &Strike, at: FiredAt) {
        self.totals.fault_firings.count(strike.name());
        self.file(now, team, TurnedAway::Fault(Box::new(strike.firing(at))));
    }

    /// Faults for everyone whose time has come fire at each connection that they are about.
    pub(super) fn strike_on_time(&mut self, now: Timestamp) {
        while let Some(due) = self.faults.take_due(now) {
            for id in self.providers.open_ids() {
                let team = self.providers.connections.get(&id).and_then(Connection::team);
                let occasion = self.occasion(Moment::Clock, id, team);
                if let Some(strike) = occasion.and_then(|occasion| self.faults.strike_due(&due, &occasion)) {
                    self.misbehave_on_connection(now, id, None, &strike);
                }
            }
        }
    }
}
