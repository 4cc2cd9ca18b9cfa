//! The body. It is checked, never built: what it says is for whoever looks at it.

use serde::de::IgnoredAny;

use super::{Checking, Group, Rule, Subject, Verdict};
use crate::{PAYLOAD_BYTES_MAX, PushType, Reason, TokenKind, settings::Ruling};

const PAYLOAD_PAGE: &str = "Apple, \"Generating a remote notification\"";

/// `{}` is not empty: Wallet passes are updated by it.
pub(super) const PAYLOAD_IS_NOT_EMPTY: Rule = Rule {
    id: "payload-is-not-empty",
    group: Group::Payload,
    title: "There is a payload.",
    reason: Reason::PayloadEmpty,
    source: "Apple, \"Handling notification responses from APNs\"",
    usual_mistake: "The request ends with its headers, or the payload failed to serialise.",
    builds_on: &[],
    looks_at: Subject::PayloadLength,
    check: |checking| Verdict::require(!checking.input.body.is_empty()),
};

/// A VoIP push may be longer, and is one by its type or by its topic.
pub(super) const PAYLOAD_IS_NOT_TOO_LARGE: Rule = Rule {
    id: "payload-is-not-too-large",
    group: Group::Payload,
    title: "The payload is at most 4096 bytes, or 5120 for a VoIP push.",
    reason: Reason::PayloadTooLarge,
    source: PAYLOAD_PAGE,
    usual_mistake: "Characters are counted instead of bytes, or without the JSON around the text.",
    builds_on: &[],
    looks_at: Subject::PayloadLength,
    check: |checking| Verdict::require(checking.input.body.len() <= bytes_max(checking)),
};

/// What APNs answers is not known, so it is a setting.
pub(super) const PAYLOAD_IS_JSON: Rule = Rule {
    id: "payload-is-json",
    group: Group::Payload,
    title: "The payload is JSON in UTF-8, or the setting body-not-json accepts what it is.",
    reason: Reason::PayloadEmpty,
    source: PAYLOAD_PAGE,
    usual_mistake: "The payload is built by hand with a quote or a line break in the text, or is compressed.",
    builds_on: &[&PAYLOAD_IS_NOT_EMPTY, &PAYLOAD_IS_NOT_TOO_LARGE],
    looks_at: Subject::Payload,
    check: payload_is_json,
};

/// What APNs answers is not known, so it is a setting. Nothing is asked of the dictionary: `aps` may be missing, and
/// 200 never meant that a payload makes sense.
pub(super) const PAYLOAD_IS_A_DICTIONARY: Rule = Rule {
    id: "payload-is-a-dictionary",
    group: Group::Payload,
    title: "The payload is a JSON dictionary, or the setting body-not-object accepts what it is.",
    reason: Reason::PayloadEmpty,
    source: PAYLOAD_PAGE,
    usual_mistake: "The payload was serialised twice, and is a JSON string.",
    builds_on: &[&PAYLOAD_IS_JSON],
    looks_at: Subject::Payload,
    check: |checking| {
        let first = checking.input.body.iter().find(|byte| !byte.is_ascii_whitespace());
        if checking.payload_is_json && first != Some(&b'{') {
            checking.settings().body_not_object.into()
        } else {
            Verdict::Pass
        }
    },
};

/// The largest payload that the push may have.
pub(super) fn bytes_max(checking: &Checking<'_>) -> usize {
    let kind = checking.push_type.map(PushType::token_kind).or_else(|| checking.topic_kind());
    kind.map_or(PAYLOAD_BYTES_MAX, TokenKind::payload_bytes_max)
}

fn payload_is_json(checking: &mut Checking<'_>) -> Verdict {
    let settings = checking.settings();
    if (settings.body_not_json, settings.body_not_object) == (Ruling::Accept, Ruling::Accept) {
        return Verdict::Pass;
    }
    let text = std::str::from_utf8(checking.input.body).ok();
    checking.payload_is_json = text.is_some_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    if checking.payload_is_json { Verdict::Pass } else { settings.body_not_json.into() }
}

#[cfg(test)]
mod tests {
    use crate::{
        Reason,
        bench::{Bench, VOIP_TOKEN, payload_of},
    };

    const EMPTY: Option<Reason> = Some(Reason::PayloadEmpty);

    fn reason_for(bench: &mut Bench, body: impl Into<Vec<u8>>) -> Option<Reason> {
        let push = bench.push().with_body(body);
        bench.reason(&push)
    }

    #[test]
    fn payload_is_not_empty() {
        let mut bench = Bench::new();
        assert_eq!(reason_for(&mut bench, ""), EMPTY);
        assert_eq!(reason_for(&mut bench, "{}"), None);
    }

    #[test]
    fn payload_is_not_too_large() {
        let mut bench = Bench::new();
        assert_eq!(reason_for(&mut bench, payload_of(4096)), None);
        assert_eq!(reason_for(&mut bench, payload_of(4097)), Some(Reason::PayloadTooLarge));
        // Its length is judged before what it says.
        assert_eq!(reason_for(&mut bench, vec![b'x'; 4097]), Some(Reason::PayloadTooLarge));
    }

    #[test]
    fn a_voip_payload_may_be_larger_with_or_without_push_type() {
        let mut bench = Bench::new();
        let voip = bench
            .push()
            .with(":path", &format!("/3/device/{VOIP_TOKEN}"))
            .with("apns-topic", "com.example.app.voip")
            .with("apns-push-type", "voip");
        for push in [voip.clone(), voip.without("apns-push-type")] {
            assert_eq!(bench.reason(&push.clone().with_body(payload_of(5120))), None);
            let too_large = bench.reason(&push.with_body(payload_of(5121)));
            assert_eq!(too_large, Some(Reason::PayloadTooLarge));
        }
    }

    #[test]
    fn payload_is_json() {
        let bodies = [&b"hello"[..], b"{", b"{\"aps\":{}}}", b"{\"a\":\"\xff\"}", b"\x1f\x8b\x08", b" "];
        let mut accepting = Bench::with_setting("body-not-json", "accept");
        for body in bodies {
            assert_eq!(reason_for(&mut Bench::new(), body), EMPTY, "{}", String::from_utf8_lossy(body));
            assert_eq!(reason_for(&mut accepting, body), None, "{}", String::from_utf8_lossy(body));
        }
        assert_eq!(reason_for(&mut Bench::new(), " \n{\"aps\":{\"alert\":\"é\"},\"a\":[1,{}]}\n"), None);
    }

    #[test]
    fn payload_is_a_dictionary() {
        for body in ["[]", "\"{}\"", "null", "4096", " [{}]"] {
            assert_eq!(reason_for(&mut Bench::new(), body), EMPTY, "{body}");
            assert_eq!(
                reason_for(&mut Bench::with_setting("body-not-object", "accept"), body),
                None,
                "{body}"
            );
        }
    }
}
