//! Why a request is answered as it is: what an explanation tells, and what it never does.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod common;
#[path = "common/fields.rs"]
mod fields;

use common::{Bench, HOUR, Jwt, NOW, OTHER_TEAM, Push, TEAM, TOKEN, certificate, payload_of, sandbox};
use mock_apns_core::{
    DEVICE_RULES, DeviceToken, Effect, ExplainOn, Explanation, Group, Opened, Outcome, Reason, Request,
    TokenStatus,
};
use proptest::prelude::*;

/// What an explanation on the bench's connection says.
fn explain(bench: &Bench, push: &Push) -> Explanation {
    let on = ExplainOn::Connection(bench.connection);
    bench.service.explain(bench.now, on, &push.request(), &push.body).unwrap()
}

/// The outcome of a rule, and what it looked at.
fn step<'a>(explanation: &'a Explanation, rule: &str) -> (Outcome, Option<&'a str>) {
    let step = explanation.steps.iter().find(|step| step.rule.id == rule).unwrap();
    (step.outcome, step.looked_at.as_deref())
}

/// What a rule looked at in a push on the bench's connection.
fn looked_at(bench: &Bench, push: &Push, rule: &str) -> String {
    step(&explain(bench, push), rule).1.unwrap().to_owned()
}

fn failed(explanation: &Explanation) -> Vec<&'static str> {
    explanation.failed().map(|step| step.rule.id).collect()
}

fn not_reached(explanation: &Explanation) -> Vec<&'static str> {
    let steps = explanation.steps.iter().filter(|step| step.outcome == Outcome::NotReached);
    steps.map(|step| step.rule.id).collect()
}

#[test]
fn a_push_that_is_fine_passes_every_rule() {
    let mut bench = Bench::new();
    let push = bench.push();
    // The second time its provider token was verified before.
    for _ in 0..2 {
        let explanation = explain(&bench, &push);
        assert!(explanation.steps.iter().map(|step| step.rule).eq(DEVICE_RULES.iter().copied()));
        for step in &explanation.steps {
            assert_eq!(step.outcome, Outcome::Passed, "{}", step.rule.id);
            // There is no certificate to look at.
            let has_nothing = step.rule.id == "certificate-fits-environment";
            assert_eq!(step.looked_at.is_none(), has_nothing, "{}", step.rule.id);
        }
        let answer = &explanation.answer;
        assert_eq!((answer.status, answer.reason, answer.body.as_str()), (200, None, ""));
        assert_eq!(explanation.summary(), "200: every rule holds.");
        assert_eq!(bench.reason(&push), None);
    }
}

#[test]
fn the_path_and_the_method_are_shown() {
    let bench = Bench::new();
    let push = bench.push().with(":path", "/3/devices/00").with(":method", "GET");
    assert_eq!(looked_at(&bench, &push, "path-is-known"), ":path \"/3/devices/00\"");
    let push = push.with(":path", "/3/device/00");
    assert_eq!(looked_at(&bench, &push, "method-is-post"), ":method \"GET\"");
    assert_eq!(looked_at(&bench, &push.without(":path"), "path-is-known"), "no :path");
}

