//! Waiting and asserting over HTTP: answered when it happens, at the latest when the time is over, and never by polling.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "support/control.rs"]
#[expect(dead_code, reason = "what other tests ask")]
mod control;
#[path = "support/events.rs"]
mod events;
#[path = "support/mod.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod support;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use control::Control;
use events::Events;
use futures::future::join_all;
use http::Method;
use mock_apns::MockApns;
use serde_json::{Value, json};
use support::{Peer, authorization};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A double, its control API, and a provider of the ready-made team.
struct World {
    mock: MockApns,
    control: Control,
    peer: Peer,
    authorization: String,
}

impl World {
    async fn new() -> Self {
        let mock = MockApns::start().await.unwrap();
        let (control, peer) = (Control::of(&mock), Peer::sandbox(&mock).await);
        let authorization = authorization(&mock);
        Self { mock, control, peer, authorization }
    }

    /// Pushes to the ready-made phone, and returns the status.
    async fn push(&mut self, fields: &[(&str, &str)], text: &str) -> u16 {
        let token = self.mock.ready_made().device_tokens[0].token.clone();
        let mut all = vec![("authorization", &*self.authorization), ("apns-topic", "com.example.app")];
        all.extend(fields);
        self.peer.answer(&token, &all, &json!({"aps": {"alert": text}}).to_string()).await.0
    }
}

