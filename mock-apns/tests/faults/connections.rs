//! Connections: how they are told to go, how they end, and how they stop without an end.

use std::time::{Duration, Instant};

use crate::{RawProvider, always, push_with, world};

const SHORT: Duration = Duration::from_millis(200);

fn answered(stream: u32) -> String {
    format!("HEADERS {stream} 0x5 :status=200 apns-id=… apns-unique-id=… mock-apns-fault=f")
}

#[tokio::test]
async fn goaway_has_apples_form_and_a_second_one_behind_it() {
    let seen = push_with(r#"{"goaway": {"reason": "Shutdown"}}"#, "close_notify").await;
    assert_eq!(seen, [r#"GOAWAY 3 0 {"reason":"Shutdown"}"#, "GOAWAY 3 0", &answered(3), "close_notify"]);
}

#[tokio::test]
async fn goaway_has_any_code_last_stream_and_debug_data_and_the_connection_may_stay() {
    let stay =
        r#"{"goaway": {"code": "ENHANCE_YOUR_CALM", "last-stream": 1, "debug": "calm", "then": "stay"}}"#;
    let (_mock, mut provider) = world(&always(stay)).await;
    provider.push().await;
    provider.push().await;
    provider.within(SHORT).await;
    assert_eq!(provider.told(), ["GOAWAY 1 11 calm"], "and nothing is answered any more");
}

#[tokio::test]
async fn goaway_leaves_out_the_request_at_which_it_happens() {
    let seen = push_with(r#"{"goaway": {"last-stream": "before"}}"#, "close_notify").await;
    assert_eq!(seen, ["GOAWAY 1 0", "GOAWAY 1 0", "close_notify"]);
    let seen = push_with(r#"{"goaway": {"last-stream": "zero"}}"#, "close_notify").await;
    assert_eq!(seen, ["GOAWAY 0 0", "GOAWAY 0 0", "close_notify"]);
}

#[tokio::test]
async fn a_graceful_goaway_says_the_highest_stream_first_and_drains() {
    let graceful = r#"{"goaway": {"reason": "Shutdown", "graceful": "300ms", "then": "drain"}}"#;
    let (_mock, mut provider) = world(&format!(r#"{{"name": "f", "times": 1, "action": {graceful}}}"#)).await;
    provider.push().await;
    provider.until("HEADERS 3").await;
    provider.push().await; // in time
    provider.until("close_notify").await;
    let told = provider.told();
    assert_eq!(told[..2], [r#"GOAWAY 2147483647 0 {"reason":"Shutdown"}"#, &answered(3)]);
    assert!(told[2].starts_with("HEADERS 5 0x5 :status=200"), "{told:?}");
    assert_eq!(told[3..], [r#"GOAWAY 5 0 {"reason":"Shutdown"}"#, "close_notify"]);
}

#[tokio::test]
async fn a_connection_ends_without_goaway() {
    assert_eq!(push_with(r#""close""#, "close_notify").await, ["close_notify"]);
    assert_eq!(push_with(r#"{"close": {"how": "fin"}}"#, "FIN").await, ["FIN"]);
    assert_eq!(push_with(r#"{"close": {"how": "reset"}}"#, "RST").await, ["RST"]);
}

#[tokio::test]
async fn a_connection_is_closed_after_so_many_streams() {
    let fault = r#"{"name": "f", "match": {"stream": 3}, "action": {"close": {"answered": true}}}"#;
    let (_mock, mut provider) = world(fault).await;
    provider.push().await;
    provider.push().await;
    provider.until("close_notify").await;
    let told = provider.told();
    assert!(told[0].starts_with("HEADERS 3 0x5 :status=200"), "{told:?}");
    assert_eq!(told[1..], [&answered(5), "close_notify"]);
}

#[tokio::test]
async fn a_half_open_connection_answers_nothing_until_it_does_again() {
    let (_mock, mut provider) = world(&always(r#"{"stall": {"for": "500ms", "takes-effect": true}}"#)).await;
    let begun = Instant::now();
    provider.push().await;
    provider.send_frame(6, 0, 0, b"are you?").await;
    provider.until("PING 0x1 are you?").await;
    assert!(begun.elapsed() >= Duration::from_millis(500), "{:?}", begun.elapsed());

    let (_mock, mut provider) = world(&always(r#""stall""#)).await;
    provider.push().await;
    provider.send_frame(6, 0, 0, b"are you?").await;
    assert_eq!(provider.within(SHORT).await, [""; 0]);
}

#[tokio::test]
async fn a_connection_that_reads_nothing_takes_what_the_kernel_takes() {
    let (_mock, mut provider) = world(&always(r#"{"stall": {"writes": false}}"#)).await;
    provider.push().await;
    provider.until("HEADERS 3").await;
    provider.send_frame(6, 0, 0, b"are you?").await;
    provider.within(SHORT).await;
    assert_eq!(provider.told(), [answered(3)]);
}

#[tokio::test]
async fn window_is_withheld_of_the_connection_or_its_streams() {
    let fault = |of: &str| {
        always(&format!(r#"{{"withhold-window": {{"of": "{of}"}}}}"#))
            .replace("\"action\"", "\"on\": \"request\", \"action\"")
    };
    for (of, expected) in [("connection", false), ("both", false), ("streams", true)] {
        let (_mock, mut provider) = world(&fault(of)).await;
        provider.push().await;
        for _ in 0..12 {
            provider.push_with(&[], &[b' '; 5000]).await;
        }
        provider.send_frame(6, 0, 0, b"all read").await;
        let seen = provider.until("PING 0x1").await;
        let granted = seen.iter().any(|line| line.starts_with("WINDOW_UPDATE "));
        assert_eq!(granted, expected, "{of}: {seen:?}");
    }
}

#[tokio::test]
async fn settings_change_in_mid_connection() {
    let changes = r#"{"settings": {"header-table-size": 0, "max-concurrent-streams": 0, "initial-window-size": 100,
        "max-frame-size": 16777215, "max-header-list-size": 1000}}"#;
    let (_mock, mut provider) = world(&always(changes)).await;
    provider.push().await;
    let seen = provider.until("HEADERS 3").await;
    assert_eq!(seen, ["SETTINGS 1=0 3=0 4=100 5=16777215 6=1000", &answered(3)]);
}

#[tokio::test]
async fn streams_go_from_1000_to_1_to_0_to_500() {
    let step = |at: u32, streams: u32| {
        let action = format!(r#"{{"settings": {{"max-concurrent-streams": {streams}}}}}"#);
        format!(r#"{{"name": "to-{streams}", "match": {{"stream": {at}}}, "action": {action}}}"#)
    };
    let (mock, mut provider) = world(&step(2, 1)).await;
    for (at, streams) in [(3, 0), (4, 500)] {
        crate::Control::of(&mock).post("/v1/faults", &step(at, streams)).await.expect(201);
    }
    for stream in [3, 5, 7] {
        provider.push().await;
        provider.until(&format!("HEADERS {stream}")).await;
    }
    let settings: Vec<&String> = provider.seen.iter().filter(|line| line.starts_with("SETTINGS 3")).collect();
    assert_eq!(settings, ["SETTINGS 3=1", "SETTINGS 3=0", "SETTINGS 3=500"]);
}

#[tokio::test]
async fn the_first_settings_are_late() {
    let mock = mock_apns::MockApns::start().await.unwrap();
    let fault = r#"{"name": "f", "on": "connection", "action": {"stall": {"reads": false, "for": "500ms"}}}"#;
    crate::Control::of(&mock).post("/v1/faults?everyone=true", fault).await.expect(201);
    let begun = Instant::now();
    let mut provider = RawProvider::connect(&mock).await;
    let seen = provider.until("SETTINGS 0x1").await;
    assert!(begun.elapsed() >= Duration::from_millis(500), "{:?}", begun.elapsed());
    assert!(seen[0].starts_with("SETTINGS 1=4096 3=1 "), "{seen:?}");
}

#[tokio::test]
async fn pings_are_not_answered_or_come_in_floods() {
    let (_mock, mut provider) =
        world(&always(r#""ignore-pings""#).replace("\"action\"", "\"on\": \"request\", \"action\"")).await;
    provider.push().await;
    provider.send_frame(6, 0, 0, b"are you?").await;
    provider.push().await;
    let seen = provider.until("HEADERS 5").await;
    assert!(seen.iter().all(|line| !line.starts_with("PING")), "{seen:?}");

    let flood =
        always(r#"{"ping": {"count": 1000}}"#).replace("\"action\"", "\"on\": \"request\", \"action\"");
    let (_mock, mut provider) = world(&flood).await;
    provider.push().await;
    let seen = provider.until("HEADERS 3").await;
    assert_eq!(seen.iter().filter(|line| line.starts_with("PING")).count(), 1000);
}

#[tokio::test]
async fn an_idle_connection_is_told_so() {
    let fault = always(r#"{"idle-timeout": {"after": "300ms"}}"#)
        .replace("\"action\"", "\"on\": \"request\", \"action\"");
    let (_mock, mut provider) = world(&fault).await;
    provider.push().await;
    provider.until("HEADERS 3").await;
    let begun = Instant::now();
    provider.until("close_notify").await;
    assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
    let idle = r#"GOAWAY 3 0 {"reason":"IdleTimeout"}"#;
    assert_eq!(provider.told(), [&answered(3), idle, "GOAWAY 3 0", "close_notify"]);
}

#[tokio::test]
async fn there_is_a_cap_on_connections() {
    let fault = r#"{"name": "cap", "on": "connection", "match": {"open-connections": 1},
        "action": {"goaway": {"debug": "too many connections", "last-stream": "zero"}}}"#;
    let (mock, mut first) = world(fault).await;
    let mut second = RawProvider::connect(&mock).await;
    second.push().await;
    second.until("close_notify").await;
    assert!(second.told()[0].starts_with("GOAWAY 0 0 too many connections"), "{:?}", second.told());
    first.push().await;
    assert!(first.until("HEADERS 3").await.iter().any(|line| line.starts_with("HEADERS 3 0x5 :status=200")));
}

#[tokio::test]
async fn at_a_time_a_connection_is_told_though_nothing_comes_on_it() {
    let fault = r#"{"name": "f", "on": "clock", "match": {"from": "1h"}, "action": {"goaway": {"reason": "Shutdown"}}}"#;
    let (mock, mut provider) = world(fault).await;
    crate::Control::of(&mock).post("/v1/clock/advance", r#"{"by": "1h"}"#).await.expect(200);
    provider.until("close_notify").await;
    assert_eq!(provider.told(), [r#"GOAWAY 1 0 {"reason":"Shutdown"}"#, "GOAWAY 1 0", "close_notify"]);
}
