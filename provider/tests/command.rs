//! `apns-provider send`, run as a process against the double.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

use std::process::{Command, Output};

use apns_certs::{Flaw, Pkcs12Encryption, ProviderCertificateKind, Purpose};
use mock_apns::MockApns;
use tempfile::TempDir;

/// The double, and a folder with what a person has: CA, key, certificates.
struct Desk {
    mock: MockApns,
    folder: TempDir,
}

impl Desk {
    async fn new() -> Self {
        let mock = MockApns::start().await.unwrap();
        let folder = TempDir::new().unwrap();
        let certificates = mock.certificates();
        let universal = certificates.provider(ProviderCertificateKind::Universal).unwrap();
        let expired = certificates.flawed_provider(Flaw::Expired).unwrap();
        let files = [
            ("ca.pem", certificates.authority().root_pem(Purpose::Server).into_bytes()),
            ("key.p8", mock.ready_made().keys[0].key.to_p8().into_bytes()),
            ("certificate.pem", universal.to_pem().into_bytes()),
            ("certificate.p12", universal.to_pkcs12("secret", Pkcs12Encryption::Modern).unwrap()),
            ("expired.pem", expired.to_pem().into_bytes()),
            ("payload.json", br#"{"aps":{"alert":"From a file"}}"#.to_vec()),
        ];
        for (name, contents) in files {
            std::fs::write(folder.path().join(name), contents).unwrap();
        }
        Self { mock, folder }
    }

    fn token(&self, name: &str) -> String {
        self.mock.ready_made().device_token(name).unwrap().token.clone()
    }

    /// Runs `send` in the folder, to the sandbox, for the ready-made app.
    async fn send(&self, device_token: &str, arguments: &str) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_apns-provider"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("APNS_PROVIDER_")) {
            command.env_remove(name);
        }
        command
            .current_dir(self.folder.path())
            .args(["send", "--bundle-id", "com.example.app", "--device-token", device_token])
            .args(["--to", &format!("localhost:{}", self.mock.sandbox().port())])
            .args(arguments.split_whitespace());
        // The double runs on this runtime: waiting here would stop it.
        let Output { status, stdout, stderr } =
            tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let text = [stdout, stderr].concat();
        (status.code(), String::from_utf8(text).unwrap())
    }
}

const KEY: &str = "--ca ca.pem --key key.p8 --key-id MOCKKEY001 --team-id MOCKTEAM01";

#[tokio::test]
async fn exit_codes_tell_sent_rejected_misconfigured_and_retryable_apart() {
    let desk = Desk::new().await;
    let (good, dead) = (desk.token("sandbox"), desk.token("sandbox-unregistered"));
    for (device_token, arguments, code, words) in [
        (&good, format!("{KEY} --alert Hello"), 0, "accepted: 200"),
        (&good, format!("{KEY} --background"), 0, "apns-id"),
        (&good, format!("{KEY} --payload @payload.json"), 0, "apns-unique-id"),
        (&good, "--ca ca.pem --certificate certificate.pem --alert Hello".to_owned(), 0, "accepted"),
        (
            &good,
            "--ca ca.pem --certificate certificate.p12 --password secret --badge 3".to_owned(),
            0,
            "accepted",
        ),
        (&dead, format!("{KEY} --alert Hello"), 1, "410 Unregistered"),
        (&desk.token("production"), format!("{KEY} --alert Hello"), 1, "400 BadDeviceToken"),
        (&good, format!("{KEY} --alert Hello").replace("TEAM01", "TEAM02"), 2, "403 InvalidProviderToken"),
        (&good, "--ca ca.pem --certificate expired.pem --alert Hello".to_owned(), 2, "CertificateExpired"),
        (&good, format!("{KEY} --alert Hello").replace("ca.pem", "certificate.pem"), 2, "not trusted"),
        (&good, format!("{KEY} --alert Hello").replace("key.p8", "none.p8"), 2, "none.p8"),
        (&good, format!("{KEY} --alert Hello --expiration soon"), 2, "--expiration"),
        (&good, format!("{KEY} --payload {{"), 2, "JSON"),
        (&good, format!("{KEY} --background --priority 10"), 2, "apns-priority"),
        (&good, KEY.to_owned(), 2, "alert"),
    ] {
        let (got, output) = desk.send(device_token, &arguments).await;
        assert_eq!(got, Some(code), "{arguments}: {output}");
        assert!(output.contains(words), "{arguments}: no {words:?} in {output}");
    }
    let port = desk.mock.sandbox().port();
    let Desk { mock, folder } = desk;
    mock.stop().await;
    let output = Command::new(env!("CARGO_BIN_EXE_apns-provider"))
        .current_dir(folder.path())
        .args(["send", "--bundle-id", "com.example.app", "--device-token", &good, "--alert", "Hello"])
        .args(["--to", &format!("localhost:{port}")])
        .args(KEY.split_whitespace())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}

#[tokio::test]
async fn json_is_one_line_for_a_program() {
    let desk = Desk::new().await;
    let (code, output) =
        desk.send(&desk.token("sandbox-unregistered"), &format!("{KEY} --alert Hello --json")).await;
    let json: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!(code, Some(1));
    assert_eq!(
        (&json["status"], &json["reason"], &json["may_send_again"]),
        (&410.into(), &"Unregistered".into(), &false.into())
    );
    assert!(json["timestamp"].as_u64().unwrap() > 1_500_000_000_000, "milliseconds");
}
