//! Whether it runs, and is ready; the first start.

use apns_provider_server::startup;
use serde_json::json;

use crate::server::{Server, config, now};

#[tokio::test]
async fn it_is_ready_until_it_drains_and_says_why_not() {
    let server = Server::start().await;
    server.nobody().get("/livez").await.expect(204);
    let ready = server.nobody().get("/readyz").await.expect(200);
    assert_eq!(ready, json!({ "is-ready": true, "reasons": [], "notes": [] }));
    server.api.drain();
    let ready = server.nobody().get("/readyz").await.expect(503);
    assert_eq!(ready["reasons"], json!(["it is about to stop"]));
    server.nobody().get("/livez").await.expect(204);
    let refused = server.operator().put("/v1/tenants/acme", &json!({})).await;
    assert_eq!(refused.headers["retry-after"], "5");
    refused.refused(503, "draining");
    server.operator().get("/v1/tenants").await.expect(200);
}

#[tokio::test]
async fn a_closed_database_is_not_ready_and_what_it_says_is_nobodys_business() {
    let server = Server::start().await;
    server.store.close().await;
    let ready = server.nobody().get("/readyz").await.expect(503);
    assert_eq!(ready["reasons"], json!(["the database does not do what it is asked"]));
    server.operator().get("/v1/apps").await.refused(503, "draining");
}

#[tokio::test]
async fn it_stops_when_it_is_told_to() {
    let server = Server::start().await;
    server.stop.send(true).unwrap();
    server.ended.await.unwrap();
}

#[tokio::test]
async fn the_first_key_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &[]);
    let first = startup::start(&config, now()).await.unwrap();
    assert!(first.first_key.is_some());
    first.store.close().await;
    let second = startup::start(&config, now()).await.unwrap();
    assert!(second.first_key.is_none());
}

#[tokio::test]
async fn metrics_want_an_observer() {
    let server = Server::start().await;
    let new = json!({ "label": "prometheus", "roles": ["observer"] });
    let observer = server.operator().post("/v1/operator/keys", &new).await.expect(201);
    let observer = server.with_key(observer["key"].as_str().unwrap());
    assert_eq!(observer.get("/metrics").await.status, 200);
    observer.get("/v1/operator/queue").await.expect(200);
    observer.get("/v1/apps").await.refused(403, "not-allowed");
    observer.get("/v1/tenants").await.refused(403, "not-allowed");
}
