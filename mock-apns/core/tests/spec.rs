//! The double's own tables are those of `conformance/spec/tables`: nothing missing, nothing extra, nothing otherwise.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod common;

use std::collections::BTreeSet;

use apns_spec::{HeaderNeed, HeaderRow, Spec, differences};
use common::{Bench, Jwt, NOW, TOKEN};
use mock_apns_core::{
    COLLAPSE_ID_BYTES_MAX, DEVICE_RULES, DEVICE_TOKEN_BYTES_MAX, Environment, Group, PAYLOAD_BYTES_MAX,
    Priority, PushType, Reason, STORAGE_TIME_MAX, Settings, TokenKind, VOIP_PAYLOAD_BYTES_MAX,
};

#[test]
fn reasons_and_statuses_are_the_specs() {
    let spec = spec();
    let rows = spec.reasons().iter().map(|row| (row.reason.as_str(), row.status));
    let own = Reason::ALL.iter().map(|reason| (reason.as_str(), reason.status()));
    assert_eq!(differences(rows, own, &[]), []);
}

#[test]
fn push_types_are_the_specs() {
    let spec = spec();
    let rows = spec.push_types().iter().map(|row| {
        let refused = row.refused_priority.map(priority);
        (row.push_type.as_str(), (row.topic_suffix.as_str(), row.body_bytes_max, refused, row.token_only))
    });
    let own = PushType::ALL.iter().map(|it| {
        let kind = it.token_kind();
        let said = (kind.topic_suffix(), kind.payload_bytes_max(), it.refused_priority(), it.token_only());
        (it.as_str(), said)
    });
    assert_eq!(differences(rows, own, &[]), []);
}

#[test]
fn every_kind_of_device_token_has_a_push_type() {
    let spec = spec();
    let suffixes: BTreeSet<&str> = spec.push_types().iter().map(|row| row.topic_suffix.as_str()).collect();
    let own: BTreeSet<&str> = TokenKind::ALL.iter().map(|kind| kind.topic_suffix()).collect();
    assert_eq!(own, suffixes);
}

#[test]
fn host_names_are_the_specs() {
    let spec = spec();
    let rows = spec.hosts().iter().map(|row| (row.host.as_str(), environment(row.environment)));
    let own = [Environment::Sandbox, Environment::Production]
        .into_iter()
        .flat_map(|environment| environment.host_names().map(move |name| (name, environment)));
    assert_eq!(differences(rows.clone(), own, &[]), []);
    for (host, environment) in rows {
        assert_eq!(Environment::of_host(host), Some(environment), "{host}");
    }
}

/// A rule stands where the table has it, and answers what the table says.
#[test]
fn checks_and_their_order_are_the_specs() {
    let spec = spec();
    let rows = spec.checks().iter().enumerate();
    let rows = rows.map(|(at, row)| (row.check.as_str(), (at, row.reason.as_str())));
    let own = DEVICE_RULES.iter().enumerate().map(|(at, rule)| (rule.id, (at, rule.reason.as_str())));
    assert_eq!(differences(rows, own, &[]), []);
}

/// Every form of every field is accepted or refused as the table has it.
#[test]
fn forms_of_headers_are_the_specs() {
    for row in spec().headers() {
        let name = row.field_name();
        for value in &row.accepted {
            assert_eq!(reason_for(name, value), None, "{}: {value}", row.id);
        }
        for value in &row.refused {
            let reason = reason_for(name, value).map(Reason::as_str);
            assert_eq!(reason, Some(row.reason.as_str()), "{}: {value}", row.id);
        }
        if row.need != HeaderNeed::Always && name == row.header {
            let mut bench = Bench::new();
            let push = bench.push().without(name);
            let reason = bench.reason(&push).map(Reason::as_str);
            assert_eq!(reason, row.absent_reason.as_deref(), "{} is absent", row.id);
        }
    }
}

