//! The log of the command, run as a process: its formats, and what is never in it.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

#[path = "support/control.rs"]
#[expect(dead_code, reason = "what other tests ask")]
mod control;
#[expect(dead_code, reason = "the provider of the wire tests, of which a push is all that is needed here")]
mod support;

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use control::Control;
use http::Method;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};
use support::{Peer, trusting};
use tempfile::TempDir;

/// The bearer token of the control API; nothing else looks like it.
const CONTROL_TOKEN: &str = "the-control-token-of-this-test-4711";

/// A double with a log of everything. Killed if the test forgets it.
struct Running {
    child: Child,
    folder: TempDir,
    ready: Value,
}

impl Running {
    fn start(format: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let (out, ready_file) = (folder.path().join("out"), folder.path().join("ready.json"));
        let child = mock_apns()
            .args(["--port", "0", "--log", "trace", "--log-format", format])
            .args(["--control-token", CONTROL_TOKEN, "--trace-frames"])
            .arg("--out")
            .arg(out)
            .arg("--ready-file")
            .arg(&ready_file)
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut running = Self { child, folder, ready: Value::Null };
        let waiting = mock_apns().args(["ready", "--wait", "--ready-file"]).arg(&ready_file).status();
        assert!(waiting.unwrap().success());
        running.ready = serde_json::from_slice(&fs::read(ready_file).unwrap()).unwrap();
        running
    }

    fn file(&self, pointer: &str) -> String {
        fs::read_to_string(self.ready.pointer(pointer).unwrap().as_str().unwrap()).unwrap()
    }

    fn address(&self, of: &str) -> SocketAddr {
        self.ready[of]["address"].as_str().unwrap().parse().unwrap()
    }

    /// A provider's connection to the sandbox.
    async fn provider(&self) -> Peer {
        let ca = CertificateDer::from_pem_file(Path::new(self.ready["ca"].as_str().unwrap())).unwrap();
        let mut config = trusting(ca, None);
        config.alpn_protocols = vec![b"h2".to_vec()];
        Peer::dial(self.address("sandbox").port(), config).await.unwrap()
    }

    /// Stops it, and gives its whole log.
    fn log(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn mock_apns() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mock-apns"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MOCK_APNS_")) {
        command.env_remove(name);
    }
    command
}

