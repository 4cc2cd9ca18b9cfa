//! Checklist A and the death of connections.

use std::time::{Duration, Instant};

use apns_provider::core::{Ambiguity, DispatchPolicy, NotSent, Outcome};
use tokio::{net::TcpListener, select, time::timeout};

use crate::world::{PATIENCE, World, accepted, hello, some_token};

#[tokio::test]
async fn c01_ten_thousand_pushes_one_after_the_other_take_one_connection() {
    let world = World { mock: mock_apns::MockApns::start().await.unwrap() };
    let client = world.client();
    for _ in 0..10_000 {
        assert!(matches!(world.send(&client).await, Outcome::Accepted(_)));
    }
    assert_eq!(client.stats().connections_opened, 1);
}

#[tokio::test]
async fn c05_a_server_whose_certificate_is_wrong_gets_no_request() {
    for flaw in ["expired", "wrong-host", "self-signed", "unknown-ca"] {
        let fault = format!(r#"{{"name":"flawed","action":{{"tls":{{"certificate":"{flaw}"}}}}}}"#);
        let world = World::for_everyone(&fault).await;
        let outcome = world.send(&world.client()).await;
        let Outcome::NotSent(NotSent::CertificateRefused { why }) = outcome else {
            panic!("{flaw}: {outcome:?}")
        };
        assert!(why.contains("certificate"), "{flaw}: {why}");
        assert!(world.seen().is_empty());
    }
}

#[tokio::test]
async fn c06_a_server_that_does_not_choose_h2_gets_no_byte_of_http() {
    for action in [r#"{"tls":"http11"}"#, r#"{"tls":"alpn-refused"}"#] {
        let world = World::for_everyone(&format!(r#"{{"name":"f","action":{action}}}"#)).await;
        let began = Instant::now();
        let outcome = world.send(&world.client()).await;
        assert!(matches!(outcome, Outcome::NotSent(_)), "{action}: {outcome:?}");
        assert!(began.elapsed() < PATIENCE, "it fails at once");
        assert!(world.seen().is_empty());
    }
}

#[tokio::test]
async fn c09_the_preface_refuses_pushes_and_settings_and_pings_are_acknowledged() {
    let world = World::with(&[r#"{"name":"pings","action":{"ping":{"count":3}}}"#]).await;
    let client = world.client();
    for _ in 0..2 {
        assert!(matches!(world.send(&client).await, Outcome::Accepted(_)));
    }
    let frames = world.frames().await;
    let count = |what: &str| frames.iter().filter(|line| line.contains(what)).count();
    assert_eq!(count("[SETTINGS_ENABLE_PUSH(0x02):0]"), 1, "{frames:#?}");
    assert_eq!(count("recv PRIORITY"), 0, "{frames:#?}");
    assert!(count("recv SETTINGS frame <length=0, flags=0x01") >= 1, "{frames:#?}");
    assert!(count("recv PING frame <length=8, flags=0x01") >= 3, "{frames:#?}");
}

#[tokio::test]
async fn c39_and_c42_a_server_that_falls_silent_ends_at_the_deadline_with_what_is_known() {
    let world = World::with(&[r#"{"name":"dead","match":{"stream":2},"action":{"stall":{}}}"#]).await;
    let client = world.builder().timeout(Duration::from_secs(1)).build().unwrap();
    assert!(matches!(world.send(&client).await, Outcome::Accepted(_)));
    let began = Instant::now();
    assert_eq!(world.send(&client).await, Outcome::Ambiguous(Ambiguity::NoAnswer));
    assert!(began.elapsed() < PATIENCE);
}

#[tokio::test]
async fn c40_a_connection_that_ends_before_the_answer_leaves_the_push_ambiguous() {
    for action in [r#"{"close":{"how":"fin"}}"#, r#"{"close":{"how":"reset"}}"#, r#""close""#] {
        let world = World::with(&[&format!(r#"{{"name":"f","times":1,"action":{action}}}"#)]).await;
        let client = world.client();
        let outcome = world.send(&client).await;
        assert_eq!(outcome, Outcome::Ambiguous(Ambiguity::ConnectionLost), "{action}");
        assert!(matches!(world.send(&client).await, Outcome::Accepted(_)), "{action}: on another");
    }
}

#[tokio::test]
async fn c44_a_load_balancer_that_ends_connections_after_a_few_streams_costs_nothing_that_was_answered() {
    let world =
        World::with(&[r#"{"name":"lb","match":{"stream":5},"action":{"close":{"answered":true}}}"#]).await;
    let client = world.client();
    let mut outcomes = Vec::new();
    for _ in 0..50 {
        outcomes.push(world.send(&client).await);
    }
    assert_eq!(accepted(&outcomes), 50, "{outcomes:?}");
    assert_eq!(client.stats().connections_opened, 10);
}

#[tokio::test]
async fn c41_a_server_that_ends_every_handshake_is_tried_with_growing_pauses_one_at_a_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let world = World::good().await;
    let policy = DispatchPolicy::default()
        .with_reconnect_pauses(Duration::from_millis(20), Duration::from_millis(160));
    let port = listener.local_addr().unwrap().port();
    let client = world.builder_to("localhost", port).dispatch(policy).build().unwrap();
    let pushes = async {
        loop {
            // There is always something to send.
            let outcome = client.send(hello(), some_token()).await;
            assert!(matches!(outcome, Outcome::NotSent(NotSent::NoConnection { .. })), "{outcome:?}");
        }
    };
    let ends = async {
        let mut came = Vec::new();
        while came.len() < 9 {
            let (tcp, _) = listener.accept().await.unwrap();
            came.push(Instant::now());
            assert_eq!(client.stats().opening, 1, "one attempt at a time");
            drop(tcp);
        }
        came
    };
    let came = timeout(PATIENCE, async {
        select! { never = pushes => never, came = ends => came }
    })
    .await
    .unwrap();
    let pauses: Vec<Duration> = came.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // A random half of each pause may be left out.
    for (pause, least) in pauses.iter().zip([10, 20, 40, 80, 80, 80, 80, 80]) {
        assert!(*pause >= Duration::from_millis(least), "{pauses:?}");
    }
}
