//! The service: what goes in, what comes out, and what is remembered between two pushes.
//!
//! Its own part is here: its teams, its time, its effects. What a provider does is in `provider`, what a device does in
//! `gateway`, what a person asks in `explaining`, what happens to one team in `team`; `recording` and `snapshot` keep it.

mod explaining;
mod faults;
mod misbehaving;
mod provider;
mod recording;
mod replaying;
mod snapshot;

use std::collections::VecDeque;

use crate::{
    Answer, ConnectionId, DeviceConnectionId, Reason, Recorded, Settings, Team, TeamAt, TeamError, TeamId,
    Timestamp, ToDevice, VerifyEs256,
    conduct::Misconduct,
    fault::{Deed, FaultName, Faults},
    gateway::{self, GatewayPeers},
    journal::{Log, TurnedAway},
    message_id::Identifiers,
    providers::Providers,
    recording::Recorder,
    team::{Around, Beginning, TeamIndex, Teams},
    throttling::Throttling,
    totals::{AnswerCounts, Totals},
    transcript::Replaying,
};

pub use snapshot::Snapshot;

/// The simulated Apple Push Notification service: a deterministic state machine. The same seed and the same calls give
/// the same effects, byte for byte.
///
/// Tell it what happens ([`connected`](Self::connected), [`request`](Self::request),
/// [`disconnected`](Self::disconnected)), then carry out what [`poll_effect`](Self::poll_effect) returns, in order,
/// until it returns `None`.
#[derive(Debug)]
pub struct Service {
    pub(crate) settings: Settings,
    seed: u64,
    verify: VerifyEs256,
    /// For the answers to requests of which no team is known.
    pub(crate) identifiers: Identifiers,
    pub(crate) teams: Teams,
    pub(crate) providers: Providers,
    pub(crate) gateway: GatewayPeers,
    pub(crate) effects: VecDeque<Effect>,
    /// No timer of a team is due on the machine's clock before this.
    wake_at: Option<Timestamp>,
    /// What was turned away and concerns no team.
    pub(crate) unclaimed: Log<TurnedAway>,
    pub(crate) unclaimed_changed: bool,
    /// Teams whose journals have grown; each is marked so too, and is here once.
    pub(crate) changed: VecDeque<TeamId>,
    /// What was done, if it is to be written down.
    recorder: Option<Recorder>,
    /// Faults for everyone.
    pub(crate) faults: Faults,
    /// The answers of another run, to be given again.
    pub(crate) replaying: Option<Box<Replaying>>,
    pub(crate) answers: AnswerCounts,
    pub(crate) totals: Totals,
}

/// What the shell is to do.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Send the answer to a request.
    Respond {
        /// On this connection.
        connection: ConnectionId,
        /// On this stream.
        stream: u32,
        /// This.
        answer: Answer,
    },
    /// Send SETTINGS with this MAX_CONCURRENT_STREAMS. After the first good provider token it comes before the answer to
    /// the push that earned it, and is to be sent before it; after errors it comes behind the answer.
    MaxConcurrentStreams {
        /// On this connection.
        connection: ConnectionId,
        /// How many.
        streams: u32,
    },
    /// Send GOAWAY with the last stream that came, NO_ERROR and the [`body`](Reason::body) of this reason as debug data,
    /// then GOAWAY without debug data, then close. Observed in a frame trace of 2016, with last stream 0.
    GoAway {
        /// This connection.
        connection: ConnectionId,
        /// Why.
        reason: Reason,
    },
    /// Misbehave: a fault has fired. What is to be done is decided; the answer to a request at which it fired comes as a
    /// [`Respond`](Self::Respond) of its own, unless this is it or there is none.
    Fault {
        /// On this connection, which need not be the one that was spoken of last.
        connection: ConnectionId,
        /// The stream of the request at which it fired, if it did at one.
        stream: Option<u32>,
        /// Which.
        fault: FaultName,
        /// What to do.
        deed: Deed,
    },
    /// Close a provider's connection, without GOAWAY, once what was to be sent on it before is sent.
    Close {
        /// This connection.
        connection: ConnectionId,
    },
    /// Tell whoever runs the service what was done to a provider by rule. What is to be sent for it follows as an effect
    /// of its own.
    Throttled {
        /// On this connection.
        connection: ConnectionId,
        /// Whose provider, where that is known.
        team: Option<TeamId>,
        /// What was done.
        how: Throttling,
    },
    /// Send a message to a device.
    ToDevice {
        /// On this connection.
        connection: DeviceConnectionId,
        /// This.
        message: Box<ToDevice>,
    },
    /// Tell whoever runs the service that Apple would have throttled a team's provider. It comes once for each team and
    /// misconduct, anew after a reset; nothing else follows from it.
    WouldThrottle {
        /// Whose provider.
        team: TeamId,
        /// For what.
        what: Misconduct,
    },
    /// Close a device's connection, once what was to be sent on it before is sent.
    CloseDevice {
        /// This connection.
        connection: DeviceConnectionId,
    },
}

