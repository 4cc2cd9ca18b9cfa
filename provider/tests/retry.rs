//! A push that does not go through at first: what the double sees of the attempts, and what the caller gets.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

use std::time::Duration;

use apns_certs::Purpose;
use apns_provider::{
    Client, ClientBuilder, Credential, Endpoint,
    core::{
        AlertNotification, Ambiguity, AmbiguousPushes, BundleId, DeviceToken, Notification, Outcome,
        RetryPolicy,
    },
};
use mock_apns::{FaultGuard, Filter, MockApns};

/// As the usual policy, a hundred times faster.
fn quick() -> RetryPolicy {
    RetryPolicy::new(5, Duration::from_millis(10), Duration::from_secs(9)).unwrap()
}

fn builder(mock: &MockApns) -> ClientBuilder {
    let ready_made = mock.ready_made();
    let key = &ready_made.keys[0];
    Client::builder(Endpoint::custom("localhost", mock.sandbox().port()).unwrap())
        .ca_pem(mock.certificates().authority().root_pem(Purpose::Server).as_bytes())
        .credential(Credential::from_p8(key.key.to_p8().as_bytes(), key.key_id, ready_made.team_id).unwrap())
        .retry(quick())
}

fn hello() -> Notification {
    AlertNotification::new(BundleId::parse("com.example.app").unwrap()).alert("Hello").build().unwrap()
}

fn token(mock: &MockApns) -> DeviceToken {
    DeviceToken::from_hex(&mock.ready_made().device_token("sandbox").unwrap().token).unwrap()
}

/// A double where this goes wrong.
async fn world(fault: &str) -> (MockApns, FaultGuard) {
    let mock = MockApns::start().await.unwrap();
    let fault = mock.team().fault(fault.parse().unwrap()).unwrap();
    (mock, fault)
}

/// The `apns-id` of each push that the double has seen.
fn seen(mock: &MockApns) -> Vec<String> {
    mock.team().pushes(&Filter::default()).into_iter().map(|push| push.apns_id).collect()
}

#[tokio::test]
async fn c48_a_busy_service_is_asked_again_with_the_same_apns_id() {
    let (mock, busy) = world(r#"{"name":"busy","times":3,"action":{"answer":{"status":503}}}"#).await;
    let client = builder(&mock).build().unwrap();
    let outcome = client.send(hello(), token(&mock)).await;
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    assert_eq!((busy.fired(), client.stats().retries), (3, 3));
    let ids = seen(&mock);
    assert_eq!((ids.len(), ids.iter().all(|id| *id == ids[0])), (4, true), "C-45: {ids:?}");
}

#[tokio::test]
async fn c47_a_refusal_is_final() {
    let (mock, wrong) =
        world(r#"{"name":"wrong","action":{"answer":{"status":400,"reason":"BadTopic"}}}"#).await;
    let client = builder(&mock).build().unwrap();
    let Outcome::Rejected(rejection) = client.send(hello(), token(&mock)).await else { panic!() };
    assert_eq!((rejection.status, wrong.fired(), client.stats().retries), (400, 1, 0));
}

#[tokio::test]
async fn c34_what_a_goaway_leaves_out_is_sent_again_once() {
    let left_out =
        r#"{"name":"over","times":1,"action":{"goaway":{"reason":"Shutdown","last-stream":"before"}}}"#;
    let (mock, _over) = world(left_out).await;
    let client = builder(&mock).build().unwrap();
    let outcome = client.send(hello(), token(&mock)).await;
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    assert_eq!((client.stats().connections_opened, client.stats().retries), (2, 1));
}

#[tokio::test]
async fn c37_a_refused_stream_is_opened_again() {
    let refused = r#"{"name":"cut","times":1,"action":{"reset-stream":{"code":"REFUSED_STREAM"}}}"#;
    let (mock, _cut) = world(refused).await;
    let client = builder(&mock).build().unwrap();
    assert!(matches!(client.send(hello(), token(&mock)).await, Outcome::Accepted(_)));
    assert_eq!(client.stats().retries, 1);
}

#[tokio::test]
async fn c46_an_answer_that_is_lost_is_the_policys_to_decide() {
    let lost = r#"{"name":"lost","times":1,"action":{"reset-stream":{"code":"INTERNAL_ERROR"}}}"#;
    let (mock, _lost) = world(lost).await;
    let client = builder(&mock).build().unwrap();
    assert!(matches!(client.send(hello(), token(&mock)).await, Outcome::Accepted(_)));
    assert_eq!(seen(&mock).len(), 2, "at least once: twice");

    let (mock, _lost) = world(lost).await;
    let once = quick().with_ambiguous_pushes(AmbiguousPushes::Report);
    let client = builder(&mock).retry(once).build().unwrap();
    let outcome = client.send(hello(), token(&mock)).await;
    assert!(matches!(outcome, Outcome::Ambiguous(Ambiguity::StreamReset { .. })), "{outcome:?}");
    assert_eq!(seen(&mock).len(), 1, "at most once");
}

#[tokio::test]
async fn c51_retry_after_beyond_the_deadline_ends_it_at_once() {
    let (mock, busy) =
        world(r#"{"name":"busy","action":{"answer":{"status":503,"retry-after":3600}}}"#).await;
    let client = builder(&mock).build().unwrap();
    let Outcome::Rejected(rejection) = client.send(hello(), token(&mock)).await else { panic!() };
    assert_eq!((rejection.status, busy.fired()), (503, 1));
}

#[tokio::test]
async fn c53_when_everything_fails_retries_do_not_multiply_the_load() {
    let (mock, busy) = world(r#"{"name":"busy","action":{"answer":{"status":503}}}"#).await;
    let client = builder(&mock).timeout(Duration::from_secs(3)).build().unwrap();
    let (hello, token) = (std::sync::Arc::new(hello()), token(&mock));
    let sends = (0..200).map(|_| client.send(std::sync::Arc::clone(&hello), token.clone()));
    let outcomes = futures::future::join_all(sends).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Rejected(_))));
    // The reserve of ten, a tenth of two hundred, and one for each second that it takes.
    assert!((200..250).contains(&busy.fired()), "{}", busy.fired());
}
