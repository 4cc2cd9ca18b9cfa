//! Frames that break HTTP/2: each has a code of RFC 9113, 7.

use crate::{
    Case, Expected, Step,
    wire::{
        ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PRIORITY,
        PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE, any_request, frame, settings,
    },
};

const TAG: &str = "frames";
const PROTOCOL_ERROR: u32 = 1;
const FLOW_CONTROL_ERROR: u32 = 3;
const FRAME_SIZE_ERROR: u32 = 6;
const COMPRESSION_ERROR: u32 = 9;
const ENHANCE_YOUR_CALM: u32 = 11;

/// What is sent behind the greeting, the code of the GOAWAY for it, and the rule that says so.
struct Violation {
    id: &'static str,
    what: &'static str,
    code: u32,
    rule: &'static str,
    bytes: Vec<u8>,
}

pub(super) fn cases() -> Vec<Case> {
    let all = [sizes(), places(), stream_ids(), values(), blocks(), floods()];
    all.into_iter().flatten().map(case).collect()
}

fn case(violation: Violation) -> Case {
    let Violation { id, what, code, rule, bytes } = violation;
    Case::new(
        TAG,
        format!("frame-{id}"),
        format!("{what} ends the connection with {}", crate::code_name(code)),
    )
    .rests_on(&[&format!("rule-connection-{rule}")])
    .step(Step::Bytes(bytes))
    .expect(Expected::GoAway { code, reason: None })
}

fn row(id: &'static str, what: &'static str, code: u32, rule: &'static str, bytes: Vec<u8>) -> Violation {
    Violation { id, what, code, rule, bytes }
}

/// A request without a body, whole.
fn request(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &any_request())
}

/// A request whose body is still to come.
fn open(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &any_request())
}

fn sizes() -> Vec<Violation> {
    const RULE: &str = "frame-size";
    let size = |id, what, bytes| row(id, what, FRAME_SIZE_ERROR, RULE, bytes);
    let mut huge = frame(HEADERS, END_HEADERS, 1, b"");
    huge[..3].copy_from_slice(&[0xff; 3]);
    vec![
        size("settings-of-5-bytes", "SETTINGS of five bytes", frame(SETTINGS, 0, 0, b"12345")),
        size(
            "settings-ack-with-payload",
            "an acknowledgement of SETTINGS with a payload",
            frame(SETTINGS, ACK, 0, b"123456"),
        ),
        size("ping-of-7-bytes", "PING of seven bytes", frame(PING, 0, 0, b"1234567")),
        size("ping-of-9-bytes", "PING of nine bytes", frame(PING, 0, 0, b"123456789")),
        size("window-update-of-3-bytes", "WINDOW_UPDATE of three bytes", frame(WINDOW_UPDATE, 0, 0, b"123")),
        size(
            "rst-stream-of-5-bytes",
            "RST_STREAM of five bytes",
            [open(1), frame(RST_STREAM, 0, 1, b"12345")].concat(),
        ),
        size("goaway-of-7-bytes", "GOAWAY of seven bytes", frame(GOAWAY, 0, 0, b"1234567")),
        size(
            "data-over-limit",
            "DATA above SETTINGS_MAX_FRAME_SIZE",
            [open(1), frame(DATA, 0, 1, &[b' '; 16_385])].concat(),
        ),
        size("headers-of-16-mib", "the head of a frame of 16 MiB", huge),
    ]
}

fn places() -> Vec<Violation> {
    const RULE: &str = "frame-order";
    let place = |id, what, bytes| row(id, what, PROTOCOL_ERROR, RULE, bytes);
    vec![
        place("data-on-idle-stream", "DATA on a stream that was never opened", frame(DATA, 0, 1, b"x")),
        place(
            "rst-of-idle-stream",
            "RST_STREAM of a stream that was never opened",
            frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]),
        ),
        place(
            "window-of-idle-stream",
            "WINDOW_UPDATE of a stream that was never opened",
            frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1]),
        ),
        place("data-on-connection", "DATA on the connection", frame(DATA, 0, 0, b"x")),
        place(
            "headers-on-connection",
            "HEADERS on the connection",
            frame(HEADERS, END_HEADERS, 0, &any_request()),
        ),
        place("settings-on-stream", "SETTINGS on a stream", frame(SETTINGS, 0, 1, b"")),
        place("ping-on-stream", "PING on a stream", frame(PING, 0, 1, b"12345678")),
        place("goaway-on-stream", "GOAWAY on a stream", frame(GOAWAY, 0, 1, &[0; 8])),
        place("rst-on-connection", "RST_STREAM on the connection", frame(RST_STREAM, 0, 0, &[0, 0, 0, 8])),
        place(
            "priority-on-connection",
            "PRIORITY on the connection",
            frame(PRIORITY, 0, 0, &[0, 0, 0, 0, 1]),
        ),
        place(
            "push-promise",
            "PUSH_PROMISE of a client",
            [open(1), frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2])].concat(),
        ),
        place(
            "lonely-continuation",
            "CONTINUATION of nothing",
            frame(CONTINUATION, END_HEADERS, 1, &any_request()),
        ),
        place(
            "interrupted-block",
            "a field block that is interrupted",
            [frame(HEADERS, 0, 1, &any_request()), frame(PING, 0, 0, &[0; 8])].concat(),
        ),
        place(
            "continuation-of-another",
            "CONTINUATION on another stream",
            [frame(HEADERS, 0, 1, &any_request()), frame(CONTINUATION, END_HEADERS, 3, b"")].concat(),
        ),
    ]
}

