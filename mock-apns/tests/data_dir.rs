//! What a data folder keeps: everything, whichever way the double has ended.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "support/control.rs"]
#[expect(dead_code, reason = "what other tests ask")]
mod control;
#[path = "support/mod.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod support;

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use apns_certs::Purpose;
use control::Control;
use mock_apns::{MockApns, Settings, StartError};
use serde_json::{Value, json};
use support::{Peer, authorization};
use tempfile::TempDir;

async fn start(folder: &Path) -> MockApns {
    MockApns::builder().data_dir(folder).start().await.unwrap()
}

/// Pushes to the ready-made phone, and returns the `apns-id` of the answer.
async fn push(mock: &MockApns, authorization: &str) -> String {
    let token = mock.ready_made().device_tokens[0].token.clone();
    let mut peer = Peer::sandbox(mock).await;
    let fields = [("authorization", authorization), ("apns-topic", "com.example.app")];
    assert_eq!(peer.answer(&token, &fields, r#"{"aps":{"alert":"Hello"}}"#).await, (200, String::new()));
    peer.last_fields.iter().find(|(name, _)| name == "apns-id").unwrap().1.clone()
}

/// What the control API tells of what is there.
async fn all_of_it(mock: &MockApns) -> Vec<Value> {
    let control = Control::of(mock);
    let mut all = Vec::new();
    for path in [
        "/v1/teams",
        "/v1/keys?team=MOCKTEAM01",
        "/v1/keys?team=TEAM000001",
        "/v1/devices",
        "/v1/tokens",
        "/v1/notifications",
        "/v1/events?limit=1000",
        "/v1/settings",
    ] {
        all.push(control.get(path).await.expect(200));
    }
    all
}

#[tokio::test]
async fn it_is_all_there_after_a_stop_and_after_a_crash() {
    let folder = TempDir::new().unwrap();
    let mock = start(folder.path()).await;
    let root = mock.certificates().authority().root_pem(Purpose::Server);
    let authorization = authorization(&mock);
    let control = Control::of(&mock);
    control.post("/v1/teams", r#"{"apps":["com.example.chat"]}"#).await.expect(201);
    control.patch("/v1/settings", r#"{"clock-skew":"90"}"#).await;
    let mut phone = mock.device("alice-phone").await.unwrap();
    phone
        .register("com.example.app", mock_apns::Environment::Sandbox, mock_apns::TokenKind::App)
        .await
        .unwrap();
    let apns_id = push(&mock, &authorization).await;
    phone.disconnect().await;
    let before = all_of_it(&mock).await;
    mock.stop().await;

    // Stopped: a checkpoint. Dropped: only what was done is there, to be done again.
    for is_stopped in [false, true, false] {
        let mock = start(folder.path()).await;
        for (now, before) in all_of_it(&mock).await.iter().zip(&before) {
            assert_eq!(now, before);
        }
        assert_eq!(mock.certificates().authority().root_pem(Purpose::Server), root);
        Control::of(&mock).get(&format!("/v1/notifications/{apns_id}")).await.expect(200);
        let metrics = Control::of(&mock).get("/metrics").await.text;
        let counted = metrics.lines().find(|line| line.starts_with("mock_apns_requests_total{"));
        assert_eq!(counted, None, "what this process has not done");
        if is_stopped { mock.stop().await } else { drop(mock) }
    }

    // And it goes on from there: with the same provider token, and the next name.
    let mock = start(folder.path()).await;
    push(&mock, &authorization).await;
    assert_eq!(mock.create_team("com.example.other").unwrap().id().as_str(), "TEAM000002");
}

#[tokio::test]
async fn a_device_that_was_connected_in_a_crash_is_offline_and_gets_what_it_missed() {
    let folder = TempDir::new().unwrap();
    let mock = start(folder.path()).await;
    let authorization = authorization(&mock);
    let _phone = mock.device("phone").await.unwrap();
    drop(mock);

    let mock = start(folder.path()).await;
    let connected = async |mock: &MockApns| {
        Control::of(mock).get("/v1/devices/phone").await.expect(200)["connected"].clone()
    };
    assert_eq!(connected(&mock).await, json!(false));
    let apns_id = push(&mock, &authorization).await;
    drop(mock);

    let mock = start(folder.path()).await;
    let mut phone = mock.device("phone").await.unwrap();
    let missed = phone.next().await.unwrap();
    assert_eq!(missed.apns_id, apns_id);
}

#[tokio::test]
async fn one_double_at_a_time_uses_a_folder_that_only_its_owner_can_read() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let _mock = start(&data).await;
    let refused = MockApns::builder().data_dir(&data).start().await.unwrap_err();
    assert!(matches!(refused, StartError::DataDir(_)), "{refused:?}");
    assert_eq!(
        refused.to_string(),
        format!(
            "the data folder {}: another double uses it: stop that one, or name another folder",
            data.display()
        )
    );
    for (path, mode) in [(data.clone(), 0o700), (data.join("mock-apns.redb"), 0o600)] {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
}

#[tokio::test]
async fn another_seed_another_setting_and_another_file_stop_the_start() {
    let folder = TempDir::new().unwrap();
    start(folder.path()).await.stop().await;
    let refused = async |builder: mock_apns::Builder| {
        builder.data_dir(folder.path()).start().await.unwrap_err().to_string()
    };
    let message = refused(MockApns::builder().seed(5)).await;
    assert!(message.contains("begun with --seed 0, and this start says 5: say the same"), "{message}");
    let mut settings = Settings::default();
    settings.set("journal-entries", "50").unwrap();
    let message = refused(MockApns::builder().settings(settings)).await;
    assert!(message.contains("begun with journal-entries 20000, and this start says 50"), "{message}");
    let message = refused(MockApns::builder().profile(mock_apns::Profile::Realistic)).await;
    assert!(message.contains("begun with --profile fast, and this start says realistic"), "{message}");

    std::fs::write(folder.path().join("mock-apns.redb"), "no database at all").unwrap();
    let message = refused(MockApns::builder()).await;
    assert!(message.contains("it cannot be read or written"), "{message}");
    let message = MockApns::builder().data_dir("/proc/nothing").start().await.unwrap_err().to_string();
    assert!(message.starts_with("the data folder /proc/nothing: it cannot be made or opened"), "{message}");
}