/// The other way round: whatever the double refuses for the form of a field, the table has a form that earns it.
#[test]
fn every_rule_about_a_header_is_earned_by_a_form_in_the_spec() {
    let spec = spec();
    let rules = DEVICE_RULES.iter().filter(|rule| rule.group == Group::Headers);
    let without_a_form = ["headers-are-single", "priority-fits-push-type"]; // about two fields
    for rule in rules.filter(|rule| !without_a_form.contains(&rule.id)) {
        let earns = |row: &HeaderRow| {
            row.refused.iter().any(|value| {
                let mut bench = Bench::new();
                let push = bench.push().with(row.field_name(), value);
                bench.answer(&push).rule.map(|rule| rule.id) == Some(rule.id)
            })
        };
        assert!(spec.headers().iter().any(earns), "{}", rule.id);
    }
}

/// `TOPIC_BYTES_MAX` is not here: Apple publishes no such limit, it is our own.
#[test]
fn limits_are_the_specs() {
    let spec = spec();
    let rows = spec.limits().iter().map(|row| (row.id.as_str(), row.value));
    let own = [
        ("limit-payload", PAYLOAD_BYTES_MAX as u64),
        ("limit-voip-payload", VOIP_PAYLOAD_BYTES_MAX as u64),
        ("limit-collapse-id", COLLAPSE_ID_BYTES_MAX as u64),
        ("limit-device-token", DEVICE_TOKEN_BYTES_MAX as u64),
        ("limit-provider-token-age", oldest_accepted_secs()),
        ("limit-provider-token-update-window", default_of("provider-token-update-window")),
        ("limit-streams-before-token", default_of("max-concurrent-streams-before-token")),
        ("limit-streams", default_of("max-concurrent-streams")),
        ("limit-storage-time", STORAGE_TIME_MAX.as_secs()),
    ];
    assert_eq!(differences(rows, own, &[]), []);
}

fn spec() -> Spec {
    Spec::load().unwrap_or_else(|error| panic!("{error}"))
}

fn priority(number: u8) -> Priority {
    Priority::parse(number.to_string().as_bytes()).unwrap()
}

fn environment(environment: apns_spec::Environment) -> Environment {
    match environment {
        apns_spec::Environment::Sandbox => Environment::Sandbox,
        apns_spec::Environment::Production => Environment::Production,
    }
}

fn default_of(setting: &str) -> u64 {
    Settings::default().get(setting).unwrap().parse().unwrap()
}

/// The age of the oldest provider token that is accepted, found by halving a day: the service names it nowhere.
fn oldest_accepted_secs() -> u64 {
    let (mut accepted, mut refused) = (0, 86_400);
    while refused - accepted > 1 {
        let age = u64::midpoint(accepted, refused);
        match of_age(age) {
            None => accepted = age,
            Some(Reason::ExpiredProviderToken) => refused = age,
            Some(other) => panic!("{other:?} at the age of {age} s"),
        }
    }
    accepted
}

/// Why a push is refused whose provider token was issued so many seconds ago.
fn of_age(secs: u64) -> Option<Reason> {
    let mut bench = Bench::new();
    let iat = (NOW.as_secs() - secs).to_string();
    let push = bench.push().signed_by(&Jwt { iat: &iat, ..Jwt::default() });
    bench.reason(&push)
}

/// Why a push is refused with this field, its placeholders filled.
fn reason_for(name: &str, value: &str) -> Option<Reason> {
    let mut bench = Bench::new();
    let authorization = bench.push().value("authorization");
    let jwt = authorization.strip_prefix("bearer ").unwrap();
    let value = value
        .replace("{token}", TOKEN)
        .replace("{TOKEN}", &TOKEN.to_uppercase())
        .replace("{topic}", "com.example.app")
        .replace("{authorization}", &authorization)
        .replace("{jwt}", jwt);
    let push = bench.push().with(name, &value);
    bench.reason(&push)
}
