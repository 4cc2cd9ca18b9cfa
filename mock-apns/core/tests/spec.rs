//! The double's own tables are those of `conformance/spec`: nothing missing, nothing extra, nothing otherwise.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod common;

use std::collections::BTreeSet;

use apns_conformance::{Spec, differences};
use common::{Bench, Jwt, NOW};
use mock_apns_core::{
    COLLAPSE_ID_BYTES_MAX, DEVICE_TOKEN_BYTES_MAX, Environment, PAYLOAD_BYTES_MAX, Priority, PushType,
    Reason, STORAGE_TIME_MAX, Settings, TokenKind, VOIP_PAYLOAD_BYTES_MAX,
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

fn environment(environment: apns_conformance::Environment) -> Environment {
    match environment {
        apns_conformance::Environment::Sandbox => Environment::Sandbox,
        apns_conformance::Environment::Production => Environment::Production,
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
