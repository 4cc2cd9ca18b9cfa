//! What a device sees of the gateway, over real sockets.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

#[path = "support/raw_device.rs"]
mod raw_device;
#[expect(dead_code, reason = "the provider of the wire tests, of which a push is all that is needed here")]
mod support;

use std::time::Duration;

use apns_certs::{Authority, DeviceId, ProviderCertificateKind};
use mock_apns::{
    Acknowledge, CloseReason, Device, DeviceError, Environment, GatewayErrorCode, MockApns,
    NotificationMessage, Settings, TokenKind,
};
use raw_device::{PATIENCE, RawDevice, identity, now};
use rustls::AlertDescription;
use serde_json::{Value, json};
use support::{Peer, authorization};
use tokio::time::timeout;

#[tokio::test]
async fn a_device_connects_registers_and_every_answer_has_the_id_of_its_request() {
    let mock = MockApns::start().await.unwrap();
    let mut device = RawDevice::dial(&mock, "phone").await;
    device.send(b"{\"type\":\"connect\",\"team\":\"MOCKTEAM01\",\"state\":\"online\",\"id\":41}\n").await;
    let connected = device.message().await;
    assert_eq!((&connected["type"], &connected["id"]), (&json!("connected"), &json!(41)));
    assert_eq!((&connected["team"], &connected["device"]), (&json!("MOCKTEAM01"), &json!("phone")));
    assert!(connected["now"].as_u64().unwrap() > 1_700_000_000_000, "{connected}");

    device.send(b"{\"type\":\"register\",\"app\":\"com.example.app\",\"kind\":\"voip\",\"id\":42}\n").await;
    let token = device.message().await;
    assert_eq!((&token["type"], &token["id"]), (&json!("token"), &json!(42)));
    assert_eq!(token["topic"], "com.example.app.voip");
    let hexadecimal = |text: &str| text.len() >= 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(hexadecimal(token["token"].as_str().unwrap()), "{token}");
}

#[tokio::test]
async fn who_has_no_good_certificate_is_refused_in_tls() {
    let mock = MockApns::start().await.unwrap();
    let id = DeviceId::new("phone").unwrap();
    let certificates = mock.certificates();
    let foreign = Authority::generate(now()).unwrap().device(&id, now()).unwrap();
    let provider = certificates.provider(ProviderCertificateKind::Universal).unwrap();
    let expired = certificates.authority().expired_device(&id, now()).unwrap();
    for (which, identity, alert) in [
        ("none", None, AlertDescription::CertificateRequired),
        ("expired", Some(&expired), AlertDescription::CertificateExpired),
        // Its issuer has the name of ours, so that what is found wrong is the signature.
        ("foreign", Some(&foreign), AlertDescription::DecryptError),
        ("a provider's", Some(&provider), AlertDescription::UnknownCA),
        ("the server's", Some(certificates.server()), AlertDescription::UnsupportedCertificate),
    ] {
        // In TLS 1.3 a client is done before the gateway has looked at its certificate.
        let mut device = RawDevice::dial_with(&mock, identity).await.unwrap();
        assert_eq!(device.message().await, Value::Null, "{which}");
        assert_eq!(device.alert, Some(alert), "{which}");
    }
    RawDevice::connect(&mock, "phone").await;
}

#[tokio::test]
async fn the_client_says_that_it_was_refused() {
    let (mock, other) =
        (MockApns::builder().fresh_ca().start().await.unwrap(), MockApns::start().await.unwrap());
    let ca = mock.certificates().authority().root(apns_certs::Purpose::Server).clone();
    let foreign = mock_apns::DeviceOptions::new(mock.device_gateway(), ca, identity(&other, "phone"));
    let refused = foreign.connect().await;
    assert!(matches!(refused, Err(DeviceError::Refused { .. })), "{refused:?}");
}

#[tokio::test]
async fn the_newest_connection_of_a_device_wins() {
    let mock = MockApns::start().await.unwrap();
    let mut first = RawDevice::connect(&mock, "phone").await;
    let mut other = RawDevice::connect(&mock, "tablet").await;
    let mut second = RawDevice::connect(&mock, "phone").await;
    assert_eq!(first.message().await, json!({ "type": "closed", "reason": "replaced" }));
    assert_eq!(first.message().await, Value::Null);
    for device in [&mut other, &mut second] {
        device.send(b"{\"type\":\"install\",\"app\":\"com.example.app\",\"id\":1}\n").await;
        assert_eq!(device.message().await, json!({ "type": "ok", "id": 1 }));
    }
}

