//! What the control API says of connections over real sockets, and that it can close them.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

#[path = "support/control.rs"]
#[expect(dead_code, reason = "what other tests ask")]
mod control;
#[expect(dead_code, reason = "the provider of the wire tests, of which a push is all that is needed here")]
mod support;

use std::time::Duration;

use apns_certs::ProviderCertificateKind;
use control::Control;
use mock_apns::{CloseReason, DeviceError, MockApns};
use serde_json::{Value, json};
use support::{Peer, Seen, authorization};
use tokio::time::timeout;

/// Longer than anything here takes; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);
const ALERT: &str = r#"{"aps":{"alert":"Hello"}}"#;

async fn start() -> (MockApns, Control) {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    (mock, control)
}

async fn push(mock: &MockApns, peer: &mut Peer, token: &str) -> u16 {
    let bearer = authorization(mock);
    peer.answer(token, &[("authorization", &bearer), ("apns-topic", "com.example.app")], ALERT).await.0
}

fn good_token(mock: &MockApns) -> String {
    mock.ready_made().device_token("sandbox").unwrap().token.clone()
}

async fn connection(control: Control, id: &str) -> Value {
    control.get(&format!("/v1/connections/{id}")).await.expect(200)
}

/// The connection once the double has seen that it is closed.
async fn closed(control: Control, id: &str) -> Value {
    let closing = async {
        loop {
            let connection = connection(control, id).await;
            if connection.get("closed").is_some() {
                return connection;
            }
        }
    };
    timeout(PATIENCE, closing).await.unwrap()
}

