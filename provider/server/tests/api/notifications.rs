//! Handing in, looking, pausing, cancelling.

use serde_json::{Value, json};

use crate::server::{APP, Server, TOKEN};

fn path(rest: &str) -> String {
    format!("/v1/apps/{APP}/{rest}")
}

fn to_token() -> Value {
    json!({
        "message": { "payload": { "aps": { "alert": "x" } } },
        "audience": { "tokens": [TOKEN], "environment": "sandbox" },
    })
}

fn campaign() -> Value {
    json!({
        "message": { "payload": { "aps": { "alert": "x" } } },
        "audience": { "all": true },
        "campaign": { "label": "Spring", "pace": 100 },
    })
}

#[tokio::test]
async fn what_goes_to_a_few_is_planned_when_it_is_answered() {
    let server = Server::with_app().await;
    let operator = server.operator();
    let taken = operator.post(&path("notifications"), &to_token()).await.expect(202);
    let id = taken["id"].as_str().unwrap();
    let state = operator.get(&path(&format!("notifications/{id}"))).await.expect(200);
    assert_eq!((&state["state"], &state["lane"]), (&json!("sending"), &json!("normal")));
    assert_eq!((&state["counts"]["planned"], &state["counts"]["unended"]), (&json!(1), &json!(1)));
    assert_eq!(state["counts"]["ended"]["accepted"], 0);
    let outcomes = operator.get(&path(&format!("notifications/{id}/outcomes"))).await.expect(200);
    assert_eq!(outcomes, json!({ "outcomes": [] }));
    let queue = operator.get("/v1/queue").await.expect(200);
    assert_eq!((&queue["queues"][0]["app"], &queue["queues"][0]["depth"]), (&json!(APP), &json!(1)));
}

#[tokio::test]
async fn c69_the_same_request_with_the_same_key_does_nothing_again() {
    let server = Server::with_app().await;
    let operator = server.operator().field("idempotency-key", "order-7");
    let first = operator.post(&path("notifications"), &to_token()).await.expect(202);
    let again = operator.post(&path("notifications"), &to_token()).await.expect(202);
    assert_eq!(first, again);
    let mut other = to_token();
    other["lane"] = json!("urgent");
    operator.post(&path("notifications"), &other).await.refused(409, "idempotency-key-reused");
    let batch = json!({ "notifications": [to_token()] });
    operator.post(&path("notifications/batch"), &batch).await.refused(409, "idempotency-key-reused");
    let queue = operator.get("/v1/queue").await.expect(200);
    assert_eq!(queue["queues"][0]["depth"], 1);
    let wrong = server.operator().field("idempotency-key", "two words");
    let wrong = wrong.post(&path("notifications"), &to_token()).await;
    assert_eq!(wrong.wrong_fields("bad-parameter"), ["idempotency-key"]);
}

#[tokio::test]
async fn c69_a_repeated_request_is_answered_alike_whatever_has_changed_since() {
    let server = Server::with_app().await;
    let operator = server.operator().field("idempotency-key", "order-7");
    let first = operator.post(&path("notifications"), &to_token()).await.expect(202);
    server.operator().delete(&path("credentials/sandbox")).await.expect(204);
    server.operator().put("/v1/tuning", &json!({ "takes-notifications": false })).await.expect(200);
    assert_eq!(operator.post(&path("notifications"), &to_token()).await.expect(202), first);
    server.operator().post(&path("notifications"), &to_token()).await.refused(409, "no-credential");
}

