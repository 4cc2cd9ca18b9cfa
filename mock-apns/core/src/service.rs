//! The service: what goes in, what comes out, and what is remembered between two pushes.

mod recording;
mod snapshot;

use std::collections::VecDeque;

use crate::{
    Answer, ConnectionId, DeviceConnectionId, Opened, Reason, ReceivedRequest, Recorded, Request, Settings,
    Team, TeamAt, TeamError, TeamId, Timestamp, ToDevice, VerifyEs256,
    connection::{self, Admission, Connection},
    explain::{ExplainOn, Explanation},
    gateway::{self, GatewayPeers},
    journal::{Log, TurnedAway},
    message_id::Identifiers,
    provider_token::bearer_token,
    providers::Providers,
    recording::Recorder,
    rules::{self, Checking, Group, Input},
    settings::TokenUpdates,
    team::{Around, Beginning, TeamIndex, Teams},
    verified_tokens::VerifiedTokens,
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
    /// Send SETTINGS with this MAX_CONCURRENT_STREAMS. It comes before the answer to the push that earned it, and is
    /// to be sent before it.
    MaxConcurrentStreams {
        /// On this connection.
        connection: ConnectionId,
        /// How many.
        streams: u32,
    },
    /// Send GOAWAY with last stream 0, NO_ERROR and the [`body`](Reason::body) of this reason as debug data, then
    /// GOAWAY without debug data, then close. Observed in a frame trace of 2016.
    GoAway {
        /// This connection.
        connection: ConnectionId,
        /// Why.
        reason: Reason,
    },
    /// Send a message to a device.
    ToDevice {
        /// On this connection.
        connection: DeviceConnectionId,
        /// This.
        message: Box<ToDevice>,
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
    /// its devices are disconnected. `false`: there is no such team.
    pub fn remove_team(&mut self, id: TeamId) -> bool {
        self.record(|| Recorded::remove_team(id));
        let Some((index, team)) = self.teams.remove(id) else { return false };
        self.providers.forget(index);
        gateway::send_away(team.links, &mut self.effects);
        true
    }

    /// [Resets](TeamAt::reset) every team, in the order in which they were added, and drops what concerns no team. Its
    /// journal's cursor counts on; identifiers in answers that concern no team are the same as at first. Connections stay
    /// open, also those of devices that have joined no team.
    pub fn reset(&mut self, now: Timestamp) {
        self.record(|| Recorded::reset(now));
        for index in self.teams.indices().collect::<Vec<_>>() {
            if let Some(mut team) = self.at(now, index) {
                team.reset();
            }
        }
        self.identifiers = Identifiers::new(self.seed);
        self.unclaimed.clear();
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
        self.wake_for_first_timers();
    }

    fn wake_for_first_timers(&mut self) {
        self.wake_at = self.teams.indices().filter_map(|index| self.teams.get(index)?.wake_at()).min();
    }

    /// Everyone's connection is gone, by whichever side: as [`disconnected`](Self::disconnected) and
    /// [`device_disconnected`](Self::device_disconnected) for each, in the order in which they were opened.
    pub fn disconnect_all(&mut self, now: Timestamp) {
        self.record(|| Recorded::disconnect_all(now));
        self.providers.connections.clear();
        for connection in self.gateway.connections() {
            self.disconnect_device(now, connection);
        }
    }

    /// A connection is open: to be called when its TLS handshake is done. A certificate that cannot be used is answered
    /// with [`Effect::GoAway`].
    pub fn connected(&mut self, now: Timestamp, opened: Opened<'_>) -> ConnectionId {
        self.record(|| Recorded::connected(now, &opened));
        let id = self.providers.next_id();
        let connection = Connection::open(now, &opened, &self.teams);
        if let Admission::Refused(reason) = connection.admission {
            self.effects.push_back(Effect::GoAway { connection: id, reason });
            let team = opened.certificate.and_then(|der| connection::team_named_by(der, &self.teams));
            self.file(now, team, TurnedAway::Connection { connection: id, reason });
        }
        self.providers.open(connection);
        id
    }

    /// The MAX_CONCURRENT_STREAMS of a connection's first SETTINGS: to be asked right after
    /// [`connected`](Self::connected). Without a certificate it is low until a provider token has proven good; then
    /// [`Effect::MaxConcurrentStreams`] raises it.
    /// Source: Apple, "Sending notification requests to APNs"; a transcript of 2022.
    pub fn initial_max_concurrent_streams(&self, connection: ConnectionId) -> u32 {
        match self.providers.connections.get(&connection).map(|connection| &connection.admission) {
            Some(Admission::ByCertificate { team, .. }) => {
                self.teams.get(*team).map_or(&self.settings, Team::settings).max_concurrent_streams
            }
            _ => self.settings.max_concurrent_streams_before_token,
        }
    }

    /// A request is complete: its fields, and its whole body. Exactly one [`Effect::Respond`] follows, unless the
    /// connection is unknown or was told to go away: then none does.
    ///
    /// Of a body longer than [`VOIP_PAYLOAD_BYTES_MAX`](crate::VOIP_PAYLOAD_BYTES_MAX) the bytes beyond the first one
    /// too many change nothing and may be left out.
    pub fn request(
        &mut self,
        now: Timestamp,
        connection: ConnectionId,
        stream: u32,
        request: &Request,
        body: &[u8],
    ) {
        self.record(|| Recorded::request(now, connection, stream, request, body));
        let Providers { connections, verified, token_past, .. } = &mut self.providers;
        let Some(state) = connections.get_mut(&connection) else { return };
        if matches!(state.admission, Admission::Refused(_)) {
            return;
        }
        let input = Input {
            now,
            settings: &self.settings,
            verify: self.verify,
            teams: &self.teams,
            token_past,
            connection: state,
            request,
            body,
        };
        let mut checking = Checking::new(input, verified);
        let refusal = rules::run(&mut checking).err();
        let judged = checking.judged();
        let authenticated = refusal.is_none_or(|refusal| refusal.rule.group > Group::Credentials);
        if let (true, Some(token), Some(bearer)) = (authenticated, judged.verified, bearer_token(request)) {
            if judged.token_updates == TokenUpdates::PerKey {
                token_past.remember(token, judged.now);
            }
            if state.accepted(judged.now, bearer, token) {
                let streams = judged.max_concurrent_streams;
                self.effects.push_back(Effect::MaxConcurrentStreams { connection, streams });
            }
        }
        self.conclude(now, (connection, stream), request, body, &judged, refusal);
    }

    /// What [`request`](Self::request) would do with a request, and why: every rule with what it looked at. Nothing is
    /// changed by asking. `None`: the service has no such connection.
    pub fn explain(
        &self,
        now: Timestamp,
        on: ExplainOn<'_>,
        request: &Request,
        body: &[u8],
    ) -> Option<Explanation> {
        let new;
        let connection = match on {
            ExplainOn::Connection(id) => self.providers.connections.get(&id)?,
            ExplainOn::New(opened) => {
                new = Connection::open(now, &opened, &self.teams);
                &new
            }
        };
        if let Admission::Refused(reason) = connection.admission {
            return Some(Explanation::of_goaway(reason));
        }
        // What was verified before is not read again, as for a real push; what is verified now is not remembered.
        let mut tokens = VerifiedTokens::default();
        if let Some(bearer) = bearer_token(request)
            && let Some(verified) = self.providers.verified.get(bearer)
        {
            tokens.insert(bearer, verified);
        }
        let input = Input {
            now,
            settings: &self.settings,
            verify: self.verify,
            teams: &self.teams,
            token_past: &self.providers.token_past,
            connection,
            request,
            body,
        };
        Some(Explanation::of(&mut Checking::new(input, &mut tokens)))
    }

    /// What would be answered now to a request that came before, and why: on its connection, if that is still open, or
    /// else on a new one without a certificate.
    pub fn explain_received(&self, now: Timestamp, received: &ReceivedRequest) -> Explanation {
        let (request, payload) = (received.to_request(), received.payload());
        let on = ExplainOn::Connection(received.connection());
        self.explain(now, on, &request, payload).unwrap_or_else(|| {
            let environment = received.environment();
            let new = ExplainOn::New(Opened { environment, server_name: None, certificate: None });
            self.explain(now, new, &request, payload).expect("a new connection is always there")
        })
    }

    /// A connection is closed, by whichever side. Its effects that were not yet polled come all the same, and are to be
    /// dropped.
    pub fn disconnected(&mut self, now: Timestamp, connection: ConnectionId) {
        self.record(|| Recorded::disconnected(now, connection));
        self.providers.connections.remove(&connection);
    }

    /// The next thing to do, or `None`. To be called until it returns `None`, after each call or each batch of them.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Bench, Jwt, NOW, Push, TOKEN, certificate, sandbox};
    use crate::{Environment, TokenStatus};

    /// The number of streams among the effects of a push.
    fn raised(effects: &[Effect]) -> Option<u32> {
        effects.iter().find_map(|effect| match effect {
            Effect::MaxConcurrentStreams { streams, .. } => Some(*streams),
            _ => None,
        })
    }

    #[test]
    fn streams_are_raised_once_and_before_the_answer_that_earned_it() {
        let mut bench = Bench::new();
        let push = bench.push();
        assert_eq!(bench.service.initial_max_concurrent_streams(bench.connection), 1);
        let effects = bench.effects(&push);
        assert!(matches!(
            effects[..],
            [Effect::MaxConcurrentStreams { streams: 1000, .. }, Effect::Respond { stream: 1, .. }]
        ));
        assert_eq!(raised(&bench.effects(&push)), None);
    }

    #[test]
    fn a_good_token_raises_the_streams_even_if_the_push_is_refused_and_a_bad_one_never_does() {
        let mut bench = Bench::new();
        let bad = bench.push().signed_by(&Jwt { signer: "another key", ..Jwt::default() });
        assert_eq!(raised(&bench.effects(&bad)), None);
        let unknown_path = bench.push().with(":path", "/");
        assert_eq!(raised(&bench.effects(&unknown_path)), None);
        let refused = bench.push().with("apns-priority", "7");
        assert_eq!(raised(&bench.effects(&refused)), Some(1000));
    }

    #[test]
    fn a_certificate_has_its_streams_at_once() {
        let mut bench = Bench::new();
        bench.connect_with(&certificate("development"));
        assert_eq!(bench.service.initial_max_concurrent_streams(bench.connection), 1000);
        let push = bench.push();
        assert_eq!(raised(&bench.effects(&push)), None);
    }

    #[test]
    fn the_numbers_of_streams_are_settings() {
        let mut settings = Settings::default();
        settings.set("max-concurrent-streams-before-token", "2").unwrap();
        settings.set("max-concurrent-streams", "500").unwrap();
        let mut bench = Bench::with_settings(settings);
        assert_eq!(bench.service.initial_max_concurrent_streams(bench.connection), 2);
        let push = bench.push();
        assert_eq!(raised(&bench.effects(&push)), Some(500));
    }

    #[test]
    fn a_connection_that_was_sent_away_or_is_closed_or_unknown_gets_no_answer() {
        let mut bench = Bench::new();
        let push = bench.push();
        bench.service.disconnected(NOW, bench.connection);
        assert_eq!(bench.effects(&push), []);
        bench.connect_with(&certificate("production"));
        assert!(matches!(
            bench.effects(&push)[..],
            [Effect::GoAway { reason: Reason::BadCertificateEnvironment, .. }]
        ));
    }

    /// The shell keeps a service behind a lock and hands it from thread to thread.
    #[test]
    fn a_service_can_be_handed_to_another_thread() {
        fn is_send<T: Send>() {}
        is_send::<Service>();
    }

    #[test]
    fn connections_are_strangers_to_each_other() {
        let mut bench = Bench::new();
        let first = bench.connection;
        let second = bench.service.connected(NOW, sandbox());
        assert_ne!(first, second);
        let push = bench.push();
        assert_eq!(raised(&bench.effects(&push)), Some(1000));
        bench.connection = second;
        assert_eq!(raised(&bench.effects(&push)), Some(1000));
    }

    #[test]
    fn apns_id_is_echoed_byte_for_byte_on_every_answer() {
        let given = "123e4567-E89B-12d3-a456-42665544000f";
        let mut bench = Bench::new();
        let good = bench.push().with("apns-id", given);
        let unauthenticated = good.clone().without("authorization");
        let unknown = good.clone().with(":path", "/");
        for push in [good, unauthenticated, unknown] {
            assert_eq!(bench.answer(&push).apns_id.as_str(), given);
        }
    }

    #[test]
    fn without_a_usable_apns_id_one_is_made_up_in_upper_case() {
        let mut bench = Bench::new();
        let (none, bad) = (bench.push(), bench.push().with("apns-id", "42"));
        let made_up = [&none, &bad, &none].map(|push| bench.answer(push).apns_id);
        for id in made_up {
            assert!(!id.as_bytes().iter().any(u8::is_ascii_lowercase), "{id:?}");
        }
        assert!(made_up[0] != made_up[1] && made_up[1] != made_up[2]);
    }

    /// Whether an accepted push to the sandbox, one to production, and a refused one to the sandbox are answered with
    /// an `apns-unique-id`.
    fn unique_ids(value: &str) -> [bool; 3] {
        let mut bench = Bench::with_setting("apns-unique-id", value);
        let refused = bench.push().with("apns-priority", "7");
        let sandbox = bench.push();
        let has = |bench: &mut Bench, push: &Push| bench.answer(push).apns_unique_id.is_some();
        let [of_sandbox, of_refused] = [&sandbox, &refused].map(|push| has(&mut bench, push));
        bench.register(Environment::Production);
        let production = sandbox.with(":authority", "api.push.apple.com");
        assert_eq!(bench.reason(&production), None);
        [of_sandbox, has(&mut bench, &production), of_refused]
    }

    #[test]
    fn apns_unique_id_is_for_the_sandbox_unless_set_otherwise() {
        assert_eq!(unique_ids("sandbox"), [true, false, false]);
        assert_eq!(unique_ids("always"), [true, true, true]);
        assert_eq!(unique_ids("never"), [false, false, false]);
    }

    #[test]
    fn a_refusal_has_a_content_type_only_when_set_so() {
        for (value, content_type) in [("absent", None), ("application/json", Some("application/json"))] {
            let mut bench = Bench::with_setting("error-content-type", value);
            let (good, refused) = (bench.push(), bench.push().with("apns-priority", "7"));
            assert_eq!(bench.answer(&refused).content_type, content_type);
            assert_eq!(bench.answer(&good).content_type, None);
        }
    }

    #[test]
    fn host_serves_where_authority_is_absent() {
        let mut bench = Bench::new();
        bench.register(Environment::Production);
        let push = bench.push().without(":authority").with("host", "api.push.apple.com:443");
        assert_eq!(bench.reason(&push), None);
        let push = push.with("host", "localhost");
        assert_eq!(bench.reason(&push), Some(Reason::BadDeviceToken));
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
