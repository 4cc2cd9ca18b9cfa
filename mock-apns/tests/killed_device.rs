//! A device that is a process of its own is killed, is pushed to, and comes back.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

#[expect(dead_code, reason = "the provider of the wire tests, of which a push is all that is needed here")]
mod support;

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use mock_apns::{Device, Event, MockApns};
use serde_json::{Value, json};
use support::{Peer, authorization};
use tempfile::TempDir;
use tokio::time::timeout;

const NAME: &str = "bobs-phone";
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// `mock-apns device`, connected and registered. Killed if the test forgets it.
struct Process {
    child: Child,
    token: String,
}

impl Process {
    fn start(mock: &MockApns) -> Self {
        let folder = TempDir::new().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mock-apns"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MOCK_APNS_")) {
            command.env_remove(name);
        }
        let command = command.args(["device", "--json", "--name", NAME, "--ready-file"]);
        let mut child = command.arg(ready_file(mock, &folder)).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let token = lines.find_map(|line| {
            let message: Value = serde_json::from_str(&line.unwrap()).unwrap();
            message["token"].as_str().map(str::to_owned)
        });
        Self { child, token: token.unwrap() }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What `mock-apns device` reads of a double, for one that runs in this process.
fn ready_file(mock: &MockApns, folder: &TempDir) -> std::path::PathBuf {
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, mock.certificates().authority().to_pem()).unwrap();
    let endpoint = |address: std::net::SocketAddr| json!({ "address": address, "url": "" });
    let nowhere = folder.path();
    let ready = json!({
        "version": "", "seed": 0, "team_id": "MOCKTEAM01", "bundle_id": "com.example.app", "pkcs12_password": "",
        "sandbox": endpoint(mock.sandbox()), "production": endpoint(mock.production()),
        "device_gateway": endpoint(mock.device_gateway()), "control": endpoint(mock.control()), "authority": authority,
        "folder": nowhere, "ca": nowhere, "device_certificate": nowhere, "provider_token": nowhere,
        "keys": [], "certificates": [], "device_tokens": [],
    });
    let path = folder.path().join("ready.json");
    std::fs::write(&path, ready.to_string()).unwrap();
    path
}

/// Three pushes to a device that was killed a moment ago, each accepted. Returns their `apns-id`s.
async fn push_three(mock: &MockApns, token: &str, expiration: &str) -> [String; 3] {
    let mut peer = Peer::sandbox(mock).await;
    let bearer = authorization(mock);
    let ids = [1, 2, 3].map(|number| format!("00000000-0000-0000-0000-00000000000{number}"));
    for (number, id) in ids.iter().enumerate() {
        let fields = [
            ("authorization", bearer.as_str()),
            ("apns-topic", "com.example.app"),
            ("apns-push-type", "alert"),
            ("apns-id", id),
            ("apns-expiration", expiration),
        ];
        let body = format!(r#"{{"aps":{{"alert":"number {number}"}}}}"#);
        assert_eq!(peer.answer(token, &fields, &body).await.0, 200);
    }
    ids
}

/// What the log says of a push, but that it was received. Whether the first was still sent to the dead connection or
/// already stored is the network's affair.
fn life(mock: &MockApns, id: &str) -> Vec<String> {
    let texts = |team: &mut mock_apns::TeamAt<'_>| -> Vec<String> {
        let statuses = team.team().delivery_log(id).filter_map(|record| match record.event {
            Event::Notification { status, .. } => Some(status.to_string()),
            _ => None,
        });
        statuses.skip(1).collect()
    };
    mock.team().at_work(texts)
}

/// What was stored comes before the answer to a later request.
async fn nothing_waits(device: &mut Device) -> bool {
    device.install("com.example.app", mock_apns::Environment::Sandbox).await.unwrap();
    device.waiting() == 0
}

// Threads, because the test waits for a process while the double serves it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_three_pushes_to_a_killed_device_the_last_is_delivered_when_it_comes_back() {
    let mock = MockApns::start().await.unwrap();
    let mut process = Process::start(&mock);
    process.kill();
    let ids = push_three(&mock, &process.token, "9999999999").await;
    let mut device = mock.device(NAME).await.unwrap();
    let notification = timeout(PATIENCE, device.next()).await.unwrap().unwrap();
    assert_eq!(notification.payload.unwrap().as_str(), r#"{"aps":{"alert":"number 2"}}"#);
    assert!(notification.from_storage && nothing_waits(&mut device).await);
    for id in &ids[..2] {
        assert_eq!(life(&mock, id), ["Stored - Device Offline", "Discarded - Overwritten"], "{id}");
    }
    assert_eq!(life(&mock, &ids[2]), ["Stored - Device Offline", "Delivered to Device (From Storage)"]);
}

// Threads, because the test waits for a process while the double serves it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_expiration_0_nothing_waits_for_a_killed_device() {
    let mock = MockApns::start().await.unwrap();
    let mut process = Process::start(&mock);
    process.kill();
    let ids = push_three(&mock, &process.token, "0").await;
    let mut device = mock.device(NAME).await.unwrap();
    assert!(nothing_waits(&mut device).await);
    for id in &ids {
        assert_eq!(life(&mock, id), ["Discarded - Expired"], "{id}");
    }
}