#[tokio::test]
async fn a_message_of_ten_megabytes_is_refused_and_nobody_else_is_disturbed() {
    let mock = MockApns::start().await.unwrap();
    let mut other = RawDevice::connect(&mock, "tablet").await;
    let mut device = RawDevice::connect(&mock, "phone").await;
    device.send(b"{\"type\":\"install\",\"app\":\"com.example.app\",\"id\":1}\n{\"type\":\"").await;
    device.send(&vec![b'x'; 10 * 1024 * 1024]).await;
    assert_eq!(device.message().await, json!({ "type": "ok", "id": 1 }));
    let error = device.message().await;
    assert_eq!(error["code"], "line-too-long", "{error}");
    assert!(error["message"].as_str().unwrap().contains("65536 bytes"), "{error}");
    assert_eq!(device.message().await, Value::Null);
    other.send(b"{\"type\":\"install\",\"app\":\"com.example.app\",\"id\":2}\n").await;
    assert_eq!(other.message().await["type"], "ok");
    RawDevice::connect(&mock, "phone").await;
}

#[tokio::test]
async fn half_a_line_waits_for_its_other_half_and_is_dropped_at_the_end() {
    let mock = MockApns::start().await.unwrap();
    let mut device = RawDevice::connect(&mock, "phone").await;
    device.send(b"{\"type\":\"install\",\"app\":\"com.exa").await;
    device.send(b"mple.app\",\"id\":1}\n\n\r\n").await;
    assert_eq!(device.message().await, json!({ "type": "ok", "id": 1 }));
    device.send(b"{\"type\":\"install\",\"app\":\"com.example.app\",\"id\":2}\n{\"type\":\"inst").await;
    assert_eq!(device.close().await, [json!({ "type": "ok", "id": 2 })]);
    RawDevice::connect(&mock, "phone").await;
}

#[tokio::test]
async fn a_line_that_is_no_message_is_answered_and_the_connection_goes_on() {
    let mock = MockApns::start().await.unwrap();
    let mut device = RawDevice::connect(&mock, "phone").await;
    for (line, code, named) in [
        (&b"{\"type\":\"regster\",\"id\":7}"[..], "unknown-type", "regster"),
        (b"{\"type\":\"register\",\"app\":", "not-json", "line 1 column"),
        (b"\x80\xff", "not-json", "UTF-8"),
        (b"[1,2]", "not-json", "object"),
        (b"{\"type\":\"register\"}", "missing-field", "app"),
        (b"{\"type\":\"register\",\"app\":\"a.b\",\"kid\":1}", "unknown-field", "kid"),
        (b"{\"type\":\"ack\",\"delivery\":\"x\"}", "wrong-value", "delivery"),
        (b"{\"type\":\"connect\"}", "connected-already", "connect"),
        (b"{\"type\":\"ack\",\"delivery\":99}", "unknown-delivery", "ack"),
    ] {
        device.send(&[line, b"\n"].concat()).await;
        let error = device.message().await;
        assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!(code)), "{error}");
        assert!(error["message"].as_str().unwrap().contains(named), "{error}");
        assert_eq!(error["id"], if code == "unknown-type" { json!(7) } else { Value::Null });
    }
    device.send(b"{\"type\":\"state\",\"state\":\"power-saving\"}\n").await;
    assert_eq!(device.message().await, json!({ "type": "ok" }));
}

#[tokio::test]
async fn connect_comes_first() {
    let mock = MockApns::start().await.unwrap();
    let mut device = RawDevice::dial(&mock, "phone").await;
    device
        .send(b"{\"type\":\"state\",\"state\":\"online\"}\n{\"type\":\"connect\",\"team\":\"NOSUCHTEAM\"}\n")
        .await;
    assert_eq!(device.message().await["code"], "connect-first");
    assert_eq!(device.message().await["code"], "unknown-team");
    device.send(b"{\"type\":\"connect\"}\n").await;
    assert_eq!(device.message().await["type"], "connected");
}

