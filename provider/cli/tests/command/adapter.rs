//! `adapter`: a suite drives the engine, line by line (docs/adapter-protocol.md).

use std::{
    fs,
    io::{BufRead as _, BufReader, Lines, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use apns_certs::{ProviderCertificateKind, Purpose};
use serde_json::{Value, json};
use tokio::task::block_in_place;

use crate::desk::{Desk, payload, provider};

/// An adapter, seen from the suite.
struct Adapter {
    child: Child,
    orders: ChildStdin,
    /// Its first event.
    ready: Value,
    events: Lines<BufReader<ChildStdout>>,
}

impl Adapter {
    /// Started, and ready.
    fn start() -> Self {
        Self::start_logging_to(Stdio::inherit())
    }

    fn start_logging_to(stderr: Stdio) -> Self {
        let mut command = provider("adapter");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        let (orders, events) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut adapter = Self { child, orders, ready: Value::Null, events: BufReader::new(events).lines() };
        adapter.ready = adapter.event();
        adapter
    }

    fn say(&mut self, order: &Value) {
        writeln!(self.orders, "{order}").unwrap();
    }

    /// The next event. Waits for it; the double goes on on the other threads.
    fn event(&mut self) -> Value {
        let line = block_in_place(|| self.events.next()).expect("the adapter has ended").unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn asked(&mut self, order: &Value) -> Value {
        self.say(order);
        self.event()
    }

    fn ends(mut self) -> Option<i32> {
        drop(self.orders);
        block_in_place(|| self.child.wait()).unwrap().code()
    }
}

fn key(desk: &Desk, number: usize) -> Value {
    let key = &desk.mock.ready_made().keys[number];
    json!({"p8": key.key.to_p8(), "key-id": key.key_id, "team-id": desk.mock.ready_made().team_id})
}

fn configure(desk: &Desk, credential: &Value) -> Value {
    let ca = desk.mock.certificates().authority().root_pem(Purpose::Server);
    let port = desk.mock.sandbox().port();
    json!({"do": "configure", "host": "localhost", "port": port, "ca-pem": ca, "credential": credential,
        "deadline-ms": 20_000, "attempts-max": 1, "ambiguous": "report", "connections-max": 1})
}

fn send(desk: &Desk, id: &str, token: &str) -> Value {
    json!({"do": "send", "id": id, "device-token": desk.token(token), "topic": "com.example.app",
        "push-type": "alert", "payload": r#"{"aps":{"alert":"Hi"}}"#, "priority": 5, "expiration": 0,
        "collapse-id": "one", "apns-id": "00000000-0000-4000-8000-00000000000a"})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_is_told_goes_out_and_what_comes_back_is_told() {
    let desk = Desk::new().await;
    let mut adapter = Adapter::start();
    assert_eq!(adapter.asked(&send(&desk, "early", "sandbox"))["why"], "nothing was configured");
    assert_eq!(adapter.asked(&configure(&desk, &key(&desk, 0))), json!({"event": "configured"}));

    let result = adapter.asked(&send(&desk, "good", "sandbox"));
    assert_eq!((&result["id"], &result["outcome"]), (&json!("good"), &json!("accepted")), "{result}");
    assert_eq!(result["apns-id"], "00000000-0000-4000-8000-00000000000a");
    let seen = desk.seen();
    assert_eq!(payload(&seen[0]), json!({"aps": {"alert": "Hi"}}));
    let json: Value = serde_json::from_str(seen[0].as_json()).unwrap();
    assert!(json.to_string().contains("\"one\""), "the collapse id: {json}");

    let result = adapter.asked(&send(&desk, "dead", "sandbox-unregistered"));
    assert_eq!((&result["status"], &result["reason"]), (&json!(410), &json!("Unregistered")));
    assert!(result["timestamp"].is_u64());

    let mut order = send(&desk, "wrong", "sandbox");
    order["payload"] = "x".repeat(5000).into();
    let result = adapter.asked(&order);
    assert_eq!((&result["id"], &result["outcome"]), (&json!("wrong"), &json!("invalid")), "{result}");
    assert_eq!(desk.seen().len(), 2, "nothing of it went out");

    assert_eq!(
        adapter.asked(&json!({"do": "drain", "within-ms": 5000})),
        json!({"event": "drained", "all": true})
    );
    adapter.say(&json!({"do": "exit"}));
    assert_eq!(adapter.ends(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_what_the_protocol_has() {
    let adapter = Adapter::start();
    assert_eq!((&adapter.ready["event"], &adapter.ready["name"]), (&json!("ready"), &json!("apns-provider")));
    let page =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/adapter-protocol.md")).unwrap();
    let rows = page.lines().skip_while(|line| !line.starts_with("| in `can`")).skip(2);
    let rows = rows.take_while(|line| line.starts_with("| `"));
    let words: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    assert_eq!(adapter.ready["can"], json!(words));
}

#[tokio::test(flavor = "multi_thread")]
async fn its_clock_and_its_credential_can_be_changed() {
    let desk = Desk::new().await;
    let mut adapter = Adapter::start();
    adapter.asked(&configure(&desk, &key(&desk, 0)));
    assert_eq!(
        adapter.asked(&json!({"do": "set-clock", "now": 1_000_000_000})),
        json!({"event": "clock-set"})
    );
    assert_eq!(adapter.asked(&send(&desk, "2001", "sandbox"))["reason"], "ExpiredProviderToken");

    let universal = desk.mock.certificates().provider(ProviderCertificateKind::Universal).unwrap();
    let certificate = json!({"certificate-pem": universal.to_pem()});
    assert_eq!(
        adapter.asked(&json!({"do": "rotate", "credential": certificate})),
        json!({"event": "rotated"})
    );
    assert_eq!(adapter.asked(&send(&desk, "certificate", "sandbox"))["outcome"], "accepted");
    assert_eq!(adapter.ends(), Some(0), "the end of the input is an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_engine_logs_is_on_standard_error() {
    let desk = Desk::new().await;
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut adapter = Adapter::start_logging_to(log.reopen().unwrap().into());
    adapter.asked(&configure(&desk, &key(&desk, 0)));
    adapter.asked(&json!({"do": "set-clock", "now": 1_000_000_000}));
    assert_eq!(adapter.asked(&send(&desk, "2001", "sandbox"))["reason"], "ExpiredProviderToken");
    assert_eq!(adapter.ends(), Some(0));
    let said = fs::read_to_string(log.path()).unwrap();
    assert!(said.contains("check the machine's clock"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_instruction_ends_it_and_what_cannot_be_done_does_not() {
    let desk = Desk::new().await;
    let mut adapter = Adapter::start();
    let mut order =
        configure(&desk, &json!({"p8": "no key", "key-id": "MOCKKEY001", "team-id": "MOCKTEAM01"}));
    assert_eq!(adapter.asked(&order)["event"], "failed");
    order["credential"] = key(&desk, 0);
    assert_eq!(adapter.asked(&order)["event"], "configured");
    let event = adapter.asked(&json!({"do": "dance"}));
    assert!(event["why"].as_str().unwrap().contains("dance"), "{event}");
    assert_eq!(adapter.ends(), Some(2));
}