/// Returns once so many requests wait: the double says so itself.
async fn all_wait(world: &World, count: usize) {
    let waiting = async {
        while world.mock.waiting() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("all of them wait");
}

fn texts(list: &Value) -> Vec<&str> {
    list["notifications"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["json"]["aps"]["alert"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_push_is_told_with_all_that_is_known_of_it() {
    let mut world = World::new().await;
    world.push(&[("apns-push-type", "alert"), ("x-trace", "1"), ("x-trace", "2")], "Hello").await;
    let list = world.control.get("/v1/notifications").await.expect(200);
    let push = &list["notifications"][0];
    assert_eq!((&push["verdict"], &push["answer"]["status"]), (&json!("accepted"), &json!(200)));
    assert_eq!(
        push["raw-headers"].as_array().unwrap().iter().filter(|field| field[0] == "x-trace").count(),
        2
    );
    assert_eq!((&push["shown"]["body"], &push["status"]), (&json!("Hello"), &json!("Delivered to Device")));
    let signature = world.authorization.rsplit_once('.').unwrap().1;
    assert!(!list.to_string().contains(signature), "{list}");
    let id = push["apns-id"].as_str().unwrap();
    assert_eq!(&world.control.get(&format!("/v1/notifications/{id}")).await.expect(200), push);
    let request = world.control.get(&format!("/v1/requests/{}", id.to_lowercase())).await.expect(200);
    assert_eq!((&request["team"], &request["push"]), (&json!("MOCKTEAM01"), push));
}

#[tokio::test]
async fn a_refused_request_is_explained_also_if_it_is_no_teams() {
    let mut world = World::new().await;
    assert_eq!(world.push(&[("apns-priority", "7")], "Hello").await, 400);
    let list = world.control.get("/v1/notifications?filter=event:refused").await.expect(200);
    let id = list["notifications"][0]["apns-id"].as_str().unwrap();
    let explained = world.control.get(&format!("/v1/requests/{id}/explain")).await.expect(200);
    assert_eq!(
        (&explained["changed"], &explained["explanation"]["answer"]["reason"]),
        (&json!(false), &json!("BadPriority"))
    );

    let id = "0A1B2C3D-0000-4000-8000-00000000000F";
    world.peer.answer("00ff", &[("apns-id", id)], "{}").await;
    let explained = world.control.get(&format!("/v1/requests/{id}/explain")).await.expect(200);
    assert_eq!(explained["team"], Value::Null);
    assert!(
        explained["explanation"]["summary"].as_str().unwrap().starts_with("403 MissingProviderToken"),
        "{explained}"
    );
    assert_eq!(world.control.get("/v1/requests/nothing/explain").await.error(404).0, "unknown-notification");
}

#[tokio::test]
async fn a_wait_is_answered_when_enough_have_come() {
    let mut world = World::new().await;
    let control = world.control;
    let one =
        tokio::spawn(async move { control.get("/v1/notifications?filter=hello&wait=20s").await.expect(200) });
    let two = tokio::spawn(async move {
        control.get("/v1/notifications?filter=hello&wait=20s&min=2").await.expect(200)
    });
    world.push(&[], "something else").await;
    world.push(&[], "hello 1").await;
    let one = one.await.unwrap();
    assert_eq!((texts(&one), &one["satisfied"]), (vec!["hello 1"], &json!(true)));
    assert!(!two.is_finished());
    world.push(&[], "hello 2").await;
    assert_eq!(texts(&two.await.unwrap()), ["hello 1", "hello 2"]);
    // What was there before a wait counts for it.
    assert_eq!(
        texts(&control.get("/v1/notifications?filter=hello&wait=20s&min=2").await.expect(200)),
        ["hello 1", "hello 2"]
    );
}

#[tokio::test]
async fn a_wait_in_vain_tells_what_came_instead() {
    let mut world = World::new().await;
    let began = Instant::now();
    world.push(&[("apns-push-type", "background"), ("apns-priority", "5")], "hello").await;
    let list = world.control.get("/v1/notifications?filter=type:alert%20hello&wait=150ms").await.expect(200);
    assert!(began.elapsed() >= Duration::from_millis(150));
    assert_eq!((&list["notifications"], &list["satisfied"]), (&json!([]), &json!(false)));
    assert_eq!(list["near-misses"][0]["differences"], json!(["type: asked alert, has background"]));
}

#[tokio::test]
async fn cursors_go_on_where_they_ended() {
    let mut world = World::new().await;
    let nothing = world.control.get("/v1/notifications").await.expect(200);
    let next = nothing["next"].as_u64().unwrap();
    for text in ["1", "2", "3"] {
        world.push(&[], text).await;
    }
    let (mut seen, mut after) = (Vec::new(), next);
    loop {
        let page = world.control.get(&format!("/v1/notifications?limit=1&after={after}")).await.expect(200);
        after = page["next"].as_u64().unwrap();
        match texts(&page).as_slice() {
            [] => break,
            texts => seen.extend(texts.iter().map(ToString::to_string)),
        }
    }
    assert_eq!(seen, ["1", "2", "3"]);
}

#[tokio::test]
async fn wrong_cursors_filters_and_waits_are_named() {
    let world = World::new().await;
    for (path, code, named) in [
        ("/v1/notifications?after=99999", "bad-cursor", "99999 is no cursor of MOCKTEAM01"),
        ("/v1/notifications?after=last", "bad-parameter", "parameter after: invalid digit"),
        ("/v1/notifications?filter=colour:red", "bad-filter", "there is no key \"colour\""),
        ("/v1/notifications?filter=type:alrt", "bad-filter", "did you mean alert?"),
        ("/v1/notifications?wait=soon", "bad-parameter", "\"soon\" is not a duration"),
        ("/v1/notifications?wait=1h", "bad-parameter", "at most 300 seconds"),
        ("/v1/notifications?min=2", "bad-parameter", "there is no `wait`"),
        ("/v1/notifications?limit=1001", "bad-parameter", "1001 is not 1 to 1000"),
        ("/v1/events?after=99999", "bad-cursor", "99999 is no cursor"),
        ("/v1/events?filter=type:", "bad-filter", "at byte"),
    ] {
        let (found, message) = world.control.get(path).await.error(400);
        assert_eq!(found, code, "{path}: {message}");
        assert!(message.contains(named), "{path}: {message}");
    }
    for (body, named) in [
        (r#"{"assertions":[]}"#, "it takes 1 to 100"),
        (r#"{"assertions":[{"min":2,"max":1}]}"#, "at least 2 and at most 1"),
        (r#"{"assertions":[{"filter":"type:alrt"}]}"#, "did you mean alert?"),
        (r#"{"assertions":[{}],"wait":"2h"}"#, "at most 300 seconds"),
        (r#"{"assertions":[{"times":1}]}"#, "unknown field `times`"),
    ] {
        let (_, message) = world.control.post("/v1/assertions", body).await.error(400);
        assert!(message.contains(named), "{body}: {message}");
    }
}

#[tokio::test]
async fn assertions_are_judged_and_told_in_words() {
    let mut world = World::new().await;
    world.push(&[("apns-push-type", "background"), ("apns-priority", "5")], "hello").await;
    let body = json!({"assertions": [
        {"filter": "hello", "min": 1, "max": 1},
        {"name": "no alert", "filter": "type:alert", "max": 0},
        {"name": "two of them", "filter": "type:alert", "min": 2},
    ]});
    let verdict = world.control.post("/v1/assertions", &body.to_string()).await.expect(200);
    let holds: Vec<_> =
        verdict["assertions"].as_array().unwrap().iter().map(|one| one["holds"].clone()).collect();
    assert_eq!((holds, &verdict["holds"]), (vec![json!(true), json!(true), json!(false)], &json!(false)));
    let text = verdict["text"].as_str().unwrap();
    assert!(text.contains("holds: hello: expected exactly 1, found 1"), "{text}");
    assert!(text.contains("FAILS: two of them: expected at least 2, found 0\n  nearly: "), "{text}");
    assert!(text.contains("(type: asked alert, has background)"), "{text}");
}

#[tokio::test]
async fn an_assertion_waits_for_what_must_come_and_ends_at_what_must_not() {
    let mut world = World::new().await;
    let control = world.control;
    let ask = |body: Value| {
        tokio::spawn(async move { control.post("/v1/assertions", &body.to_string()).await.expect(200) })
    };
    let comes = ask(json!({"assertions": [{"filter": "hello"}], "wait": "20s"}));
    let too_many = ask(json!({"assertions": [{"filter": "hello", "max": 0}], "settle": "20s"}));
    world.push(&[], "hello").await;
    assert_eq!(comes.await.unwrap()["holds"], true);
    assert_eq!(too_many.await.unwrap()["holds"], false);
    let settles =
        control.post("/v1/assertions", r#"{"assertions":[{"filter":"bye","max":0}],"settle":"50ms"}"#).await;
    assert_eq!(settles.expect(200)["holds"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_waits_are_answered_within_20_ms_of_the_push() {
    const WAITS: usize = 200;
    let mut world = World::new().await;
    let control = world.mock.control();
    let waits: Vec<_> = (0..WAITS)
        .map(|number| {
            tokio::spawn(async move {
                let path = format!("/v1/notifications?filter=%22number%20{number}.%22&wait=60s");
                wait_frugally(control, &path).await
            })
        })
        .collect();
    // The double says itself when all of them wait.
    all_wait(&world, WAITS).await;
    let text = (0..WAITS).map(|number| format!("number {number}. ")).collect::<Vec<_>>().concat();
    assert_eq!(world.push(&[], &text).await, 200);
    let pushed = Instant::now();
    // What is read in them would keep the others' answers waiting, so all come before any is looked at.
    for wait in join_all(waits).await {
        let (answered, answer, _open) = wait.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#""satisfied":true"#), "{answer}");
        let after = answered.saturating_duration_since(pushed);
        assert!(after < ANSWERED_IN, "answered {after:?} after the push");
    }
}

/// Asks, and gives the moment at which the whole answer was there, the answer, and its connection. Two hundred clients share two cores
/// with the double: what they did beyond reading, such as closing, would be measured with it.
async fn wait_frugally(control: SocketAddr, path: &str) -> (Instant, String, TcpStream) {
    let mut tcp = TcpStream::connect(control).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {control}\r\n\r\n");
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !is_whole(&answer) {
        assert_ne!(tcp.read_buf(&mut answer).await.unwrap(), 0, "the double closed the connection");
    }
    (Instant::now(), String::from_utf8(answer).unwrap(), tcp)
}

fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = str::from_utf8(&answer[..end]).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    answer.len() == end + 4 + length.parse::<usize>().unwrap()
}

/// How long it may take: what is promised of an optimised build. One that is not has to write and read two hundred answers on the
/// same cores, and shows only that all of them come long before their time is over:
/// `cargo test --release -p mock-apns --test waiting`.
const ANSWERED_IN: Duration = Duration::from_millis(if cfg!(debug_assertions) { 10_000 } else { 20 });

#[tokio::test]
async fn events_stream_on_and_a_lost_connection_goes_on_behind_its_last() {
    let mut world = World::new().await;
    let control = world.control;
    world.push(&[], "1").await;
    let accept = [("accept", "text/event-stream")];
    let mut stream = Events::of(control, "/v1/events?filter=event:notification", &accept).await;
    let first = stream.next_event().await;
    assert_eq!((first.kind.as_str(), &first.data["status"]), ("notification", &json!("Received by APNs")));
    assert_eq!(stream.next_event().await.data["status"], "Delivered to Device");
    world.push(&[], "2").await;
    let third = stream.next_event().await;
    drop(stream);

    let accept = [("accept", "text/event-stream"), ("last-event-id", third.id.as_str())];
    let mut stream = Events::of(control, "/v1/events?filter=event:notification", &accept).await;
    let fourth = stream.next_event().await;
    assert_eq!(fourth.data["status"], "Delivered to Device");
    assert_eq!(fourth.id.parse::<u64>().unwrap(), third.id.parse::<u64>().unwrap() + 1);
    let bad = [("accept", "text/event-stream"), ("last-event-id", "yesterday")];
    let (code, message) = control.ask(Method::GET, "/v1/events", &bad, "").await.error(400);
    assert_eq!((&*code, &*message), ("bad-cursor", "Last-Event-ID: \"yesterday\" is no cursor"));
}

#[tokio::test]
async fn entries_that_made_room_are_confessed() {
    let mut world = World::new().await;
    world.control.patch("/v1/settings", r#"{"journal-entries":10}"#).await.expect(200);
    for number in 0..10 {
        world.push(&[], &number.to_string()).await;
    }
    let list = world.control.get("/v1/notifications?after=0").await.expect(200);
    assert!(list["evicted"].as_u64().unwrap() > 0, "{list}");
    assert!(world.control.get("/v1/events?after=0").await.expect(200)["evicted"].as_u64().unwrap() > 0);
    let accept = [("accept", "text/event-stream"), ("last-event-id", "0")];
    assert_eq!(Events::of(world.control, "/v1/events", &accept).await.next_event().await.kind, "evicted");
}

#[tokio::test]
async fn who_waits_does_not_hold_up_the_stop() {
    let world = World::new().await;
    let control = world.control;
    let wait = tokio::spawn(async move { control.get("/v1/notifications?filter=never&wait=60s").await });
    let accept = [("accept", "text/event-stream")];
    let mut stream = Events::of(control, "/v1/events", &accept).await;
    stream.next_event().await;
    all_wait(&world, 2).await;
    let began = Instant::now();
    world.mock.stop().await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(wait.await.unwrap().expect(200)["satisfied"], false);
}
