//! The errors of one connection, and what they come to.
//!
//! An error is an answer that the provider could have avoided: every refusal but 410, which Apple excepts by name; 429,
//! which is itself how APNs slows a provider down and would be punished twice; and 5xx, which are the service's own fault.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Reason, Settings, Timestamp, bytes::is_default, conduct::Lately, settings::Ending};

/// The errors of a connection, and what they have come to so far.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Errors {
    /// Since the streams were as many as usual.
    #[serde(skip_serializing_if = "is_default")]
    toward_fewer_streams: Lately,
    /// As many as [`weight`] says for each.
    #[serde(skip_serializing_if = "is_default")]
    toward_end: Lately,
    /// Since when the streams are fewer.
    #[serde(skip_serializing_if = "is_default")]
    fewer_since: Option<Timestamp>,
    /// Whether the connection was ended: what comes on it has no answer.
    #[serde(skip_serializing_if = "is_default")]
    ended: bool,
}

/// What is to be done to a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Change {
    /// It gets fewer streams: so many.
    Lower(u32),
    /// It gets as many streams as it had.
    Restore(u32),
    /// It is ended.
    End(Ending),
}

impl Errors {
    /// Counts an answer. `has_streams`: the connection has as many as a good credential gets, so that there is something to
    /// lower.
    pub(super) fn answered(
        &mut self,
        now: Timestamp,
        reason: Option<Reason>,
        has_streams: bool,
        settings: &Settings,
    ) -> Option<Change> {
        let error = reason.filter(|reason| is_error(*reason));
        if let Some(error) = error
            && self.is_the_last(now, error, settings)
        {
            self.ended = true;
            return Some(Change::End(settings.error_disconnect));
        }
        match self.fewer_since {
            Some(since) => {
                let is_over =
                    settings.fewer_streams_time().is_some_and(|time| now.saturating_since(since) >= time);
                (reason.is_none() || is_over).then(|| {
                    self.streams_are_usual();
                    Change::Restore(settings.max_concurrent_streams)
                })
            }
            None if error.is_some() && has_streams => {
                let threshold = settings.errors_before_fewer_streams;
                let window = settings.error_window();
                let is_enough = threshold > 0 && self.toward_fewer_streams.count(now, window) >= threshold;
                is_enough.then(|| {
                    self.fewer_since = Some(now);
                    Change::Lower(
                        settings.max_concurrent_streams_after_errors.min(settings.max_concurrent_streams),
                    )
                })
            }
            None => None,
        }
    }

    /// Counts an error, and says whether it is the one for which the connection ends.
    fn is_the_last(&mut self, now: Timestamp, error: Reason, settings: &Settings) -> bool {
        let threshold = settings.errors_before_disconnect;
        threshold > 0
            && self.toward_end.add(now, settings.error_window(), weight(error, settings)) >= threshold
    }

    /// The connection has as many streams as a good credential gets.
    pub(crate) fn streams_are_usual(&mut self) {
        self.toward_fewer_streams = Lately::default();
        self.fewer_since = None;
    }

    /// Forgets what was counted. Streams that are fewer stay so until a push is accepted: only then is there a frame to
    /// say otherwise.
    pub(crate) fn forget(&mut self) {
        *self = Self { fewer_since: self.fewer_since, ended: self.ended, ..Self::default() };
    }

    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// Whether the connection was ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }
}

impl Settings {
    fn error_window(&self) -> Duration {
        Duration::from_secs(self.error_window.into())
    }

    /// For how long streams are fewer at the most, if there is such a time.
    fn fewer_streams_time(&self) -> Option<Duration> {
        (self.fewer_streams_time > 0).then(|| Duration::from_secs(self.fewer_streams_time.into()))
    }
}

fn is_error(reason: Reason) -> bool {
    !matches!(reason.status(), STATUS_GONE | STATUS_TOO_MANY | 500..)
}

/// How many errors an error counts for towards the connection's end.
fn weight(error: Reason, settings: &Settings) -> u32 {
    if error == Reason::BadDeviceToken { settings.bad_device_token_errors } else { 1 }
}

