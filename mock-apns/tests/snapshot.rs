//! The whole state of a double, taken and put back.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "support/control.rs"]
#[expect(dead_code, reason = "what other tests ask")]
mod control;
#[path = "support/mod.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod support;

use control::Control;
use mock_apns::{Environment, MockApns, TokenKind};
use serde_json::{Value, json};
use support::{Peer, Seen, authorization};

const APP: &str = "com.example.app";

async fn push(mock: &MockApns, authorization: &str, alert: &str) -> u16 {
    let token = mock.ready_made().device_tokens[0].token.clone();
    let body = json!({"aps": {"alert": alert}}).to_string();
    let fields = [("authorization", authorization), ("apns-topic", APP)];
    Peer::sandbox(mock).await.answer(&token, &fields, &body).await.0
}

async fn count(control: Control) -> usize {
    control.get("/v1/notifications").await.expect(200)["notifications"].as_array().unwrap().len()
}

#[tokio::test]
async fn what_was_taken_is_put_back_to_the_byte_here_and_elsewhere() {
    let (mock, other) = (MockApns::start().await.unwrap(), MockApns::start().await.unwrap());
    let (control, elsewhere) = (Control::of(&mock), Control::of(&other));
    let authorization = authorization(&mock);
    let team = mock.create_team(APP).unwrap();
    assert_eq!(push(&mock, &authorization, "one").await, 200);
    let taken = control.get("/v1/snapshot").await;
    assert_eq!(taken.status, 200);

    assert_eq!(push(&mock, &authorization, "two").await, 200);
    mock.create_team(APP).unwrap();
    for control in [control, elsewhere] {
        control.put("/v1/snapshot", &taken.text).await.expect(204);
        assert_eq!(control.get("/v1/snapshot").await.text, taken.text);
        assert_eq!(count(control).await, 1);
    }
    // It goes on as it would have there: with its keys, and its next name.
    assert_eq!(push(&other, &authorization, "three").await, 200);
    let keys = format!("/v1/keys?team={}", team.id());
    assert_eq!(elsewhere.get(&keys).await.expect(200), control.get(&keys).await.expect(200));
    assert_eq!(other.create_team(APP).unwrap().id().as_str(), "TEAM000002");
}

#[tokio::test]
async fn everyone_who_was_connected_is_sent_away() {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    let authorization = authorization(&mock);
    let empty = control.get("/v1/snapshot").await.text;
    let mut peer = Peer::sandbox(&mock).await;
    let token = mock.ready_made().device_tokens[0].token.clone();
    let fields = [("authorization", &*authorization), ("apns-topic", APP)];
    assert_eq!(peer.answer(&token, &fields, r#"{"aps":{"alert":"one"}}"#).await.0, 200);
    let mut phone = mock.device("alice-phone").await.unwrap();
    phone.register(APP, Environment::Sandbox, TokenKind::App).await.unwrap();

    control.put("/v1/snapshot", &empty).await.expect(204);
    let seen = peer.read_until(|_| false).await;
    assert!(seen.contains(&Seen::GoAway(1, 0, r#"{"reason":"Shutdown"}"#.to_owned())), "{seen:?}");
    assert_eq!(seen.last(), Some(&Seen::End));
    let gone = phone.next().await.unwrap_err().to_string();
    assert!(gone.contains("closed the connection"), "{gone}");
    control.get("/v1/devices/alice-phone").await.error(404);

    // New connections have the IDs of those before, and are not taken for them.
    assert_eq!(push(&mock, &authorization, "again").await, 200);
    assert_eq!(count(control).await, 1);
}

#[tokio::test]
async fn a_snapshot_that_was_changed_is_refused_and_changes_nothing() {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    push(&mock, &authorization(&mock), "one").await;
    let taken = control.get("/v1/snapshot").await;
    let change = |change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_str(&taken.text).unwrap();
        change(&mut value);
        value.to_string()
    };
    for (changed, code, named) in [
        (change(&|it| it["colour"] = json!("red")), "bad-field", "unknown field `colour`"),
        (
            change(&|it| it["service"]["version"] = json!(99)),
            "bad-field",
            "field service.version: it is of version 99",
        ),
        (change(&|it| it["credentials"]["keys"][0]["p8"] = json!("none")), "bad-snapshot", "PKCS#8"),
        (change(&|it| it["service"]["opened"] = json!(u64::MAX)), "bad-snapshot", "at unclaimed, opened"),
        ("{}".to_owned(), "bad-field", "missing field `credentials`"),
        ("[".to_owned(), "bad-json", "EOF"),
    ] {
        let (found, message) = control.put("/v1/snapshot", &changed).await.error(400);
        assert_eq!(found, code, "{message}");
        assert!(message.contains(named), "{message}");
    }
    assert_eq!(control.get("/v1/snapshot").await.text, taken.text);
}
