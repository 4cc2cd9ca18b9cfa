//! Several connections, and what holds pushes back: what the core decides under a time of its own (`provider/core/tests/dispatch`), seen
//! here on real sockets, with pauses made short.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use apns_provider::{
    Client, Credential,
    core::{
        AlertNotification, BundleId, DeviceToken, DispatchPolicy, KeepAlivePolicy, NotSent, Notification,
        Outcome, Reason, RetryPolicy,
    },
};
use futures::future::join_all;

use crate::world::{PATIENCE, World, accepted, hello, until};

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// As the usual policy, twenty times faster.
fn quick() -> DispatchPolicy {
    DispatchPolicy::default()
        .with_spacing(millis(50))
        .with_saturation(millis(50))
        .with_reconnect_pauses(millis(5), millis(50))
        .with_probes(millis(200), millis(200), millis(400))
}

fn again() -> RetryPolicy {
    RetryPolicy::new(5, millis(20), Duration::from_secs(5)).unwrap()
}

#[tokio::test]
async fn c02_connections_are_opened_one_after_the_other() {
    let world = World::good().await;
    let policy = DispatchPolicy::default().with_connections(1..=4).unwrap().with_spacing(millis(400));
    let client = world.builder().dispatch(policy).build().unwrap();
    client.prewarm(4);
    until("four connections are open", || client.stats().open == 4).await;
    let opened: Vec<u64> =
        world.connections().await.iter().map(|one| one["opened-at"].as_u64().unwrap()).collect();
    assert_eq!(opened.len(), 4);
    // From handshake to handshake, which take their time themselves.
    assert!(opened.windows(2).all(|pair| pair[1] - pair[0] >= 200), "{opened:?}");
}

#[tokio::test]
async fn c14_and_c12_where_few_streams_are_allowed_work_moves_to_more_connections() {
    let world = World::with(&[
        r#"{"name":"few","match":{"stream":1},"action":{"settings":{"max-concurrent-streams":3}}}"#,
        r#"{"name":"slow","match":{"stream":{"from":2}},"action":{"answer":{"delay":"100ms"}}}"#,
    ])
    .await;
    let client = world.builder().dispatch(quick().with_connections(1..=3).unwrap()).build().unwrap();
    let outcomes = world.send_many(&client, 100).await;
    assert_eq!(accepted(&outcomes), 100, "{outcomes:?}");
    assert_eq!(client.stats().connections_opened, 3, "the most there may be");
    let shares = world.pushes_of_connections();
    assert!(shares.values().all(|count| *count >= 10), "{shares:?}");
}

#[tokio::test]
async fn c14_connections_that_nobody_needs_are_closed_and_the_least_number_stays() {
    let world = World::good().await;
    let policy = quick().with_connections(1..=3).unwrap().with_idle_time(Duration::from_secs(2));
    let client = world.builder().dispatch(policy).build().unwrap();
    client.prewarm(3);
    until("three connections are open", || client.stats().open == 3).await;
    until("one connection is left", || client.stats().open == 1 && client.stats().draining == 0).await;
    assert!(matches!(world.send(&client).await, Outcome::Accepted(_)));
    assert_eq!(client.stats().connections_opened, 3);
}

