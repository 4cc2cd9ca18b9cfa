//! What is too much is refused, and by its name.

use http::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::server::{APP, Server, TOKEN};

#[tokio::test]
async fn a_body_is_as_large_as_its_path_takes() {
    let server = Server::with_app().await;
    let large = format!("\"{}\"", "x".repeat(40 * 1024));
    let device = format!("/v1/apps/{APP}/devices/{TOKEN}");
    let error = server.operator().ask(Method::PUT, &device, &large).await.refused(413, "body-too-large");
    assert_eq!(error["message"], "the body is 40962 bytes, and may be 32768 bytes");
    let template = format!("/v1/apps/{APP}/templates/t");
    server.operator().ask(Method::PUT, &template, &large).await.refused(400, "bad-field");
}

#[tokio::test]
async fn as_many_requests_are_answered_at_once_as_may_be() {
    let server = Server::with(&["--requests-max", "1"]).await;
    // A request whose body does not come holds the only place.
    let mut waiting = TcpStream::connect(server.address).await.unwrap();
    let key = server.key_of("default", &["admin"]).await;
    let head = format!(
        "PUT /v1/apps/{APP} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n"
    );
    waiting.write_all(head.as_bytes()).await.unwrap();
    let mut told = [0; 12];
    waiting.read_exact(&mut told).await.unwrap();
    assert_eq!(&told, b"HTTP/1.1 100", "its body is being read");
    let refused = server.operator().get("/v1/apps").await;
    assert_eq!(refused.headers["retry-after"], "1");
    refused.refused(503, "overloaded");
    server.nobody().get("/livez").await.expect(204);
    waiting.write_all(b"{}").await.unwrap();
    let mut rest = vec![0; 64];
    let read = waiting.read(&mut rest).await.unwrap();
    assert!(read > 0);
}

#[tokio::test]
async fn a_head_has_a_limit() {
    let server = Server::start().await;
    let many = (0..70).fold(server.operator(), |asker, at| asker.field(&format!("x-{at}"), "x"));
    assert_eq!(many.get("/v1/apps").await.status, 431);
    let long = server.operator().field("x-long", &"x".repeat(300 * 1024));
    assert_eq!(long.get("/v1/apps").await.status, 431);
}

#[tokio::test]
async fn notifications_are_not_taken_while_an_operator_says_so() {
    let server = Server::with_app().await;
    let operator = server.operator();
    operator.put("/v1/tuning", &json!({ "takes-notifications": false })).await.expect(200);
    let path = format!("/v1/apps/{APP}/notifications");
    let audience = json!({ "tokens": ["aa"], "environment": "sandbox" });
    let one = json!({ "message": { "payload": { "aps": { "alert": "x" } } }, "audience": audience });
    let refused = operator.post(&path, &one).await;
    assert_eq!(refused.headers["retry-after"], "60");
    refused.refused(503, "not-taking");
    operator.put("/v1/tuning", &json!({ "takes-notifications": true })).await.expect(200);
    operator.post(&path, &one).await.expect(202);
    assert_eq!(operator.get("/v1/queue").await.expect(200)["queues"][0]["depth"], 1);
}

#[tokio::test]
async fn a_full_queue_asks_to_come_back() {
    let server = Server::with_app().await;
    server.operator().put(&format!("/v1/apps/{APP}"), &json!({ "queue-max": 2 })).await.expect(200);
    let path = format!("/v1/apps/{APP}/notifications");
    let to = |tokens: &[&str]| {
        let audience = json!({ "tokens": tokens, "environment": "sandbox" });
        json!({ "message": { "payload": { "aps": { "alert": "x" } } }, "audience": audience })
    };
    server.operator().post(&path, &to(&["aa", "bb"])).await.expect(202);
    let full = server.operator().post(&path, &to(&["cc"])).await;
    assert_eq!(full.headers["retry-after"], "1");
    let error = full.refused(429, "queue-full");
    assert_eq!(error["retry-after-secs"], 1);
    let message = "the app has 2 recipients queued in this lane, and 2 may be; these are 1 more";
    assert_eq!(error["message"], message);
    let mut urgent = to(&["cc"]);
    urgent["lane"] = json!("urgent");
    server.operator().post(&path, &urgent).await.expect(202);
}

#[tokio::test]
async fn c76_more_pushes_than_an_app_or_a_user_may_have_are_answered_with_when_to_come_back() {
    let server = Server::with_app().await;
    let operator = server.operator();
    let app = format!("/v1/apps/{APP}");
    let settings = json!({
        "pushes": { "count": 3, "within-secs": 60 }, "pushes-per-user": { "count": 1, "within-secs": 3600 },
        "background-per-device": { "count": 1, "within-secs": 1200 },
    });
    assert_eq!(operator.put(&app, &settings).await.expect(200)["settings"], settings);
    assert_eq!(operator.get(&app).await.expect(200)["settings"], settings);

    let device = json!({ "environment": "sandbox", "user": "ada" });
    operator.put(&format!("{app}/devices/{TOKEN}"), &device).await.expect(201);
    let to =
        |audience| json!({ "message": { "payload": { "aps": { "alert": "x" } } }, "audience": audience });
    let path = format!("{app}/notifications");
    let for_ada = to(json!({ "users": ["ada"] }));
    let with_key = operator.clone().field("idempotency-key", "k");
    let first = with_key.post(&path, &for_ada).await.expect(202);
    let refused = operator.post(&path, &for_ada).await;
    assert_eq!(refused.headers["retry-after"], "3600");
    let error = refused.refused(429, "rate-limited");
    let message = "there may be 1 notifications to one user within 3600s, and there were to ada";
    assert_eq!(error["message"], message);
    assert_eq!(with_key.post(&path, &for_ada).await.expect(202), first, "a repetition is none");

    let to_tokens = to(json!({ "tokens": ["aa", "bb"], "environment": "sandbox" }));
    operator.post(&path, &to_tokens).await.expect(202);
    let refused = operator.post(&path, &to_tokens).await;
    let secs: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((38..=40).contains(&secs), "{secs}");
    refused.refused(429, "rate-limited");
    assert_eq!(
        operator.get("/v1/queue").await.expect(200)["queues"][0]["depth"],
        3,
        "nothing of it was kept"
    );
}

#[tokio::test]
async fn c76_a_tenants_requests_have_a_rate_and_the_operators_have_none() {
    let server = Server::start().await;
    let key = server.key_of("acme", &["admin"]).await;
    let settings = json!({ "requests": { "count": 2, "within-secs": 60 } });
    let put = server.operator().put("/v1/tenants/acme", &settings).await.expect(200);
    assert_eq!(put["settings"], settings);
    let acme = server.with_key(&key);
    acme.get("/v1/apps").await.expect(200);
    acme.get("/v1/apps").await.expect(200);
    let refused = acme.get("/v1/apps").await;
    assert_eq!(refused.headers["retry-after"], "30");
    let error = refused.refused(429, "rate-limited");
    assert_eq!(error["message"], "there may be 2 requests of this tenant within 60s, and there were");
    server.operator().field("apns-tenant", "acme").get("/v1/apps").await.expect(200);
    let other = server.key_of("zebra", &["admin"]).await;
    server.with_key(&other).get("/v1/apps").await.expect(200);
}