/// The ids of a list.
fn ids(list: &Value) -> Vec<&str> {
    list["connections"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_providers_connection_is_told_while_it_is_open_and_after() {
    let (mock, control) = start().await;
    let mut peer = Peer::sandbox(&mock).await;
    assert_eq!(push(&mock, &mut peer, &good_token(&mock)).await, 200);
    assert_eq!(push(&mock, &mut peer, "00ff").await, 400);
    let list = control.get("/v1/connections").await.expect(200);
    assert_eq!(ids(&list), ["0"]);
    let open = &list["connections"][0];
    assert_eq!((&open["kind"], &open["environment"]), (&json!("provider"), &json!("sandbox")));
    assert_eq!((&open["teams"], &open["keys"]), (&json!(["MOCKTEAM01"]), &json!(["MOCKKEY001"])));
    assert_eq!((&open["requests"], &open["answers"]), (&json!(2), &json!({"200": 1, "400": 1})));
    let tls = json!({"version": "TLSv1.3", "alpn": "h2", "server-name": "localhost", "certificate": null});
    assert_eq!(open["tls"], tls);
    assert!(open["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{open}");
    assert!(open["bytes-in"].as_u64().unwrap() > 300 && open["bytes-out"].as_u64().unwrap() > 50, "{open}");
    assert_eq!((&open["closed"], &open["device"]), (&Value::Null, &Value::Null));

    drop(peer);
    let closed = closed(control, "0").await;
    assert_eq!(closed["closed"]["because"], "peer");
    assert!(closed["closed"]["at"].as_u64() >= closed["opened-at"].as_u64(), "{closed}");
    assert_eq!((&closed["keys"], &closed["requests"]), (&open["keys"], &open["requests"]));
}

#[tokio::test]
async fn why_a_connection_was_closed_is_told() {
    let (mock, control) = start().await;
    let identity = mock.certificates().provider(ProviderCertificateKind::Production).unwrap();
    let port = mock.sandbox().port();
    let mut sent_away = Peer::connect(&mock, port, &[b"h2"], Some(&identity)).await.unwrap();
    sent_away.read_until(|_| false).await;
    let it = connection(control, "0").await;
    assert_eq!(
        (&it["closed"]["because"], &it["closed"]["detail"]),
        (&json!("sent-away"), &json!("BadCertificateEnvironment"))
    );
    let certificate = &it["tls"]["certificate"];
    assert!(certificate["subject"].as_str().unwrap().contains("com.example.app"), "{certificate}");
    assert_eq!(certificate["sha256"].as_str().unwrap().len(), 64);

    let mut broken = Peer::sandbox(&mock).await;
    broken.send_raw(b"\0\0\x01\0\0\0\0\0\0\0").await; // DATA on stream 0 (RFC 9113, 6.1)
    broken.read_until(|_| false).await;
    let it = connection(control, "1").await;
    assert_eq!(it["closed"]["because"], "protocol-error");
    assert!(it["closed"]["detail"].is_string(), "{it}");
}

#[tokio::test]
async fn a_provider_is_told_to_go_away() {
    let (mock, control) = start().await;
    let mut peer = Peer::sandbox(&mock).await;
    assert_eq!(push(&mock, &mut peer, &good_token(&mock)).await, 200);
    assert_eq!(control.delete("/v1/connections/0").await.status, 204);
    let seen = peer.read_until(|_| false).await;
    let goaways = [r#"{"reason":"Shutdown"}"#, ""].map(|debug| Seen::GoAway(1, 0, debug.to_owned()));
    assert_eq!(seen[seen.len() - 3..], [goaways[0].clone(), goaways[1].clone(), Seen::End]);
    assert_eq!(connection(control, "0").await["closed"]["because"], "asked");
    let (code, message) = control.delete("/v1/connections/0").await.error(409);
    assert_eq!((&*code, &*message), ("conflict", "connection 0 is closed already"));
}

#[tokio::test]
async fn a_devices_connection_is_told_and_closed() {
    let (mock, control) = start().await;
    let mut phone = mock.device("phone").await.unwrap();
    let it = connection(control, "device-1").await;
    assert_eq!((&it["kind"], &it["device"]), (&json!("device"), &json!("phone")));
    assert_eq!((&it["teams"], &it["requests"]), (&json!(["MOCKTEAM01"]), &Value::Null));
    assert_eq!(it["tls"]["certificate"]["subject"], "CN=phone, O=mock-apns");
    assert_eq!(control.delete("/v1/connections/device-1").await.status, 204);
    let error = phone.next().await.unwrap_err();
    assert_eq!(error, DeviceError::Closed { reason: Some(CloseReason::TakenOffline) });
    assert_eq!(closed(control, "device-1").await["closed"]["because"], "asked");

    let _first = mock.device("phone").await.unwrap();
    let _second = mock.device("phone").await.unwrap();
    let replaced = closed(control, "device-2").await;
    assert_eq!(replaced["closed"]["detail"], "replaced");
    assert_eq!(replaced["closed"]["because"], "sent-away");
}

#[tokio::test]
async fn connections_are_listed_page_by_page_and_by_what_they_are() {
    let (mock, control) = start().await;
    let team = mock.create_team("com.example.app").unwrap();
    let mut peers = Vec::new();
    for _ in 0..3 {
        peers.push(Peer::sandbox(&mock).await);
    }
    assert_eq!(push(&mock, &mut peers[1], &good_token(&mock)).await, 200);
    let _phone = team.device("phone").await.unwrap();
    let list = async |query: &str| control.get(&format!("/v1/connections?{query}")).await.expect(200);
    let (mut seen, mut query) = (Vec::new(), "limit=3".to_owned());
    loop {
        let page = list(&query).await;
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("limit=3&after={next}");
    }
    assert_eq!(seen, ["0", "1", "2", "device-1"]);
    assert_eq!(ids(&list("kind=device").await), ["device-1"]);
    assert_eq!(ids(&list("team=MOCKTEAM01").await), ["1"]);
    assert_eq!(ids(&list(&format!("team={}", team.id())).await), ["device-1"]);
    drop(peers.remove(0));
    closed(control, "0").await;
    assert_eq!(ids(&list("state=closed").await), ["0"]);
    assert_eq!(ids(&list("state=open&kind=provider").await), ["1", "2"]);
}

#[tokio::test]
async fn a_wrong_question_is_named() {
    let (_mock, control) = start().await;
    for (path, status, code, named) in [
        ("/v1/connections/0", 404, "unknown-connection", "there is no connection 0"),
        ("/v1/connections/device-9", 404, "unknown-connection", "device-9"),
        ("/v1/connections/phone", 400, "bad-parameter", "\"phone\" is not a connection"),
        ("/v1/connections?after=phone", 400, "bad-cursor", "parameter after: \"phone\""),
        ("/v1/connections?limit=0", 400, "bad-parameter", "0 is not 1 to 1000"),
        ("/v1/connections?kind=server", 400, "bad-parameter", "parameter kind"),
        ("/v1/connections?team=NOSUCHTEAM", 404, "unknown-team", "NOSUCHTEAM"),
        ("/v1/connections?colour=red", 400, "bad-parameter", "unknown field `colour`"),
    ] {
        let (found, message) = control.get(path).await.error(status);
        assert_eq!(found, code, "{path}: {message}");
        assert!(message.contains(named), "{path}: {message}");
    }
    assert_eq!(control.delete("/v1/connections/7").await.error(404).0, "unknown-connection");
}
