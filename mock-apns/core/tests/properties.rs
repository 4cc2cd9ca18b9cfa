//! Whatever comes in, each request has one answer and nothing panics.

mod common;

use common::{Bench, Push};
use mock_apns_core::{Effect, ProviderCertificate, Request};
use proptest::prelude::*;

/// A field that the rules read, with a value that is sometimes nearly right.
fn field() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let name = prop::sample::select(vec![
        ":method",
        ":path",
        ":authority",
        "host",
        "authorization",
        "apns-topic",
        "apns-push-type",
        "apns-id",
        "apns-expiration",
        "apns-priority",
        "apns-collapse-id",
        "x-other",
    ]);
    let value = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        "[0-9a-fA-F./ -]{0,250}".prop_map(String::into_bytes),
        "bearer [A-Za-z0-9_-]{0,90}\\.[A-Za-z0-9_-]{0,90}\\.[A-Za-z0-9_-]{0,90}".prop_map(String::into_bytes),
        "/3/device/[0-9a-f]{0,210}".prop_map(String::into_bytes),
    ];
    (name.prop_map(|name| name.as_bytes().to_vec()), value)
}

proptest! {
    #[test]
    fn each_request_has_one_answer(
        fields in prop::collection::vec(field(), 0..15),
        body in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut bench = Bench::new();
        let mut request = Request::new();
        for (name, value) in &fields {
            request.field(name, value);
        }
        bench.service.request(bench.now, bench.connection, 1, &request, &body);
        let effects: Vec<Effect> = std::iter::from_fn(|| bench.service.poll_effect()).collect();
        let answers = effects.iter().filter(|effect| matches!(effect, Effect::Respond { stream: 1, .. })).count();
        prop_assert_eq!(answers, 1);
    }

    #[test]
    fn an_accepted_push_with_one_field_changed_has_one_answer((name, value) in field()) {
        let mut bench = Bench::new();
        let push: Push = bench.push().with(
            std::str::from_utf8(&name).unwrap(),
            &String::from_utf8_lossy(&value),
        );
        let answer = bench.answer(&push);
        prop_assert_eq!(answer.status == 200, answer.reason.is_none());
        prop_assert_eq!(answer.status == 410, answer.timestamp.is_some());
    }

    #[test]
    fn a_broken_certificate_is_refused_or_read(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut der = certificate();
        let at = at.index(der.len());
        der[at] = byte;
        let _ = ProviderCertificate::from_der(&der);
        let _ = ProviderCertificate::from_der(&der[..at]);
    }
}

fn certificate() -> Vec<u8> {
    thread_local!(static DER: Vec<u8> = common::certificate("universal"));
    DER.with(Clone::clone)
}
