//! Every rule, proven by a push that is accepted but for it; and every reason, earned by a rule or told why not.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod common;

use common::{Bench, Jwt, NOW, OTHER_TEAM, TOKEN, VOIP_TOKEN, certificate, payload_of, sandbox};
use mock_apns_core::{
    DEVICE_RULES, DeviceToken, Effect, ExplainOn, KeyId, Opened, Reason, Settings, TokenStatus,
};

/// A push that is accepted, the one change that breaks a rule, and what is answered then.
struct Case {
    rule: &'static str,
    reason: Reason,
    /// Whatever the change is made to: settings and connection.
    bench: fn() -> Bench,
    /// The push that is accepted.
    accepted: fn(&Bench) -> common::Push,
    /// The one change.
    change: fn(&mut Bench, common::Push) -> common::Push,
}

fn plain(bench: &Bench) -> common::Push {
    bench.push()
}

/// A case on the usual bench, with one field given another value.
macro_rules! field {
    ($rule:literal, $reason:ident, $name:literal = $value:expr) => {
        Case {
            rule: $rule,
            reason: Reason::$reason,
            bench: Bench::new,
            accepted: plain,
            change: |_, push| push.with($name, $value),
        }
    };
}

/// A case on the usual bench, with any one change.
macro_rules! change {
    ($rule:literal, $reason:ident, $change:expr) => {
        Case { rule: $rule, reason: Reason::$reason, bench: Bench::new, accepted: plain, change: $change }
    };
}

/// A case on the usual bench, with another provider token.
macro_rules! token {
    ($rule:literal, $reason:ident, $($jwt:tt)*) => {
        change!($rule, $reason, |_, push| push.signed_by(&Jwt { $($jwt)*, ..Jwt::default() }))
    };
}

const PATH_AND_CREDENTIALS: &[Case] = &[
    field!("path-is-known", BadPath, ":path" = "/3/devices/00"),
    field!("method-is-post", MethodNotAllowed, ":method" = "GET"),
    Case {
        rule: "certificate-fits-environment",
        reason: Reason::BadCertificateEnvironment,
        bench: with_development_certificate,
        accepted: plain,
        change: |_, push| push.with(":authority", "api.push.apple.com"),
    },
    change!("provider-token-is-present", MissingProviderToken, |_, push| push.without("authorization")),
    field!("provider-token-is-readable", InvalidProviderToken, "authorization" = "bearer e30.e30.e30"),
    Case {
        rule: "provider-token-is-base64url",
        reason: Reason::InvalidProviderToken,
        bench: || Bench::with_setting("standard-base64", "InvalidProviderToken"),
        accepted: plain,
        change: |_, push| {
            let padded = format!("{}==", push.value("authorization"));
            push.with("authorization", &padded)
        },
    },
    token!("provider-token-is-es256", InvalidProviderToken, alg: "HS256"),
    Case {
        rule: "iat-is-a-number",
        reason: Reason::InvalidProviderToken,
        bench: || Bench::with_setting("string-iat", "InvalidProviderToken"),
        accepted: plain,
        change: |_, push| push.signed_by(&Jwt { iat: "\"1700000000\"", ..Jwt::default() }),
    },
    token!("team-is-known", InvalidProviderToken, team: "NOSUCHTEAM"),
    token!("key-is-known", InvalidProviderToken, kid: "NOSUCHKEY0"),
    token!("signature-is-good", InvalidProviderToken, signer: "another key"),
    change!("key-is-not-revoked", InvalidProviderToken, |bench, push| {
        bench.team_at().revoke_key(KeyId::parse(common::KEY).unwrap());
        push
    }),
    token!("provider-token-is-recent", ExpiredProviderToken, iat: "1699996399"),
    token!("provider-token-is-not-from-the-future", ExpiredProviderToken, iat: "1700000061"),
    Case {
        rule: "key-fits-environment",
        reason: Reason::BadEnvironmentKeyInToken,
        bench: Bench::new,
        accepted: |bench| bench.push().signed_by(&Jwt { kid: "SANDTEAM01", ..Jwt::default() }),
        change: |_, push| push.signed_by(&Jwt { kid: "PRODTEAM01", ..Jwt::default() }),
    },
    Case {
        rule: "key-fits-environment",
        reason: Reason::BadEnvironmentKeyIdInToken,
        bench: || Bench::with_setting("environment-key-reason", "BadEnvironmentKeyIdInToken"),
        accepted: plain,
        change: |_, push| push.signed_by(&Jwt { kid: "PRODTEAM01", ..Jwt::default() }),
    },
    token!("team-is-the-connections", InvalidProviderToken, team: OTHER_TEAM, kid: "OTHERKEY01"),
    Case {
        rule: "team-is-the-connections",
        reason: Reason::Forbidden,
        bench: || Bench::with_setting("second-team", "Forbidden"),
        accepted: plain,
        change: |_, push| push.signed_by(&Jwt { team: OTHER_TEAM, kid: "OTHERKEY01", ..Jwt::default() }),
    },
    token!("key-is-related", UnrelatedKeyIdInToken, kid: "TOPICKEY01"),
    Case {
        rule: "provider-token-changes-seldom",
        reason: Reason::TooManyProviderTokenUpdates,
        bench: on_its_second_token,
        accepted: |bench| bench.push().signed_by(&Jwt { iat: "1699999999", ..Jwt::default() }),
        change: |_, push| push.signed_by(&Jwt { iat: "1699999998", ..Jwt::default() }),
    },
];