impl Service {
    /// A service without teams. `seed` decides every identifier that it makes up.
    pub fn new(settings: Settings, seed: u64, verify: VerifyEs256) -> Self {
        Self {
            settings,
            seed,
            verify,
            identifiers: Identifiers::new(seed),
            teams: Teams::default(),
            providers: Providers::default(),
            gateway: GatewayPeers::default(),
            effects: VecDeque::new(),
            wake_at: None,
            unclaimed: Log::new(),
            unclaimed_changed: false,
            changed: VecDeque::new(),
            recorder: None,
            faults: Faults::new(false, seed),
            replaying: None,
            answers: AnswerCounts::default(),
            totals: Totals::default(),
        }
    }

    /// The settings that a team begins with, and that count for a request of which no team is known.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Adds a team. Fails with [`TeamError::DuplicateTeam`].
    pub fn add_team(&mut self, team: Team) -> Result<(), TeamError> {
        self.record(|| Recorded::add_team(team.id(), team.to_declared()));
        self.teams.add(team, Beginning { settings: &self.settings, seed: self.seed })
    }

    /// Removes a team and everything that it has. The provider tokens of its keys are answered `InvalidProviderToken`;
    /// its devices are disconnected; what its scenarios have given to everyone is gone. `false`: there is no such team.
    pub fn remove_team(&mut self, id: TeamId) -> bool {
        self.record(|| Recorded::remove_team(id));
        let Some((index, team)) = self.teams.remove(id) else { return false };
        self.providers.forget(index);
        self.faults.clear_played(id);
        gateway::send_away(team.links, &mut self.effects);
        true
    }

    /// [Resets](TeamAt::reset) every team, in the order in which they were added, and drops what concerns no team,
    /// faults for everyone and a transcript among it. Its journal's cursor counts on; identifiers in answers that concern no
    /// team are the same as at first. Connections stay open, also those of devices that have joined no team.
    pub fn reset(&mut self, now: Timestamp) {
        self.record(|| Recorded::reset(now));
        for index in self.teams.indices().collect::<Vec<_>>() {
            if let Some(mut team) = self.at(now, index) {
                team.reset();
            }
        }
        self.identifiers = Identifiers::new(self.seed);
        self.unclaimed.clear();
        self.faults.clear();
        self.replaying = None;
    }

    /// The IDs of all teams, in the order in which they were added.
    pub fn team_ids(&self) -> impl Iterator<Item = TeamId> {
        self.teams.indices().filter_map(|index| self.teams.get(index)).map(Team::id)
    }

    /// The team with this ID.
    pub fn team(&self, id: TeamId) -> Option<&Team> {
        self.teams.index_of(id).and_then(|index| self.teams.get(index))
    }