/// Pushes, makes a team, fetches a key, has a push explained; all that there is of secrets passes by.
/// Returns them.
async fn handle_secrets(double: &Running) -> Vec<String> {
    let control = Control::at(double.address("control"));
    let bearer = format!("Bearer {CONTROL_TOKEN}");
    let ask = async |method, path: &str, body: &str| {
        control.ask(method, path, &[("authorization", &bearer)], body).await
    };
    let team = ask(Method::POST, "/v1/teams", "").await.expect(201);
    let (id, key) = (team["id"].as_str().unwrap(), team["keys"][0]["key-id"].as_str().unwrap());
    let p8 = ask(Method::GET, &format!("/v1/keys/{key}/key.p8?team={id}"), "").await.text;
    let own = json!({"key-id": "MYOWNKEY01", "p8": double.file("/keys/0/file")}).to_string();
    ask(Method::POST, &format!("/v1/keys?team={id}"), &own).await.expect(201);
    let token = ask(Method::POST, &format!("/v1/keys/{key}/provider-token?team={id}"), "").await.expect(201);
    let authorization = token["authorization"].as_str().unwrap();
    let device =
        ask(Method::POST, &format!("/v1/tokens?team={id}"), r#"{"device":"phone"}"#).await.expect(201);
    let device_token = device["token"].as_str().unwrap();

    let explain = json!({"device-token": device_token, "headers": {"authorization": authorization}});
    ask(Method::POST, "/v1/explain", &explain.to_string()).await.expect(200);
    let wrong = [("authorization", "Bearer a-wrong-control-token")];
    assert_eq!(control.ask(Method::GET, "/v1/teams", &wrong, "").await.status, 401);

    let mut peer = double.provider().await;
    let topic = ("apns-topic", "com.example.app");
    let good = peer.answer(device_token, &[("authorization", authorization), topic], r#"{"aps":{}}"#).await;
    assert_eq!(good.0, 200);
    let ready_made = format!("bearer {}", double.file("/provider_token"));
    let refused = peer.answer(device_token, &[("authorization", &ready_made), topic], r#"{"aps":{}}"#).await;
    assert_eq!(refused.0, 403); // another team's token on one connection
    let (signed, signature) = authorization.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", signature.chars().rev().collect::<String>());
    let refused = peer.answer(device_token, &[("authorization", &forged), topic], r#"{"aps":{}}"#).await;
    assert_eq!(refused.0, 403);

    let of_token = |token: &str| token.rsplit('.').next().unwrap().to_owned();
    let of_p8 = |p8: &str| p8.lines().filter(|line| !line.starts_with("-----")).map(str::to_owned).collect();
    let keys: [Vec<String>; 3] =
        [of_p8(&p8), of_p8(&double.file("/keys/0/file")), of_p8(&double.file("/authority"))];
    let mut secrets = vec![
        CONTROL_TOKEN.to_owned(),
        "a-wrong-control-token".to_owned(),
        of_token(authorization),
        of_token(&ready_made),
        of_token(&forged),
    ];
    secrets.extend(keys.into_iter().flatten());
    secrets
}

fn assert_no_secrets(log: &str, secrets: &[String]) {
    assert!(secrets.len() > 6 && secrets.iter().all(|secret| secret.trim().len() >= 8), "{secrets:?}");
    for secret in secrets {
        let bytes = format!("{:?}", secret.trim().as_bytes()); // as a buffer that is printed would have it
        let forms = [secret.trim(), bytes.trim_matches(['[', ']'])];
        let found = log.lines().find(|line| forms.iter().any(|form| line.contains(form)));
        assert_eq!(found, None, "{secret:?} is in the log");
    }
}

#[tokio::test]
async fn a_json_log_is_an_object_a_line_and_has_no_secrets_at_any_level() {
    let double = Running::start("json");
    let secrets = handle_secrets(&double).await;
    let log = double.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        for key in ["timestamp", "level", "target", "message"] {
            assert!(line[key].is_string(), "{key} in {line}");
        }
    }
    let pushes: Vec<_> = lines.iter().filter(|line| line["target"] == "mock_apns::push").collect();
    assert_eq!(pushes.len(), 3, "{log}");
    assert_eq!((&pushes[0]["message"], &pushes[0]["status"]), (&json!("accepted"), &json!(200)));
    assert_eq!((&pushes[1]["reason"], &pushes[1]["level"]), (&json!("InvalidProviderToken"), &json!("INFO")));
    assert!(lines.iter().any(|line| line["level"] == "DEBUG" || line["level"] == "TRACE"), "{log}");
    let frames =
        lines.iter().filter(|line| line["target"] == "mock_apns::frames" && line["connection"] == "0");
    let frames: Vec<&str> = frames.map(|line| line["message"].as_str().unwrap()).collect();
    assert!(
        frames
            .iter()
            .any(|frame| frame.contains("] recv HEADERS frame <") && frame.contains(":method: POST, "))
    );
    assert!(
        frames
            .iter()
            .any(|frame| frame.contains("] send HEADERS frame <") && frame.contains(":status: 200, "))
    );
    assert_no_secrets(&log, &secrets);
}

#[tokio::test]
async fn a_human_log_is_no_json_and_has_no_secrets_either() {
    let double = Running::start("human");
    let secrets = handle_secrets(&double).await;
    let log = double.log();
    assert!(log.contains("mock_apns::push: refused"), "{log}");
    let frame =
        log.lines().find(|line| line.contains("mock_apns::frames: [") && line.contains("authorization: "));
    assert!(frame.is_some_and(|frame| frame.contains(".…, ") && frame.contains("connection=0")), "{log}");
    assert!(serde_json::from_str::<Value>(log.lines().next().unwrap()).is_err(), "{log}");
    assert_no_secrets(&log, &secrets);
}

#[tokio::test]
async fn a_provider_that_apple_would_have_throttled_is_warned_of_once() {
    let double = Running::start("json");
    let bearer = format!("bearer {}", double.file("/provider_token"));
    let tokens = double.ready["device_tokens"].as_array().unwrap();
    let gone =
        tokens.iter().find(|it| it["name"] == "sandbox-unregistered").unwrap()["token"].as_str().unwrap();
    let mut peer = double.provider().await;
    for _ in 0..15 {
        let fields = [("authorization", &*bearer), ("apns-topic", "com.example.app")];
        assert_eq!(peer.answer(gone, &fields, r#"{"aps":{}}"#).await.0, 410);
    }
    let log = double.log();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let warnings: Vec<Value> = lines.filter(|line| line["level"] == "WARN").collect();
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    let warning = &warnings[0];
    assert_eq!(warning["message"], "Apple would have throttled this provider");
    assert_eq!((&warning["team"], &warning["cause"]), (&json!("MOCKTEAM01"), &json!("repeated_410")));
    assert!(warning["why"].as_str().unwrap().contains("device tokens"), "{warning}");
}

#[tokio::test]
async fn a_provider_that_was_cut_off_is_logged_with_the_setting_that_did_it() {
    let double = Running::start("json");
    let control = Control::at(double.address("control"));
    let fields = [("authorization", &*format!("Bearer {CONTROL_TOKEN}"))];
    let change = r#"{"errors-before-disconnect":1}"#;
    control.ask(Method::PATCH, "/v1/settings", &fields, change).await.expect(200);
    let bearer = format!("bearer {}", double.file("/provider_token"));
    let mut peer = double.provider().await;
    let fields = [("authorization", &*bearer), ("apns-topic", "com.example.app")];
    assert_eq!(peer.answer("00ff", &fields, r#"{"aps":{}}"#).await.0, 400);
    let log = double.log();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let warnings: Vec<Value> = lines.filter(|line| line["level"] == "WARN").collect();
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    let told = ["message", "team", "how", "setting", "connection"].map(|key| &warnings[0][key]);
    let message = "provider throttled, as a setting asks";
    let expected = [message, "MOCKTEAM01", "disconnected", "errors-before-disconnect", "0"];
    assert_eq!(told, expected.map(|text| json!(text)).each_ref());
}
