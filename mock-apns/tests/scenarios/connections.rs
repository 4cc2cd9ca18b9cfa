//! What becomes of connections and streams.

use std::time::Duration;

use crate::{RawProvider, ok, played, raw, refused, support::Seen};

const SHUTDOWN: &str = r#"GOAWAY 7 0 {"reason":"Shutdown"}"#;

/// Pushes so often, each after the answer to the one before.
async fn push_times(provider: &mut RawProvider, times: u32) {
    for _ in 0..times {
        let stream = provider.push().await;
        provider.until(&format!("HEADERS {stream} ")).await;
    }
}

/// Sends a push and a PING, and says whether the PING was answered: then so was the push, if it was to be.
async fn push_and_ping(provider: &mut RawProvider) -> bool {
    provider.push().await;
    provider.send_frame(6, 0, 0, b"are you?").await;
    provider.within(Duration::from_millis(300)).await.iter().any(|line| line.starts_with("PING 0x1"))
}

fn has(provider: &RawProvider, beginning: &str) -> bool {
    provider.seen.iter().any(|line| line.starts_with(beginning))
}

#[tokio::test]
async fn every_third_answer_is_lost_and_its_push_delivered() {
    let world = played("lost-answers").await;
    let mut provider = RawProvider::connect(&world.mock).await;
    push_times(&mut provider, 2).await;
    provider.push().await;
    provider.until("RST_STREAM 5 2").await;
    assert!(!has(&provider, "HEADERS 5"), "{:?}", provider.told());
    assert_eq!(world.count("Delivered to Device").await, 3);
}

#[tokio::test]
async fn goaway_leaves_out_the_fifth_push_which_a_new_connection_takes() {
    let (mock, mut provider) = raw("goaway-shutdown").await;
    push_times(&mut provider, 4).await;
    provider.push().await;
    provider.until("close_notify").await;
    assert!(has(&provider, SHUTDOWN) && !has(&provider, "HEADERS 9"), "{:?}", provider.told());
    let mut next = RawProvider::connect(&mock).await;
    push_times(&mut next, 1).await;
    assert!(next.told()[0].starts_with("HEADERS 1 0x5 :status=200"), "{:?}", next.told());
}

#[tokio::test]
async fn goaway_and_the_connection_stays_and_answers_no_push() {
    let (_mock, mut provider) = raw("goaway-and-silence").await;
    push_times(&mut provider, 4).await;
    provider.push().await;
    provider.until("GOAWAY").await;
    push_and_ping(&mut provider).await;
    assert!(has(&provider, SHUTDOWN) && !provider.is_over(), "{:?}", provider.told());
    assert!(!has(&provider, "HEADERS 9") && !has(&provider, "HEADERS 11"), "{:?}", provider.told());
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_two_seconds() {
    let (_mock, mut provider) = raw("idle-timeout").await;
    push_times(&mut provider, 1).await;
    provider.until("close_notify").await;
    assert!(has(&provider, r#"GOAWAY 1 0 {"reason":"IdleTimeout"}"#), "{:?}", provider.told());
}

#[tokio::test]
async fn a_connection_goes_dead_after_ten_pushes() {
    let (_mock, mut provider) = raw("half-open").await;
    push_times(&mut provider, 10).await;
    assert!(!push_and_ping(&mut provider).await && !provider.is_over(), "{:?}", provider.told());
}

#[tokio::test]
async fn there_is_one_stream_after_an_error_until_a_push_is_accepted() {
    let mut world = played("one-stream-after-an-error").await;
    assert_eq!(world.push().await, ok());
    let wrong = [("apns-push-type", "alert"), ("apns-priority", "7")];
    assert_eq!(world.push_with(&wrong, crate::ALERT).await, refused(400, "BadPriority"));
    let streams = |seen: &[Seen]| -> Vec<u32> {
        let of =
            |seen: &Seen| if let Seen::MaxConcurrentStreams(streams) = seen { Some(*streams) } else { None };
        seen.iter().filter_map(of).collect()
    };
    world.peer.read_until(|seen| streams(seen).len() >= 3).await;
    assert_eq!(streams(&world.peer.seen), [1, 1000, 1]);
    assert_eq!(world.push().await, ok());
    world.peer.read_until(|seen| streams(seen).len() >= 4).await;
    assert_eq!(streams(&world.peer.seen), [1, 1000, 1, 1000]);
}

#[tokio::test]
async fn some_pushes_are_to_be_sent_again_and_some_are_never_answered() {
    let (_mock, mut provider) = raw("busy").await;
    push_times(&mut provider, 1).await;
    for _ in 0..900 {
        provider.push().await;
    }
    provider.send_frame(6, 0, 0, b"all told").await;
    let seen = provider.until("PING 0x1").await;
    let count =
        |what: &str| seen.iter().filter(|line| line.starts_with("HEADERS") && line.contains(what)).count();
    let (busy, fine) = (count(":status=503"), count(":status=200"));
    assert!((5..50).contains(&busy), "{busy} of 901");
    assert_eq!(count("retry-after=5"), busy);
    assert!((880..901).contains(&(busy + fine)), "{} of 901 are answered", busy + fine);
}

#[tokio::test]
async fn a_connection_is_told_that_http_2_is_not_wanted() {
    let (_mock, mut provider) = raw("goaway-http11-required").await;
    provider.push().await;
    provider.until("close_notify").await;
    assert!(
        has(&provider, "GOAWAY 0 13 HTTP/1.1 only") && !has(&provider, "HEADERS"),
        "{:?}",
        provider.told()
    );
}

#[tokio::test]
async fn on_a_bad_day_each_thing_goes_wrong_at_its_time() {
    let mut world = played("bad-day").await;
    let delivered = "Delivered to Device";
    while world.count(delivered).await == 0 {
        world.push().await; // 2 % are answered 503
    }
    world.advance("1m").await;
    let before = world.count(delivered).await;
    world.push().await;
    assert_eq!(world.count(delivered).await, before, "the app is gone");
    world.advance("1m").await;
    let is_one = |seen: &[Seen]| seen.iter().filter(|it| **it == Seen::MaxConcurrentStreams(1)).count() == 2;
    assert!(is_one(world.peer.read_until(is_one).await), "the second comes two minutes after the beginning");
}
