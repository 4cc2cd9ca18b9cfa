//! What may be a payload.

use crate::{Body, Case, Request};

const TAG: &str = "payloads";

pub(super) fn cases() -> Vec<Case> {
    let good = [
        ("empty-dictionary", "{}", "{} is a payload"),
        ("without-aps", r#"{"mdm":"magic"}"#, "a payload need not have aps"),
        ("unknown-aps-keys", r#"{"aps":{"alert":"a","x":1}}"#, "unknown keys in aps are ignored"),
        ("badge-of-another-type", r#"{"aps":{"badge":"one"}}"#, "what aps says is not judged"),
        ("spaces", " \n{\"aps\":{}}\n", "spaces around the payload do not matter"),
        ("unicode", r#"{"aps":{"alert":"Grüße 👋"}}"#, "UTF-8 is a payload"),
        ("escapes", r#"{"aps":{"alert":"\ud83d\udc4b"}}"#, "escapes are a payload"),
        ("nested", r#"{"aps":{"alert":{"title":"a","body":"b"}},"a":[[[[1]]]]}"#, "nesting is a payload"),
    ];
    let good = good.map(|(id, body, title)| {
        case(id, title)
            .rests_on(&["limit-payload", "rule-answer-accepted"])
            .accepted(Request::good().body(body))
    });
    let not_json: [(&str, &[u8], &str); 5] = [
        ("text", b"Hello", "text"),
        ("half", b"{\"aps\":{", "half a dictionary"),
        ("two", b"{}{}", "two dictionaries"),
        ("not-utf-8", b"{\"a\":\"\xff\"}", "bytes that are not UTF-8"),
        ("compressed", b"\x1f\x8b\x08\0\0\0\0\0", "gzip"),
    ];
    let not_json = not_json.map(|(id, body, title)| unsure(id, body, title, "check-payload-is-json"));
    let other: [(&str, &[u8], &str); 4] = [
        ("array", b"[]", "an array"),
        ("string", b"\"{}\"", "a payload that was serialised twice"),
        ("null", b"null", "null"),
        ("number", b"4096", "a number"),
    ];
    let other = other.map(|(id, body, title)| unsure(id, body, title, "check-payload-is-a-dictionary"));
    let absent = Request { body: Body::Absent, ..Request::good() };
    let empty = [
        case("absent", "a request that ends with its fields is PayloadEmpty").refused(
            absent,
            400,
            "PayloadEmpty",
        ),
        case("no-bytes", "an empty DATA frame is PayloadEmpty").refused(
            Request::good().body(""),
            400,
            "PayloadEmpty",
        ),
    ];
    let empty = empty.map(|case| case.rests_on(&["reason-payload-empty", "check-payload-is-not-empty"]));
    good.into_iter().chain(not_json).chain(other).chain(empty).collect()
}

fn case(id: &str, title: &str) -> Case {
    Case::new(TAG, format!("payload-{id}"), title)
}

fn unsure(id: &str, body: &[u8], title: &str, check: &str) -> Case {
    case(id, &format!("{title} is PayloadEmpty"))
        .tagged("unsure")
        .rests_on(&["reason-payload-empty", check])
        .refused(Request::good().body(body), 400, "PayloadEmpty")
}
