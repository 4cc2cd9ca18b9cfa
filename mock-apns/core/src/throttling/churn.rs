//! Connections of a team's providers that are opened and closed rapidly, and what they come to.
//!
//! Apple takes them for a denial-of-service attack, and blocks for a while, most likely by address. Here all clients have
//! the same address, and one that churns must not shut out the tests beside it: so it is the team that is blocked. Whose a
//! connection is shows with its certificate, or with the first good provider token on it. Those that are open stay.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Settings, Timestamp,
    bytes::is_default,
    conduct::{Lately, SHORT_CONNECTION},
};

/// What a team's providers did with connections lately, by the team's clock.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Churn {
    #[serde(skip_serializing_if = "is_default")]
    short_connections: Lately,
    /// Until when newcomers are turned away.
    #[serde(skip_serializing_if = "is_default")]
    blocked_until: Option<Timestamp>,
}

impl Churn {
    /// A provider has closed a connection that was open for so long.
    pub(super) fn closed(&mut self, now: Timestamp, open_for: Duration, settings: &Settings) {
        let threshold = settings.short_connections_before_block;
        if threshold == 0 || open_for >= SHORT_CONNECTION || self.is_blocked(now) {
            return;
        }
        if self.short_connections.count(now, SHORT_CONNECTION) >= threshold {
            let time = Duration::from_secs(settings.connection_block.into());
            *self =
                Self { short_connections: Lately::default(), blocked_until: Some(now.saturating_add(time)) };
        }
    }

    /// Whether newcomers are turned away.
    pub(super) fn is_blocked(&self, now: Timestamp) -> bool {
        self.blocked_until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Bench, Jwt, OTHER_TEAM, Push, TEAM, certificate, verify};
    use crate::{Effect, Environment, Reason, Service, Throttling};

    /// A bench of which three short connections are too many, and then newcomers wait for 100 seconds.
    fn bench() -> Bench {
        let mut settings = Settings::default();
        settings.set("short-connections-before-block", "3").unwrap();
        settings.set("connection-block", "100").unwrap();
        Bench::with_settings(settings)
    }

    /// Whether a push on a new connection was answered, which is closed after so long.
    fn connection(bench: &mut Bench, push: &Push, open_for: Duration) -> bool {
        bench.connect();
        let is_answered = bench.effects(push).iter().any(|effect| matches!(effect, Effect::Respond { .. }));
        pass(bench, open_for);
        bench.service.disconnected(bench.now, bench.connection);
        is_answered
    }

    fn connections(bench: &mut Bench, count: usize) -> Vec<bool> {
        let push = bench.push();
        (0..count).map(|_| connection(bench, &push, Duration::from_millis(5))).collect()
    }

    fn pass(bench: &mut Bench, span: Duration) {
        bench.now = bench.now.saturating_add(span);
    }

    #[test]
    fn unless_a_setting_asks_for_it_connections_may_come_and_go() {
        let mut bench = Bench::new();
        assert!(connections(&mut bench, 200).iter().all(|is_answered| *is_answered));
        assert_eq!(bench.service.totals().throttled(Throttling::Blocked), 0);
    }

    #[test]
    fn newcomers_are_turned_away_for_a_while_and_who_is_there_stays() {
        let mut bench = bench();
        let (open, push) = (bench.connection, bench.push());
        assert_eq!(bench.reason(&push), None);
        assert_eq!(connections(&mut bench, 5), [true, true, true, false, false]);
        assert_eq!(bench.service.totals().throttled(Throttling::Blocked), 2);
        bench.connection = open;
        assert_eq!(bench.reason(&push), None);
        bench.team_at().advance_clock(Duration::from_secs(99));
        assert_eq!(connections(&mut bench, 1), [false]);
        bench.team_at().advance_clock(Duration::from_secs(1));
        assert_eq!(connections(&mut bench, 4), [true, true, true, false]); // those in between count for nothing
    }

    #[test]
    fn what_a_newcomer_sees_is_a_setting_and_comes_in_place_of_the_answer() {
        let (token, certified) = (None, Some(certificate("development")));
        for (value, end) in [("close", None), ("Shutdown", Some(Reason::Shutdown))] {
            let mut bench = bench();
            bench.set(TEAM, "connection-block-answer", value);
            connections(&mut bench, 3);
            let push = bench.push();
            for certificate in [&token, &certified] {
                match certificate {
                    None => bench.connect(),
                    Some(der) => bench.connect_with(der),
                }
                let connection = bench.connection;
                let team = Some(crate::TeamId::parse(TEAM).unwrap());
                let end = match end {
                    None => Effect::Close { connection },
                    Some(reason) => Effect::GoAway { connection, reason },
                };
                // With a certificate this comes before the push, which has no answer either.
                let expected = [Effect::Throttled { connection, team, how: Throttling::Blocked }, end];
                assert_eq!(bench.effects(&push), expected);
                assert_eq!(bench.effects(&push), []);
            }
        }
    }

    #[test]
    fn connections_that_last_or_come_slowly_or_are_nobodys_are_no_churn() {
        let mut bench = bench();
        let push = bench.push();
        let stranger = push.clone().without("authorization");
        for _ in 0..5 {
            assert!(connection(&mut bench, &push, SHORT_CONNECTION));
            assert!(connection(&mut bench, &stranger, Duration::ZERO));
        }
        for _ in 0..5 {
            assert_eq!(connections(&mut bench, 2), [true, true]);
            pass(&mut bench, SHORT_CONNECTION);
        }
        assert_eq!(connections(&mut bench, 4), [true, true, true, false]);
    }

    #[test]
    fn a_connection_that_the_service_has_ended_is_not_one_that_its_provider_did_not_keep() {
        let mut bench = bench();
        bench.set(TEAM, "errors-before-disconnect", "1");
        let bad = bench.push().with("apns-priority", "7");
        for _ in 0..10 {
            assert!(connection(&mut bench, &bad, Duration::ZERO));
        }
        assert_eq!(bench.service.totals().short_connections, 0);
        assert_eq!(connections(&mut bench, 4), [true, true, true, false]);
        assert_eq!(bench.service.totals().short_connections, 3);
    }

    #[test]
    fn teams_are_apart_and_a_reset_forgives() {
        let mut bench = bench();
        let theirs = bench.push().signed_by(&Jwt { team: OTHER_TEAM, kid: "OTHERKEY01", ..Jwt::default() });
        assert_eq!(connections(&mut bench, 4), [true, true, true, false]);
        assert!(connection(&mut bench, &theirs, SHORT_CONNECTION));
        bench.team_at().reset();
        bench.register(Environment::Sandbox);
        assert_eq!(connections(&mut bench, 4), [true, true, true, false]);
    }

    #[test]
    fn a_block_is_kept_in_a_snapshot() {
        let mut bench = bench();
        let mut answered = Vec::new();
        for _ in 0..5 {
            answered.extend(connections(&mut bench, 1));
            let json = serde_json::to_string(&bench.service.snapshot()).unwrap();
            let snapshot = serde_json::from_str(&json).unwrap();
            bench.service = Service::restore(bench.now, &snapshot, verify).unwrap();
        }
        assert_eq!(answered, [true, true, true, false, false]);
    }
}