#[test]
fn a_provider_token_is_shown_by_its_claims() {
    let bench = Bench::new();
    for (jwt, rule, text) in [
        (
            Jwt::default(),
            "provider-token-is-readable",
            "3 parts; header: alg \"ES256\", kid \"LEGACYKEY1\"; claims: iss \"TEAM000001\", iat 1700000000; a \
             signature of 64 bytes",
        ),
        (
            Jwt::default(),
            "provider-token-is-base64url",
            "base64url without padding; the setting standard-base64 is accept",
        ),
        (Jwt { alg: "HS256", ..Jwt::default() }, "provider-token-is-es256", "alg \"HS256\""),
        (
            Jwt { iat: "\"1700000000\"", ..Jwt::default() },
            "iat-is-a-number",
            "iat \"1700000000\"; the setting string-iat is accept",
        ),
        (Jwt { team: "NOSUCHTEAM", ..Jwt::default() }, "team-is-known", "iss \"NOSUCHTEAM\""),
        (
            Jwt { kid: "OTHERKEY01", ..Jwt::default() },
            "key-is-known",
            "kid \"OTHERKEY01\", iss \"TEAM000001\"",
        ),
        (
            Jwt { signer: "another key", ..Jwt::default() },
            "signature-is-good",
            "a signature of 64 bytes, kid \"LEGACYKEY1\", iss \"TEAM000001\"",
        ),
        (Jwt::default(), "key-is-not-revoked", "key LEGACYKEY1 is in force"),
        (
            Jwt { iat: "1699996399", ..Jwt::default() },
            "provider-token-is-recent",
            "iat 1699996399, 3601s ago",
        ),
        (
            Jwt { iat: "1700000061", ..Jwt::default() },
            "provider-token-is-not-from-the-future",
            "iat 1700000061, 61s ahead",
        ),
        (
            Jwt { kid: "PRODTEAM01", ..Jwt::default() },
            "key-fits-environment",
            "key PRODTEAM01 for production; the push goes to sandbox",
        ),
    ] {
        assert_eq!(looked_at(&bench, &bench.push().signed_by(&jwt), rule), text);
    }
}

#[test]
fn the_past_of_a_connection_is_shown() {
    let mut bench = Bench::new();
    let push = bench.push();
    let other = bench.push().signed_by(&Jwt { team: OTHER_TEAM, kid: "OTHERKEY01", ..Jwt::default() });
    assert_eq!(
        looked_at(&bench, &other, "team-is-the-connections"),
        "team TEAM000002, first on the connection"
    );
    assert_eq!(bench.reason(&push), None);
    assert_eq!(
        looked_at(&bench, &other, "team-is-the-connections"),
        "team TEAM000002; first on the connection was team TEAM000001"
    );
    let unrelated = bench.push().signed_by(&Jwt { kid: "TOPICKEY01", ..Jwt::default() });
    assert_eq!(
        looked_at(&bench, &unrelated, "key-is-related"),
        "key TOPICKEY01; first on the connection was key LEGACYKEY1"
    );
    let [second, third] =
        ["1699999999", "1699999998"].map(|iat| bench.push().signed_by(&Jwt { iat, ..Jwt::default() }));
    assert_eq!(bench.reason(&second), None);
    assert_eq!(
        looked_at(&bench, &third, "provider-token-changes-seldom"),
        "key LEGACYKEY1, iat 1699999998: the second change within 1200s; the setting provider-token-updates is \
         per-connection"
    );
}

#[test]
fn with_a_certificate_there_is_no_provider_token_to_look_at() {
    let mut bench = Bench::new();
    bench.connect_with(&certificate("development"));
    let push = bench.push().without("apns-topic").with(":authority", "api.push.apple.com");
    let explanation = explain(&bench, &push);
    assert_eq!(failed(&explanation), ["certificate-fits-environment", "device-token-fits-environment"]);
    for (rule, text) in [
        ("certificate-fits-environment", Some("a certificate for sandbox; the push goes to production")),
        ("provider-token-is-readable", None),
        ("topic-is-present", Some("no apns-topic; the certificate's only topic is \"com.example.app\"")),
    ] {
        assert_eq!(step(&explanation, rule).1, text);
    }
    let text = looked_at(&bench, &push, "provider-token-is-present");
    assert!(
        text.starts_with("a certificate, Apple Development IOS Push Services: com.example.app"),
        "{text}"
    );
    bench.connect_with(&certificate("universal"));
    let push = bench.push().with("apns-topic", "com.example.app.voip-ptt");
    assert_eq!(
        looked_at(&bench, &push, "topic-is-allowed"),
        "apns-topic \"com.example.app.voip-ptt\"; the certificate is for com.example.app, com.example.app.voip, \
         com.example.app.complication"
    );
}

