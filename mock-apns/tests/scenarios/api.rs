//! `/v1/scenarios`, and the library.

use http::Method;
use mock_apns::{MockApns, StartError, scenarios};
use serde_json::json;

use crate::{Control, RawProvider};

const TOML: &str = r#"name = "mine"
about = "All is 503, and the phone is offline."

[[faults]]
name = "busy"
action = { answer = { status = 503 } }

[[events]]
at = "0s"
device = { name = "phone", state = "offline" }
"#;

async fn start() -> (MockApns, Control) {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    (mock, control)
}

#[tokio::test]
async fn the_library_is_listed_shown_and_played_on_any_team() {
    let (_mock, control) = start().await;
    let list = control.get("/v1/scenarios").await.expect(200);
    let names: Vec<_> = list["scenarios"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    let ready: Vec<_> = scenarios::all().iter().map(|ready| json!(ready.name())).collect();
    assert_eq!(names, ready);
    assert!(list["scenarios"][0]["sources"].as_array().unwrap().len() > 1);
    let busy = control.get("/v1/scenarios/busy").await.expect(200);
    assert_eq!(busy["faults"][0]["action"], json!({"answer": {"status": 503, "retry-after": 5}}));
    assert_eq!(control.get("/v1/scenarios/bsuy").await.error(404).0, "unknown-scenario");

    control.post("/v1/teams", r#"{"id":"MYTEAM0001"}"#).await.expect(201);
    control.post("/v1/scenarios/busy/play?team=MYTEAM0001", "").await.expect(200);
    let faults = control.get("/v1/faults?team=MYTEAM0001").await.expect(200);
    assert_eq!(faults["faults"].as_array().unwrap().len(), 2);
    assert_eq!(control.get("/v1/faults").await.expect(200)["faults"], json!([]));
    let again = control.post("/v1/scenarios/busy/play?team=MYTEAM0001", "").await.error(409);
    assert!(again.0 == "conflict" && again.1.contains("faults[0]"), "{again:?}");
    assert_eq!(
        control.post("/v1/scenarios/busy/play?team=NOSUCHTEAM", "").await.error(404).0,
        "unknown-team"
    );
}

#[tokio::test]
async fn any_other_is_played_as_toml_or_json() {
    let (_mock, control) = start().await;
    let toml = [("content-type", "application/toml")];
    control.ask(Method::POST, "/v1/scenarios/play", &toml, TOML).await.expect(200);
    assert_eq!(control.get("/v1/devices/phone").await.expect(200)["state"], "offline");
    assert_eq!(control.get("/v1/faults/busy").await.expect(200)["fired"], 0);
    control.post("/v1/reset", "").await.expect(204);
    let json = serde_json::to_string(&scenarios::parse(TOML).unwrap()).unwrap();
    let played = control.post("/v1/scenarios/play", &json).await.expect(200);
    assert!(played["name"] == "mine" && played["began-at"].as_u64().unwrap() > 1_600_000_000_000, "{played}");
}

#[tokio::test]
async fn what_cannot_be_played_is_refused_with_the_reason_and_nothing_of_it_is() {
    let (_mock, control) = start().await;
    let toml = [("content-type", "application/toml")];
    for (from, to, code, why) in [
        ("about", "abuot", "bad-field", "line 2"),
        ("device =", "devcie =", "bad-field", "unknown field `devcie`"),
        ("state = \"offline\"", "stat = \"offline\"", "bad-field", "unknown field `stat`"),
        ("0s", "5", "bad-field", "is not a duration"),
        ("\"phone\"", "\"nobody\"", "bad-value", "events[0]: the team has no device nobody"),
        ("status = 503", "status = 999", "bad-value", "faults[0]: "),
        (
            "\n[[faults]]",
            "settings = { colour = 1 }\n[[faults]]",
            "bad-field",
            "settings: there is no setting \"colour\"",
        ),
        (
            "\n[[faults]]",
            "settings = { profile = \"slow\" }\n[[faults]]",
            "bad-value",
            "there is no profile \"slow\"",
        ),
    ] {
        let text = TOML.replacen(from, to, 1);
        let error = control.ask(Method::POST, "/v1/scenarios/play", &toml, &text).await.error(400);
        assert!(error.0 == code && error.1.contains(why), "{text}: {error:?}");
        assert_eq!(control.get("/v1/faults").await.expect(200)["faults"], json!([]));
    }
}

#[tokio::test]
async fn a_double_begins_with_one_and_a_team_of_a_test_plays_one() {
    let mine = scenarios::parse(TOML).unwrap();
    let mock = MockApns::builder().scenario(mine.clone()).start().await.unwrap();
    let mut provider = RawProvider::connect(&mock).await;
    provider.push().await;
    assert!(provider.until("DATA 1").await.iter().any(|line| line.contains(":status=503")));

    let (mock, control) = start().await;
    mock.team().play(&mine).unwrap();
    assert_eq!(control.get("/v1/devices/phone").await.expect(200)["state"], "offline");

    let wrong = scenarios::parse(&TOML.replace("\"phone\"", "\"nobody\"")).unwrap();
    let error = MockApns::builder().scenario(wrong).start().await.unwrap_err();
    assert!(matches!(error, StartError::Scenario { .. }));
    assert_eq!(error.to_string(), "the scenario mine: events[0]: the team has no device nobody");
}

#[tokio::test]
async fn in_a_folder_it_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let start = async || {
        let builder = MockApns::builder().data_dir(folder.path());
        builder.scenario(scenarios::parse(TOML).unwrap()).start().await.unwrap()
    };
    start().await.stop().await;
    let mock = start().await;
    assert_eq!(Control::of(&mock).get("/v1/faults").await.expect(200)["faults"].as_array().unwrap().len(), 1);
    mock.stop().await;
}

#[tokio::test]
async fn the_journal_says_which_scenario_began_and_where() {
    let (_mock, control) = start().await;
    control.post("/v1/scenarios/offline-for-an-hour/play", "").await.expect(200);
    let found = control.get("/v1/events?filter=event:scenario").await.expect(200);
    let (began, cursor) = (&found["events"][0], found["events"][0]["cursor"].as_u64().unwrap());
    assert_eq!(began["scenario"], "offline-for-an-hour");
    assert_eq!(found["events"].as_array().unwrap().len(), 1, "{found}");
    let then = control.get(&format!("/v1/events?after={cursor}")).await.expect(200);
    assert_eq!(then["events"][0]["change"]["state"], "offline", "what it brings about stands behind: {then}");
}

#[tokio::test]
async fn what_is_for_everyone_is_refused_with_its_place() {
    let (_mock, control) = start().await;
    let toml = [("content-type", "application/toml")];
    let place = "[[faults-for-everyone]]\nname = \"shut\"\naction = ";
    for (action, code, why) in [
        ("{ accept = \"slam\" }", "bad-field", "line 6"),
        (
            "{ accept = \"close\" }\ntimes = 0",
            "bad-value",
            "faults-for-everyone[0]: the fault could never fire",
        ),
        (
            "{ accept = \"close\" }\n[[events]]\nat = \"1m\"\nfault-for-everyone-ends = { name = \"busy\" }",
            "bad-value",
            "events[0]: the team has no fault busy for everyone then",
        ),
    ] {
        let text = format!("name = \"mine\"\nabout = \"Mine.\"\n\n{place}{action}\n");
        let error = control.ask(Method::POST, "/v1/scenarios/play", &toml, &text).await.error(400);
        assert!(error.0 == code && error.1.contains(why), "{text}: {error:?}");
        assert_eq!(control.get("/v1/faults?everyone=true").await.expect(200)["faults"], json!([]));
    }
}