#[tokio::test]
async fn who_does_not_connect_in_time_is_sent_away() {
    let mock = MockApns::start().await.unwrap();
    let mut connected = RawDevice::connect(&mock, "tablet").await;
    let mut device = RawDevice::dial(&mock, "phone").await;
    // A refused connect proves that the gateway's clock for it runs.
    device.send(b"{\"type\":\"connect\",\"team\":\"NOSUCHTEAM\"}\n").await;
    assert_eq!(device.message().await["code"], "unknown-team");
    tokio::time::pause();
    assert_eq!(device.message().await["code"], "connect-timeout");
    assert_eq!(device.message().await, Value::Null);
    connected.send(b"{\"type\":\"state\",\"state\":\"online\"}\n").await;
    assert_eq!(connected.message().await["type"], "ok");
}

#[tokio::test]
async fn a_stop_says_so_to_devices() {
    let mock = MockApns::start().await.unwrap();
    let mut device = mock.device("phone").await.unwrap();
    let ((), last) = tokio::join!(mock.stop(), next(&mut device));
    assert_eq!(last, Err(DeviceError::Closed { reason: Some(CloseReason::Shutdown) }));
}

#[tokio::test]
async fn a_device_of_the_library_registers_and_is_told_what_is_wrong() {
    let mock = MockApns::start().await.unwrap();
    let mut device = mock.device("alices-phone").await.unwrap();
    assert_eq!(device.connected().device.as_str(), "alices-phone");
    let token = device.register("com.example.app", Environment::Sandbox, TokenKind::App).await.unwrap();
    assert_eq!(token.topic, "com.example.app");
    let refused = device.uninstall("com.example.other", Environment::Sandbox).await;
    assert!(
        matches!(refused, Err(DeviceError::Rejected { code: GatewayErrorCode::NotInstalled, .. })),
        "{refused:?}"
    );
    device.disconnect().await;
}

/// Time is what makes this notification go, and a task that belongs to nobody carries it.
#[tokio::test]
async fn what_a_timer_decides_reaches_the_device_that_it_is_for() {
    let mut settings = Settings::default();
    settings.set("background-pushes-per-hour", "1").unwrap();
    let mock = MockApns::builder().settings(settings).start().await.unwrap();
    let mut other = mock.device("tablet").await.unwrap();
    let mut device =
        mock.device_options("phone").unwrap().acknowledge(Acknowledge::WhenTold).connect().await.unwrap();
    let token = device.register("com.example.app", Environment::Sandbox, TokenKind::App).await.unwrap();
    let silent = r#"{"aps":{"content-available":1}}"#;
    let mut peer = Peer::sandbox(&mock).await;
    push_as(&mut peer, &mock, "background", &token.token, "9999999999", &[silent, silent]).await;
    let first = next(&mut device).await.unwrap();
    device.acknowledge(&first).await.unwrap();
    // An hour but a blink: what is left of it has to pass by itself.
    mock.team().advance_clock(Duration::from_millis(3_599_800));
    let released = next(&mut device).await.unwrap();
    assert!(released.from_storage);
    device.acknowledge(&released).await.unwrap();
    device.acknowledge(&released).await.unwrap();
    let twice = next(&mut device).await;
    assert!(
        matches!(twice, Err(DeviceError::Rejected { code: GatewayErrorCode::UnknownDelivery, .. })),
        "{twice:?}"
    );
    other.install("com.example.app", Environment::Sandbox).await.unwrap();
    assert_eq!(other.waiting(), 0);
}

/// Sends a push for each body, and sees that it is accepted.
async fn push(peer: &mut Peer, mock: &MockApns, token: &str, expiration: &str, bodies: &[&str]) {
    push_as(peer, mock, "alert", token, expiration, bodies).await;
}

async fn push_as(
    peer: &mut Peer,
    mock: &MockApns,
    push_type: &str,
    token: &str,
    expiration: &str,
    bodies: &[&str],
) {
    let bearer = authorization(mock);
    let fields = [
        ("authorization", bearer.as_str()),
        ("apns-topic", "com.example.app"),
        ("apns-push-type", push_type),
        ("apns-expiration", expiration),
    ];
    for body in bodies {
        assert_eq!(peer.answer(token, &fields, body).await.0, 200);
    }
}

