//! The log of frames over real sockets: both directions of a push, for chosen connections and for all, from
//! the middle of one too.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

#[path = "support/control.rs"]
#[expect(dead_code, reason = "what other tests ask")]
mod control;
#[expect(dead_code, reason = "the provider of the wire tests, of which not all is needed here")]
mod support;

use std::{fs, path::Path};

use apns_http2::hpack::Field;
use control::Control;
use http::Method;
use mock_apns::MockApns;
use serde_json::{Value, json};
use support::{Peer, authorization};

const ALERT: &str = r#"{"aps":{"alert":"Hello"}}"#;
const TOPIC: (&str, &str) = ("apns-topic", "com.example.app");
/// Frames of one connection that are kept.
const KEPT: u64 = 1000;

fn good_token(mock: &MockApns) -> String {
    mock.ready_made().device_token("sandbox").unwrap().token.clone()
}

/// A double that logs frames from the start.
async fn traced() -> (MockApns, Control) {
    let mock = MockApns::builder().trace_frames().start().await.unwrap();
    let control = Control::of(&mock);
    (mock, control)
}

async fn frames(control: Control, id: u32) -> Value {
    control.get(&format!("/v1/connections/{id}/frames?limit=1000")).await.expect(200)
}

async fn text(control: Control, id: u32) -> String {
    let path = format!("/v1/connections/{id}/frames?limit=1000");
    let reply = control.ask(Method::GET, &path, &[("accept", "text/plain")], "").await;
    assert_eq!(
        (reply.status, &reply.headers["content-type"]),
        (200, &"text/plain; charset=utf-8".parse().unwrap())
    );
    reply.text
}

async fn switch(control: Control, path: &str, on: bool) {
    let body = json!({ "on": on });
    assert_eq!(control.put(&format!("/v1/connections/{path}"), &body.to_string()).await.expect(200), body);
}

/// One direction, in few words: type, stream, and what matters of the payload.
fn of(direction: &str, frames: &Value) -> Vec<String> {
    let frames = frames["frames"].as_array().unwrap().iter().filter(|frame| frame["direction"] == direction);
    frames.map(in_few_words).collect()
}

