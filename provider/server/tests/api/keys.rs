//! API keys: what they may do, and that they end.

use serde_json::json;

use crate::server::{APP, Server, TOKEN};

#[tokio::test]
async fn a_role_lets_one_do_what_the_table_says_and_no_more() {
    let server = Server::with_app().await;
    let device = format!("/v1/apps/{APP}/devices/{TOKEN}");
    let body = json!({ "environment": "sandbox" });
    let send = server.with_key(&server.key_of("default", &["send"]).await);
    let error = send.put(&device, &body).await.refused(403, "not-allowed");
    assert!(error["message"].as_str().unwrap().contains("write-devices"), "{error}");
    let devices = server.with_key(&server.key_of("default", &["devices"]).await);
    devices.put(&device, &body).await.expect(201);
    devices.post(&format!("/v1/apps/{APP}/notifications"), &json!({})).await.refused(403, "not-allowed");
    devices.post("/v1/keys", &json!({ "label": "x", "roles": ["admin"] })).await.refused(403, "not-allowed");
}

#[tokio::test]
async fn nobody_makes_a_key_that_may_do_more() {
    let server = Server::start().await;
    let admin = server.with_key(&server.key_of("acme", &["admin"]).await);
    let made = admin.post("/v1/keys", &json!({ "label": "x", "roles": ["read", "operator"] })).await;
    assert_eq!(made.wrong_fields("bad-field"), ["roles[1]"]);
    let of_operator = json!({ "label": "x", "roles": ["admin"] });
    let made = server.operator().post("/v1/operator/keys", &of_operator).await;
    assert_eq!(made.wrong_fields("bad-field"), ["roles[0]"]);
    admin.post("/v1/operator/keys", &json!({})).await.refused(403, "not-allowed");
}

#[tokio::test]
async fn a_revoked_key_is_as_one_that_never_was() {
    let server = Server::start().await;
    let admin = server.with_key(&server.key_of("acme", &["admin"]).await);
    let made = admin.post("/v1/keys", &json!({ "label": "laptop", "roles": ["read"] })).await.expect(201);
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    server.with_key(key).get("/v1/apps").await.expect(200);
    admin.delete(&format!("/v1/keys/{id}")).await.expect(204);
    let revoked = server.with_key(key).get("/v1/apps").await.refused(401, "unauthorized");
    let unknown = apns_provider_server_core::api_key::ApiKeyText::from_random([7; 20]);
    let unknown = server.with_key(unknown.as_str()).get("/v1/apps").await.refused(401, "unauthorized");
    assert_eq!(revoked, unknown);
    let listed = admin.get("/v1/keys").await.expect(200);
    let key_listed = listed["keys"].as_array().unwrap().iter().find(|it| it["id"] == id).unwrap();
    assert!(key_listed["revoked-at"].is_string() && !listed.to_string().contains(key), "{listed}");
    admin.delete(&format!("/v1/keys/{id}")).await.refused(404, "unknown-key");
}

#[tokio::test]
async fn a_key_does_not_revoke_itself() {
    let server = Server::start().await;
    let keys = server.operator().get("/v1/operator/keys").await.expect(200);
    let id = keys["keys"][0]["id"].as_str().unwrap();
    server.operator().delete(&format!("/v1/operator/keys/{id}")).await.refused(409, "conflict");
}

#[tokio::test]
async fn what_is_no_key_is_told_apart_from_none() {
    let server = Server::start().await;
    for (value, told) in [
        ("Basic abc", "`Bearer`"),
        ("Bearer", "`Bearer`"),
        ("Bearer apns_x", "no API key"),
        ("Bearer secret", "no API key"),
    ] {
        let error = server.nobody().field("authorization", value).get("/v1/apps").await;
        let error = error.refused(401, "unauthorized");
        assert!(error["message"].as_str().unwrap().contains(told), "{value}: {error}");
    }
}

#[tokio::test]
async fn each_change_is_in_the_audit_log_with_whose_key_it_was() {
    let server = Server::with_app().await;
    let admin = server.with_key(&server.key_of("default", &["admin"]).await);
    admin.post(&format!("/v1/apps/{APP}/pause"), &json!({})).await.expect(200);
    let audit = admin.get("/v1/audit?limit=1").await.expect(200);
    let entry = &audit["entries"][0];
    assert_eq!((&entry["action"], &entry["subject"]), (&json!("app.paused"), &json!(APP)));
    let keys = admin.get("/v1/keys").await.expect(200);
    let id = &keys["keys"][0]["id"];
    assert_eq!(entry["actor"], json!({ "who": "key", "id": id, "label": "a key" }));
    let next = audit["next"].as_str().unwrap();
    let older = admin.get(&format!("/v1/audit?after={next}")).await.expect(200);
    let actions: Vec<_> =
        older["entries"].as_array().unwrap().iter().map(|it| it["action"].clone()).collect();
    assert_eq!(actions, ["key.made", "credential.changed", "app.changed"]);
    let whole = older.to_string();
    assert!(!whole.contains("PRIVATE KEY") && !whole.contains("apns_"), "{whole}");
    let of_operator = server.operator().get("/v1/operator/audit").await.expect(200);
    assert_eq!(of_operator["entries"][0]["action"], "tenant.changed");
}