    /// The team with this ID when it is `now` on the machine: the door for everything that is done to it.
    pub fn team_at(&mut self, now: Timestamp, id: TeamId) -> Option<TeamAt<'_>> {
        let index = self.teams.index_of(id)?;
        self.open(now, index, true)
    }

    /// A team for what the service does to it by itself, while it does what it was told to.
    pub(crate) fn at(&mut self, now: Timestamp, index: TeamIndex) -> Option<TeamAt<'_>> {
        self.open(now, index, false)
    }

    fn open(&mut self, now: Timestamp, index: TeamIndex, is_recorded: bool) -> Option<TeamAt<'_>> {
        let around = Around {
            beginning: Beginning { settings: &self.settings, seed: self.seed },
            providers: &mut self.providers,
            effects: &mut self.effects,
            wake_at: &mut self.wake_at,
            changed: &mut self.changed,
            recorder: self.recorder.as_mut().filter(|_| is_recorded),
            totals: &mut self.totals,
            everyones_faults: &mut self.faults,
        };
        Some(TeamAt::new(now, index, self.teams.get_mut(index)?, around))
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called, by the machine's clock; `None`: nothing will
    /// happen by itself. It is a lower bound, and changes with every other call.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.wake_at
    }

    /// Time has passed. What is due happens, each thing at its time, whenever this is called: a call that comes late or
    /// not at all only delays its effects.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.record(|| Recorded::timeout(now));
        for index in self.teams.indices().collect::<Vec<_>>() {
            self.at(now, index);
        }
        self.strike_on_time(now);
        self.wake_for_first_timers();
    }

    /// Whether something may be due.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.wake_at.is_some_and(|due| due <= now)
    }

    /// Lets happen what is due, if anything is: for who looks at a team before anything is done to it. A team of which nothing is due
    /// stays as it is, whatever it was that asked to be woken: so it does not depend on when that was.
    pub(crate) fn catch_up_if_due(&mut self, now: Timestamp) {
        if !self.is_due(now) {
            return;
        }
        let is_due =
            |index: &TeamIndex| self.teams.get(*index).and_then(Team::wake_at).is_some_and(|due| due <= now);
        for index in self.teams.indices().filter(is_due).collect::<Vec<_>>() {
            self.at(now, index);
        }
        self.strike_on_time(now);
        self.wake_for_first_timers();
    }

    fn wake_for_first_timers(&mut self) {
        let teams = self.teams.indices().filter_map(|index| self.teams.get(index)?.wake_at());
        self.wake_at = teams.chain(self.faults.due_at()).min();
    }

    /// Everyone's connection is gone, by whichever side: as [`disconnected`](Self::disconnected) and
    /// [`device_disconnected`](Self::device_disconnected) for each, in the order in which they were opened, but that no
    /// provider is taken to have closed its own.
    pub fn disconnect_all(&mut self, now: Timestamp) {
        self.record(|| Recorded::disconnect_all(now));
        for id in self.providers.open_ids() {
            self.providers.connections.remove(&id);
            if let Some(replaying) = &mut self.replaying {
                replaying.disconnected(id);
            }
        }
        for connection in self.gateway.connections() {
            self.disconnect_device(now, connection);
        }
    }

    /// The next thing to do, or `None`. To be called until it returns `None`, after each call or each batch of them.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        TokenStatus,
        bench::{Bench, Jwt, NOW, TOKEN},
    };

    /// The shell keeps a service behind a lock and hands it from thread to thread.
    #[test]
    fn a_service_can_be_handed_to_another_thread() {
        fn is_send<T: Send>() {}
        is_send::<Service>();
    }

    #[test]
    fn teams_share_nothing() {
        let mut bench = Bench::new();
        let theirs = bench.push().signed_by(&Jwt {
            team: crate::bench::OTHER_TEAM,
            kid: "OTHERKEY01",
            ..Jwt::default()
        });
        let token = crate::DeviceToken::from_hex(TOKEN.as_bytes()).unwrap();
        let gone = TokenStatus::Unregistered { since: NOW };
        assert!(bench.team_at().set_token_status(&token, gone));
        assert_eq!(bench.reason(&theirs), None);
    }
}
