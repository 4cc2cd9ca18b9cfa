//! Whatever comes in, each request has one answer and nothing panics.

mod common;
#[path = "common/fields.rs"]
mod fields;

use common::{Bench, Push, device};
use fields::field;
use mock_apns_core::{Effect, ProviderCertificate, Request};
use proptest::prelude::*;

/// A line that a device might send: nonsense, or nearly right.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let kinds = "(install|uninstall|register|unregister|permission|state|start-activity|end-activity|new-tokens|connect|ack)";
    let field = prop_oneof![
        r#""app":"com\.(example\.app|unknown|[a-z. ]{0,9})""#,
        r#""environment":"(sandbox|production|test)""#,
        r#""kind":"(app|voip|live-activity|tea)""#,
        r#""(allowed|delivery|activity|id)":(true|false|-?[0-9]{1,25}|null)"#,
        r#""(state|cause|team)":"(online|power-saving|restore|system|TEAM000001)""#,
    ];
    let message = (kinds, prop::collection::vec(field, 0..4))
        .prop_map(|(kind, fields)| format!(r#"{{"type":"{kind}",{}}}"#, fields.join(",")).replace(",}", "}"));
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..200),
        6 => message.prop_map(String::into_bytes),
    ]
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
            request.field(name.as_bytes(), value);
        }
        bench.service.request(bench.now, bench.connection, 1, &request, &body);
        let effects: Vec<Effect> = std::iter::from_fn(|| bench.service.poll_effect()).collect();
        let answers = effects.iter().filter(|effect| matches!(effect, Effect::Respond { stream: 1, .. })).count();
        prop_assert_eq!(answers, 1);
    }

    #[test]
    fn an_accepted_push_with_one_field_changed_has_one_answer((name, value) in field()) {
        let mut bench = Bench::new();
        let push: Push = bench.push().with(name, &String::from_utf8_lossy(&value));
        let answer = bench.answer(&push);
        prop_assert_eq!(answer.status == 200, answer.reason.is_none());
        prop_assert_eq!(answer.status == 410, answer.timestamp.is_some());
    }

    /// Each line has one reply but `ack` and what comes after the end, and a device that talks nonsense disturbs no other.
    #[test]
    fn each_line_of_a_device_has_one_reply(lines in prop::collection::vec(line(), 0..20)) {
        let mut bench = Bench::new();
        let bystander = bench.service.device_connected(bench.now, device("bystander"));
        let talker = bench.service.device_connected(bench.now, device("talker"));
        for connection in [bystander, talker] {
            bench.service.device_line(bench.now, connection, br#"{"type":"connect"}"#);
        }
        while bench.service.poll_effect().is_some() {}
        for line in &lines {
            bench.service.device_line(bench.now, talker, line);
            let effects: Vec<Effect> = std::iter::from_fn(|| bench.service.poll_effect()).collect();
            let is_reply = |effect: &Effect| matches!(effect, Effect::ToDevice { connection, .. } if *connection == talker);
            prop_assert!(effects.len() == 1 && effects.iter().all(is_reply), "{:?}: {:?}", line, effects);
        }
        bench.service.device_disconnected(bench.now, talker);
        bench.service.device_line(bench.now, talker, br#"{"type":"connect"}"#);
        prop_assert_eq!(bench.service.poll_effect(), None);
        let team = bench.team_at();
        prop_assert!(team.team().device(&device("bystander")).unwrap().is_connected());
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
