//! Streams: how many, how they end, and what a malformed message does to its own and to no other.

use crate::{
    Case, Expected, Framing, Greeting, Request, Step,
    request::{Body, HELLO},
    wire::{DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, any_request, frame},
};

const TAG: &str = "streams";
const PROTOCOL_ERROR: u32 = 1;
const STREAM_CLOSED: u32 = 5;
const REFUSED_STREAM: u32 = 7;
/// SETTINGS_MAX_CONCURRENT_STREAMS behind the first valid token.
const STREAMS: u32 = 1000;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = how_many();
    cases.extend(harmless_framing());
    cases.extend(malformed());
    cases.extend(bodies());
    cases.extend(resets());
    cases
}

fn case(id: &str, title: &str, row: &str) -> Case {
    Case::new(TAG, format!("stream-{id}"), title).rests_on(&[&format!("rule-connection-{row}")])
}

/// A request whose end does not come.
fn open(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &any_request())
}

fn how_many() -> Vec<Case> {
    let refused = |stream| Expected::Reset { stream, code: REFUSED_STREAM };
    let all: Vec<u8> = (1..=STREAMS).flat_map(|at| open(at * 2 + 1)).collect();
    let one_more = STREAMS * 2 + 3;
    let mut many =
        case("many-at-once", "behind the first answer many requests are under way at once", "many-streams")
            .accepted(Request::good());
    for at in 1..=100 {
        many = many.step(Step::Send(Request::good())).expect(Expected::answer(at, 200, None));
    }
    vec![
        case("second-before-token", "before a valid token there is one stream", "refused-stream")
            .rests_on(&["limit-streams-before-token", "setting-streams-before-token"])
            .step(Step::AwaitSettingsAck)
            .step(Step::Bytes([open(1), open(3)].concat()))
            .expect(refused(3)),
        case(
            "next-before-token",
            "one behind the other they are answered, without a token too",
            "refused-stream",
        )
        .rests_on(&["limit-streams-before-token"])
        .refused(Request::good().without("authorization"), 403, "MissingProviderToken")
        .refused(Request::good().without("authorization"), 403, "MissingProviderToken"),
        case("second-after-bad-token", "a bad token does not raise the limit", "refused-stream")
            .rests_on(&["limit-streams-before-token"])
            .refused(Request::good().with("authorization", "bearer nonsense"), 403, "InvalidProviderToken")
            .step(Step::Bytes([open(3), open(5)].concat()))
            .expect(refused(5)),
        case(
            "thousand-and-one",
            "behind a valid token there are a thousand streams and no more",
            "refused-stream",
        )
        .rests_on(&["limit-streams", "setting-streams-after-token"])
        .accepted(Request::good())
        .step(Step::Bytes([all, open(one_more)].concat()))
        .expect(refused(one_more)),
        case("thousand", "all thousand streams are taken", "many-streams")
            .rests_on(&["limit-streams"])
            .accepted(Request::good())
            .step(Step::Bytes((1..=STREAMS).flat_map(|at| open(at * 2 + 1)).collect()))
            .step(Step::Settle)
            .expect(Expected::GoesOn),
        many,
    ]
}

/// How a request is cut into frames makes no difference.
fn harmless_framing() -> Vec<Case> {
    let usual = Framing::default;
    let framings = [
        (
            "continuation",
            "a field block in two frames",
            "continuation",
            Framing { block_bytes: 200, ..usual() },
        ),
        (
            "continuations",
            "a field block in pieces of 80 bytes",
            "continuation",
            Framing { block_bytes: 80, ..usual() },
        ),
        ("padding", "padding", "padding", Framing { padding: Some(20), ..usual() }),
        ("no-padding", "padding of no bytes", "padding", Framing { padding: Some(0), ..usual() }),
        ("longest-padding", "padding of 255 bytes", "padding", Framing { padding: Some(255), ..usual() }),
        ("with-priority", "HEADERS with a priority", "priority", Framing { priority: true, ..usual() }),
        (
            "all-at-once",
            "all of it at once",
            "continuation",
            Framing { block_bytes: 100, padding: Some(9), priority: true, ..usual() },
        ),
    ];
    let framings = framings.map(|(id, what, row, framing)| {
        case(id, &format!("{what} makes no difference"), row).accepted(Request::good().framed(framing))
    });
    let pieces = |bytes| Request { body: Body::Pieces(HELLO.into(), bytes), ..Request::good() };
    let pieces = [
        case("body-in-pieces", "a body in pieces is one body", "window").accepted(pieces(7)),
        case("body-in-bytes", "a body in single bytes is one body", "window").accepted(pieces(1)),
    ];
    let trailers = Request { trailers: vec![("x-check".into(), "1".into())], ..Request::good() };
    let meaningless = Request { trailers: vec![("apns-priority".into(), "7".into())], ..Request::good() };
    let trailers = [
        case("trailers", "trailers are read", "trailers").accepted(trailers),
        case("meaningless-trailers", "a field among the trailers is none of the push's", "trailers")
            .accepted(meaningless),
    ];
    framings.into_iter().chain(pieces).chain(trailers).collect()
}

