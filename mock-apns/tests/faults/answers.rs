//! Answers: their status, body, form and speed.

use std::time::Duration;

use crate::{RawProvider, always, push_with, raw_provider::RST_STREAM, world};

const IDS: &str = "apns-id=… apns-unique-id=…";

/// A 503 without anything special, as it goes out.
fn busy() -> [String; 2] {
    [
        format!("HEADERS 3 0x4 :status=503 {IDS} mock-apns-fault=f"),
        r#"DATA 3 0x1 {"reason":"ServiceUnavailable"}"#.to_owned(),
    ]
}

#[tokio::test]
async fn a_status_has_its_reason_in_apples_form() {
    assert_eq!(push_with(r#"{"answer": {"status": 503}}"#, "DATA").await, busy());
}

#[tokio::test]
async fn a_reason_nobody_knows_and_a_410_of_any_time() {
    let seen = push_with(r#"{"answer": {"status": 418, "reason": "Teapot"}}"#, "DATA").await;
    assert_eq!(seen[1], r#"DATA 3 0x1 {"reason":"Teapot"}"#);
    let seen = push_with(r#"{"answer": {"status": 410, "timestamp": 7}}"#, "DATA").await;
    assert_eq!(seen[1], r#"DATA 3 0x1 {"reason":"Unregistered","timestamp":7}"#);
    let seen = push_with(r#"{"answer": {"status": 410, "no-timestamp": true}}"#, "DATA").await;
    assert_eq!(seen[1], r#"DATA 3 0x1 {"reason":"Unregistered"}"#);
}

#[tokio::test]
async fn retry_after_is_seconds_or_a_date() {
    let seen = push_with(r#"{"answer": {"status": 503, "retry-after": 5}}"#, "DATA").await;
    assert!(seen[0].contains(" retry-after=5 "), "{seen:?}");
    let seen = push_with(r#"{"answer": {"status": 429, "retry-after": {"date-in": "1h"}}}"#, "DATA").await;
    assert!(seen[0].contains(" retry-after=") && seen[0].contains(" GMT "), "{seen:?}");
}

#[tokio::test]
async fn a_body_is_missing_or_no_json_or_huge() {
    let seen = push_with(r#"{"answer": {"status": 503, "body": "none"}}"#, "HEADERS").await;
    assert_eq!(seen, [format!("HEADERS 3 0x5 :status=503 {IDS} mock-apns-fault=f")]);
    let seen =
        push_with(r#"{"answer": {"status": 502, "body": {"text": "<h1>Bad Gateway</h1>"}}}"#, "DATA").await;
    assert_eq!(seen[1], "DATA 3 0x1 <h1>Bad Gateway</h1>");
    let seen = push_with(r#"{"answer": {"status": 503, "body": {"base64": "e//+fQ=="}}}"#, "DATA").await;
    assert_eq!(seen[1], "DATA 3 0x1 {\u{fffd}\u{fffd}}");

    let (_mock, mut provider) =
        world(&always(r#"{"answer": {"status": 503, "body": {"bytes": 10485760}}}"#)).await;
    provider.send_frame(8, 0, 0, &(1u32 << 30).to_be_bytes()).await;
    let stream = provider.push().await;
    provider.send_frame(8, 0, stream, &(1u32 << 30).to_be_bytes()).await;
    let seen = provider.until("DATA 3 0x1").await;
    let bytes: usize = seen.iter().filter_map(|it| it.strip_prefix("DATA 3").map(str::len)).sum();
    assert!(seen.len() > 640 && bytes < 10_485_760 + 10 * seen.len(), "{bytes} in {}", seen.len());
}

#[tokio::test]
async fn a_body_comes_byte_by_byte() {
    let seen = push_with(r#"{"answer": {"reason": "BadTopic", "frame-bytes": 1}}"#, "DATA 3 0x1").await;
    let body: String = seen[1..].iter().map(|line| &line[line.len() - 1..]).collect();
    assert_eq!((seen.len(), body.as_str()), (1 + 21, r#"{"reason":"BadTopic"}"#));
    assert!(seen[1..21].iter().all(|line| line.starts_with("DATA 3 ") && !line.starts_with("DATA 3 0x1")));
}

#[tokio::test]
async fn an_answer_ends_with_an_empty_frame_or_with_trailers_or_not_at_all() {
    let [headers, data] = busy();
    let open = data.replace(" 0x1", "");
    let seen = push_with(r#"{"answer": {"status": 503, "ends": "empty-data"}}"#, "DATA 3 0x1").await;
    assert_eq!(seen, [headers.clone(), open.clone(), "DATA 3 0x1".to_owned()]);
    let seen =
        push_with(r#"{"answer": {"status": 503, "trailers": {"x-late": "1"}}}"#, "HEADERS 3 0x5").await;
    assert_eq!(seen, [headers.clone(), open.clone(), "HEADERS 3 0x5 x-late=1".to_owned()]);

    let (_mock, mut provider) = world(&always(r#"{"answer": {"status": 503, "ends": "never"}}"#)).await;
    provider.push().await;
    provider.until("DATA 3").await;
    provider.within(Duration::from_millis(200)).await;
    assert_eq!(provider.told(), [headers, open]);
}

#[tokio::test]
async fn interim_answers_come_before_it() {
    let seen = push_with(r#"{"answer": {"interim": [100, 103]}}"#, "HEADERS 3 0x5").await;
    let fault = "mock-apns-fault=f";
    assert_eq!(
        seen,
        [
            "HEADERS 3 0x4 :status=100".to_owned(),
            "HEADERS 3 0x4 :status=103".to_owned(),
            format!("HEADERS 3 0x5 :status=200 {IDS} {fault}")
        ]
    );
}

#[tokio::test]
async fn a_content_length_is_wrong_and_a_name_is_in_upper_case() {
    let seen = push_with(r#"{"answer": {"status": 503, "content-length": 5}}"#, "DATA").await;
    assert!(seen[0].contains(" content-length=5 ") && seen[1].len() > 20, "{seen:?}");
    let seen = push_with(r#"{"answer": {"headers": {"Apns-Whatever": "1"}}}"#, "HEADERS").await;
    assert!(seen[0].contains(" Apns-Whatever=1 "), "{seen:?}");
}

/// When the line came that begins like this.
fn came(provider: &RawProvider, beginning: &str) -> std::time::Instant {
    let skipped = provider.times.len() - provider.seen.len();
    let at = provider.seen.iter().position(|line| line.starts_with(beginning)).unwrap();
    provider.times[skipped + at]
}

#[tokio::test]
async fn fields_and_body_come_late() {
    let delays = r#"{"answer": {"status": 503, "delay": "300ms", "body-delay": "400ms"}}"#;
    let (_mock, mut provider) = world(&always(delays)).await;
    let begun = std::time::Instant::now();
    provider.push().await;
    provider.until("DATA 3").await;
    let (headers, data) = (came(&provider, "HEADERS 3"), came(&provider, "DATA 3"));
    assert!(headers - begun >= Duration::from_millis(300), "{:?}", headers - begun);
    // Whoever reads is woken late now and then; the double waits at least as long as it says.
    assert!(data - begun >= Duration::from_millis(700), "{:?}", data - begun);
}

#[tokio::test]
async fn a_body_drips() {
    let drip = r#"{"answer": {"status": 503, "bytes-per-second": 60}}"#;
    let (_mock, mut provider) = world(&always(drip)).await;
    let begun = std::time::Instant::now();
    provider.push().await;
    provider.until("DATA 3 0x1").await;
    let took = came(&provider, "DATA 3 0x1") - begun;
    // 31 bytes, six at a time, a tenth of a second apart.
    assert!((Duration::from_millis(490)..Duration::from_secs(10)).contains(&took), "{took:?}");
    assert_eq!(provider.told().len(), 1 + 6);
}

#[tokio::test]
async fn an_answer_comes_after_the_client_gave_up() {
    let (_mock, mut provider) = world(&always(r#"{"answer": {"status": 503, "after-reset": true}}"#)).await;
    let stream = provider.push().await;
    assert!(
        provider.within(Duration::from_millis(200)).await.iter().all(|line| !line.starts_with("HEADERS"))
    );
    provider.send_frame(RST_STREAM, 0, stream, &8u32.to_be_bytes()).await;
    provider.until("DATA 3").await;
    assert_eq!(provider.told(), busy());
    provider.push().await;
}

#[tokio::test]
async fn answers_come_in_reverse() {
    let (_mock, mut provider) = world(&always(r#"{"answer": {"reversed": 3}}"#)).await;
    for _ in 0..3 {
        provider.push().await;
    }
    provider.until("HEADERS 3").await;
    let streams: Vec<&str> = provider.told().iter().map(|line| &line[..9]).collect();
    assert_eq!(streams, ["HEADERS 7", "HEADERS 5", "HEADERS 3"]);
}

#[tokio::test]
async fn there_is_no_answer_and_the_connection_goes_on() {
    let (_mock, mut provider) = world(r#"{"name": "f", "times": 1, "action": "no-answer"}"#).await;
    provider.push().await;
    provider.push().await;
    provider.until("HEADERS 5").await;
    assert!(provider.told().iter().all(|line| !line.starts_with("HEADERS 3")), "{:?}", provider.told());
}