#[test]
fn headers_are_shown_as_they_came() {
    let bench = Bench::with_setting("background-priority-10", "BadPriority");
    let push = bench.push().with("apns-priority", "10").with("apns-push-type", "background");
    assert_eq!(
        looked_at(&bench, &push, "priority-fits-push-type"),
        "apns-priority \"10\", apns-push-type \"background\"; the setting background-priority-10 is BadPriority"
    );
    let push = bench.push().with("apns-priority", "7").with("apns-collapse-id", "\u{1b}[2J");
    assert_eq!(looked_at(&bench, &push, "priority-is-allowed"), "apns-priority \"7\"");
    assert_eq!(looked_at(&bench, &push, "collapse-id-is-short"), "apns-collapse-id \"\\u{1b}[2J\"");
    assert_eq!(looked_at(&bench, &push, "apns-id-is-a-uuid"), "no apns-id");
    let push = push.and("apns-priority", "10");
    assert_eq!(looked_at(&bench, &push, "headers-are-single"), "apns-priority is there 2 times");
}

#[test]
fn the_topic_is_shown_with_what_the_credentials_are_for() {
    let bench = Bench::new();
    let second = bench.push().with("apns-topic", "com.example.second");
    let by_topic_key = second.clone().signed_by(&Jwt { kid: "TOPICKEY01", ..Jwt::default() });
    for (push, rule, text) in [
        (bench.push().with("apns-topic", "com..app"), "topic-is-well-formed", "apns-topic \"com..app\""),
        (
            bench.push().with("apns-topic", "com.stranger.app"),
            "topic-is-allowed",
            "apns-topic \"com.stranger.app\"; no topic of an app of team TEAM000001; the key is for all of the \
             team's apps",
        ),
        (
            by_topic_key,
            "topic-is-allowed",
            "apns-topic \"com.example.second\"; a topic of the team's app com.example.second; the key is for \
             com.example.app",
        ),
        (
            bench.push().with("apns-topic", "com.example.app.voip"),
            "push-type-fits-topic",
            "alert goes with a topic without suffix; com.example.app.voip is a topic with the suffix .voip",
        ),
    ] {
        assert_eq!(looked_at(&bench, &push, rule), text);
    }
}

#[test]
fn the_device_token_is_shown_with_what_it_stands_for() {
    let mut bench = Bench::with_setting("device-token-burst", "1");
    let push = bench.push();
    let unknown = push.clone().with(":path", "/3/device/ff");
    assert_eq!(
        looked_at(&bench, &unknown, "device-token-is-known"),
        "\"ff\": of no app on a device of team TEAM000001"
    );
    assert_eq!(
        looked_at(&bench, &push, "device-token-is-known"),
        format!("\"{TOKEN}\": kind app of app com.example.app on device phone, sandbox")
    );
    let production = push.clone().with(":authority", "api.push.apple.com");
    assert_eq!(
        looked_at(&bench, &production, "device-token-fits-environment"),
        "a device token for sandbox; the push goes to production"
    );
    let second = push.clone().with("apns-topic", "com.example.second");
    assert_eq!(
        looked_at(&bench, &second, "device-token-is-for-topic"),
        "a device token of kind app of app com.example.app; com.example.second is for kind app of app \
         com.example.second"
    );
    assert_eq!(
        looked_at(&bench, &push, "device-token-is-not-flooded"),
        "device-token-burst 1, device-token-refill 1s; the next is taken now"
    );
    assert_eq!(bench.reason(&push), None);
    assert_eq!(
        looked_at(&bench, &push, "device-token-is-not-flooded"),
        "device-token-burst 1, device-token-refill 1s; the next is taken in 1s"
    );
    let token = DeviceToken::from_hex(TOKEN.as_bytes()).unwrap();
    assert!(bench.team_at().set_token_status(&token, TokenStatus::Unregistered { since: NOW }));
    let text = looked_at(&bench, &push, "device-token-is-registered");
    assert_eq!(text, "unregistered since 1700000000000 (milliseconds)");
}