/// RFC 9113, 8.1.1 to 8.3.1.
fn malformed() -> Vec<Case> {
    let good = Request::good;
    let requests = [
        ("upper-case-name", "a field name in upper case", good().and("X-Trace", "1")),
        ("no-method", "no :method", good().without(":method")),
        ("no-path", "no :path", good().without(":path")),
        ("no-scheme", "no :scheme", good().without(":scheme")),
        ("empty-path", "an empty :path", good().with(":path", "")),
        ("unknown-pseudo-field", "an unknown pseudo-field", first(":what", "1")),
        ("response-pseudo-field", "a response's pseudo-field", first(":status", "200")),
        ("pseudo-field-twice", "a pseudo-field twice", first(":method", "POST")),
        (
            "pseudo-field-late",
            "a pseudo-field behind a field",
            good().without(":scheme").and(":scheme", "https"),
        ),
        ("connection", "connection, which is HTTP/1.1's", good().and("connection", "close")),
        ("keep-alive", "keep-alive, which is HTTP/1.1's", good().and("keep-alive", "1")),
        (
            "transfer-encoding",
            "transfer-encoding, which is HTTP/1.1's",
            good().and("transfer-encoding", "chunked"),
        ),
        ("upgrade", "upgrade, which is HTTP/1.1's", good().and("upgrade", "h2c")),
        ("te", "te that is not trailers", good().and("te", "gzip")),
        ("line-break", "a line break in a value", good().and("x-trace", "1\r\nx: 2")),
        ("space-at-end", "a space at the end of a value", good().and("x-trace", "1 ")),
        ("nul", "a NUL in a value", good().and("x-trace", "\0")),
        ("space-in-name", "a space in a field name", good().and("x trace", "1")),
        ("content-length-long", "a content-length above the body's", good().and("content-length", "26")),
        ("content-length-short", "a content-length below the body's", good().and("content-length", "24")),
        ("content-length-word", "a content-length that is no number", good().and("content-length", "many")),
        (
            "pseudo-field-in-trailers",
            "a pseudo-field among the trailers",
            Request { trailers: vec![(":path".into(), "/".into())], ..good() },
        ),
    ];
    requests
        .map(|(id, what, request)| {
            case(&format!("malformed-{id}"), &format!("{what} ends the stream, and no more"), "malformed")
                .accepted(good())
                .step(Step::Send(request))
                .expect(Expected::Reset { stream: 3, code: PROTOCOL_ERROR })
                .step(Step::Ask(good()))
                .expect(Expected::answer(2, 200, None))
        })
        .to_vec()
}

/// A good push with one more field before all others.
fn first(name: &str, value: &str) -> Request {
    let mut push = Request::good();
    push.fields.insert(0, (name.to_owned(), value.to_owned()));
    push
}

fn bodies() -> Vec<Case> {
    // HPACK's own overhead is 32 bytes a field (RFC 9113, 6.5.2): 7,000 are within 8,000 with those of a push, 9,000 are not.
    let filler = |bytes: usize| Request::good().and("x-filler", &"x".repeat(bytes));
    vec![
        case("large-fields", "fields within SETTINGS_MAX_HEADER_LIST_SIZE are read", "header-list")
            .rests_on(&["setting-max-header-list-size"])
            .accepted(filler(7000)),
        case("too-large-fields", "fields above SETTINGS_MAX_HEADER_LIST_SIZE are refused", "header-list")
            .rests_on(&["setting-max-header-list-size"])
            .step(Step::AwaitSettingsAck)
            .accepted(Request::good())
            .step(Step::Send(filler(9000)))
            .expect(Expected::Reset { stream: 3, code: PROTOCOL_ERROR }),
    ]
}

fn resets() -> Vec<Case> {
    let reset = |stream| frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
    let good = Request::good;
    vec![
        case("reset-by-client", "a request that its client resets is no harm to the next", "reset")
            .accepted(good())
            .step(Step::Bytes([open(3), reset(3)].concat()))
            .step(Step::Ask(good()))
            .expect(Expected::answer(2, 200, None))
            .expect(Expected::GoesOn),
        case("reset-before-token", "a reset stream makes room before a valid token", "reset")
            .rests_on(&["limit-streams-before-token"])
            .step(Step::Bytes([open(1), reset(1)].concat()))
            .step(Step::Ask(good()))
            .expect(Expected::answer(1, 200, None)),
        case("data-behind-reset", "DATA that crosses a reset is ignored", "reset")
            .accepted(good())
            .step(Step::Send(good().and("content-length", "1")))
            .expect(Expected::Reset { stream: 3, code: PROTOCOL_ERROR })
            .step(Step::Settle)
            .step(Step::Bytes(frame(DATA, 0, 3, b"late")))
            .step(Step::Ask(good()))
            .expect(Expected::answer(2, 200, None)),
        // The stream is half-closed or closed; both have the code STREAM_CLOSED (RFC 9113, 5.1).
        case("data-behind-end", "DATA behind END_STREAM ends the stream, and no more", "frame-order")
            .accepted(good())
            .step(Step::Bytes(
                [frame(HEADERS, END_HEADERS | END_STREAM, 3, &any_request()), frame(DATA, 0, 3, b"x")]
                    .concat(),
            ))
            .expect(Expected::Reset { stream: 3, code: STREAM_CLOSED })
            .step(Step::Ask(good()))
            .expect(Expected::answer(2, 200, None)),
        case("interleaved", "requests whose frames interleave are each answered", "many-streams")
            .rests_on(&["rule-answer-each"])
            .accepted(good())
            .step(Step::Bytes(
                [open(3), open(5), frame(DATA, 1, 5, b"{}"), frame(DATA, 1, 3, b"{}")].concat(),
            ))
            .expect(Expected::answer(1, 404, Some("BadPath")))
            .expect(Expected::answer(2, 404, Some("BadPath"))),
        case("small-window", "an answer waits for its client's window", "flow-control")
            .greeting(Greeting::Settings(vec![(4, 65_535)]))
            .refused(good().with("apns-priority", "7"), 400, "BadPriority"),
    ]
}