const THREE: [&str; 3] =
    [r#"{"aps":{"alert":"one"}}"#, r#"{"aps":{"alert":"two"}}"#, r#"{"aps":{"alert":"three"}}"#];

#[tokio::test]
async fn an_online_device_receives_what_is_pushed_as_it_was_written() {
    let mock = MockApns::start().await.unwrap();
    let mut device = mock.device("phone").await.unwrap();
    let token = device.register("com.example.app", Environment::Sandbox, TokenKind::App).await.unwrap();
    let mut peer = Peer::sandbox(&mock).await;
    push(&mut peer, &mock, &token.token, "0", &THREE).await;
    for body in THREE {
        let notification = next(&mut device).await.unwrap();
        assert_eq!(notification.payload.unwrap().as_str(), body);
        assert!(!notification.from_storage);
    }
}

#[tokio::test]
async fn of_three_pushes_to_an_offline_device_the_last_is_delivered_when_it_comes_back() {
    let mock = MockApns::start().await.unwrap();
    let mut device = mock.device("phone").await.unwrap();
    let token = device.register("com.example.app", Environment::Sandbox, TokenKind::App).await.unwrap();
    device.disconnect().await;

    let mut peer = Peer::sandbox(&mock).await;
    let tomorrow = (now().as_secs() + 86_400).to_string();
    push(&mut peer, &mock, &token.token, &tomorrow, &THREE).await;

    let mut device = mock.device("phone").await.unwrap();
    let notification = next(&mut device).await.unwrap();
    assert_eq!(notification.payload.unwrap().as_str(), THREE[2]);
    assert!(notification.from_storage);
    assert_nothing_waits(&mut device).await;
}

#[tokio::test]
async fn with_expiration_0_nothing_waits_for_an_offline_device() {
    let mock = MockApns::start().await.unwrap();
    let mut device = mock.device("phone").await.unwrap();
    let token = device.register("com.example.app", Environment::Sandbox, TokenKind::App).await.unwrap();
    device.disconnect().await;
    let mut peer = Peer::sandbox(&mock).await;
    push(&mut peer, &mock, &token.token, "0", &THREE).await;
    let mut device = mock.device("phone").await.unwrap();
    assert_nothing_waits(&mut device).await;
}

#[tokio::test]
async fn what_is_not_acknowledged_is_delivered_again() {
    let mock = MockApns::start().await.unwrap();
    let options = mock.device_options("phone").unwrap().acknowledge(Acknowledge::WhenTold);
    let mut device = options.clone().connect().await.unwrap();
    let token = device.register("com.example.app", Environment::Sandbox, TokenKind::App).await.unwrap();
    let mut peer = Peer::sandbox(&mock).await;
    let tomorrow = (now().as_secs() + 86_400).to_string();
    push(&mut peer, &mock, &token.token, &tomorrow, &THREE[..1]).await;
    let first = next(&mut device).await.unwrap();
    device.disconnect().await;

    let mut device = options.clone().connect().await.unwrap();
    let again = next(&mut device).await.unwrap();
    assert_eq!((&again.apns_id, &again.payload), (&first.apns_id, &first.payload));
    device.acknowledge(&again).await.unwrap();
    device.disconnect().await;
    let mut device = options.connect().await.unwrap();
    assert_nothing_waits(&mut device).await;
}

#[tokio::test]
async fn the_token_of_a_live_activity_that_a_push_starts_is_told() {
    let mock = MockApns::start().await.unwrap();
    let mut device = mock.device("alices-phone").await.unwrap();
    let (app, sandbox) = ("com.example.app", Environment::Sandbox);
    let to_start = device.register(app, sandbox, TokenKind::LiveActivity).await.unwrap();
    let bearer = authorization(&mock);
    let fields = [
        ("authorization", bearer.as_str()),
        ("apns-topic", to_start.topic.as_str()),
        ("apns-push-type", "liveactivity"),
    ];
    let start = json!({ "aps": {
        "event": "start", "timestamp": 1, "content-state": {}, "attributes-type": "Match", "attributes": {},
        "alert": { "title": "Match", "body": "begins" },
    } });
    let mut peer = Peer::sandbox(&mock).await;
    assert_eq!(peer.answer(&to_start.token, &fields, &start.to_string()).await.0, 200);
    next(&mut device).await.unwrap();
    // The answer to a later request comes after it.
    device.install(app, sandbox).await.unwrap();
    let started = device.started_activities();
    assert_eq!((started.len(), started[0].activity, started[0].token.len()), (1, Some(1), 160));
    assert!(device.started_activities().is_empty());
}

/// The device's next notification; a test that hangs fails.
async fn next(device: &mut Device) -> Result<NotificationMessage, DeviceError> {
    timeout(PATIENCE, device.next()).await.expect("something comes in time")
}

/// What was stored comes before the answer to a later request.
async fn assert_nothing_waits(device: &mut Device) {
    device.install("com.example.app", Environment::Sandbox).await.unwrap();
    assert_eq!(device.waiting(), 0);
}
