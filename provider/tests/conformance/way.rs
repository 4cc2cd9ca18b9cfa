//! Checklist A: names, addresses and proxies.

use std::{
    net::Ipv6Addr,
    time::{Duration, Instant},
};

use apns_certs::ProviderCertificateKind;
use apns_provider::{
    Credential, Proxy,
    core::{Dialing, NotSent, Outcome},
};

use crate::{
    connect_proxy::{ConnectProxy, Manners},
    roads::{Addresses, BlackHole, Names, local},
    world::{PATIENCE, World},
};

/// Each push on a connection of its own.
const ONE_EACH: &str = r#"{"name":"one","action":{"close":{"answered":true}}}"#;

#[tokio::test]
async fn c03_each_connection_asks_for_the_name_and_goes_where_it_leads_now() {
    let world = World::with(&[ONE_EACH]).await;
    let addresses = Addresses::leading_to(world.mock.sandbox().port(), 4).await;
    let names = Names::answering(addresses.all().into_iter().map(|address| vec![address]).collect());
    let client = world.builder_to("localhost", addresses.port).resolver(names.clone()).build().unwrap();
    for _ in 0..8 {
        assert!(matches!(world.send(&client).await, Outcome::Accepted(_)));
    }
    assert_eq!(names.asked(), ["localhost"; 8]);
    assert!(addresses.connections().into_values().eq([2; 4]), "{:?}", addresses.connections());
}

#[tokio::test]
async fn c03_a_name_without_an_answer_is_not_sent_to_where_it_led_before() {
    let world = World::with(&[ONE_EACH]).await;
    let addresses = Addresses::leading_to(world.mock.sandbox().port(), 1).await;
    let names = Names::answering(vec![addresses.all(), vec![]]);
    let client = world.builder_to("localhost", addresses.port).resolver(names).build().unwrap();
    assert!(matches!(world.send(&client).await, Outcome::Accepted(_)));
    let outcome = world.send(&client).await;
    let Outcome::NotSent(NotSent::NoConnection { why }) = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("the name localhost has no address"), "{why}");
}

#[tokio::test]
async fn c04_eight_connections_use_eight_addresses() {
    let world = World::with(&[ONE_EACH]).await;
    let addresses = Addresses::leading_to(world.mock.sandbox().port(), 8).await;
    let names = Names::answering(vec![addresses.all()]);
    let client = world.builder_to("localhost", addresses.port).resolver(names).build().unwrap();
    for _ in 0..8 {
        assert!(matches!(world.send(&client).await, Outcome::Accepted(_)));
    }
    assert!(addresses.connections().into_values().eq([1; 8]), "{:?}", addresses.connections());
}

#[tokio::test]
async fn c04_an_address_that_is_silent_and_one_that_refuses_do_not_block() {
    let world = World::with(&[ONE_EACH]).await;
    let addresses = Addresses::leading_to(world.mock.sandbox().port(), 1).await;
    let silent = BlackHole::at(local(200), addresses.port).await;
    let refusing = local(201);
    let all = vec![silent.address, refusing, addresses.all()[0]];
    let client =
        world.builder_to("localhost", addresses.port).resolver(Names::answering(vec![all])).build().unwrap();
    // Each of the three comes first once.
    let mut times = Vec::new();
    for _ in 0..3 {
        let began = Instant::now();
        assert!(matches!(world.send(&client).await, Outcome::Accepted(_)));
        times.push(began.elapsed());
    }
    assert_eq!(addresses.connections().into_values().sum::<usize>(), 3);
    let waited = times.iter().filter(|time| **time >= Dialing::ATTEMPT_DELAY).count();
    assert!(waited >= 1, "the silent one was tried first once: {times:?}");
    assert!(times.iter().all(|time| *time < PATIENCE / 4), "it was not waited for: {times:?}");
}

#[tokio::test]
async fn c04_where_ipv6_leads_nowhere_ipv4_does() {
    let world = World::with(&[ONE_EACH]).await;
    let addresses = Addresses::leading_to(world.mock.sandbox().port(), 1).await;
    // Nobody listens there, or there is no IPv6 at all.
    let all = vec![addresses.all()[0], Ipv6Addr::LOCALHOST.into()];
    let names = Names::answering(vec![all]);
    let client = world.builder_to("localhost", addresses.port).resolver(names).build().unwrap();
    assert!(matches!(world.send(&client).await, Outcome::Accepted(_)));
}

