//! A run is recorded, and replayed by another double: what a provider sees, frame by frame, and how it is asked for.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

#[path = "support/control.rs"]
mod control;
#[path = "support/process.rs"]
mod process;
#[path = "support/raw_provider.rs"]
#[expect(dead_code, reason = "what other tests do on the wire")]
mod raw_provider;
#[expect(dead_code, reason = "the provider of the wire tests, which does not tell its frames")]
mod support;

use std::{path::Path, process::Command};

use control::Control;
use mock_apns::{MockApns, Transcript};
use process::Process;
use raw_provider::RawProvider;
use serde_json::{Value, json};

/// The bad day: what goes wrong, by the collapse id of the push.
const FAULTS: [&str; 5] = [
    r#"{"name":"busy","match":{"collapse-id":"busy"},"times":1,"action":{"answer":{"status":503,"retry-after":5,"frame-bytes":1}}}"#,
    r#"{"name":"cut","match":{"collapse-id":"cut"},"action":{"reset-stream":{"code":"REFUSED_STREAM"}}}"#,
    r#"{"name":"dead","match":{"collapse-id":"dead"},"action":{"answer":{"status":410}}}"#,
    r#"{"name":"new","match":{"collapse-id":"new"},"action":{"answer":{"status":418,"reason":"Teapot"}}}"#,
    r#"{"name":"over","match":{"collapse-id":"over"},"action":{"goaway":{"reason":"Shutdown"}}}"#,
];

/// What a provider does in both runs, and every frame that it sees but SETTINGS and WINDOW_UPDATE.
async fn script(mock: &MockApns) -> Vec<String> {
    let mut provider = RawProvider::connect(mock).await;
    let pushes: [(&[(&str, &str)], &str); 8] = [
        (&[], "HEADERS"),
        (&[("apns-collapse-id", "busy")], "DATA"),
        (&[("apns-collapse-id", "busy")], "HEADERS"),
        (&[("apns-priority", "7")], "DATA"),
        (&[("apns-collapse-id", "cut")], "RST_STREAM"),
        (&[("apns-collapse-id", "dead")], "DATA"),
        (&[("apns-collapse-id", "new")], "DATA"),
        (&[("apns-collapse-id", "over")], "GOAWAY"),
    ];
    for (fields, until) in pushes {
        let stream = provider.push_with(fields, br#"{"aps":{"alert":"Hello"}}"#).await;
        let beginning = if until == "GOAWAY" { until.to_owned() } else { format!("{until} {stream}") };
        provider.until(&beginning).await;
    }
    provider.told().into_iter().map(str::to_owned).collect()
}

/// A double that has made up other identifiers before, and knows nothing of what went wrong.
async fn another() -> MockApns {
    let mock = MockApns::start().await.unwrap();
    let mut provider = RawProvider::connect(&mock).await;
    for _ in 0..3 {
        let stream = provider.push().await;
        provider.until(&format!("HEADERS {stream}")).await;
    }
    mock
}

#[tokio::test]
async fn a_run_that_was_recorded_is_seen_again_frame_by_frame() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let mock = MockApns::builder().record(&path).start().await.unwrap();
    for fault in FAULTS {
        Control::of(&mock).post("/v1/faults", fault).await.expect(201);
    }
    let first = script(&mock).await;
    mock.stop().await;
    assert!(first.iter().any(|line| line.contains("Teapot")), "{first:#?}");

    let recorded = std::fs::read_to_string(path).unwrap();
    assert!(!recorded.contains("bearer"), "no credentials are handed on");
    let mock = another().await;
    mock.replay(Some(Transcript::parse(&recorded).unwrap()));
    assert_eq!(script(&mock).await, first);
    let progress = mock.replay_progress().unwrap();
    assert_eq!(
        (progress.lines, progress.replayed, progress.unknown_requests, progress.missing),
        (8, 8, 0, 0)
    );
}

#[tokio::test]
async fn the_control_api_gives_the_journal_takes_it_and_says_how_far_it_is() {
    let mock = MockApns::start().await.unwrap();
    for fault in FAULTS {
        Control::of(&mock).post("/v1/faults", fault).await.expect(201);
    }
    let first = script(&mock).await;
    let journal = Control::of(&mock).get("/v1/journal").await;
    assert_eq!(journal.headers["content-type"], "application/x-ndjson");
    let lines: Vec<Value> = journal.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["team"] == "MOCKTEAM01" && line["event"] == "fault"), "{lines:#?}");

    let mock = another().await;
    let control = Control::of(&mock);
    assert_eq!(control.get("/v1/replay").await.expect(200), json!({}));
    let begun = control.put("/v1/replay", &journal.text).await.expect(200);
    assert_eq!(begun["transcript"], json!({"lines": 8, "replayed": 0, "missing": 0, "unknown-requests": 0}));
    assert_eq!(script(&mock).await, first);
    control.delete("/v1/replay").await.expect(204);
    assert_eq!(control.get("/v1/replay").await.expect(200), json!({}));

    for (body, message) in [
        ("no JSON", "line 1: expected"),
        ("\n{\"event\":\"refused\"}", "line 2: a refusal has a reason, and this one has none"),
        ("{\"event\":\"reset\"}", "there is no answer in it"),
    ] {
        let (code, told) = control.put("/v1/replay", body).await.error(400);
        assert_eq!(code, "bad-transcript");
        assert!(told.starts_with(message), "{told}");
    }
}