const HEADERS_AND_TOPIC: &[Case] = &[
    change!("headers-are-single", DuplicateHeaders, |_, push| push.and("apns-topic", "com.example.app")),
    field!("apns-id-is-a-uuid", BadMessageId, "apns-id" = "42"),
    field!("expiration-is-a-time", BadExpirationDate, "apns-expiration" = "tomorrow"),
    field!("priority-is-allowed", BadPriority, "apns-priority" = "7"),
    field!("collapse-id-is-short", BadCollapseId, "apns-collapse-id" = &"x".repeat(65)),
    field!("push-type-is-known", InvalidPushType, "apns-push-type" = "silent"),
    Case {
        rule: "priority-fits-push-type",
        reason: Reason::BadPriority,
        bench: || Bench::with_setting("background-priority-10", "BadPriority"),
        accepted: |bench| bench.push().with("apns-push-type", "background").with("apns-priority", "5"),
        change: |_, push| push.with("apns-priority", "10"),
    },
    change!("topic-is-present", MissingTopic, |_, push| push.without("apns-topic")),
    field!("topic-is-well-formed", BadTopic, "apns-topic" = "com..app"),
    field!("topic-is-allowed", TopicDisallowed, "apns-topic" = "com.stranger.app"),
    Case {
        rule: "push-type-fits-topic",
        reason: Reason::InvalidPushType,
        bench: Bench::new,
        accepted: voip,
        change: |_, push| push.with("apns-push-type", "alert"),
    },
];

const DEVICE_TOKEN_AND_PAYLOAD: &[Case] = &[
    field!("device-token-is-present", MissingDeviceToken, ":path" = "/3/device/"),
    field!("device-token-is-hex", BadDeviceToken, ":path" = "/3/device/0xff"),
    field!("device-token-is-known", BadDeviceToken, ":path" = "/3/device/ff"),
    field!("device-token-fits-environment", BadDeviceToken, ":authority" = "api.push.apple.com"),
    field!("device-token-is-for-topic", DeviceTokenNotForTopic, "apns-topic" = "com.example.second"),
    change!("device-token-is-registered", Unregistered, |bench, push| {
        set_status(bench, TokenStatus::Unregistered { since: NOW });
        push
    }),
    change!("device-token-is-not-expired", ExpiredToken, |bench, push| {
        set_status(bench, TokenStatus::Expired { since: NOW });
        push
    }),
    change!("payload-is-not-empty", PayloadEmpty, |_, push| push.with_body("")),
    change!("payload-is-not-too-large", PayloadTooLarge, |_, push| push.with_body(payload_of(4097))),
    Case {
        rule: "payload-is-not-too-large",
        reason: Reason::PayloadTooLarge,
        bench: Bench::new,
        accepted: |bench| voip(bench).with_body(payload_of(5120)),
        change: |_, push| push.with_body(payload_of(5121)),
    },
    Case {
        rule: "device-token-is-not-flooded",
        reason: Reason::TooManyRequests,
        bench: || Bench::with_setting("device-token-burst", "1"),
        accepted: plain,
        change: |_, push| push, // the same once more
    },
    change!("payload-is-json", PayloadEmpty, |_, push| push.with_body("{")),
    change!("payload-is-a-dictionary", PayloadEmpty, |_, push| push.with_body("[]")),
];

/// Reasons that no single push earns, and why.
const NOT_EARNED_BY_ONE_PUSH: &[(Reason, &str)] = &[
    (Reason::BadCertificate, "told when the connection is opened, by GOAWAY"),
    (Reason::IdleTimeout, "told to an idle connection, by GOAWAY"),
    (Reason::InternalServerError, "a bad day of the service, not a mistake of the push"),
    (Reason::ServiceUnavailable, "a bad day of the service, not a mistake of the push"),
    (Reason::Shutdown, "a bad day of the service, not a mistake of the push"),
];

fn cases() -> impl Iterator<Item = &'static Case> {
    PATH_AND_CREDENTIALS.iter().chain(HEADERS_AND_TOPIC).chain(DEVICE_TOKEN_AND_PAYLOAD)
}

