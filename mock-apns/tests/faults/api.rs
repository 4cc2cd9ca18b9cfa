//! `/v1/faults`, the state, the library and the metric.

use mock_apns::MockApns;
use serde_json::json;

use crate::{Control, RawProvider, always, world};

const BUSY: &str = r#"{"answer": {"status": 503}}"#;

async fn start() -> (MockApns, Control) {
    let mock = MockApns::start().await.unwrap();
    let control = Control::of(&mock);
    (mock, control)
}

#[tokio::test]
async fn a_fault_is_added_listed_counted_and_removed() {
    let (mock, mut provider) = world(&always(BUSY)).await;
    let control = Control::of(&mock);
    provider.push().await;
    provider.until("DATA 3").await;
    let fault = control.get("/v1/faults/f").await.expect(200);
    assert_eq!((&fault["matched"], &fault["fired"]), (&json!(1), &json!(1)));
    assert_eq!(fault["action"], json!({"answer": {"status": 503}}));
    let list = control.get("/v1/faults").await.expect(200);
    assert_eq!(list["faults"].as_array().unwrap().len(), 1);
    let metrics = control.get("/metrics").await.text;
    assert!(metrics.contains("mock_apns_fault_firings_total{fault=\"f\"} 1"), "{metrics}");
    let events = control.get("/v1/notifications?filter=fault:f").await.expect(200);
    let pushed = &events["notifications"][0];
    assert_eq!(pushed["verdict"], "faulted");
    assert_eq!(
        pushed["answer"],
        json!({"status": 503, "reason": "ServiceUnavailable", "fault": "f", "action": {"answer": {"status": 503}}})
    );
    control.delete("/v1/faults/f").await.expect(204);
    assert_eq!(control.get("/v1/faults/f").await.error(404).0, "unknown-fault");
    assert_eq!(control.delete("/v1/faults/f").await.error(404).0, "unknown-fault");
    provider.push().await;
    assert!(provider.until("HEADERS 5").await.last().unwrap().contains(":status=200"));
    control.post("/v1/faults", &always(BUSY)).await.expect(201);
    assert_eq!(control.delete("/v1/faults").await.expect(200), json!({"removed": 1}));
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_reason() {
    let (_mock, control) = start().await;
    for (fault, status, code, why) in [
        (always(r#"{"answer": {"status": 999}}"#), 400, "bad-value", "status 999"),
        (always(r#"{"answer": {"statsu": 503}}"#), 400, "bad-field", "statsu"),
        (always(r#"{"explode": {}}"#), 400, "bad-field", "explode"),
        (always(r#"{"accept": "close"}"#), 400, "bad-value", "add it for everyone"),
        (r#"{"name": "f", "times": 0, "action": "no-answer"}"#.to_owned(), 400, "bad-value", "never fire"),
        (r#"{"name": "a b", "action": "no-answer"}"#.to_owned(), 400, "bad-field", "not a name for a fault"),
        (
            r#"{"name": "f", "match": {"push-type": "alrt"}, "action": "no-answer"}"#.to_owned(),
            400,
            "bad-field",
            "alrt",
        ),
        (
            r#"{"name": "f", "match": {"filter": "tpe:alert"}, "action": "no-answer"}"#.to_owned(),
            400,
            "bad-field",
            "did you mean type",
        ),
    ] {
        let (had, message) = control.post("/v1/faults", &fault).await.error(status);
        assert!(message.contains(why), "{fault}: {message}");
        assert_eq!(had, code, "{fault}: {message}");
    }
    control.post("/v1/faults", &always(BUSY)).await.expect(201);
    assert_eq!(control.post("/v1/faults", &always(BUSY)).await.error(409).0, "conflict");
    let both = control.get("/v1/faults?team=TEAM000001&everyone=true").await.error(400);
    assert!(both.1.contains("not both"), "{both:?}");
    assert_eq!(control.get("/v1/faults?team=NOSUCHTEAM").await.error(404).0, "unknown-team");
}

#[tokio::test]
async fn faults_are_declared_and_declared_again_without_effect() {
    let (_mock, control) = start().await;
    let state = json!({
        "faults": [{"name": "door", "action": {"tls": "stall"}, "match": {"environment": "production"}}],
        "teams": [{"id": "TEAM000042", "faults": [{"name": "busy", "times": 3, "action": {"answer": {"status": 503}}}]}],
    })
    .to_string();
    for _ in 0..2 {
        control.put("/v1/state", &state).await.expect(200);
        let teams = control.get("/v1/faults?team=TEAM000042").await.expect(200);
        assert_eq!(teams["faults"].as_array().unwrap().len(), 1);
    }
    let other = state.replace("\"times\":3", "\"times\":4");
    control.put("/v1/state", &other).await.expect(200);
    let fault = control.get("/v1/faults/busy?team=TEAM000042").await.expect(200);
    assert_eq!(fault["times"], 4);
    let declared = control.get("/v1/state").await.expect(200);
    assert_eq!(declared["faults"][0]["name"], "door");
    assert_eq!(declared["teams"][1]["faults"][0]["name"], "busy");
    let wrong = state.replace("503", "999");
    let (_, message) = control.put("/v1/state", &wrong).await.error(400);
    assert!(message.contains("faults[0]") && message.contains("status 999"), "{message}");
}

#[tokio::test]
async fn what_concerns_no_team_is_told_too() {
    let (mock, control) = start().await;
    let mut provider = RawProvider::connect(&mock).await;
    control.post("/v1/faults?everyone=true", &always(BUSY)).await.expect(201);
    provider.push_with(&[("authorization", "twice")], b"{}").await;
    provider.until("HEADERS 1").await;
    let events = control.get("/v1/events?nobodys=true&filter=event:fault").await.expect(200);
    let teams = control.get("/v1/events?filter=event:fault").await.expect(200);
    let count = |list: &serde_json::Value| list["events"].as_array().unwrap().len();
    assert_eq!(count(&events) + count(&teams), 1, "{events} {teams}");
    assert_eq!(control.get("/v1/events?nobodys=true&after=99").await.error(400).0, "bad-cursor");
    let both = control.get("/v1/events?nobodys=true&team=TEAM000001").await.error(400);
    assert!(both.1.contains("no team's"), "{both:?}");
}

#[tokio::test]
async fn a_guard_of_the_library_takes_its_fault_away() {
    let (mock, _control) = start().await;
    let mut provider = RawProvider::connect(&mock).await;
    let busy = mock.team().fault(always(BUSY).parse().unwrap()).unwrap();
    provider.push().await;
    assert!(provider.until("DATA 1").await.iter().any(|line| line.contains(":status=503")));
    assert_eq!(busy.fired(), 1);
    drop(busy);
    mock.fault(always(BUSY).parse().unwrap()).unwrap().keep();
    provider.push().await;
    assert!(provider.until("DATA 3").await.iter().any(|line| line.contains("HEADERS 3 0x4 :status=503")));
}