#[tokio::test]
async fn c08_a_proxy_finds_the_server_and_nothing_else_is_dialled() {
    let world = World::good().await;
    let proxy = ConnectProxy::start(Manners::LeadsTo(
        world.mock.sandbox().port(),
        Some("Basic cHVzaDpwOnNAc3M="), // push:p:s@ss
    ))
    .await;
    let identity = world.mock.certificates().provider(ProviderCertificateKind::Universal).unwrap();
    let names = Names::unknown();
    // A name that the double's certificate is for; it is not resolved here.
    let client = world
        .builder_to("api.sandbox.push.apple.com", 443)
        .resolver(names.clone())
        .proxy(Proxy::parse(&format!("http://push:p%3As%40ss@127.0.0.1:{}", proxy.port)).unwrap())
        .credential(Credential::from_pem(identity.to_pem().as_bytes()).unwrap())
        .build()
        .unwrap();
    let outcome = world.send(&client).await;
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    assert_eq!(proxy.asked(), ["CONNECT api.sandbox.push.apple.com:443 HTTP/1.1"]);
    assert!(names.asked().is_empty(), "{:?}", names.asked());
    let seen = world.seen();
    assert_eq!(seen[0].header(":authority"), Some("api.sandbox.push.apple.com"));
    assert!(seen[0].header("authorization").is_none(), "the certificate went from end to end");
}

#[tokio::test]
async fn c08_the_proxys_own_name_is_asked_for_anew() {
    let world = World::with(&[ONE_EACH]).await;
    let proxy = ConnectProxy::start(Manners::LeadsTo(world.mock.sandbox().port(), None)).await;
    let names = Names::answering(vec![vec![local(1)]]);
    let client = world
        .builder_to("api.sandbox.push.apple.com", 443)
        .resolver(names.clone())
        .proxy(Proxy::parse(&format!("proxy.example.com:{}", proxy.port)).unwrap())
        .build()
        .unwrap();
    for _ in 0..2 {
        assert!(matches!(world.send(&client).await, Outcome::Accepted(_)));
    }
    assert_eq!(names.asked(), ["proxy.example.com"; 2]);
}

#[tokio::test]
async fn c08_a_proxy_that_opens_no_way_is_told_by_what_it_did() {
    let world = World::good().await;
    for (manners, userinfo, words) in [
        (Manners::LeadsTo(1, Some("Basic x")), "", "wants to know who we are (407)"),
        (Manners::LeadsTo(1, Some("Basic x")), "a:wr0ng@", "does not know our user or password (407)"),
        (
            Manners::Answers("HTTP/1.1 403 Forbidden\r\n\r\n"),
            "",
            "does not open a way to localhost:443: 403 Forbidden",
        ),
        (Manners::Answers("220 mail.example.com ESMTP\r\n"), "", "does not speak HTTP"),
        (Manners::Answers("HTTP/1.1 200 OK\r\n\r\nhello"), "", "sent 5 bytes behind its answer"),
        (Manners::Answers("HTTP/1.1 200"), "", "gave no answer"),
        (Manners::Silent, "", "CONNECT through the proxy was not done in time"),
    ] {
        let proxy = ConnectProxy::start(manners).await;
        let client = world
            .builder_to("localhost", 443)
            .proxy(Proxy::parse(&format!("http://{userinfo}127.0.0.1:{}", proxy.port)).unwrap())
            .timeout(if matches!(manners, Manners::Silent) { Duration::from_millis(500) } else { PATIENCE })
            .build()
            .unwrap();
        let began = Instant::now();
        let outcome = world.send(&client).await;
        let Outcome::NotSent(NotSent::NoConnection { why }) = outcome else { panic!("{words}: {outcome:?}") };
        assert!(why.contains(words), "{words}: {why}");
        assert!(!why.contains("wr0ng"), "{why}");
        assert!(began.elapsed() < PATIENCE, "{words}");
    }
    assert!(world.seen().is_empty());
}