#[tokio::test]
async fn c13_however_often_the_limit_changes_it_is_never_exceeded() {
    // Few enough that it is not the flood of SETTINGS that http2 takes for an attack.
    let limits = [(307, 1), (211, 30), (401, 3), (503, 200), (353, 10)];
    let faults = limits.map(|(every, streams)| {
        format!(r#"{{"name":"to-{streams}","every":{every},"action":{{"settings":{{"max-concurrent-streams":{streams}}}}}}}"#)
    });
    let world = World::with(&faults.each_ref().map(String::as_str)).await;
    let client = world.builder().dispatch(quick().with_connections(1..=2).unwrap()).build().unwrap();
    for _ in 0..10 {
        let outcomes = world.send_many(&client, 500).await;
        assert_eq!(accepted(&outcomes), 500, "a stream beyond the limit is refused: {outcomes:?}");
    }
}

#[tokio::test]
async fn c25_after_an_expired_provider_token_a_fresh_connection_is_used() {
    let expired = r#"{"name":"old","match":{"connection":1},"action":{"answer":{"status":403,"reason":"ExpiredProviderToken"}}}"#;
    let world = World::with(&[expired]).await;
    let client = world.builder().retry(again()).dispatch(quick()).build().unwrap();
    let outcomes = world.send_many(&client, 500).await;
    assert_eq!(accepted(&outcomes), 500, "{outcomes:?}");
    let (seen, tokens) = (world.seen(), world.provider_tokens());
    assert!(tokens.len() <= 2, "{} provider tokens", tokens.len());
    assert!(seen.len() <= 1_000, "{} requests: each push twice at most", seen.len());
}

#[tokio::test]
async fn c25_where_every_provider_token_is_expired_there_is_no_loop() {
    let expired = r#"{"name":"old","action":{"answer":{"status":403,"reason":"ExpiredProviderToken"}}}"#;
    let world = World::with(&[expired]).await;
    let client =
        world.builder().retry(again()).dispatch(quick()).timeout(Duration::from_secs(1)).build().unwrap();
    let outcomes = world.send_many(&client, 500).await;
    assert_eq!(accepted(&outcomes), 0);
    assert!(world.seen().len() < 50, "{} requests", world.seen().len());
    assert!(client.stats().connections_opened < 30, "{:?}", client.stats());
    assert!(outcomes.iter().any(|outcome| matches!(
        outcome,
        Outcome::NotSent(NotSent::CredentialRefused { reason: Some(Reason::ExpiredProviderToken) })
    )));
}

#[tokio::test]
async fn c26_a_connection_with_too_many_provider_token_updates_rests_and_the_token_stays() {
    let many = r#"{"name":"many","match":{"connection":1,"stream":{"from":10}},"action":{"answer":{"status":429,"reason":"TooManyProviderTokenUpdates"}}}"#;
    let world = World::with(&[many]).await;
    let client = world.builder().retry(again()).dispatch(quick()).build().unwrap();
    for _ in 0..50 {
        let outcome = world.send(&client).await;
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
    let shares = world.pushes_of_connections();
    assert_eq!(shares.values().copied().collect::<Vec<_>>(), [10, 41], "{shares:?}");
    assert_eq!(world.provider_tokens().len(), 1);
}

#[tokio::test]
async fn c28_a_refused_credential_stops_the_sending_until_a_probe_goes_through() {
    let world = World::good().await;
    let refused = r#"{"name":"refused","action":{"answer":{"status":403,"reason":"InvalidProviderToken"}}}"#;
    let guard = world.mock.team().fault(refused.parse().unwrap()).unwrap();
    let client = world.builder().dispatch(quick()).build().unwrap();
    for _ in 0..5 {
        assert!(matches!(world.send(&client).await, Outcome::Rejected(_)));
    }
    let held = world.send_many(&client, 100);
    let mended = async {
        until("pushes wait", || client.stats().waiting >= 99).await;
        assert_eq!(client.stats().credential_refused, Some(Reason::InvalidProviderToken));
        tokio::time::sleep(millis(700)).await;
        let probes = guard.fired() - 5;
        assert!((1..=5).contains(&probes), "{probes} probes in 0.7 s");
        drop(guard);
    };
    let (outcomes, ()) = tokio::join!(held, mended);
    assert!(accepted(&outcomes) >= 95, "the queue was kept: {}", accepted(&outcomes));
    assert_eq!(client.stats().credential_refused, None);
}

#[tokio::test]
async fn c29_a_new_key_takes_over_and_no_push_fails() {
    let world = World::good().await;
    let client = world.builder().dispatch(quick().with_connections(1..=1).unwrap()).build().unwrap();
    let (hello, token) = (Arc::new(hello()), world.token());
    let sends = (0..2_000).map(|number| {
        let (client, hello, token) = (client.clone(), Arc::clone(&hello), token.clone());
        async move {
            tokio::time::sleep(millis(number / 10)).await;
            client.send(hello, token).await
        }
    });
    let rotates = async {
        until("pushes go out", || !world.seen().is_empty()).await;
        let ready_made = world.mock.ready_made();
        let key = &ready_made.keys[1];
        let p8 = key.key.to_p8();
        client.rotate(&Credential::from_p8(p8.as_bytes(), key.key_id, ready_made.team_id).unwrap()).unwrap();
    };
    let (outcomes, ()) = tokio::join!(join_all(sends), rotates);
    assert_eq!(accepted(&outcomes), 2_000);
    assert_eq!(world.provider_tokens().len(), 2, "one of each key");
    assert_eq!(client.stats().connections_opened, 2);
}

#[tokio::test]
async fn c38_an_idle_connection_is_asked_whether_it_is_there() {
    let world = World::good().await;
    let client =
        world.builder().keep_alive(KeepAlivePolicy::default().with_idle(millis(100))).build().unwrap();
    assert!(matches!(world.send(&client).await, Outcome::Accepted(_)));
    let began = Instant::now();
    // There is one at first sight, however late: the next one is half a minute away.
    loop {
        let frames = world.frames().await;
        match frames.iter().filter(|line| line.contains("recv PING frame <length=8, flags=0x00")).count() {
            0 => assert!(began.elapsed() < PATIENCE, "{frames:#?}"),
            count => break assert_eq!(count, 1, "{frames:#?}"),
        }
        tokio::time::sleep(millis(10)).await;
    }
    assert_eq!(client.stats().open, 1, "it has answered");
}

#[tokio::test]
async fn c39_a_dead_peer_is_found_and_the_work_goes_elsewhere() {
    let dead = r#"{"name":"dead","match":{"connection":1,"stream":5},"action":{"stall":{}}}"#;
    let world = World::with(&[dead]).await;
    let keep_alive = KeepAlivePolicy::default().with_silence(millis(100)).with_patience(millis(200));
    let client = world.builder().retry(again()).dispatch(quick()).keep_alive(keep_alive).build().unwrap();
    let began = Instant::now();
    for _ in 0..20 {
        let outcome = world.send(&client).await;
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
    assert!(began.elapsed() < PATIENCE, "long before the push's own time of 30 seconds");
    assert_eq!(client.stats().connections_opened, 2);
}

#[tokio::test]
async fn c43_a_server_that_answers_nothing_gets_few_resets_and_is_left() {
    let mute = r#"{"name":"mute","match":{"connection":1,"stream":{"from":2}},"action":"no-answer"}"#;
    let world = World::with(&[mute]).await;
    let policy = quick().with_unanswered(10);
    let client = world.builder().dispatch(policy).timeout(Duration::from_secs(1)).build().unwrap();
    assert!(matches!(world.send(&client).await, Outcome::Accepted(_)));
    let outcomes = world.send_many(&client, 300).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Ambiguous(_))), "{outcomes:?}");
    assert!(matches!(world.send(&client).await, Outcome::Accepted(_)), "on another connection");
    let first = *world.pushes_of_connections().keys().next().unwrap();
    let frames = world.frames_of(&first.to_string()).await;
    let resets = frames.iter().filter(|line| line.contains("recv RST_STREAM")).count();
    assert_eq!(resets, 10);
}