fn stream_ids() -> Vec<Violation> {
    let id = |id, what, bytes| row(id, what, PROTOCOL_ERROR, "stream-ids", bytes);
    vec![
        id("even-stream", "a stream with an even identifier", request(2)),
        id("lower-stream", "a stream below the last one", [request(5), request(3)].concat()),
    ]
}

fn values() -> Vec<Violation> {
    let flow = |id, what, bytes| row(id, what, FLOW_CONTROL_ERROR, "flow-control", bytes);
    let setting = |id, what, code, parameter| row(id, what, code, "settings-range", settings(&[parameter]));
    let padded = |stream_frames: Vec<u8>| [open(1), stream_frames].concat();
    vec![
        row(
            "window-update-of-0",
            "WINDOW_UPDATE of nothing",
            PROTOCOL_ERROR,
            "flow-control",
            frame(WINDOW_UPDATE, 0, 0, &[0; 4]),
        ),
        flow(
            "window-overflow",
            "a window above 2^31-1",
            frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]),
        ),
        flow("initial-window-overflow", "SETTINGS_INITIAL_WINDOW_SIZE of 2^31", settings(&[(4, 1 << 31)])),
        setting("enable-push-2", "SETTINGS_ENABLE_PUSH of 2", PROTOCOL_ERROR, (2, 2)),
        setting("max-frame-size-low", "SETTINGS_MAX_FRAME_SIZE below 2^14", PROTOCOL_ERROR, (5, 16_383)),
        setting("max-frame-size-high", "SETTINGS_MAX_FRAME_SIZE above 2^24-1", PROTOCOL_ERROR, (5, 1 << 24)),
        row(
            "padding-of-data",
            "padding as long as DATA",
            PROTOCOL_ERROR,
            "padding",
            padded(frame(DATA, PADDED, 1, &[9, 0, 0])),
        ),
        row(
            "padding-of-headers",
            "padding as long as HEADERS",
            PROTOCOL_ERROR,
            "padding",
            frame(HEADERS, END_HEADERS | PADDED, 1, &[9, 0, 0]),
        ),
    ]
}

fn blocks() -> Vec<Violation> {
    let hpack = |id, what, block: &[u8]| {
        row(id, what, COMPRESSION_ERROR, "hpack", frame(HEADERS, END_HEADERS | END_STREAM, 1, block))
    };
    vec![
        hpack("block-of-rubbish", "a field block that is not HPACK", &[0xff; 64]),
        hpack("index-0", "the index 0", &[0x80]),
        hpack("index-beyond-tables", "an index beyond both tables", &[0xbe + 60]),
        hpack("half-a-string", "a string that is cut", &[0x40, 0x0a, b'x']),
        hpack("table-above-limit", "a table larger than was announced", &[0x3f, 0xe2, 0x1f]),
        hpack("table-update-late", "a change of the table behind a field", &[0x83, 0x20]),
        hpack("bad-huffman", "Huffman's code with a wrong end", &[0x40, 0x81, 0x00, 0x01, b'x']),
        hpack(
            "integer-overflow",
            "an integer without end",
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ),
    ]
}

/// How much is too much is the target's own affair: a thousand is, for everyone who defends themselves.
fn floods() -> Vec<Violation> {
    let flood = |id, what, bytes| row(id, what, ENHANCE_YOUR_CALM, "floods", bytes);
    let continuations =
        [frame(HEADERS, 0, 1, &any_request()), frame(CONTINUATION, 0, 1, b"").repeat(1000)].concat();
    let resets = (0..10_000)
        .flat_map(|at| [open(at * 2 + 1), frame(RST_STREAM, 0, at * 2 + 1, &[0, 0, 0, 8])].concat());
    vec![
        flood("flood-of-ping", "a flood of PING", frame(PING, 0, 0, b"12345678").repeat(1000)),
        flood("flood-of-settings", "a flood of SETTINGS", frame(SETTINGS, 0, 0, b"").repeat(1000)),
        flood("flood-of-continuation", "a field block without end", continuations),
        flood("rapid-reset", "streams that are opened and reset", resets.collect()),
    ]
}
