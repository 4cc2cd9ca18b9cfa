//! Wrong input of each kind: a typed error that names what was wrong.

use http::Method;
use serde_json::json;

use crate::server::{APP, Server, TOKEN};

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let server = Server::with_app().await;
    let operator = server.operator();
    let app = format!("/v1/apps/{APP}");
    for (path, name) in [
        ("/v1/apps/not%20an%20app".to_owned(), "bundle-id"),
        (format!("{app}/devices/xyz"), "token"),
        (format!("{app}/devices/{TOKEN}?environment=dev"), "environment"),
        (format!("{app}/users/%0a/devices"), "user"),
        (format!("{app}/templates/two%20words"), "template"),
        (format!("{app}/notifications/7"), "notification-id"),
        ("/v1/tenants/Not".to_owned(), "tenant"),
        ("/v1/apps?limit=0".to_owned(), "limit"),
        ("/v1/apps?limit=many".to_owned(), "limit"),
        ("/v1/recent?minutes=2881".to_owned(), "minutes"),
    ] {
        assert_eq!(operator.get(&path).await.wrong_fields("bad-parameter"), [name], "{path}");
    }
    let error = operator.get("/v1/apps?colour=1").await.refused(400, "bad-parameter");
    assert!(error["message"].as_str().unwrap().contains("colour"), "{error}");
    let wrong = operator.clone().field("apns-tenant", "Not").get("/v1/apps").await;
    assert_eq!(wrong.wrong_fields("bad-parameter"), ["apns-tenant"]);
    let put = operator.put(&format!("{app}/credentials/dev"), &json!({})).await;
    assert_eq!(put.wrong_fields("bad-parameter"), ["environment"]);
}

#[tokio::test]
async fn a_cursor_that_was_never_given_out_is_none() {
    let server = Server::with_app().await;
    let app = format!("/v1/apps/{APP}");
    let taken = json!({ "message": { "payload": { "aps": { "alert": "x" } } }, "audience": { "all": true } });
    let taken = server.operator().post(&format!("{app}/notifications"), &taken).await;
    let id = taken.expect(202)["id"].as_str().unwrap().to_owned();
    for path in [
        "/v1/apps?after=x",
        "/v1/keys?after=-1",
        "/v1/audit?after=x",
        "/v1/webhooks?after=x",
        "/v1/tenants?after=x",
        &format!("{app}/devices?after=7"),
        &format!("{app}/templates?after=two%20words"),
        &format!("{app}/campaigns?after=7"),
        &format!("{app}/dead-letters?after=7"),
        &format!("{app}/notifications/{id}/outcomes?after=7"),
    ] {
        server.operator().get(path).await.refused(400, "bad-cursor");
    }
}

#[tokio::test]
async fn wrong_fields_are_named_all_at_once() {
    let server = Server::with_app().await;
    let operator = server.operator();
    let app = format!("/v1/apps/{APP}");
    let wrong = json!({
        "message": { "payload": {}, "priority": 7 }, "audience": { "tokens": ["xyz"] }, "schedule": { "not-before": "soon" },
    });
    let mut fields = operator.post(&format!("{app}/notifications"), &wrong).await.wrong_fields("bad-field");
    fields.sort();
    assert_eq!(
        fields,
        ["audience.environment", "audience.tokens[0]", "message.priority", "schedule.not-before"]
    );
    for (method, path, body, field) in [
        (Method::PUT, app.clone(), json!({ "devices-per-user": 0 }), "devices-per-user"),
        (Method::PUT, app.clone(), json!({ "queue-max": 0 }), "queue-max"),
        (Method::PUT, app.clone(), json!({ "pushes": { "count": 0, "within-secs": 1 } }), "pushes"),
        (
            Method::PUT,
            app.clone(),
            json!({ "pushes-per-user": { "count": 1, "within-secs": 0 } }),
            "pushes-per-user",
        ),
        (Method::PUT, app.clone(), json!({ "pushes-per-device": { "count": 1 } }), "pushes-per-device"),
        (
            Method::PUT,
            app.clone(),
            json!({ "background-per-device": { "count": -1, "within-secs": 1 } }),
            "background-per-device.count",
        ),
        (
            Method::PUT,
            "/v1/tenants/acme".to_owned(),
            json!({ "requests": { "count": 1, "within-secs": 2_592_001 } }),
            "requests",
        ),
        (Method::PUT, "/v1/tenants/acme".to_owned(), json!({ "queue-max": -1 }), "queue-max"),
        (Method::PUT, format!("{app}/devices/{TOKEN}"), json!({ "environment": "dev" }), "environment"),
        (Method::PUT, format!("{app}/templates/t"), json!({ "payload": { "a": "{{" } }), "payload.a"),
        (Method::POST, "/v1/keys".to_owned(), json!({ "label": "x", "roles": [] }), "roles"),
        (Method::POST, format!("{app}/dead-letters/replay"), json!({ "ids": [] }), "ids"),
        (Method::POST, format!("{app}/dead-letters/forget"), json!({ "ids": ["7"] }), "ids[0]"),
    ] {
        let refused = operator.ask(method, &path, &body.to_string()).await;
        assert_eq!(refused.wrong_fields("bad-field"), [field], "{path} {body}");
    }
}

#[tokio::test]
async fn what_is_no_json_no_path_or_no_method_is_told_so() {
    let server = Server::with_app().await;
    let operator = server.operator();
    operator.ask(Method::PUT, &format!("/v1/apps/{APP}"), "{").await.refused(400, "bad-json");
    operator.ask(Method::PUT, &format!("/v1/apps/{APP}"), "[]").await.refused(400, "bad-field");
    operator.get("/v1/nothing").await.refused(404, "unknown-path");
    server.nobody().get("/v1/nothing").await.refused(404, "unknown-path");
    operator.delete("/v1/apps").await.refused(405, "method-not-allowed");
    operator.ask(Method::POST, "/v1/tuning", "{}").await.refused(405, "method-not-allowed");
}
