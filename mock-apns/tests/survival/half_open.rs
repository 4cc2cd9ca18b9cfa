//! A hundred thousand connections (a fifth of that unoptimised, where each takes a millisecond) that say nothing, or half of something, and stay. Those that took longest give way, so that honest
//! clients come in. Each connection comes in turn from one of several addresses of this machine, since one has too few ports.

use std::{collections::VecDeque, net::SocketAddr};

use futures::future::join_all;
use rustls::{ClientConnection, pki_types::ServerName};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
};

use crate::target::Target;

/// Connections that one attacker holds: more than may be on their way in; the oldest were closed by then.
const HELD: usize = 1_500;
const ATTACKERS: usize = 4;

/// Opens `count` connections to `port`, says `words` on each, and keeps them as long as descriptors allow.
async fn half_open(port: u16, count: usize, words: &[u8]) -> Vec<TcpStream> {
    let attack = |attacker: usize, words: Vec<u8>| async move {
        let mut held: VecDeque<TcpStream> = VecDeque::new();
        for n in 0..count / ATTACKERS {
            let socket = TcpSocket::new_v4().unwrap();
            let from = [127, 0, 1 + attacker as u8, 1 + (n / 5_000) as u8];
            socket.bind(SocketAddr::from((from, 0))).unwrap();
            // A queue that is full for a moment is a refusal that an attacker bears.
            let Ok(mut tcp) = socket.connect(SocketAddr::from(([127, 0, 0, 1], port))).await else {
                continue;
            };
            if n % 2 == 1 {
                let _ = tcp.write_all(&words).await;
            }
            held.push_back(tcp);
            if held.len() > HELD {
                held.pop_front();
            }
        }
        held
    };
    let attackers = (0..ATTACKERS).map(|attacker| tokio::spawn(attack(attacker, words.to_vec())));
    join_all(attackers).await.into_iter().flat_map(Result::unwrap).collect()
}

/// The first half of a good ClientHello.
fn half_a_hello(target: &Target) -> Vec<u8> {
    let config = target.client_config();
    let mut tls = ClientConnection::new(config.into(), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut hello = Vec::new();
    tls.write_tls(&mut hello).unwrap();
    hello.truncate(hello.len() / 2);
    hello
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_handshakes_that_never_end() {
    const COUNT: usize = if cfg!(debug_assertions) { 20_000 } else { 100_000 };
    rlimit::increase_nofile_limit(8_192).unwrap();
    let target = Target::start();
    let honest = target.honest().await;
    let held = half_open(target.process.port("sandbox"), COUNT, &half_a_hello(&target)).await;
    honest.was_served().await;
    target.is_bounded(256);
    let mut refused = 0;
    for cause in ["gave_way", "closed", "timeout"] {
        refused += target
            .metric(&format!(r#"connections_refused_total{{listener="sandbox",cause="{cause}"}}"#))
            .await;
    }
    let gave_way = target.metric(r#"connections_refused_total{listener="sandbox",cause="gave_way"}"#).await;
    let entering = target.metric("connections_entering").await;
    assert!((1..=2_048).contains(&entering), "{entering}");
    assert!(
        refused + entering >= COUNT as u64 * 9 / 10 && gave_way >= COUNT as u64 / 2,
        "{gave_way} of {refused}"
    );
    drop(held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_device_gateway_and_the_control_api_stand_it_too() {
    const COUNT: usize = 5_000;
    rlimit::increase_nofile_limit(8_192).unwrap();
    let target = Target::start();
    let honest = target.honest().await;
    let devices = half_open(target.process.port("device_gateway"), COUNT, &half_a_hello(&target)).await;
    let half_a_request = b"GET /metrics HTTP/1.1\r\nhost: local";
    let control = half_open(target.process.port("control"), COUNT, half_a_request).await;
    honest.was_served().await;
    target.is_bounded(256);
    for listener in ["devices", "control"] {
        let series = format!(r#"connections_refused_total{{listener="{listener}",cause="gave_way"}}"#);
        let gave_way = target.metric(&series).await;
        assert!(gave_way >= COUNT as u64 / 4, "{listener}: {gave_way}");
    }
    drop((devices, control));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_without_descriptors_goes_on_serving() {
    let target = Target::start_in("ulimit -n 200; exec \"$0\" \"$@\"");
    let honest = target.honest().await;
    let held = half_open(target.process.port("sandbox"), 2_000, b"").await;
    honest.was_served().await;
    assert!(target.metric(r#"connections_refused_total{listener="sandbox",cause="accept"}"#).await > 0);
    assert!(target.metric(r#"connections_refused_total{listener="sandbox",cause="gave_way"}"#).await > 1_000);
    drop(held);
    target.honest().await.was_served().await;
}