#[test]
fn the_payload_is_shown_by_its_length_and_its_beginning() {
    let bench = Bench::new();
    let large = bench.push().with_body(payload_of(4097));
    assert_eq!(looked_at(&bench, &large, "payload-is-not-too-large"), "4097 bytes of at most 4096");
    // It may have been cut off behind its limit, so that what it says is not judged.
    assert_eq!(not_reached(&explain(&bench, &large)), ["payload-is-json", "payload-is-a-dictionary"]);
    let broken = bench.push().with_body(r#"{"aps":{"alert":"say "hi""}}"#);
    assert_eq!(
        looked_at(&bench, &broken, "payload-is-json"),
        "28 bytes, not JSON (expected `,` or `}` at line 1 column 23): {\"aps\":{\"alert\":\"say \"hi\"\"}}"
    );
    let long = bench.push().with_body(payload_of(4096));
    let text = looked_at(&bench, &long, "payload-is-a-dictionary");
    assert!(text.starts_with("4096 bytes: {\"a\":\"xxx") && text.chars().count() < 220, "{text}");
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_in_which_they_would_be_answered() {
    let bench = Bench::new();
    let push = bench.push().with("apns-priority", "7").with("apns-topic", "com.stranger.app").with_body("{");
    let explanation = explain(&bench, &push);
    assert_eq!(failed(&explanation), ["priority-is-allowed", "topic-is-allowed", "payload-is-json"]);
    // Nothing is said of what rests on them.
    assert_eq!(
        not_reached(&explanation),
        [
            "priority-fits-push-type",
            "push-type-fits-topic",
            "device-token-is-for-topic",
            "payload-is-a-dictionary"
        ]
    );
    assert_eq!(
        explanation.summary(),
        "400 BadPriority: priority-is-allowed does not hold. Next would be: topic-is-allowed, \
         payload-is-json."
    );
}

#[test]
fn without_credentials_what_needs_a_team_is_not_reached_and_the_rest_is_judged() {
    let bench = Bench::new();
    let push = bench.push().without("authorization").with(":path", "/3/device/zz").with_body("");
    let explanation = explain(&bench, &push);
    let expected = ["provider-token-is-present", "device-token-is-hex", "payload-is-not-empty"];
    assert_eq!(failed(&explanation), expected);
    let credentials = DEVICE_RULES.iter().filter(|rule| rule.group == Group::Credentials).count();
    let of_credentials =
        |id: &&str| DEVICE_RULES.iter().any(|rule| rule.id == *id && rule.group == Group::Credentials);
    // But for the certificate, which is none, and the missing token.
    assert_eq!(not_reached(&explanation).iter().filter(|id| of_credentials(id)).count(), credentials - 2);
    assert!(not_reached(&explanation).contains(&"device-token-is-known"));
}

/// The bytes of the signature, as they stand in a token.
fn signature_of(push: &Push) -> String {
    push.value("authorization").rsplit('.').next().unwrap().to_owned()
}

#[test]
fn a_signature_is_never_told() {
    let mut bench = Bench::new();
    let push = bench.push();
    assert_eq!(bench.reason(&push), None);
    let (whole, signature) = (push.value("authorization"), signature_of(&push));
    let token = whole.strip_prefix("bearer ").unwrap();
    let claims = token.rsplit_once('.').unwrap().0;
    for value in [
        whole.clone(),
        token.to_owned(),
        format!("Basic {token}"),
        format!("bearer {claims}.!{signature}"),
        format!("bearer {token}.{signature}"),
        format!("bearer {signature}"),
        format!("bearer {signature}.{signature}.{signature}"),
        format!("bearer {token}=="),
        signature.clone(),
    ] {
        let push = push.clone().with("authorization", &value);
        for push in [push.clone(), push.and("authorization", &value)] {
            let explanation = explain(&bench, &push);
            let json = serde_json::to_string(&explanation).unwrap();
            for told in [json, explanation.to_string(), format!("{explanation:?}")] {
                assert!(!told.contains(&signature[..16]), "{value}: {told}");
            }
        }
    }
}

#[test]
fn explaining_changes_nothing() {
    let (mut bench, mut twin) = (Bench::new(), Bench::new());
    let push = bench.push();
    let pushes = [
        push.clone(),
        push.clone().signed_by(&Jwt { iat: "1699999999", ..Jwt::default() }),
        push.clone().signed_by(&Jwt { iat: "1699999998", ..Jwt::default() }),
        push.clone().with("apns-priority", "7"),
        push.clone().without("authorization"),
    ];
    for round in 0..2 {
        let before = format!("{:?}", bench.service);
        for _ in 0..3 {
            for push in &pushes {
                explain(&bench, push);
                let on = ExplainOn::New(sandbox());
                bench.service.explain(NOW.saturating_add(HOUR), on, &push.request(), &push.body).unwrap();
            }
        }
        assert_eq!(format!("{:?}", bench.service), before, "round {round}");
        assert_eq!(bench.service.poll_effect(), None);
        for push in &pushes {
            assert_eq!(bench.effects(push), twin.effects(push), "round {round}");
        }
    }
}

/// What a provider token has proven is remembered, but not beyond a change of the settings.
#[test]
fn a_token_that_was_verified_before_is_judged_as_a_real_push_would() {
    let mut bench = Bench::new();
    let of = |iat: &str| bench.push().signed_by(&Jwt { iat, ..Jwt::default() });
    let (known, unknown) = (of("\"1700000000\""), of("\"1699999999\""));
    assert_eq!(bench.reason(&known), None);
    bench.set(TEAM, "string-iat", "InvalidProviderToken");
    bench.connect();
    for push in [known, unknown] {
        assert_eq!(failed(&explain(&bench, &push)).first().copied(), Some("iat-is-a-number"));
        assert_eq!(bench.answer(&push).rule.map(|rule| rule.id), Some("iat-is-a-number"));
    }
}

#[test]
fn a_request_is_explained_on_a_new_connection_or_an_open_one_but_on_no_other() {
    let mut bench = Bench::new();
    for iat in ["1700000000", "1699999999"] {
        let push = bench.push().signed_by(&Jwt { iat, ..Jwt::default() });
        assert_eq!(bench.reason(&push), None);
    }
    let third = bench.push().signed_by(&Jwt { iat: "1699999998", ..Jwt::default() });
    assert_eq!(failed(&explain(&bench, &third)), ["provider-token-changes-seldom"]);
    let on = |on| bench.service.explain(bench.now, on, &third.request(), &third.body);
    let new = on(ExplainOn::New(sandbox())).unwrap();
    assert_eq!(new.answer.status, 200);
    bench.service.disconnected(NOW, bench.connection);
    let closed = ExplainOn::Connection(bench.connection);
    assert_eq!(bench.service.explain(NOW, closed, &third.request(), &third.body), None);
}

#[test]
fn a_connection_that_is_sent_away_answers_nothing() {
    let mut bench = Bench::new();
    let (push, der) = (bench.push(), certificate("production"));
    let opened = Opened { certificate: Some(&der), ..sandbox() };
    bench.connect_with(&der);
    for on in [ExplainOn::New(opened), ExplainOn::Connection(bench.connection)] {
        let explanation = bench.service.explain(NOW, on, &push.request(), &push.body).unwrap();
        let answer = &explanation.answer;
        assert_eq!((answer.goaway, answer.reason), (true, Some(Reason::BadCertificateEnvironment)));
        assert_eq!(answer.body, r#"{"reason":"BadCertificateEnvironment"}"#);
        assert_eq!(not_reached(&explanation).len(), DEVICE_RULES.len());
        assert_eq!(
            explanation.summary(),
            "No answer: the connection is told to go away, for BadCertificateEnvironment."
        );
    }
}

#[test]
fn it_serialises_with_keys_in_kebab_case() {
    let bench = Bench::new();
    let push = bench.push().with("apns-priority", "7");
    let json = serde_json::to_value(explain(&bench, &push)).unwrap();
    let rule =
        |id: &str| json["rules"].as_array().unwrap().iter().find(|rule| rule["rule"] == id).unwrap().clone();
    assert_eq!(json["summary"], "400 BadPriority: priority-is-allowed does not hold.");
    assert_eq!(
        json["answer"],
        serde_json::json!({
            "status": 400, "reason": "BadPriority", "body": r#"{"reason":"BadPriority"}"#, "goaway": false
        })
    );
    assert_eq!(
        rule("priority-is-allowed"),
        serde_json::json!({
            "rule": "priority-is-allowed",
            "group": "headers",
            "title": "apns-priority, where present, is 10, 5 or 1.",
            "outcome": "failed",
            "reason": "BadPriority",
            "looked-at": "apns-priority \"7\"",
            "source": "Apple, \"Sending notification requests to APNs\"",
            "usual-mistake": "FCM's \"high\" or \"normal\" is passed on.",
        })
    );
    assert_eq!(rule("priority-fits-push-type")["outcome"], "not-reached");
    assert_eq!(rule("payload-is-json")["outcome"], "passed");
    assert!(rule("payload-is-json")["reason"].is_null());
}

#[test]
fn it_displays_as_a_listing_with_the_whole_story_of_what_failed() {
    let bench = Bench::new();
    let listing = explain(&bench, &bench.push().with("apns-priority", "7")).to_string();
    assert!(listing.starts_with("400 BadPriority: priority-is-allowed does not hold.\n\npath\n  ok "));
    let failure = "
  ok      expiration-is-a-time                   no apns-expiration
  FAILED  priority-is-allowed                    apns-priority \"7\"
          answer         400 BadPriority
          rule           apns-priority, where present, is 10, 5 or 1.
          source         Apple, \"Sending notification requests to APNs\"
          usual mistake  FCM's \"high\" or \"normal\" is passed on.
  ok      collapse-id-is-short                   no apns-collapse-id
";
    assert!(listing.contains(failure), "{listing}");
    assert!(listing.contains("\n  -       priority-fits-push-type\n"), "{listing}");
}

/// What the real service answers, next to what was foreseen.
fn agrees(bench: &mut Bench, request: &Request, body: &[u8]) -> Result<(), TestCaseError> {
    let on = ExplainOn::Connection(bench.connection);
    let explanation = bench.service.explain(bench.now, on, request, body).unwrap();
    bench.service.request(bench.now, bench.connection, 1, request, body);
    let answer = std::iter::from_fn(|| bench.service.poll_effect()).find_map(|effect| match effect {
        Effect::Respond { answer, .. } => Some(answer),
        _ => None,
    });
    let answer = answer.unwrap();
    let mut told = Vec::new();
    answer.body(&mut told);
    prop_assert_eq!(explanation.answer.status, answer.status);
    prop_assert_eq!(explanation.answer.body.as_bytes(), told);
    prop_assert_eq!(explanation.failed().next().map(|step| step.rule), answer.rule);
    prop_assert!(!explanation.to_string().is_empty());
    prop_assert!(serde_json::to_string(&explanation).is_ok());
    Ok(())
}

proptest! {
    #[test]
    fn whatever_comes_in_is_explained_as_it_is_answered(
        fields in prop::collection::vec((any::<bool>(), fields::field()), 0..5),
        body in prop_oneof![Just(b"{}".to_vec()), prop::collection::vec(any::<u8>(), 0..100), Just(payload_of(4500))],
    ) {
        let mut bench = Bench::new();
        let push = fields.into_iter().fold(bench.push(), |push, (and, (name, value))| {
            let value = String::from_utf8_lossy(&value);
            if and { push.and(name, &value) } else { push.with(name, &value) }
        });
        agrees(&mut bench, &push.request(), &body)?;
    }

    #[test]
    fn bytes_that_are_no_text_are_explained_too(
        fields in prop::collection::vec((fields::name(), prop::collection::vec(any::<u8>(), 0..300)), 0..12),
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut bench = Bench::new();
        let mut request = Request::new();
        for (name, value) in &fields {
            request.field(name.as_bytes(), value);
        }
        agrees(&mut bench, &request, &body)?;
    }
}
