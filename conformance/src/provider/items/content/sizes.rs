//! C-65: what is as long as it may be goes out, and one byte more does not.

use crate::provider::{
    evidence::Evidence,
    item::{Acting, Finding, Play, Stop, ensure},
    protocol::{Outcome, Push},
    stage::Stage,
};

use super::{goes_out, is_refused, send_all};

pub(super) fn plays() -> Vec<Play> {
    vec![
        Play::new("as-long-as-may-be", as_long_as_may_be, all_go_out),
        Play::new("a-byte-more", a_byte_more, none_goes_out),
    ]
}

/// A push, and what is special about it.
type Case = (&'static str, Push);

fn as_long_as_may_be(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let cases = good(stage)?;
        send_all(stage, cases.into_iter().map(|(_, push)| push).collect()).await
    })
}

fn good(stage: &Stage) -> Result<Vec<Case>, Stop> {
    let tokens = stage.device_tokens(GOOD.len())?;
    let to = |at: usize| stage.push_to(&tokens[at]);
    let of_digits = |digits: usize| Push {
        device_token: "0123456789abcdef".repeat(13)[..digits].to_owned(),
        ..stage.push()
    };
    let in_an_hour = stage.date().as_secs() + 3600;
    let pushes = [
        Push { payload: payload_of(4096), ..to(0) },
        Push { payload: payload_of(5120), ..voip(to(1)) },
        Push { collapse_id: Some("x".repeat(64)), ..to(2) },
        Push { expiration: Some(in_an_hour), ..to(3) },
        Push { expiration: Some(0), ..to(4) },
        of_digits(8),
        of_digits(160),
        of_digits(200),
    ];
    Ok(GOOD.into_iter().zip(pushes).collect())
}

fn a_byte_more(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let cases = bad(stage)?;
        send_all(stage, cases.into_iter().map(|(_, push)| push).collect()).await
    })
}

fn bad(stage: &Stage) -> Result<Vec<Case>, Stop> {
    let tokens = stage.device_tokens(BAD.len())?;
    let to = |at: usize| stage.push_to(&tokens[at]);
    let an_hour_ago = stage.date().as_secs() - 3600;
    let pushes = [
        Push { payload: payload_of(4097), ..to(0) },
        Push { payload: payload_of(5121), ..voip(to(1)) },
        Push { collapse_id: Some("x".repeat(65)), ..to(2) },
        Push { collapse_id: Some("é".repeat(33)), ..to(3) },
        Push { device_token: String::new(), ..to(4) },
        Push { device_token: "zz".repeat(32), ..to(5) },
        Push { expiration: Some(an_hour_ago), ..to(6) },
    ];
    Ok(BAD.into_iter().zip(pushes).collect())
}

/// What the cases are about.
const GOOD: [&str; 8] = [
    "a payload of 4,096 bytes",
    "a VoIP payload of 5,120 bytes",
    COLLAPSE_ID,
    IN_AN_HOUR,
    AT_ONCE,
    "a device token of 4 bytes",
    "a device token of 80 bytes",
    "a device token of 100 bytes",
];
const BAD: [&str; 7] = [
    "a payload of 4,097 bytes",
    "a VoIP payload of 5,121 bytes",
    "a collapse id of 65 bytes",
    "a collapse id of 33 characters and 66 bytes",
    "an empty device token",
    "a device token that is not hexadecimal",
    PAST,
];
const COLLAPSE_ID: &str = "a collapse id of 64 bytes";
const IN_AN_HOUR: &str = "an expiration in an hour, in whole seconds";
const AT_ONCE: &str = "an expiration of 0";
const PAST: &str = "an expiration an hour ago";

fn voip(push: Push) -> Push {
    Push { push_type: "voip", topic: format!("{}.voip", push.topic), ..push }
}

/// An alert of so many bytes, and fewer characters.
fn payload_of(bytes: usize) -> String {
    let (head, tail) = (r#"{"aps":{"alert":""#, r#""}}"#);
    let room = bytes.saturating_sub(head.len() + tail.len());
    format!("{head}{}{}{tail}", "é".repeat(room / 2), "x".repeat(room % 2))
}

fn all_go_out(evidence: &Evidence) -> Result<(), Finding> {
    for ((id, attempts), what) in evidence.attempts().iter().zip(GOOD) {
        let request = goes_out(evidence, *id, attempts, what)?;
        let sent = evidence.sent.get(id).map_or(0, |sent| sent.payload.len());
        let came = request.body.len();
        ensure(came <= sent.max(SHORT_BYTES), format!("{what}: {sent} bytes on the wire"), || {
            format!("{came}")
        })?;
        let field = |name: &str| request.field(name).unwrap_or_default();
        let (is_right, on_the_wire) = match what {
            COLLAPSE_ID => (field("apns-collapse-id").len() == 64, field("apns-collapse-id")),
            IN_AN_HOUR => (is_number(field("apns-expiration")), field("apns-expiration")),
            AT_ONCE => (field("apns-expiration") == "0", field("apns-expiration")),
            _ => continue,
        };
        ensure(is_right, format!("{what} on the wire"), || format!("{on_the_wire:?}"))?;
    }
    Ok(())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn none_goes_out(evidence: &Evidence) -> Result<(), Finding> {
    for ((id, attempts), what) in evidence.attempts().iter().zip(BAD) {
        let outcomes: &[Outcome] =
            if what == PAST { &[Outcome::Expired, Outcome::Invalid] } else { &[Outcome::Invalid] };
        is_refused(evidence, *id, attempts, outcomes, what)?;
    }
    Ok(())
}

/// Of a short payload it does not matter how it is written.
const SHORT_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_as_long_as_it_should_be_and_has_fewer_characters() {
        for bytes in [4096, 4097, 5120, 5121] {
            let payload = payload_of(bytes);
            assert_eq!(payload.len(), bytes);
            assert!(payload.chars().count() < 4096, "a count of characters would let it through");
        }
    }
}
