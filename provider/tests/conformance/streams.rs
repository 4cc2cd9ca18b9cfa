//! Checklist B: streams and windows.

use std::time::Duration;

use apns_provider::core::{Ambiguity, DispatchPolicy, NotSent, Outcome};
use mock_apns::{MockApns, Settings};
use tokio::join;

use crate::world::{World, accepted, alert, until};

#[tokio::test]
async fn c10_no_request_goes_out_before_the_servers_settings() {
    let late = r#"{"name":"late","on":"connection","action":{"stall":{"reads":false,"for":"500ms"}}}"#;
    let world = World::for_everyone(late).await;
    let began = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert!(matches!(world.send(&world.client()).await, Outcome::Accepted(_)));
    let received: serde_json::Value = serde_json::from_str(world.seen()[0].as_json()).unwrap();
    let at = received["at"].as_u64().unwrap();
    assert!(at >= began.as_millis() as u64 + 500, "{} after the beginning", at - began.as_millis() as u64);
}

#[tokio::test]
async fn c11_one_stream_is_open_until_a_push_has_been_accepted() {
    // As Apple announces it, and where more would be allowed from the beginning.
    for announced in ["1", "1000"] {
        let mut settings = Settings::default();
        settings.set("max-concurrent-streams-before-token", announced).unwrap();
        let builder = MockApns::builder().trace_frames().settings(settings);
        let world = World { mock: builder.start().await.unwrap() };
        let outcomes = world.send_many(&world.client(), 50).await;
        assert_eq!(accepted(&outcomes), 50);
        let frames = world.frames().await;
        let first_answer = frames.iter().position(|line| line.contains("send HEADERS")).unwrap();
        let before = frames[..first_answer].iter().filter(|line| line.contains("recv HEADERS")).count();
        assert_eq!(before, 1, "{announced}: {:#?}", &frames[..first_answer]);
    }
}

#[tokio::test]
async fn c12_fewer_streams_are_obeyed_and_none_at_all_is_waited_out() {
    let world = World::with(&[
        r#"{"name":"one","match":{"stream":1},"action":{"settings":{"max-concurrent-streams":1}}}"#,
        r#"{"name":"slow","match":{"stream":{"from":2,"to":10}},"action":{"answer":{"delay":"20ms"}}}"#,
    ])
    .await;
    let none = r#"{"name":"none","match":{"stream":20},"action":{"settings":{"max-concurrent-streams":0}}}"#;
    let none = world.mock.team().fault(none.parse().unwrap()).unwrap();
    let client = world.builder().dispatch(one_connection()).build().unwrap();
    let more = async {
        until("no stream is allowed", || none.fired() == 1).await;
        let more = r#"{"name":"more","on":"clock","match":{"from":"500ms"},"action":{"settings":{"max-concurrent-streams":500}}}"#;
        world.mock.team().fault(more.parse().unwrap()).unwrap().keep();
    };
    let (outcomes, ()) = join!(world.send_many(&client, 60), more);
    assert_eq!(accepted(&outcomes), 60, "{outcomes:?}");
    let frames = world.frames().await;
    let until_more = frames.iter().take_while(|line| !line.ends_with("MAX_CONCURRENT_STREAMS(0x03):500]"));
    let streams: Vec<&str> = until_more
        .filter(|line| line.contains(" HEADERS frame "))
        .map(|line| if line.contains(" recv ") { "opened" } else { "answered" })
        .collect();
    assert_eq!(
        streams,
        ["opened", "answered"].repeat(20),
        "one after the other, and none after the twentieth"
    );
}

fn one_connection() -> DispatchPolicy {
    DispatchPolicy::default().with_connections(1..=1).unwrap()
}

#[tokio::test]
async fn c15_a_connection_window_that_is_never_opened_again_is_not_overrun() {
    let world =
        World::with(&[r#"{"name":"w","on":"connection","action":{"withhold-window":{"of":"connection"}}}"#])
            .await;
    let client = world.builder().dispatch(one_connection()).timeout(Duration::from_secs(1)).build().unwrap();
    let (large, token) = (std::sync::Arc::new(alert(&"x".repeat(3000))), world.token());
    let sends = (0..40).map(|_| client.send(std::sync::Arc::clone(&large), token.clone()));
    let outcomes = futures::future::join_all(sends).await;
    let payload = large.payload().len();
    let fit = 65_535 / payload;
    assert!((fit - 2..=fit).contains(&accepted(&outcomes)), "{} of {fit}", accepted(&outcomes));
    for outcome in &outcomes {
        let waited = matches!(
            outcome,
            Outcome::Accepted(_)
                | Outcome::NotSent(NotSent::OutOfTime)
                | Outcome::Ambiguous(Ambiguity::NoAnswer)
        );
        assert!(waited, "{outcome:?}");
    }
    let frames = world.frames().await;
    // The client's own may be there: it leaves a connection that has had no window for a second.
    assert!(!frames.iter().any(|line| line.contains("send GOAWAY")), "no flow control error");
}

#[tokio::test]
async fn c16_small_stream_windows_are_obeyed() {
    let world = World::with(&[
        r#"{"name":"small","match":{"stream":1},"action":{"settings":{"initial-window-size":100}}}"#,
        r#"{"name":"smaller","match":{"stream":3},"action":{"settings":{"initial-window-size":1}}}"#,
    ])
    .await;
    let client = world.client();
    for _ in 0..5 {
        let outcome = client.send(alert(&"x".repeat(2000)), world.token()).await;
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
}

#[tokio::test]
async fn c17_the_answers_window_is_opened_again_and_again() {
    let world = World { mock: MockApns::start().await.unwrap() };
    let long =
        r#"{"name":"long","action":{"answer":{"status":400,"reason":"BadTopic","body":{"bytes":120}}}}"#;
    world.mock.team().fault(long.parse().unwrap()).unwrap().keep();
    let client = world.builder().dispatch(one_connection()).build().unwrap();
    for _ in 0..ERRORS / 1000 {
        let outcomes = world.send_many(&client, 1000).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Rejected(_))), "{outcomes:?}");
    }
    assert_eq!(client.stats().connections_opened, 1);
}

/// Bodies of 120 bytes: many times the window of 65,535 in any case. `cargo test --release` sends all.
const ERRORS: usize = if cfg!(debug_assertions) { 10_000 } else { 100_000 };
