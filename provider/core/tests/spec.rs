//! The provider's own tables are those of `conformance/spec/tables`: nothing missing, nothing extra, nothing otherwise.
//! Host names are the shell's, and so they are not here.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use apns_provider_core::{
    AlertNotification, ApnsId, BundleId, CollapseId, DeviceToken, Expiration, Priority, Push, PushType,
    Reason, TokenSource,
};
use apns_spec::{LeftOut, Spec, differences};

#[test]
fn reasons_and_statuses_are_the_specs() {
    let spec = spec();
    let rows = spec.reasons().iter().chain(spec.channel_reasons());
    let rows = rows.map(|row| (row.reason.as_str(), Some(row.status)));
    let known: Vec<Reason> = Reason::known().collect();
    let own = known.iter().map(|reason| (reason.as_str(), reason.documented_status()));
    assert_eq!(differences(rows, own, &[]), []);
}

#[test]
fn push_types_are_the_specs() {
    let spec = spec();
    let rows = spec
        .push_types()
        .iter()
        .map(|row| (row.push_type.as_str(), (row.topic_suffix.as_str(), row.body_bytes_max)));
    let own = PushType::all().map(|it| (it.as_str(), (it.topic_suffix(), it.payload_bytes_max())));
    assert_eq!(differences(rows, own, &[]), []);
}

/// Every priority there is, or exactly those that Apple names; never the one that Apple calls an error.
#[test]
fn priorities_are_all_or_apples() {
    for row in spec().push_types() {
        let push_type = PushType::from_wire(&row.push_type).unwrap();
        let named: Vec<Priority> = row.priorities.iter().map(|number| priority(*number)).collect();
        let own = push_type.priorities();
        assert!(own.len() == ALL_PRIORITIES || own == named, "{push_type}: {own:?}, Apple names {named:?}");
        let refused = row.refused_priority.map(priority);
        assert!(refused.is_none_or(|refused| !own.contains(&refused)), "{push_type}: {own:?}");
        let usual = named.first().copied().unwrap_or(Priority::Immediate);
        assert_eq!(push_type.default_priority(), usual, "{push_type}");
    }
}

/// A push that has everything has each field of the table, and no other.
#[test]
fn headers_are_the_specs() {
    const LEFT_OUT: &[LeftOut<'_>] = &[(
        "authorization",
        "it comes with a provider token, which a certificate does without; tested with the token",
    )];
    const OF_HTTP: [&str; 2] = [":scheme", ":authority"]; // nothing of APNs is in them
    let spec = spec();
    let rows = spec.headers().iter().filter(|row| row.field_name() == row.header);
    let rows = rows.map(|row| (row.header.as_str(), ()));
    let app = BundleId::parse("com.example.app").unwrap();
    let notification = AlertNotification::new(app)
        .alert("Hello")
        .expiration(Expiration::at_secs(1_700_000_000).unwrap())
        .collapse_id(CollapseId::parse("match-7").unwrap())
        .build()
        .unwrap();
    let token = DeviceToken::from_hex("00fc13ad").unwrap();
    let push = Push::new(notification, token, ApnsId::from_random([0; 16]));
    let fields: Vec<&str> = push.request_fields("localhost", None).map(|field| field.name).collect();
    let own = fields.into_iter().filter(|name| !OF_HTTP.contains(name)).map(|name| (name, ()));
    assert_eq!(differences(rows, own, LEFT_OUT), []);
}

/// What the provider's core does without.
const LIMITS_LEFT_OUT: &[LeftOut<'_>] = &[
    ("limit-provider-token-age", "a span that a slot stays below, tested underneath"),
    ("limit-provider-token-update-window", "a span that a slot is not below, tested underneath"),
    ("limit-storage-time", "without an expiration APNs decides; the provider stores nothing for it"),
    ("limit-streams", "the shell's connection obeys the server's SETTINGS, whatever they say"),
    ("limit-streams-before-token", "the shell's connection obeys the server's SETTINGS, whatever they say"),
];

#[test]
fn limits_are_the_specs() {
    let spec = spec();
    let rows = spec.limits().iter().map(|row| (row.id.as_str(), row.value));
    let own = [
        ("limit-payload", PushType::Alert.payload_bytes_max() as u64),
        ("limit-voip-payload", PushType::Voip.payload_bytes_max() as u64),
        ("limit-collapse-id", CollapseId::BYTES_MAX as u64),
        ("limit-device-token", DeviceToken::BYTES_MAX as u64),
    ];
    assert_eq!(differences(rows, own, LIMITS_LEFT_OUT), []);
}

#[test]
fn a_provider_token_is_neither_used_too_long_nor_changed_too_soon() {
    let spec = spec();
    let limit = |id: &str| spec.limits().iter().find(|row| row.id == id).unwrap().value;
    let slot = TokenSource::SLOT.as_secs();
    assert!(slot < limit("limit-provider-token-age"), "{slot} s");
    assert!(slot >= limit("limit-provider-token-update-window"), "{slot} s");
}

fn spec() -> Spec {
    Spec::load().unwrap_or_else(|error| panic!("{error}"))
}

fn priority(number: u8) -> Priority {
    Priority::from_number(number).unwrap()
}

/// 10, 5 and 1.
const ALL_PRIORITIES: usize = 3;