fn in_few_words(frame: &Value) -> String {
    let mut words = vec![frame["type"].as_str().unwrap().to_owned()];
    words.extend(frame["stream"].as_u64().filter(|stream| *stream > 0).map(|stream| stream.to_string()));
    let flags = frame["flags"].as_array().into_iter().flatten();
    words.extend(flags.map(|flag| flag.as_str().unwrap().to_owned()));
    words.extend(field(frame, ":status"));
    words.extend(field(frame, ":path"));
    let settings = frame["settings"].as_array().into_iter().flatten();
    words.extend(
        settings
            .filter(|it| it["name"] == "SETTINGS_MAX_CONCURRENT_STREAMS")
            .map(|it| it["value"].to_string()),
    );
    words.extend(["data", "debug"].iter().filter_map(|key| frame[key].as_str().map(str::to_owned)));
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

fn field(frame: &Value, name: &str) -> Option<String> {
    let mut fields = frame["fields"].as_array()?.iter();
    fields.find(|field| field[0] == name).map(|field| field[1].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_push_refused_and_one_accepted_are_seen_in_both_directions() {
    let (mock, control) = traced().await;
    let mut peer = Peer::sandbox(&mock).await;
    let (token, bearer) = (good_token(&mock), authorization(&mock));
    peer.push(&token, &[TOPIC], ALERT).await;
    peer.answers(1).await;
    peer.push(&token, &[("authorization", &bearer), TOPIC], ALERT).await;
    peer.answers(2).await;

    let all = frames(control, 0).await;
    let path = format!("/3/device/{token}");
    let received: Vec<String> = of("received", &all)
        .into_iter()
        .filter(|it| it != "SETTINGS ACK" && !it.starts_with("WINDOW"))
        .collect();
    assert_eq!(
        received,
        [
            "connection-preface".to_owned(),
            "SETTINGS".to_owned(),
            format!("HEADERS 1 END_HEADERS {path}"),
            format!("DATA 1 END_STREAM {ALERT}"),
            format!("HEADERS 3 END_HEADERS {path}"),
            format!("DATA 3 END_STREAM {ALERT}"),
        ]
    );
    let sent: Vec<String> = of("sent", &all).into_iter().filter(|it| !it.starts_with("WINDOW")).collect();
    assert_eq!(
        sent,
        [
            "SETTINGS 1",
            "SETTINGS ACK",
            "HEADERS 1 END_HEADERS 403",
            r#"DATA 1 END_STREAM {"reason":"MissingProviderToken"}"#,
            "SETTINGS 1000",
            "HEADERS 3 END_STREAM END_HEADERS 200",
        ]
    );
    // The answer stands behind the request; numbers and times grow.
    let list = all["frames"].as_array().unwrap();
    let at = |words: &str| list.iter().position(|frame| in_few_words(frame).starts_with(words)).unwrap();
    assert!(at("DATA 1 END_STREAM {\"aps\"") < at("HEADERS 1 END_HEADERS 403"));
    assert!(list.windows(2).all(|pair| pair[0]["elapsed-us"].as_u64() <= pair[1]["elapsed-us"].as_u64()));
    for (number, frame) in list.iter().enumerate() {
        assert_eq!((&frame["cursor"], &frame["wrong"]), (&json!(number), &Value::Null), "{frame}");
    }
    assert_eq!((&all["on"], &all["evicted"]), (&json!(true), &json!(0)));
    assert_eq!(all["next"], json!(list.len() - 1));

    // What was claimed is shown, and its signature is not.
    let (claimed, signature) = bearer.rsplit_once('.').unwrap();
    let shown = field(&list[at("HEADERS 3 END_HEADERS")], "authorization").unwrap();
    assert_eq!(shown, format!("{claimed}.…"));
    assert!(!all.to_string().contains(signature) && !text(control, 0).await.contains(signature));
}

#[tokio::test]
async fn it_can_be_switched_on_in_mid_connection_and_off_again() {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    let mut peer = Peer::sandbox(&mock).await;
    let path = format!("/3/device/{}", good_token(&mock));
    // Fields that go into the tables of both sides: what is read later refers to what nobody saw.
    let mut push = async |count: usize| {
        let fields = [
            (":method", "POST"),
            (":scheme", "https"),
            (":path", &path),
            TOPIC,
            ("x-mine", "is in the table"),
        ];
        let fields = fields.map(|(name, value)| Field::incremental(name.as_bytes(), value.as_bytes()));
        peer.http2.open(&fields, true).unwrap();
        peer.answers(count).await;
        peer.last_fields[0].1.clone()
    };
    assert_eq!(push(1).await, "403");
    assert_eq!(frames(control, 0).await, json!({"on": false, "frames": [], "evicted": 0}));

    switch(control, "0/frames", true).await;
    assert_eq!(push(2).await, "403");
    let seen = frames(control, 0).await;
    let list = seen["frames"].as_array().unwrap();
    let request = list.iter().find(|frame| frame["stream"] == 3 && frame["direction"] == "received").unwrap();
    assert_eq!(
        (field(request, ":path").unwrap(), field(request, "x-mine").unwrap()),
        (path.clone(), "is in the table".into())
    );
    assert!(request["length"].as_u64().unwrap() < 20, "the table was used: {request}");
    assert_eq!(of("sent", &seen).last().unwrap(), r#"DATA 3 END_STREAM {"reason":"MissingProviderToken"}"#);
    assert!(of("sent", &seen).contains(&"HEADERS 3 END_HEADERS 403".to_owned()));
    assert!(!list.iter().any(|frame| frame["stream"] == 1), "{seen}");

    switch(control, "0/frames", false).await;
    assert_eq!(push(3).await, "403");
    let after = frames(control, 0).await;
    assert_eq!((&after["on"], &after["frames"]), (&json!(false), &seen["frames"]));

    // And on once more: what went by meanwhile is in the tables.
    switch(control, "0/frames", true).await;
    assert_eq!(push(4).await, "403");
    let newest = of("received", &frames(control, 0).await).pop().unwrap();
    assert_eq!(newest, format!("HEADERS 7 END_STREAM END_HEADERS {path}"));
}

#[tokio::test]
async fn a_chosen_connection_is_logged_and_no_other() {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    let mut peers = [Peer::sandbox(&mock).await, Peer::sandbox(&mock).await];
    switch(control, "1/frames", true).await;
    for peer in &mut peers {
        assert_eq!(peer.answer("00ff", &[TOPIC], ALERT).await.0, 403);
    }
    assert_eq!(frames(control, 0).await["frames"], json!([]));
    assert_eq!(of("received", &frames(control, 1).await)[0], "connection-preface");

    // All: those that are open, and those to come.
    switch(control, "frames", true).await;
    let mut new = Peer::sandbox(&mock).await;
    for peer in peers.iter_mut().chain([&mut new]) {
        assert_eq!(peer.answer("00ff", &[TOPIC], ALERT).await.0, 403);
    }
    assert_eq!(control.get("/v1/connections/frames").await.expect(200), json!({"on": true}));
    assert!(
        of("received", &frames(control, 0).await)
            .contains(&"HEADERS 3 END_HEADERS /3/device/00ff".to_owned())
    );
    assert_eq!(of("sent", &frames(control, 2).await)[0], "SETTINGS 1");

    switch(control, "frames", false).await;
    let before = frames(control, 1).await["next"].clone();
    let _latest = Peer::sandbox(&mock).await;
    assert_eq!(peers[1].answer("00ff", &[TOPIC], ALERT).await.0, 403);
    assert_eq!(frames(control, 1).await["next"], before);
    assert_eq!(frames(control, 3).await["frames"], json!([]));
}

#[tokio::test]
async fn the_word_that_ends_an_idle_connection_is_seen_and_can_be_read_after_it() {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    let mut peer = Peer::sandbox(&mock).await;
    assert_eq!(peer.answer("00ff", &[TOPIC], ALERT).await.0, 403);
    switch(control, "0/frames", true).await;
    assert_eq!(control.delete("/v1/connections/0").await.status, 204);
    peer.read_until(|_| false).await;
    let sent = of("sent", &frames(control, 0).await);
    assert_eq!(sent, [r#"GOAWAY {"reason":"Shutdown"}"#, "GOAWAY"]);
    let (code, message) = control.put("/v1/connections/0/frames", r#"{"on":true}"#).await.error(409);
    assert_eq!((&*code, &*message), ("conflict", "connection 0 is closed: nothing more comes on it"));
    assert_eq!(frames(control, 0).await["on"], false);
}

#[tokio::test]
async fn what_is_wrong_is_seen_as_it_came() {
    let (mock, control) = traced().await;
    let bytes: [&[u8]; 3] = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x07\x06\0\0\0\0\0onwards",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x05\0\0\0\x01\xff",
        b"POST /3/device/00ff HTTP/1.1\r\nauthorization: bearer a.b.c\r\n\r\n",
    ];
    let expected = [
        ("PING", "a frame has a length that its type does not allow (FRAME_SIZE_ERROR)"),
        ("HEADERS", "a field block cannot be decompressed (COMPRESSION_ERROR)"),
        ("no-preface", ""),
    ];
    for (id, (bytes, (kind, wrong))) in (0..).zip(bytes.into_iter().zip(expected)) {
        let mut peer = Peer::sandbox(&mock).await;
        peer.http2.transmitted(usize::MAX); // our own preface stays unsent
        peer.send_raw(bytes).await;
        peer.read_until(|_| false).await;
        let all = frames(control, id).await;
        let list = all["frames"].as_array().unwrap();
        let it = list.iter().find(|frame| frame["type"] == kind).unwrap();
        assert_eq!(it["wrong"].as_str().unwrap_or_default(), wrong, "{all}");
        assert!(of("sent", &all).iter().any(|it| it.starts_with("GOAWAY")), "{all}");
        assert!(!all.to_string().contains("a.b.c"), "{all}");
    }
}

#[tokio::test]
async fn the_newest_are_kept_and_read_page_by_page() {
    let (mock, control) = traced().await;
    let mut peer = Peer::sandbox(&mock).await;
    assert_eq!(peer.answer("00ff", &[TOPIC], ALERT).await.0, 403);
    peer.send_raw(&b"\0\0\x04\x08\0\0\0\0\0\0\0\0\x01".repeat(1200)).await;
    assert_eq!(peer.answer("00ff", &[TOPIC], ALERT).await.0, 403);

    let all = frames(control, 0).await;
    let (first, evicted) = (all["frames"][0]["cursor"].as_u64().unwrap(), all["evicted"].as_u64().unwrap());
    assert!(evicted > 200 && first == evicted, "{evicted}");
    assert_eq!(all["frames"].as_array().unwrap().len() as u64, KEPT);
    assert!(text(control, 0).await.starts_with(&format!("; {evicted} frames before these made room\n[")));

    let (mut seen, mut after) = (Vec::new(), first);
    loop {
        let page =
            control.get(&format!("/v1/connections/0/frames?limit=300&after={after}")).await.expect(200);
        assert_eq!(page["evicted"], 0);
        let Some(last) = page["frames"].as_array().unwrap().last() else { break };
        assert_eq!(page["next"], last["cursor"]);
        after = page["next"].as_u64().unwrap();
        seen.extend(page["frames"].as_array().unwrap().iter().cloned());
    }
    assert_eq!(seen, all["frames"].as_array().unwrap()[1..]);
    let reply =
        control.ask(Method::GET, "/v1/connections/0/frames?limit=1", &[("accept", "text/plain")], "").await;
    assert!(reply.text.ends_with(&format!("; {} more frames: after={first}\n", KEPT - 1)), "{}", reply.text);
}

#[tokio::test]
async fn a_wrong_question_is_named() {
    let (mock, control) = traced().await;
    let _phone = mock.device("phone").await.unwrap();
    let _peer = Peer::sandbox(&mock).await;
    for (path, status, code, named) in [
        ("7/frames", 404, "unknown-connection", "there is no connection 7"),
        ("phone/frames", 400, "bad-parameter", "\"phone\" is not a connection"),
        ("device-1/frames", 400, "bad-value", "lines of JSON"),
        ("0/frames?after=1000000", 400, "bad-cursor", "1000000 is no cursor of connection 0"),
        ("0/frames?limit=0", 400, "bad-parameter", "0 is not 1 to 1000"),
        ("0/frames?colour=red", 400, "bad-parameter", "unknown field `colour`"),
    ] {
        let (found, message) = control.get(&format!("/v1/connections/{path}")).await.error(status);
        assert_eq!(found, code, "{path}: {message}");
        assert!(message.contains(named), "{path}: {message}");
    }
    for (path, body, status, code) in [
        ("7/frames", r#"{"on":true}"#, 404, "unknown-connection"),
        ("device-1/frames", r#"{"on":true}"#, 400, "bad-value"),
        ("0/frames", "", 400, "bad-field"),
        ("0/frames", r#"{"on":true,"off":false}"#, 400, "bad-field"),
        ("frames", r#"{"on":1}"#, 400, "bad-field"),
    ] {
        let (found, message) = control.put(&format!("/v1/connections/{path}"), body).await.error(status);
        assert_eq!(found, code, "{path}: {message}");
    }
}

/// Frames of the text, times taken out: those of one direction.
fn entries(text: &str, way: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix('[').and_then(|line| line.split_once("] ")) {
            Some((_, entry)) => entries.push(entry.to_owned()),
            None => entries.last_mut().unwrap().extend(["\n", line]),
        }
    }
    entries.retain(|entry| entry.starts_with(way));
    entries
}

#[tokio::test]
async fn the_example_of_the_document_is_what_comes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/frames.md");
    let document = fs::read_to_string(path).unwrap();
    let example = document.split("```text\n").nth(1).unwrap().split("```").next().unwrap();

    let (mock, control) = traced().await;
    let mut peer = Peer::sandbox(&mock).await;
    assert_eq!(peer.answer("00ff", &[TOPIC], ALERT).await.0, 403);
    let text = text(control, 0).await;
    // Which direction's frames come first depends on the moment, as does when the provider acknowledges.
    let of = |text: &str, way: &str| {
        let mut entries = entries(text, way);
        entries.retain(|entry| way == "send" || !entry.contains("; ACK"));
        entries
    };
    for way in ["recv", "send"] {
        assert_eq!(of(example, way), of(&text, way), "docs/frames.md\n{text}");
    }
}