#[tokio::test]
async fn c44_before_streams_run_out_another_connection_takes_over() {
    let world = World::good().await;
    // 1,500 streams are left on each connection, and the last thousand are kept in reserve.
    let first = (1 << 31) - 1 - 2 * 1_500;
    let client = world.builder().dispatch(quick()).first_stream(first).build().unwrap();
    for _ in 0..8 {
        let outcomes = world.send_many(&client, 250).await;
        assert_eq!(accepted(&outcomes), 250, "{outcomes:?}");
    }
    let opened = client.stats().connections_opened;
    assert!((3..=6).contains(&opened), "{opened} connections for 2,000 pushes");
}

#[tokio::test]
async fn c49_a_flooded_device_holds_up_no_other() {
    let world = World::good().await;
    let flooded = world.token();
    let fault = format!(
        r#"{{"name":"flood","times":1,"match":{{"token":"{}"}},"action":{{"answer":{{"status":429,"reason":"TooManyRequests","retry-after":2}}}}}}"#,
        flooded.as_str()
    );
    world.mock.team().fault(fault.parse().unwrap()).unwrap().keep();
    let client = world.builder().retry(again()).build().unwrap();
    let (other_app, other) = other_device(&world);
    let began = Instant::now();
    let first = client.send(hello(), flooded.clone());
    let rest = async {
        until("the first is held back", || client.stats().pausing == 1).await;
        let held = client.send(hello(), flooded.clone());
        let free = async {
            for _ in 0..100 {
                assert!(matches!(
                    client.send(Arc::clone(&other_app), other.clone()).await,
                    Outcome::Accepted(_)
                ));
            }
            client.stats().pausing
        };
        tokio::join!(held, free)
    };
    let (first, (held, pausing)) = tokio::join!(first, rest);
    assert!(matches!((&first, &held), (Outcome::Accepted(_), Outcome::Accepted(_))), "{first:?} {held:?}");
    assert!(began.elapsed() >= Duration::from_secs(2), "as Retry-After asks");
    assert_eq!(pausing, 2, "the other device's were done before these went on");
}

