//! Streams that are reset.

use crate::{push_with, world};

#[tokio::test]
async fn a_stream_is_reset_before_its_answer_or_behind_the_fields_or_within_the_body() {
    let seen = push_with(r#"{"reset-stream": {"code": "REFUSED_STREAM"}}"#, "RST_STREAM").await;
    assert_eq!(seen, ["RST_STREAM 3 7"]);
    let seen = push_with(r#"{"reset-stream": {"code": 4096, "at": "after-headers"}}"#, "RST_STREAM").await;
    let headers = "HEADERS 3 0x4 :status=200 apns-id=… apns-unique-id=… mock-apns-fault=f";
    assert_eq!(seen, [headers, "RST_STREAM 3 4096"]);

    let fault =
        r#"{"name": "f", "match": {"filter": "status:400"}, "action": {"reset-stream": {"at": "mid-body"}}}"#;
    let (_mock, mut provider) = world(fault).await;
    provider.push_with(&[("apns-priority", "7")], b"{}").await;
    provider.until("RST_STREAM").await;
    let told = provider.told();
    assert_eq!(told[1..], [r#"DATA 3 {"reason":"B"#, "RST_STREAM 3 2"]);
}

#[tokio::test]
async fn the_first_streams_are_refused_and_the_next_is_answered() {
    let fault = r#"{"name": "f", "times": 2, "action": {"reset-stream": {"code": "REFUSED_STREAM"}}}"#;
    let (_mock, mut provider) = world(fault).await;
    for _ in 0..3 {
        provider.push().await;
    }
    provider.until("HEADERS 7").await;
    let told = provider.told();
    assert_eq!(told[..2], ["RST_STREAM 3 7", "RST_STREAM 5 7"]);
    assert!(told[2].starts_with("HEADERS 7 0x5 :status=200"), "{told:?}");
}
