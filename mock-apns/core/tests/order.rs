//! Which mistake is told when a push has several: the order of the rules, seen from outside.

mod common;

use common::{Bench, Push};
use mock_apns_core::Reason;

/// What is told, and how a push is made to deserve it.
type Mistake = (Reason, fn(Push) -> Push);

/// Mistakes in the order in which they are told.
const MISTAKES: &[Mistake] = &[
    (Reason::BadPath, |push| push.with(":path", "/2/device/zz")),
    (Reason::MethodNotAllowed, |push| push.with(":method", "GET")),
    (Reason::MissingProviderToken, |push| push.without("authorization")),
    (Reason::DuplicateHeaders, |push| push.and("apns-id", "1").and("apns-id", "1")),
    (Reason::BadPriority, |push| push.with("apns-priority", "7")),
    (Reason::BadCollapseId, |push| push.with("apns-collapse-id", &"x".repeat(65))),
    (Reason::MissingTopic, |push| push.without("apns-topic")),
    (Reason::BadDeviceToken, |push| match push.value(":path").as_str() {
        "/2/device/zz" => push,
        _ => push.with(":path", "/3/device/zz"),
    }),
    (Reason::PayloadTooLarge, |push| push.with_body(vec![b'x'; 4097])),
];

#[test]
fn of_two_mistakes_the_earlier_one_is_told() {
    let mut bench = Bench::new();
    for (at, (first, make_first)) in MISTAKES.iter().enumerate() {
        for (second, make_second) in &MISTAKES[at + 1..] {
            let push = make_second(make_first(bench.push()));
            assert_eq!(bench.reason(&push), Some(*first), "{first:?} and {second:?}");
        }
    }
}

/// The one order that a transcript of the real service proves (uniqush-push, about 2026).
#[test]
fn no_credentials_come_before_a_bad_token_and_no_topic() {
    let mut bench = Bench::new();
    let push = bench.push().without("authorization").without("apns-topic").with(":path", "/3/device/aaaa");
    assert_eq!(bench.reason(&push), Some(Reason::MissingProviderToken));
}

#[test]
fn a_topic_that_is_not_allowed_comes_before_a_token_that_is_not_for_it() {
    let mut bench = Bench::new();
    let push = bench.push().with("apns-topic", "com.other.app").with(":path", "/3/device/aaaa");
    assert_eq!(bench.reason(&push), Some(Reason::TopicDisallowed));
}