#[tokio::test]
async fn c50_while_the_service_is_in_trouble_it_is_asked_now_and_then() {
    let world = World::with(&[r#"{"name":"down","action":{"answer":{"status":503}}}"#]).await;
    let client =
        world.builder().dispatch(quick()).retry(again()).timeout(Duration::from_secs(2)).build().unwrap();
    world.send_many(&client, 100).await;
    let before = world.seen().len();
    let began = Instant::now();
    let outcomes = world.send_many(&client, 1_000).await;
    assert!(began.elapsed() >= Duration::from_secs(1));
    let late = world.seen().len() - before;
    assert!(late < 50, "{late} requests of a thousand pushes");
    let held =
        outcomes.iter().filter(|outcome| **outcome == Outcome::NotSent(NotSent::ServiceUnavailable)).count();
    assert!(held > 900, "{held} were told why");
    assert!(client.stats().service_in_trouble);
}

#[tokio::test]
async fn c27_clients_of_two_teams_share_no_connection() {
    let world = World::good().await;
    let other_team = world.mock.create_team("com.example.app").unwrap();
    let key = other_team.key();
    let other = world
        .builder()
        .credential(
            Credential::from_p8(key.to_p8().as_bytes(), key.key_id.as_str(), other_team.id().as_str())
                .unwrap(),
        )
        .build()
        .unwrap();
    let client = world.client();
    let clients: [&Client; 2] = [&client, &other];
    join_all(clients.map(|client| world.send_many(client, 50))).await;
    let teams: Vec<usize> =
        world.connections().await.iter().map(|one| one["teams"].as_array().unwrap().len()).collect();
    assert_eq!(teams, [1, 1]);
}

/// A push to another app's device token.
fn other_device(world: &World) -> (Arc<Notification>, DeviceToken) {
    let token = world.mock.ready_made().device_token("sandbox-other-app").unwrap();
    let app = BundleId::parse(&token.topic).unwrap();
    let hello = AlertNotification::new(app).alert("Hello").build().unwrap();
    (Arc::new(hello), DeviceToken::from_hex(&token.token).unwrap())
}

/// The devices' and connections' pushes, and what was used to send them.
impl World {
    /// How many pushes came on each connection.
    fn pushes_of_connections(&self) -> BTreeMap<u64, usize> {
        let mut shares = BTreeMap::new();
        for push in self.seen() {
            let json: serde_json::Value = serde_json::from_str(push.as_json()).unwrap();
            *shares.entry(json["connection"].as_u64().unwrap()).or_default() += 1;
        }
        shares
    }

    /// The different provider tokens that came, without their secret parts.
    fn provider_tokens(&self) -> HashSet<String> {
        let seen = self.seen().into_iter().flat_map(|push| push.headers);
        seen.filter(|(name, _)| name == "authorization").map(|(_, value)| value).collect()
    }
}
