//! The form of an answer: status, fields, body.

use crate::{Case, Expected, Request, Step, Value, expected::reason_json};

const TAG: &str = "answers";
const APNS_ID: &str = "123e4567-e89b-12d3-a456-42665544000f";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = ids();
    cases.extend(bodies());
    cases.extend(fields());
    cases.push(each());
    cases
}

fn case(id: &str, title: &str, row: &str) -> Case {
    Case::new(TAG, format!("answer-{id}"), title).rests_on(&[&format!("rule-answer-{row}")])
}

fn bad() -> Request {
    Request::good().with("apns-priority", "7")
}

/// Asks, and looks at this field alone of the answer.
fn field(case: Case, request: Request, name: &'static str, value: Value) -> Case {
    case.step(Step::Ask(request)).expect(Expected::Field { request: 0, name, value })
}

fn ids() -> Vec<Case> {
    let (echoed, made_up) = ("id-echoed", "id-made-up");
    let upper = "123E4567-E89B-12D3-A456-42665544000F";
    let with = |push: Request, id| push.with("apns-id", id);
    vec![
        field(
            case("echoes-id", "apns-id comes back", echoed),
            with(Request::good(), APNS_ID),
            "apns-id",
            Value::Is(APNS_ID),
        ),
        field(
            case("echoes-upper-case", "apns-id comes back as it was", echoed),
            with(Request::good(), upper),
            "apns-id",
            Value::Is(upper),
        ),
        field(
            case("echoes-id-on-error", "a refusal has the push's apns-id", "id-on-errors"),
            with(bad(), APNS_ID),
            "apns-id",
            Value::Is(APNS_ID),
        ),
        field(
            case("makes-up-id", "without apns-id one is made up", made_up),
            Request::good(),
            "apns-id",
            Value::UpperUuid,
        ),
        field(
            case("makes-up-id-on-error", "a refusal has an apns-id", "id-on-errors"),
            bad(),
            "apns-id",
            Value::UpperUuid,
        ),
        field(
            case("makes-up-id-for-bad-one", "a malformed apns-id does not come back", made_up),
            with(Request::good(), "42"),
            "apns-id",
            Value::UpperUuid,
        ),
        case("fresh-ids", "no two answers have the same apns-id", "id-fresh")
            .step(Step::Ask(Request::good()))
            .step(Step::Ask(Request::good()))
            .step(Step::Ask(bad()))
            .expect(Expected::DistinctIds { requests: 3 }),
        field(
            case("unique-id", "the sandbox's answer has an apns-unique-id", "unique-id"),
            Request::good(),
            "apns-unique-id",
            Value::LowerUuid,
        )
        .tagged("sandbox"),
    ]
}

fn bodies() -> Vec<Case> {
    let timestamp = |request: Request, id, title, row, present| {
        case(id, title, row).step(Step::Ask(request)).expect(Expected::Timestamp { request: 0, present })
    };
    let expired = Request::good()
        .to("expired")
        .with("apns-push-type", "liveactivity")
        .with("apns-topic", "{topic}.push-type.liveactivity");
    vec![
        case("accepted-ends", "200 has fields alone", "accepted")
            .step(Step::Ask(Request::good()))
            .expect(Expected::NoData { request: 0 }),
        case("compact-json", "a refusal's body is compact JSON", "compact-json")
            .step(Step::Ask(bad()))
            .expect(Expected::Body { request: 0, text: reason_json("BadPriority") }),
        case("reason", "a refusal names its reason", "refused").refused(bad(), 400, "BadPriority"),
        timestamp(
            Request::good().to("unregistered"),
            "unregistered-timestamp",
            "Unregistered has a timestamp",
            "timestamp",
            true,
        )
        .rests_on(&["reason-unregistered", "check-device-token-is-registered"]),
        timestamp(expired, "expired-timestamp", "ExpiredToken has a timestamp", "timestamp", true)
            .rests_on(&["reason-expired-token", "check-device-token-is-not-expired"]),
        timestamp(bad(), "no-timestamp", "another refusal has no timestamp", "no-timestamp", false),
    ]
}

fn fields() -> Vec<Case> {
    vec![
        field(
            case("no-content-type", "a refusal has no content-type", "no-content-type"),
            bad(),
            "content-type",
            Value::Absent,
        ),
        field(
            case("no-retry-after", "an answer has no retry-after", "no-retry-after"),
            bad(),
            "retry-after",
            Value::Absent,
        )
        .tagged("unsure"),
    ]
}

/// Five at once, each wrong in its own way: each stream has its own answer.
fn each() -> Case {
    let wrong = [
        ("apns-priority", "7", "BadPriority"),
        ("apns-id", "1", "BadMessageId"),
        ("apns-expiration", "x", "BadExpirationDate"),
        ("apns-push-type", "x", "InvalidPushType"),
        ("apns-topic", "a..b", "BadTopic"),
    ];
    let mut case = case("each", "requests at once are each answered", "each").accepted(Request::good());
    for (at, (name, value, reason)) in wrong.into_iter().enumerate() {
        case = case.step(Step::Send(Request::good().with(name, value))).expect(Expected::answer(
            at + 1,
            400,
            Some(reason),
        ));
    }
    case
}
