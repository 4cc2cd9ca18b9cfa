//! The order of the checks, in pairs: a request that is wrong in two ways is told the earlier one.

use apns_spec::{CheckRow, Spec};

use super::status;
use crate::{Case, Iat, Jwt, Request, Signature, request::payload_of};

const TAG: &str = "order";

/// How a good push comes to fail a check.
struct Mistake {
    check: &'static str,
    /// What it changes: two mistakes that change the same cannot both be made.
    of: &'static str,
    make: fn(Request) -> Request,
}

/// One mistake for each check that a request can fail by itself; of those that look at the same, some.
const MISTAKES: &[Mistake] = &[
    Mistake { check: "path-is-known", of: "path", make: |push| push.with(":path", "/2/device/{token}") },
    Mistake { check: "method-is-post", of: "method", make: |push| push.with(":method", "GET") },
    Mistake { check: "provider-token-is-present", of: "token", make: |push| push.without("authorization") },
    Mistake { check: "provider-token-is-es256", of: "token", make: |push| push.signed(of_hs256()) },
    Mistake { check: "signature-is-good", of: "token", make: |push| push.signed(by_a_stranger()) },
    Mistake { check: "provider-token-is-recent", of: "token", make: |push| push.signed(of_yesterday()) },
    Mistake {
        check: "headers-are-single",
        of: "repeated",
        make: |push| push.with("apns-priority", "10").and("apns-priority", "10"),
    },
    Mistake { check: "apns-id-is-a-uuid", of: "id", make: |push| push.with("apns-id", "42") },
    Mistake {
        check: "expiration-is-a-time",
        of: "expiration",
        make: |push| push.with("apns-expiration", "tomorrow"),
    },
    Mistake { check: "priority-is-allowed", of: "priority", make: |push| push.and("apns-priority", "7") },
    Mistake {
        check: "collapse-id-is-short",
        of: "collapse",
        make: |push| push.with("apns-collapse-id", &"x".repeat(65)),
    },
    Mistake { check: "push-type-is-known", of: "type", make: |push| push.with("apns-push-type", "silent") },
    Mistake { check: "topic-is-present", of: "topic", make: |push| push.without("apns-topic") },
    Mistake { check: "topic-is-well-formed", of: "topic", make: |push| push.with("apns-topic", "com..app") },
    Mistake {
        check: "topic-is-allowed",
        of: "topic",
        make: |push| push.with("apns-topic", "com.stranger.app"),
    },
    Mistake { check: "push-type-fits-topic", of: "type", make: |push| push.with("apns-push-type", "voip") },
    Mistake { check: "device-token-is-present", of: "path", make: |push| push.with(":path", "/3/device/") },
    Mistake { check: "device-token-is-hex", of: "path", make: |push| push.with(":path", "/3/device/zz") },
    Mistake { check: "device-token-is-known", of: "path", make: |push| push.with(":path", "/3/device/00ff") },
    Mistake { check: "device-token-fits-environment", of: "path", make: |push| push.to("other-environment") },
    Mistake { check: "device-token-is-for-topic", of: "path", make: |push| push.to("other-topic") },
    Mistake { check: "device-token-is-registered", of: "path", make: |push| push.to("unregistered") },
    Mistake { check: "payload-is-not-empty", of: "body", make: |push| push.body("") },
    Mistake { check: "payload-is-not-too-large", of: "body", make: |push| push.body(payload_of(4097)) },
    Mistake { check: "payload-is-json", of: "body", make: |push| push.body("{") },
];

pub(super) fn cases(spec: &Spec) -> Vec<Case> {
    let mut made: Vec<(&CheckRow, &Mistake)> = Vec::new();
    for row in spec.checks() {
        made.extend(
            MISTAKES.iter().filter(|mistake| mistake.check == row.check).map(|mistake| (row, mistake)),
        );
    }
    let pairs = made
        .iter()
        .enumerate()
        .flat_map(|(at, first)| made[at + 1..].iter().map(move |second| (first, second)));
    let pairs = pairs.filter(|((_, first), (_, second))| can_meet(first, second));
    pairs.map(|(first, second)| pair(spec, *first, *second)).collect()
}

/// A priority that is repeated and a wrong one are the same field.
fn can_meet(first: &Mistake, second: &Mistake) -> bool {
    first.of != second.of && (first.of, second.of) != ("repeated", "priority")
}

fn pair(spec: &Spec, first: (&CheckRow, &Mistake), second: (&CheckRow, &Mistake)) -> Case {
    let reason = &first.0.reason;
    let (earlier, later) = (&first.0.check, &second.0.check);
    let push = (second.1.make)((first.1.make)(Request::good()));
    Case::new(TAG, format!("order-{earlier}-before-{later}"), format!("{earlier} is checked before {later}"))
        .rests_on(&[&first.0.id, &second.0.id])
        .refused(push, status(spec, reason), reason)
}

fn of_hs256() -> Jwt {
    Jwt { alg: Some("\"HS256\""), ..Jwt::default() }
}

fn by_a_stranger() -> Jwt {
    Jwt { signature: Signature::Stranger, ..Jwt::default() }
}

fn of_yesterday() -> Jwt {
    Jwt { iat: Iat::Ago(86_400), ..Jwt::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_fails_a_check_that_there_is() {
        let spec = Spec::load().unwrap();
        for mistake in MISTAKES {
            assert!(spec.checks().iter().any(|row| row.check == mistake.check), "{}", mistake.check);
        }
    }

    #[test]
    fn no_pair_makes_one_mistake_that_undoes_the_other() {
        let spec = Spec::load().unwrap();
        let good = Request::good();
        for (at, first) in MISTAKES.iter().enumerate() {
            for second in MISTAKES[at + 1..].iter().filter(|second| can_meet(first, second)) {
                let (one, other) = ((first.make)(good.clone()), (second.make)(good.clone()));
                let both = (second.make)(one.clone());
                assert!(both != one && both != other, "{} and {}", first.check, second.check);
            }
        }
        assert!(cases(&spec).len() > 200);
    }
}
