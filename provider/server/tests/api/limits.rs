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
    assert_eq!(full.headers["retry-after"], "5");
    let error = full.refused(429, "queue-full");
    assert_eq!(error["retry-after-secs"], 5);
    assert_eq!(error["message"], "the app has 2 recipients queued in this lane, and 2 may be");
    let mut urgent = to(&["cc"]);
    urgent["lane"] = json!("urgent");
    server.operator().post(&path, &urgent).await.expect(202);
}
