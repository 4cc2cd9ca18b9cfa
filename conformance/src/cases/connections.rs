//! TLS, and the beginning and the life of a connection.

use crate::{
    Case, Expected, Greeting, Request, Step,
    request::payload_of,
    wire::{ACK, PING, PREFACE, PRIORITY, SETTINGS, frame, settings},
};

const TAG: &str = "connections";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = tls();
    cases.extend(greetings());
    cases.extend(harmless());
    cases.extend(fields());
    cases.extend(life());
    cases
}

fn case(id: &str, title: &str, row: &str) -> Case {
    Case::new(TAG, format!("connection-{id}"), title).rests_on(&[&format!("rule-connection-{row}")])
}

fn tls() -> Vec<Case> {
    let mut without =
        case("no-alpn", "without ALPN there is HTTP/2 too", "http2-only").accepted(Request::good());
    without.opening.alpn = Vec::new();
    let mut both =
        case("alpn-of-two", "of h2 and http/1.1, h2 is selected", "alpn").expect(Expected::Alpn(Some("h2")));
    both.opening.alpn = vec!["http/1.1", "h2"];
    let asked = Case::new(TAG, "connection-asks-for-certificate", "the target asks for a certificate");
    vec![
        case("alpn", "ALPN selects h2", "alpn").expect(Expected::Alpn(Some("h2"))),
        both,
        without,
        case("tls-version", "TLS is 1.2 or later", "tls").expect(Expected::TlsVersion(0x0303)),
        asked.rests_on(&["rule-certificate-request"]).expect(Expected::CertificateRequest),
    ]
}

/// What is not HTTP/2 from the start.
fn greetings() -> Vec<Case> {
    let with = |more: &[u8]| [PREFACE, more].concat();
    let bytes = [
        ("http1", "an HTTP/1.1 request", b"POST /3/device/00 HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec()),
        (
            "http1-get",
            "an HTTP/1.1 request without a body",
            b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
        ),
        ("zeros", "zeros", vec![0; 64]),
        ("broken-preface", "a preface with a wrong end", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".to_vec()),
        ("no-settings", "a first frame that is not SETTINGS", with(&frame(PING, 0, 0, b"12345678"))),
        (
            "settings-ack-first",
            "a first frame that acknowledges SETTINGS",
            with(&frame(SETTINGS, ACK, 0, b"")),
        ),
    ];
    bytes
        .map(|(id, what, bytes)| {
            case(&format!("begins-with-{id}"), &format!("{what} ends the connection"), "http2-only")
                .greeting(Greeting::Bytes(bytes))
                .expect(Expected::GoAway { code: 1, reason: None })
        })
        .to_vec()
}

/// Frames that change nothing: the push behind them is accepted.
fn harmless() -> Vec<Case> {
    let ping = |opaque: &[u8; 8]| frame(PING, 0, 0, opaque);
    let frames = [
        ("priority", "PRIORITY", "priority", frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 15])),
        (
            "priority-of-idle-stream",
            "PRIORITY of a stream that is never opened",
            "priority",
            frame(PRIORITY, 0, 99, &[0, 0, 0, 0, 15]),
        ),
        ("unknown-frame", "a frame of an unknown type", "unknown-frames", frame(0xee, 0xff, 0, b"what")),
        (
            "unknown-frame-on-stream",
            "an unknown frame on a stream",
            "unknown-frames",
            frame(0xee, 0, 1, b"what"),
        ),
        ("unknown-setting", "an unknown setting", "unknown-frames", settings(&[(0xfe, 7)])),
        ("origin-frame", "ORIGIN, which is a server's", "unknown-frames", frame(0xc, 0, 0, b"")),
        ("unknown-ping-flags", "PING with unknown flags", "ping", frame(PING, 0xfe, 0, b"87654321")),
        (
            "reserved-bit",
            "the reserved bit of a stream identifier",
            "unknown-frames",
            frame(PING, 0, 1 << 31, b"reserved"),
        ),
    ];
    let harmless = frames.map(|(id, what, row, bytes)| {
        case(id, &format!("{what} is ignored"), row)
            .step(Step::Bytes(bytes))
            .accepted(Request::good())
            .expect(Expected::GoesOn)
    });
    let pings = [
        case("ping", "PING is answered", "ping")
            .step(Step::Bytes(ping(b"conforms")))
            .expect(Expected::Pong(*b"conforms")),
        case("ping-before-token", "PING is answered before any request", "ping")
            .step(Step::Bytes(ping(&[0; 8])))
            .expect(Expected::Pong([0; 8])),
        case("settings-ack", "SETTINGS are acknowledged", "settings-ack").expect(Expected::SettingsAck),
    ];
    harmless.into_iter().chain(pings).collect()
}

/// Fields that APNs does not know.
fn fields() -> Vec<Case> {
    [
        ("user-agent", "curl/8.0"),
        ("accept", "*/*"),
        ("accept-encoding", "gzip, deflate"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-length", "25"),
        ("x-trace", ""),
        ("te", "trailers"),
        ("cookie", "a=b"),
        ("apns-unknown", "1"),
    ]
    .map(|(name, value)| {
        case(&format!("ignores-{name}"), &format!("{name}: {value} is ignored"), "unknown-fields")
            .accepted(Request::good().with(name, value))
    })
    .to_vec()
}

fn life() -> Vec<Case> {
    let bad = || Request::good().with("apns-priority", "7");
    let mut errors = case("survives-errors", "refused pushes do not end a connection", "survives-errors");
    for _ in 0..5 {
        errors = errors.refused(bad(), 400, "BadPriority");
    }
    let mut dead = case("survives-410", "a connection survives pushes to dead tokens", "survives-errors");
    for _ in 0..5 {
        dead = dead.refused(Request::good().to("unregistered"), 410, "Unregistered");
    }
    // More than the connection's first window of 65,535 bytes, and more than the one of the whole batch.
    let mut window = case("window", "window is granted for what was read", "window");
    for _ in 0..24 {
        window = window.accepted(Request::good().body(payload_of(4096)));
    }
    let large = format!(r#"{{"aps":{{"alert":"{}"}}}}"#, "x".repeat(60_000));
    vec![
        errors.accepted(Request::good()),
        dead.accepted(Request::good()),
        window.expect(Expected::Window),
        case("large-body", "a payload of 60,000 bytes is read and refused", "window")
            .refused(Request::good().body(large), 413, "PayloadTooLarge")
            .accepted(Request::good()),
    ]
}
