//! Checklist F: answers of every kind.

use apns_provider::core::{Outcome, Reason, Rejection, UnixTime};

use crate::world::World;

/// What one push is answered where this goes wrong; the connection goes on, as the push behind it shows.
async fn rejection(answer: &str) -> Rejection {
    let world = World::with(&[&format!(r#"{{"name":"f","times":1,"action":{{"answer":{answer}}}}}"#)]).await;
    let client = world.client();
    let outcome = world.send(&client).await;
    assert!(matches!(world.send(&client).await, Outcome::Accepted(_)), "{answer}: the connection goes on");
    assert_eq!(client.stats().connections_opened, 1, "{answer}");
    match outcome {
        Outcome::Rejected(rejection) => *rejection,
        other => panic!("{answer}: {other:?}"),
    }
}

#[tokio::test]
async fn c54_a_reason_that_nobody_knows_is_kept_and_the_status_decides() {
    for status in [400, 429, 503] {
        let rejection = rejection(&format!(r#"{{"status":{status},"reason":"BrandNew2027"}}"#)).await;
        assert_eq!(rejection.reason, Some(Reason::Unknown("BrandNew2027".into())));
        assert_eq!((rejection.status, rejection.advice.may_send_again()), (status, status > 400));
    }
}

#[tokio::test]
async fn c55_an_error_without_a_body_is_told_at_once() {
    let rejection = rejection(r#"{"status":503,"body":"none"}"#).await;
    assert_eq!((rejection.status, rejection.reason), (503, None));
}

#[tokio::test]
async fn c56_a_body_in_pieces_is_one() {
    let rejection =
        rejection(r#"{"status":403,"reason":"InvalidProviderToken","frame-bytes":1,"ends":"empty-data"}"#)
            .await;
    assert_eq!((rejection.status, rejection.reason), (403, Some(Reason::InvalidProviderToken)));
}

#[tokio::test]
async fn c57_a_hostile_body_costs_neither_memory_nor_the_status_nor_the_connection() {
    for body in [r#"{"bytes":10000000}"#, r#"{"text":"<html>busy</html>"}"#, r#"{"text":"{\"reason\":5}"}"#] {
        let rejection = rejection(&format!(r#"{{"status":503,"body":{body}}}"#)).await;
        assert_eq!(rejection.status, 503, "{body}");
    }
}

#[tokio::test]
async fn c58_the_timestamp_of_a_410_is_in_milliseconds() {
    let dead = rejection(r#"{"status":410,"timestamp":1700000000123}"#).await;
    assert_eq!(dead.unregistered_since, Some(UnixTime::from_millis(1_700_000_000_123)));
    let unsaid = rejection(r#"{"status":410,"no-timestamp":true}"#).await;
    assert_eq!(unsaid.unregistered_since, None);
}
