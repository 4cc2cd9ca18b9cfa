//! Declaring what is there: by a file, by HTTP, by the library, with the same text.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "support/control.rs"]
#[expect(dead_code, reason = "what other tests ask")]
mod control;

use std::process::Command;

use control::Control;
use http::Method;
use mock_apns::{MockApns, StartError};
use serde_json::{Value, json};

/// The example of docs/state.md.
fn example() -> String {
    let page = include_str!("../../docs/state.md");
    page.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0.to_owned()
}

async fn put_toml(control: Control, toml: &str) -> control::Reply {
    control.ask(Method::PUT, "/v1/state", &[("content-type", "application/toml")], toml).await
}

fn team(state: &Value) -> Value {
    state["teams"].as_array().unwrap().iter().find(|team| team["id"] == "SHOPTEAM01").unwrap().clone()
}

#[tokio::test]
async fn the_documented_example_is_there_however_it_is_declared() {
    let by_library = MockApns::builder().state(example()).start().await.unwrap();
    let by_http = MockApns::start().await.unwrap();
    put_toml(Control::of(&by_http), &example()).await.expect(200);
    let mut told = Vec::new();
    for mock in [&by_library, &by_http] {
        let control = Control::of(mock);
        let token = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        let token = control.get(&format!("/v1/tokens/{token}?team=SHOPTEAM01")).await.expect(200);
        assert_eq!((&token["device"], &token["status"]), (&json!("alice-phone"), &json!("active")));
        let dead =
            control.get("/v1/tokens/ffeeddccbbaa99887766554433221100?team=SHOPTEAM01").await.expect(200);
        assert_eq!(
            (&dead["status"], &dead["since"]),
            (&json!("unregistered"), &json!(1_700_000_000_000_u64))
        );
        let old = control.get("/v1/devices/bobs-old-phone?team=SHOPTEAM01").await.expect(200);
        assert_eq!((&old["state"], &old["apps"][0]["permission"]), (&json!("offline"), &json!(false)));
        let mut state = team(&control.get("/v1/state").await.expect(200));
        assert_eq!(state["settings"], json!({"profile": "fast", "unregistered-delay": "60"}));
        state["keys"][0]["p8"].take(); // each has made its own
        told.push(state);
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn declared_again_nothing_changes_and_elsewhere_it_is_the_same() {
    let (mock, other) = (MockApns::start().await.unwrap(), MockApns::start().await.unwrap());
    let (control, elsewhere) = (Control::of(&mock), Control::of(&other));
    let first = put_toml(control, &example()).await.expect(200);
    let events = control.get("/v1/events?team=SHOPTEAM01").await.expect(200)["next"].clone();
    assert_eq!(put_toml(control, &example()).await.expect(200), first);
    assert_eq!(control.put("/v1/state", &first.to_string()).await.expect(200), first);
    assert_eq!(control.get("/v1/events?team=SHOPTEAM01").await.expect(200)["next"], events);

    let only = json!({"teams": [team(&first)]});
    assert_eq!(team(&elsewhere.put("/v1/state", &only.to_string()).await.expect(200)), team(&first));
}

#[tokio::test]
async fn a_mistake_is_told_with_its_line_and_field() {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    for (toml, named) in [
        ("[[teams]]\nid = \"SHOPTEAM01\"\ncolour = 1\n", &["line 3", "unknown field `colour`"][..]),
        ("[[teams]]\nid = \"short\"\n", &["line 2", "\"short\" is not a team ID"]),
        ("[[teams]]\nid = 7\n", &["line 2", "invalid type: integer `7`"]),
        ("[[teams]\n", &["line 1"]),
        (
            "[[teams]]\nid = \"SHOPTEAM01\"\n[[teams.devices]]\nname = \"a\"\n[[teams.devices.apps]]\nbundle-id = \"no.such\"\n",
            &["teams[0].devices[0].apps[0]: the team has no app no.such"],
        ),
        (
            "[[teams]]\nid = \"SHOPTEAM01\"\nsettings = { colour = 1 }\n",
            &["teams[0].settings: there is no setting \"colour\""],
        ),
        (
            "[[teams]]\nid = \"SHOPTEAM01\"\nsettings = { profile = \"slow\" }\n",
            &["teams[0].settings: there is no profile \"slow\"; the profiles are fast, realistic, hostile"],
        ),
        (
            "[[teams]]\nid = \"MOCKTEAM01\"\n[[teams.keys]]\nkey-id = \"MOCKKEYDEV\"\n",
            &["teams[0].keys[0]: the team MOCKTEAM01 has another key"],
        ),
    ] {
        let reply = put_toml(control, toml).await;
        assert!((400..500).contains(&reply.status), "{toml}: {}", reply.text);
        let message = serde_json::from_str::<Value>(&reply.text).unwrap()["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        for named in named {
            assert!(message.contains(named), "{toml}: {message}");
        }
    }
    let (_, message) = control
        .put("/v1/state", r#"{"teams":[{"id":"SHOPTEAM01","devices":[{"name":""}]}]}"#)
        .await
        .error(400);
    assert!(message.contains("field teams[0].devices[0].name: \"\" is not a device ID"), "{message}");
    let error = MockApns::builder().state("[[teams]]\nid = 1\n").start().await.unwrap_err();
    assert!(matches!(error, StartError::State(_)), "{error}");
}

#[test]
fn a_bad_file_stops_the_start_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("double.toml");
    std::fs::write(&file, "[[teams]]\nid = \"SHOPTEAM01\"\ncolour = 1\n").unwrap();
    for (path, named) in [(file, "unknown field `colour`"), (folder.path().join("none.toml"), "No such file")]
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mock-apns"));
        let ended = command.args(["--port", "0", "--state"]).arg(&path).output().unwrap();
        let message = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{message}");
        assert!(
            message.contains(&format!("--state {}", path.display())) && message.contains(named),
            "{message}"
        );
    }
}