#[tokio::test]
async fn the_options_record_and_replay_a_run_and_what_was_recorded_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let path = path.to_str().unwrap();
    let push = async |process: &Process, priority: &str| {
        let mut peer = process.peer(folder.path()).await;
        let bearer = Process::authorization(folder.path());
        let fields =
            [("authorization", &*bearer), ("apns-topic", "com.example.app"), ("apns-priority", priority)];
        peer.push(&process.device_token(), &fields, "{}").await;
        peer.answers(1).await.remove(0)
    };
    let mut run = start(folder.path(), &["--record", path]);
    let first = [push(&run, "7").await, push(&run, "10").await];
    assert_eq!(first.each_ref().map(|(_, status, _)| *status), [400, 200]);
    let written =
        || std::fs::read_to_string(path).unwrap().lines().filter(|line| line.contains("apns-id")).count();
    while written() < 2 {
        tokio::task::yield_now().await;
    }
    run.kill();

    let mut again = start(folder.path(), &["--replay", path]);
    assert_eq!([push(&again, "7").await, push(&again, "10").await], first);
    let replay = again.control().get("/v1/replay").await.expect(200);
    assert_eq!(replay["transcript"]["replayed"], 2);
    again.kill();

    std::fs::write(path, "{\"event\":\"refused\"}").unwrap();
    for (arguments, why) in [
        (["--replay", path], "run.jsonl: line 1: a refusal has a reason"),
        (["--replay", "/nowhere.jsonl"], "--replay /nowhere.jsonl: No such file"),
        (["--record", "/nowhere/run.jsonl"], "cannot record to /nowhere/run.jsonl: No such file"),
    ] {
        let program = env!("CARGO_BIN_EXE_mock-apns");
        let ended = Command::new(program).args(["--port", "0"]).args(arguments).output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success() && told.contains(why), "{told}");
    }
}

#[test]
fn what_is_replayed_is_not_emptied_to_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let line = r#"{"event":"refused","reason":"BadPath",":path":"/","payload":""}"#;
    std::fs::write(&path, line).unwrap();
    let path = path.to_str().unwrap();
    for (arguments, why) in [
        (["--replay", path], "the same file"),
        (["--scenario", "/nowhere.toml"], "/nowhere.toml"),
        (["--state", "/nowhere.toml"], "/nowhere.toml"),
    ] {
        let program = env!("CARGO_BIN_EXE_mock-apns");
        let ended =
            Command::new(program).args(["--port", "0", "--record", path]).args(arguments).output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.status.code() == Some(2) && told.contains(why), "{told}");
        assert_eq!(std::fs::read_to_string(path).unwrap(), line);
    }
}

fn start(folder: &Path, arguments: &[&str]) -> Process {
    Process::start_in(r#"exec "$0" "$@""#, folder, arguments)
}

#[tokio::test]
async fn what_is_gone_before_it_is_told_is_confessed() {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    control.patch("/v1/settings", r#"{"journal-entries":10}"#).await.expect(200);
    let mut provider = RawProvider::connect(&mock).await;
    for _ in 0..20 {
        let stream = provider.push().await;
        provider.until(&format!("HEADERS {stream}")).await;
    }
    let journal = control.get("/v1/journal").await.text;
    let first: Value = serde_json::from_str(journal.lines().next().unwrap()).unwrap();
    assert_eq!((&first["event"], &first["team"]), (&json!("evicted"), &json!("MOCKTEAM01")));
    let missing = first["entries"].as_u64().unwrap();
    let begun = control.put("/v1/replay", &journal).await.expect(200);
    assert_eq!(begun["transcript"]["missing"], missing);
}

#[tokio::test]
async fn a_team_that_is_made_again_is_recorded_again_and_a_double_that_is_dropped_has_written_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let mock = MockApns::builder().record(&path).start().await.unwrap();
    let control = Control::of(&mock);
    for name in ["one", "two"] {
        control.post("/v1/teams", r#"{"id":"MYTEAM0001"}"#).await.expect(201);
        control.post("/v1/devices?team=MYTEAM0001", &json!({"name": name}).to_string()).await.expect(201);
        control.delete("/v1/teams/MYTEAM0001").await.expect(204);
    }
    drop(mock);
    let recorded = std::fs::read_to_string(path).unwrap();
    for name in ["one", "two"] {
        let entry = format!(r#""device":"{name}","change""#);
        assert!(
            recorded.lines().any(|line| line.contains("MYTEAM0001") && line.contains(&entry)),
            "{recorded}"
        );
    }
}

#[tokio::test]
async fn each_entry_is_recorded_once_through_resets_and_snapshots() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let mock = MockApns::builder().record(&path).start().await.unwrap();
    let control = Control::of(&mock);
    control.post("/v1/reset", "").await.expect(204);
    control.put("/v1/snapshot", &control.get("/v1/snapshot").await.text).await.expect(204);
    let mut provider = RawProvider::connect(&mock).await;
    provider.push().await;
    provider.until("HEADERS 1").await;
    mock.stop().await;
    let recorded = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Value> = recorded.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let cursors: Vec<u64> = lines
        .iter()
        .filter(|line| line["team"] == "MOCKTEAM01")
        .filter_map(|line| line["cursor"].as_u64())
        .collect();
    let all: Vec<u64> = (0..cursors.len() as u64).collect();
    assert_eq!(cursors, all, "each once, and none is missing");
    assert!(lines.iter().any(|line| line["event"] == "reset") && recorded.contains("Received by APNs"));
}