#[tokio::test]
async fn a_batch_is_taken_whole_or_not_at_all() {
    let server = Server::with_app().await;
    let mut wrong = to_token();
    wrong["message"]["priority"] = json!(7);
    let batch = json!({ "notifications": [to_token(), wrong] });
    let refused = server.operator().post(&path("notifications/batch"), &batch).await;
    assert_eq!(refused.wrong_fields("bad-field"), ["notifications[1].message.priority"]);
    let queue = server.operator().get("/v1/queue").await.expect(200);
    assert_eq!(queue, json!({ "queues": [] }));
    let batch = json!({ "notifications": [to_token(), to_token()] });
    let taken = server.operator().post(&path("notifications/batch"), &batch).await.expect(202);
    assert_eq!(taken["ids"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_campaign_is_paused_resumed_paced_and_cancelled() {
    let server = Server::with_app().await;
    let operator = server.operator();
    let taken = operator.post(&path("notifications"), &campaign()).await.expect(202);
    let one = format!("campaigns/{}", taken["id"].as_str().unwrap());
    let listed = operator.get(&path("campaigns")).await.expect(200);
    assert_eq!(listed["campaigns"][0]["campaign"], json!({ "label": "Spring", "pace": 100 }));
    let paused = operator.post(&path(&format!("{one}/pause")), &json!({})).await.expect(200);
    assert_eq!(paused["state"], "paused");
    let resumed = operator.post(&path(&format!("{one}/resume")), &json!({})).await.expect(200);
    assert_eq!(resumed["state"], "planning");
    let pace = path(&format!("{one}/pace"));
    let paced = operator.put(&pace, &json!({ "per-second": null })).await.expect(200);
    assert_eq!(paced["campaign"], json!({ "label": "Spring" }));
    for wrong in [json!({ "per-second": 0 }), json!({ "per-second": 100_001 })] {
        assert_eq!(operator.put(&pace, &wrong).await.wrong_fields("bad-field"), ["per-second"]);
    }
    operator.put(&pace, &json!({})).await.refused(400, "bad-field");
    let cancelled = operator.post(&path(&format!("{one}/cancel")), &json!({})).await.expect(200);
    assert!(cancelled["cancelled-at"].is_string(), "{cancelled}");
    operator.post(&path(&format!("{one}/cancel")), &json!({})).await.refused(409, "conflict");
}

#[tokio::test]
async fn what_is_no_campaign_is_not_paused_as_one() {
    let server = Server::with_app().await;
    let taken = server.operator().post(&path("notifications"), &to_token()).await.expect(202);
    let id = taken["id"].as_str().unwrap();
    for what in ["pause", "resume", "cancel"] {
        let asked = server.operator().post(&path(&format!("campaigns/{id}/{what}")), &json!({})).await;
        asked.refused(404, "unknown-campaign");
    }
    server.operator().post(&path(&format!("notifications/{id}/cancel")), &json!({})).await.expect(200);
}

#[tokio::test]
async fn an_app_without_a_credential_takes_nothing() {
    let server = Server::with_app().await;
    let mut production = to_token();
    production["audience"]["environment"] = json!("production");
    let error =
        server.operator().post(&path("notifications"), &production).await.refused(409, "no-credential");
    assert_eq!(error["message"], "the app has no credential for production");
}

#[tokio::test]
async fn a_template_is_rendered_when_it_is_handed_in() {
    let server = Server::with_app().await;
    let operator = server.operator();
    let template = json!({
        "default-locale": "en",
        "payload": { "aps": { "alert": { "title": "{{ text.title }}" } } },
        "texts": { "en": { "title": "Hello {{ name }}" }, "de": { "title": "Hallo {{ name }}" } },
    });
    operator.put(&path("templates/greeting"), &template).await.expect(201);
    let mut shown = operator.get(&path("templates/greeting")).await.expect(200);
    shown.as_object_mut().unwrap().retain(|key, _| template.get(key).is_some());
    assert_eq!(shown, template);
    let with = |values: Value| json!({ "message": { "template": "greeting", "values": values }, "audience": { "all": true } });
    operator.post(&path("notifications"), &with(json!({ "name": "Ada" }))).await.expect(202);
    let missing = operator.post(&path("notifications"), &with(json!({}))).await;
    assert_eq!(missing.wrong_fields("bad-field"), ["message.values"]);
    operator.delete(&path("templates/greeting")).await.expect(204);
    let gone = operator.post(&path("notifications"), &with(json!({ "name": "Ada" }))).await;
    gone.refused(404, "unknown-template");
}
