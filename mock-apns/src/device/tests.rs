//! The device against a gateway that follows a script.

use std::future::pending;

use apns_wire::Received;
use mock_apns_core::{CloseReason, GatewayErrorCode};
use tokio::{net::TcpListener, task::JoinHandle};

use super::*;
use crate::{Certificates, tls::gateway_config};

/// What the gateway does, step by step.
enum Step {
    /// Waits for a line of the device that contains this.
    Expect(&'static str),
    /// Sends these bytes.
    Send(String),
    /// Goes on only when the test is over.
    Hold,
}

use Step::{Expect, Hold, Send};

const CONNECTED: &str = r#"{"type":"connected","id":0,"team":"MOCKTEAM01","device":"phone","now":1}"#;

fn send(line: &str) -> Step {
    Send(format!("{line}\n"))
}

fn notification(delivery: u64) -> Step {
    send(&format!(
        r#"{{"type":"notification","delivery":{delivery},"app":"a.b","environment":"sandbox","kind":"app","topic":"a.b",
        "apns-id":"","priority":10,"received-at":1,"from-storage":false,"payload":{{}},"shown":{{}},"text":""}}"#
    ).replace('\n', " "))
}

/// A device that is connected to a gateway with this script, and the gateway.
async fn device(acknowledge: Acknowledge, mut script: Vec<Step>) -> (Device, JoinHandle<()>) {
    script.splice(..0, [Expect(r#""type":"connect""#), send(CONNECTED)]);
    let (device, gateway) = try_device(acknowledge, script).await;
    (device.unwrap(), gateway)
}

async fn try_device(
    acknowledge: Acknowledge,
    script: Vec<Step>,
) -> (Result<Device, DeviceError>, JoinHandle<()>) {
    let certificates = Certificates::generate(&[]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config = gateway_config(&certificates).unwrap();
    let gateway = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let socket = TlsSocket::accept(tcp, |_| config).await.unwrap();
        follow(socket, script).await;
    });
    let options = DeviceOptions::issued_by(certificates.authority(), address, "phone").unwrap();
    (options.acknowledge(acknowledge).connect().await, gateway)
}

async fn follow(mut socket: TlsSocket, script: Vec<Step>) {
    let mut read = Vec::new();
    for step in script {
        match step {
            Send(text) => {
                socket.write(text.as_bytes()).unwrap();
                assert!(socket.flush().unwrap());
            }
            Expect(part) => loop {
                if let Some(end) = read.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = read.drain(..=end).collect();
                    let line = String::from_utf8(line).unwrap();
                    assert!(line.contains(part), "{line} has no {part}");
                    break;
                }
                socket.ready().await.unwrap();
                let received = socket.read(|bytes| read.extend_from_slice(bytes)).unwrap();
                assert!(received == Received::Open || !read.is_empty(), "the device left instead of {part}");
            },
            Hold => pending().await,
        }
    }
    socket.close().await.unwrap();
}

/// The device's next notification; a test that hangs fails.
async fn next(device: &mut Device) -> Result<NotificationMessage, DeviceError> {
    timeout(ANSWER_MAX, device.next()).await.expect("something comes in time")
}

/// Polls a future once, and drops it.
async fn once<T>(future: impl Future<Output = T>) {
    tokio::select! {
        biased;
        _ = future => panic!("it is done at once"),
        () = std::future::ready(()) => {}
    }
}

#[tokio::test]
async fn notifications_that_come_before_an_answer_are_kept_in_order() {
    let script = vec![
        Expect(r#""type":"register""#),
        notification(1),
        notification(2),
        send(r#"{"type":"ok","id":1}"#),
        Hold,
    ];
    let (mut device, _gateway) = device(Acknowledge::WhenTold, script).await;
    let error = device.register("a.b", Environment::Sandbox, TokenKind::App).await.unwrap_err();
    assert!(matches!(error, DeviceError::Protocol { .. }), "{error}"); // an ok is no token
    assert_eq!(device.waiting(), 2);
    assert_eq!(next(&mut device).await.unwrap().delivery, 1);
    assert_eq!(next(&mut device).await.unwrap().delivery, 2);
}

#[tokio::test]
async fn what_is_returned_is_acknowledged_and_once() {
    let ack =
        |delivery| Expect(if delivery == 1 { r#""type":"ack","delivery":1}"# } else { r#""delivery":2}"# });
    let (mut device, gateway) =
        device(Acknowledge::WhenReturned, vec![notification(1), ack(1), notification(2), ack(2)]).await;
    assert_eq!(next(&mut device).await.unwrap().delivery, 1);
    assert_eq!(next(&mut device).await.unwrap().delivery, 2);
    timeout(ANSWER_MAX, gateway).await.expect("its script comes to its end in time").unwrap();
}

#[tokio::test]
async fn what_is_not_waited_for_is_not_lost() {
    let script = vec![
        Expect(r#""type":"install""#),
        Expect(r#""type":"state""#),
        notification(1),
        send(r#"{"type":"error","id":1,"code":"unknown-app","message":"for the one that was dropped"}"#),
        send(r#"{"type":"ok","id":2}"#),
        Expect(r#""type":"ack""#),
    ];
    let (mut device, gateway) = device(Acknowledge::WhenReturned, script).await;
    once(device.next()).await;
    once(device.install("a.b", Environment::Sandbox)).await;
    device.set_state(DeviceState::PowerSaving).await.unwrap();
    assert_eq!(next(&mut device).await.unwrap().delivery, 1);
    timeout(ANSWER_MAX, gateway).await.expect("its script comes to its end in time").unwrap();
}

#[tokio::test]
async fn a_refusal_leaves_the_connection_as_it_is() {
    let script = vec![
        Expect("uninstall"),
        send(r#"{"type":"error","id":1,"code":"not-installed","message":"install it first"}"#),
        Expect("permission"),
        send(r#"{"type":"ok","id":2}"#),
        Hold,
    ];
    let (mut device, _gateway) = device(Acknowledge::WhenReturned, script).await;
    let refused = device.uninstall("a.b", Environment::Production).await;
    let message = "install it first".to_owned();
    assert_eq!(refused, Err(DeviceError::Rejected { code: GatewayErrorCode::NotInstalled, message }));
    device.set_permission("a.b", Environment::Production, false).await.unwrap();
}

#[tokio::test]
async fn the_end_says_why() {
    let script = vec![notification(1), send(r#"{"type":"closed","reason":"replaced"}"#)];
    let (mut device, _gateway) = device(Acknowledge::WhenTold, script).await;
    next(&mut device).await.unwrap();
    assert_eq!(next(&mut device).await, Err(DeviceError::Closed { reason: Some(CloseReason::Replaced) }));
    assert_eq!(next(&mut device).await, Err(DeviceError::Closed { reason: None }));
}

#[tokio::test]
async fn a_gateway_that_speaks_otherwise_is_told_apart() {
    for line in ["220 mail.example.com ESMTP", r#"{"type":"greeting"}"#, r#"{"type":"ok"}"#] {
        let (device, _gateway) = try_device(Acknowledge::default(), vec![send(line), Hold]).await;
        assert!(matches!(device, Err(DeviceError::Protocol { .. })), "{line}: {device:?}");
    }
    let (device, _gateway) = try_device(Acknowledge::default(), Vec::new()).await;
    assert!(matches!(device, Err(DeviceError::Closed { reason: None })), "{device:?}");
}

#[tokio::test]
async fn nobody_listening_is_named_with_what_to_do() {
    let certificates = Certificates::generate(&[]).unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let options = DeviceOptions::issued_by(certificates.authority(), gone, "phone").unwrap();
    let error = options.connect().await.unwrap_err();
    assert!(matches!(error, DeviceError::Unreachable { address, .. } if address == gone));
    assert!(error.to_string().contains("Is mock-apns running?"), "{error}");
}

#[tokio::test]
async fn a_bundle_id_or_name_that_is_none_is_refused_here() {
    let (mut device, _gateway) = device(Acknowledge::default(), vec![Hold]).await;
    let error = device.install("two words", Environment::Sandbox).await.unwrap_err();
    assert!(matches!(error, DeviceError::App(_)), "{error}");
    let certificates = Certificates::generate(&[]).unwrap();
    let nameless = DeviceOptions::issued_by(certificates.authority(), "127.0.0.1:1".parse().unwrap(), "");
    assert!(matches!(nameless, Err(DeviceError::Certificate(_))));
}