/// Apple, "Handling notification responses from APNs": it is not counted as an error.
const STATUS_GONE: u16 = 410;
const STATUS_TOO_MANY: u16 = 429;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Bench, Jwt, NOW, OTHER_TEAM, Push, TEAM, TOKEN, certificate, verify};
    use crate::{DeviceToken, Effect, Environment, Filter, Service, TeamId, Throttling, TokenStatus};

    /// A bench with these settings.
    fn bench(settings: &[(&str, &str)]) -> Bench {
        let mut changed = Settings::default();
        for (name, value) in settings {
            changed.set(name, value).unwrap();
        }
        Bench::with_settings(changed)
    }

    /// What came of a push, an effect each: `200`, `BadPriority`, `streams 1`, `GOAWAY Shutdown`.
    fn told(bench: &mut Bench, push: &Push) -> String {
        let effects = bench.effects(push);
        let told = effects.iter().map(|effect| match effect {
            Effect::Respond { answer, .. } => answer.reason.map_or("200", Reason::as_str).to_owned(),
            Effect::MaxConcurrentStreams { streams, .. } => format!("streams {streams}"),
            Effect::GoAway { reason, .. } => format!("GOAWAY {}", reason.as_str()),
            Effect::Close { .. } => "close".to_owned(),
            Effect::Throttled { how, team, .. } => {
                format!("{} {}", team.as_ref().map_or("nobody", TeamId::as_str), how.as_str())
            }
            other => panic!("{other:?}"),
        });
        told.collect::<Vec<_>>().join(", ")
    }

    /// The bench's connection has its streams; a push that is an error, and one that is accepted.
    fn begun(settings: &[(&str, &str)]) -> (Bench, Push, Push) {
        let mut bench = bench(settings);
        let good = bench.push();
        assert_eq!(told(&mut bench, &good), "streams 1000, 200");
        let bad = good.clone().with("apns-priority", "7");
        (bench, bad, good)
    }

    const LOWERED: &str = "BadPriority, TEAM000001 fewer-streams, streams 1";
    const ENDED: &str = "BadPriority, TEAM000001 disconnected, GOAWAY Shutdown";

    #[test]
    fn unless_a_setting_asks_for_it_errors_come_to_nothing() {
        let (mut bench, bad, good) = begun(&[]);
        for _ in 0..1000 {
            assert_eq!(told(&mut bench, &bad), "BadPriority");
        }
        assert_eq!(told(&mut bench, &good), "200");
        assert_eq!(bench.service.totals().throttled(Throttling::FewerStreams), 0);
    }

    #[test]
    fn so_many_errors_lower_the_streams_and_an_accepted_push_restores_them() {
        let (mut bench, bad, good) = begun(&[("errors-before-fewer-streams", "3")]);
        for _ in 0..3 {
            let got = [&bad, &good, &bad, &bad, &bad, &bad, &good, &good].map(|push| told(&mut bench, push));
            let expected = ["BadPriority", "200", "BadPriority", LOWERED, "BadPriority", "BadPriority"];
            assert_eq!(got[..6], expected);
            assert_eq!(got[6..], ["200, streams 1000", "200"]);
        }
        assert_eq!(bench.service.totals().throttled(Throttling::FewerStreams), 3);
    }

    #[test]
    fn errors_are_forgiven_when_their_time_is_over() {
        let settings =
            [("errors-before-fewer-streams", "3"), ("errors-before-disconnect", "3"), ("error-window", "30")];
        let (mut bench, bad, _) = begun(&settings);
        for _ in 0..4 {
            assert_eq!([told(&mut bench, &bad), told(&mut bench, &bad)], ["BadPriority", "BadPriority"]);
            bench.now = bench.now.saturating_add(Duration::from_secs(30));
        }
        told(&mut bench, &bad);
        bench.now = bench.now.saturating_add(Duration::from_millis(29_999));
        told(&mut bench, &bad);
        assert_eq!(told(&mut bench, &bad), ENDED);
    }

    #[test]
    fn what_the_provider_could_not_avoid_is_no_error() {
        let excused: Vec<_> =
            Reason::ALL.iter().filter(|reason| !is_error(**reason)).map(|reason| reason.as_str()).collect();
        assert_eq!(
            excused,
            [
                "ExpiredToken",
                "Unregistered",
                "TooManyProviderTokenUpdates",
                "TooManyRequests",
                "InternalServerError",
                "ServiceUnavailable",
                "Shutdown"
            ]
        );
        let (mut bench, _, good) =
            begun(&[("errors-before-fewer-streams", "1"), ("errors-before-disconnect", "1")]);
        let token = DeviceToken::from_hex(TOKEN.as_bytes()).unwrap();
        assert!(bench.team_at().set_token_status(&token, TokenStatus::Unregistered { since: NOW }));
        for _ in 0..100 {
            assert_eq!(bench.reason(&good), Some(Reason::Unregistered));
        }
        assert!(bench.team_at().set_token_status(&token, TokenStatus::Active));
        bench.set(TEAM, "device-token-burst", "1");
        let answers: Vec<_> = (0..100).map(|_| told(&mut bench, &good)).collect();
        assert!(answers.iter().skip(1).all(|answer| answer == "TooManyRequests"), "{answers:?}");
    }

    #[test]
    fn too_many_errors_end_the_connection_and_sooner_for_bad_device_tokens() {
        let unknown = |good: &Push| good.clone().with(":path", "/3/device/00");
        for (weight, bad_tokens, others) in
            [("5", 1, 5), ("5", 0, 10), ("5", 2, 0), ("4", 2, 2), ("1", 10, 0)]
        {
            let (mut bench, bad, good) =
                begun(&[("errors-before-disconnect", "10"), ("bad-device-token-errors", weight)]);
            let unknown = unknown(&good);
            let errors: Vec<_> = std::iter::repeat_n(&unknown, bad_tokens)
                .chain(std::iter::repeat_n(&bad, others))
                .map(|push| told(&mut bench, push))
                .collect();
            let (last, before) = errors.split_last().unwrap();
            assert!(before.iter().all(|answer| !answer.contains(',')), "{weight}: {errors:?}");
            assert!(last.ends_with(", TEAM000001 disconnected, GOAWAY Shutdown"), "{weight}: {errors:?}");
            assert_eq!([told(&mut bench, &good), told(&mut bench, &bad)], ["", ""]);
            bench.connect();
            assert_eq!(told(&mut bench, &good), "streams 1000, 200");
        }
    }

    #[test]
    fn how_a_connection_ends_is_a_setting() {
        for (value, end) in [("TooManyRequests", "GOAWAY TooManyRequests"), ("close", "close")] {
            let (mut bench, bad, _) =
                begun(&[("errors-before-disconnect", "1"), ("error-disconnect", value)]);
            assert_eq!(told(&mut bench, &bad), format!("BadPriority, TEAM000001 disconnected, {end}"));
        }
    }

    #[test]
    fn without_a_good_token_there_are_no_streams_to_lower_but_there_is_an_end() {
        let mut bench = bench(&[("errors-before-fewer-streams", "1"), ("errors-before-disconnect", "3")]);
        let stranger = bench.push().without("authorization");
        let answers = [(); 3].map(|()| told(&mut bench, &stranger));
        assert_eq!(answers[..2], ["MissingProviderToken", "MissingProviderToken"]);
        assert_eq!(answers[2], "MissingProviderToken, nobody disconnected, GOAWAY Shutdown");
        let record = bench.service.unclaimed(0).next_back().unwrap();
        assert_eq!(record.event.name(), "throttled");
    }

    #[test]
    fn a_certificates_streams_are_lowered_too() {
        let mut bench =
            bench(&[("errors-before-fewer-streams", "1"), ("max-concurrent-streams-after-errors", "7")]);
        bench.connect_with(&certificate("development"));
        let bad = bench.push().with("apns-priority", "7");
        assert_eq!(told(&mut bench, &bad), "BadPriority, TEAM000001 fewer-streams, streams 7");
        let good = bench.push();
        assert_eq!(told(&mut bench, &good), "200, streams 1000");
    }

    #[test]
    fn fewer_streams_may_have_a_time() {
        let (mut bench, bad, _) =
            begun(&[("errors-before-fewer-streams", "2"), ("fewer-streams-time", "10")]);
        told(&mut bench, &bad);
        assert_eq!(told(&mut bench, &bad), LOWERED);
        bench.now = bench.now.saturating_add(Duration::from_millis(9_999));
        assert_eq!(told(&mut bench, &bad), "BadPriority");
        bench.now = bench.now.saturating_add(Duration::from_millis(1));
        assert_eq!(told(&mut bench, &bad), "BadPriority, streams 1000");
        assert_eq!([told(&mut bench, &bad), told(&mut bench, &bad)], ["BadPriority", LOWERED]);
    }

    #[test]
    fn connections_and_teams_are_apart() {
        let (mut bench, bad, good) = begun(&[]);
        bench.set(TEAM, "errors-before-disconnect", "2");
        let first = bench.connection;
        assert_eq!(told(&mut bench, &bad), "BadPriority");
        bench.connect();
        let theirs = good.clone().signed_by(&Jwt { team: OTHER_TEAM, kid: "OTHERKEY01", ..Jwt::default() });
        assert_eq!(told(&mut bench, &theirs), "streams 1000, 200");
        for _ in 0..10 {
            assert_eq!(told(&mut bench, &theirs.clone().with("apns-priority", "7")), "BadPriority");
        }
        bench.connect();
        assert_eq!(told(&mut bench, &bad), "streams 1000, BadPriority");
        bench.connection = first;
        assert_eq!(told(&mut bench, &bad), ENDED);
    }

    #[test]
    fn a_reset_forgives_and_the_next_accepted_push_restores() {
        let settings = [("errors-before-fewer-streams", "1"), ("errors-before-disconnect", "3")];
        let (mut bench, bad, good) = begun(&settings);
        bench.connect_with(&certificate("development"));
        assert_eq!([told(&mut bench, &bad), told(&mut bench, &bad)], [LOWERED, "BadPriority"]);
        bench.team_at().reset();
        bench.register(Environment::Sandbox);
        assert_eq!([told(&mut bench, &bad), told(&mut bench, &bad)], ["BadPriority", "BadPriority"]);
        assert_eq!(told(&mut bench, &good), "200, streams 1000");
        assert_eq!(told(&mut bench, &bad), ENDED);
    }

    #[test]
    fn what_was_counted_is_in_a_checkpoint() {
        let settings = [("errors-before-fewer-streams", "2"), ("errors-before-disconnect", "4")];
        let (mut bench, bad, _) = begun(&settings);
        let mut answers = Vec::new();
        for _ in 0..5 {
            answers.push(told(&mut bench, &bad));
            let checkpoint = serde_json::to_string(&bench.service.checkpoint()).unwrap();
            let checkpoint = serde_json::from_str(&checkpoint).unwrap();
            bench.service = Service::resume(&checkpoint, verify).unwrap();
        }
        assert_eq!(answers, ["BadPriority", LOWERED, "BadPriority", ENDED, ""]);
    }

    #[test]
    fn why_a_provider_was_cut_off_is_in_the_journal() {
        let (mut bench, bad, _) = begun(&[("errors-before-disconnect", "1")]);
        told(&mut bench, &bad);
        let filter = Filter::parse("event:throttled").unwrap();
        let team = bench.team_at();
        let record = team.team().journal(0).find(|record| filter.matches(record)).unwrap();
        let expected = format!(
            r#"{{"cursor":{},"at":{NOW},"event":"throttled","how":"disconnected","setting":"errors-before-disconnect","connection":0}}"#,
            record.cursor
        );
        assert_eq!(serde_json::to_string(&record).unwrap(), expected);
        assert_eq!(bench.service.totals().throttled(Throttling::Disconnected), 1);
    }
}