#[test]
fn each_rule_is_broken_by_one_change_to_an_accepted_push() {
    for case in cases() {
        let mut bench = (case.bench)();
        let accepted = (case.accepted)(&bench);
        let answer = bench.answer(&accepted);
        assert_eq!((answer.status, answer.reason), (200, None), "{}: before the change", case.rule);
        let broken = (case.change)(&mut bench, accepted);
        let answer = bench.answer(&broken);
        assert_eq!(answer.reason, Some(case.reason), "{}", case.rule);
        assert_eq!(answer.rule.map(|rule| rule.id), Some(case.rule));
        assert_eq!(answer.status, case.reason.status(), "{}", case.rule);
    }
}

#[test]
fn an_explanation_foresees_the_answer_and_says_what_the_rule_looked_at() {
    for case in cases() {
        let mut bench = (case.bench)();
        let accepted = (case.accepted)(&bench);
        assert_eq!(bench.reason(&accepted), None);
        let broken = (case.change)(&mut bench, accepted);
        let on = ExplainOn::Connection(bench.connection);
        let explanation = bench.service.explain(bench.now, on, &broken.request(), &broken.body).unwrap();
        let first = explanation.failed().next().unwrap();
        assert_eq!((first.rule.id, first.reason()), (case.rule, Some(case.reason)));
        assert!(first.looked_at.as_ref().is_some_and(|text| !text.is_empty()), "{}", case.rule);
        let (answer, mut body) = (bench.answer(&broken), Vec::new());
        answer.body(&mut body);
        let foreseen = explanation.answer;
        assert_eq!((foreseen.status, foreseen.reason), (answer.status, answer.reason), "{}", case.rule);
        assert_eq!(foreseen.body.as_bytes(), body, "{}", case.rule);
    }
}

#[test]
fn the_body_tells_the_reason_and_with_410_since_when() {
    for case in cases() {
        let mut bench = (case.bench)();
        let accepted = (case.accepted)(&bench);
        let mut body = Vec::new();
        bench.answer(&accepted).body(&mut body);
        assert_eq!(body, b"", "{}", case.rule);
        let broken = (case.change)(&mut bench, accepted);
        bench.answer(&broken).body(&mut body);
        let reason = case.reason.as_str();
        let expected = match case.reason.status() {
            410 => format!(r#"{{"reason":"{reason}","timestamp":{}}}"#, NOW.as_millis()),
            _ => format!(r#"{{"reason":"{reason}"}}"#),
        };
        assert_eq!(String::from_utf8(body).unwrap(), expected, "{}", case.rule);
    }
}

#[test]
fn every_rule_has_a_case_and_every_case_its_rule() {
    let mut proven: Vec<&str> = cases().map(|case| case.rule).collect();
    let mut rules: Vec<&str> = DEVICE_RULES.iter().map(|rule| rule.id).collect();
    proven.sort_unstable();
    proven.dedup();
    rules.sort_unstable();
    assert_eq!(proven, rules);
}

#[test]
fn every_reason_is_earned_by_a_case_or_told_why_not() {
    let mut told: Vec<Reason> = NOT_EARNED_BY_ONE_PUSH.iter().map(|(reason, _)| *reason).collect();
    for reason in &told {
        assert!(cases().all(|case| case.reason != *reason), "{reason:?} is earned by a case");
    }
    told.extend(cases().map(|case| case.reason));
    told.sort_unstable();
    told.dedup();
    let mut all = Reason::ALL.to_vec();
    all.sort_unstable();
    assert_eq!(told, all);
}

#[test]
fn a_certificate_that_cannot_be_used_is_told_by_goaway() {
    let mut bench = Bench::new();
    for (der, reason) in [
        (b"nonsense".to_vec(), Reason::BadCertificate),
        (certificate("production"), Reason::BadCertificateEnvironment),
    ] {
        let connection = bench.service.connected(NOW, Opened { certificate: Some(&der), ..sandbox() });
        assert_eq!(bench.service.poll_effect(), Some(Effect::GoAway { connection, reason }));
        assert_eq!(bench.service.poll_effect(), None);
    }
}

fn with_development_certificate() -> Bench {
    let mut bench = Bench::with_settings(Settings::default());
    bench.connect_with(&certificate("development"));
    bench
}

/// A bench whose connection has seen one change of provider token already.
fn on_its_second_token() -> Bench {
    let mut bench = Bench::new();
    for iat in ["1700000000", "1699999999"] {
        let push = bench.push().signed_by(&Jwt { iat, ..Jwt::default() });
        assert_eq!(bench.reason(&push), None);
    }
    bench
}

fn voip(bench: &Bench) -> common::Push {
    bench
        .push()
        .with(":path", &format!("/3/device/{VOIP_TOKEN}"))
        .with("apns-topic", "com.example.app.voip")
        .with("apns-push-type", "voip")
}

fn set_status(bench: &mut Bench, status: TokenStatus) {
    let token = DeviceToken::from_hex(TOKEN.as_bytes()).unwrap();
    assert!(bench.team_at().set_token_status(&token, status));
}
