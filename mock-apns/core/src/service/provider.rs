//! What a provider does: it connects, pushes, and goes.

use super::{Effect, Service};
use crate::{
    ConnectionId, Opened, Recorded, Request, Team, Timestamp,
    connection::{self, Accepted, Admission, Connection},
    fault::Moment,
    journal::TurnedAway,
    provider_token::bearer_token,
    providers::Providers,
    rules::{self, Checking, Group, Input},
    settings::TokenUpdates,
    team::TeamIndex,
};

impl Service {
    /// A connection is open: to be called when its TLS handshake is done. A certificate that cannot be used is answered
    /// with [`Effect::GoAway`], one of a team that is [blocked](crate::Throttling::Blocked) with that or [`Effect::Close`].
    pub fn connected(&mut self, now: Timestamp, opened: Opened<'_>) -> ConnectionId {
        self.record(|| Recorded::connected(now, &opened));
        let id = self.providers.next_id();
        let connection = Connection::open(now, &opened, &self.teams);
        if let Admission::Refused(reason) = connection.admission {
            self.effects.push_back(Effect::GoAway { connection: id, reason });
            let team = opened.certificate.and_then(|der| connection::team_named_by(der, &self.teams));
            self.file(now, team, TurnedAway::Connection { connection: id, reason });
        }
        let of_team = connection.team();
        let is_admitted = !matches!(connection.admission, Admission::Refused(_));
        self.providers.open(connection);
        if is_admitted {
            self.strike_at_connection(now, id, None);
            self.strike_again(now, Moment::Connection, id);
            self.shown(now, id, of_team);
            self.strike_again(now, Moment::Clock, id);
        }
        if let Some(team) = of_team {
            self.turn_away(now, id, team);
        }
        id
    }

    /// A connection has shown whose it is, if it is someone's.
    fn shown(&mut self, now: Timestamp, id: ConnectionId, team: Option<TeamIndex>) {
        let Some(index) = team else { return };
        let Some(team) = self.teams.get_mut(index) else { return };
        team.connections_seen += 1;
        if let Some(connection) = self.providers.connections.get_mut(&id) {
            connection.set_ordinal(team.connections_seen);
        }
        if team.faults.are_at(Moment::Connection) {
            self.strike_at_connection(now, id, Some(index));
        }
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
    /// connection is unknown, or was ended by the service, now or before: then none does.
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
        // The rules see a token that has died by now, and a key that was revoked, however late the wake-up comes.
        self.catch_up_if_due(now);
        let Providers { connections, verified, token_past, .. } = &mut self.providers;
        let Some(state) = connections.get_mut(&connection) else { return };
        if state.is_over() {
            return;
        }
        state.count_request();
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
        let mut shows = None;
        let authenticated = refusal.is_none_or(|refusal| refusal.rule.group > Group::Credentials);
        if let (true, Some(token), Some(bearer)) = (authenticated, judged.verified, bearer_token(request)) {
            if judged.token_updates == TokenUpdates::PerKey {
                token_past.remember(token, judged.now);
            }
            let accepted = state.accepted(judged.now, bearer, token);
            if accepted == Accepted::First && self.turn_away(now, connection, token.key.team) {
                return;
            }
            if accepted == Accepted::First {
                let streams = judged.max_concurrent_streams;
                self.effects.push_back(Effect::MaxConcurrentStreams { connection, streams });
                shows = Some(token.key.team);
            }
            if accepted != Accepted::Again {
                self.mind(token.key.team, |conduct, totals| conduct.used_token(judged.now, token, totals));
            }
        }
        self.strike_again(now, Moment::Connection, connection);
        self.shown(now, connection, shows);
        self.conclude(now, (connection, stream), request, body, &judged, refusal);
        self.strike_again(now, Moment::Clock, connection);
    }

    /// A connection is closed, by whichever side. Its effects that were not yet polled come all the same, and are to be
    /// dropped.
    pub fn disconnected(&mut self, now: Timestamp, connection: ConnectionId) {
        self.record(|| Recorded::disconnected(now, connection));
        if let Some(replaying) = &mut self.replaying {
            replaying.disconnected(connection);
        }
        let Some(state) = self.providers.connections.remove(&connection) else { return };
        // One that the service has ended is not one that its provider did not keep.
        if let Some(team) = state.team().filter(|_| !state.is_over()) {
            self.mind(team, |conduct, totals| conduct.closed_connection(now, state.open_for(now), totals));
            self.count_short_connection(now, team, state.open_for(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Bench, Jwt, NOW, Push, certificate, sandbox};
    use crate::{Environment, Reason, Settings};

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
}
