//! A server under traffic and faults for a while (C-72): what it holds does not grow, and everything that it took has one outcome.
//!
//! `cargo test` has it for some seconds. A day of it:
//!
//! `SOAK_SECONDS=86400 SOAK_PER_SECOND=250 cargo test --release -p apns-provider-cli --test serve c72 -- --nocapture`

use std::{
    collections::{BTreeSet, VecDeque},
    fs,
    time::Duration,
};

use mock_apns::FaultGuard;
use reqwest::Client;
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{
    databases::on_both,
    killed::number,
    process::{APP, House, PATIENCE, Running, to_tokens},
};

/// About 5 in 100 requests go wrong. The device that gets too much is one: APNs wants a pause of 20 seconds for it.
const FAULTS: &[&str] = &[
    r#"{"name":"503","probability":0.02,"action":{"answer":{"status":503}}}"#,
    r#"{"name":"410","probability":0.015,"action":{"answer":{"status":410,"reason":"Unregistered"}}}"#,
    r#"{"name":"reset","probability":0.012,"action":{"reset-stream":{"code":"INTERNAL_ERROR"}}}"#,
    r#"{"name":"429","probability":0.001,"action":{"answer":{"status":429,"reason":"TooManyRequests"}}}"#,
    r#"{"name":"goaway","on":"request","probability":0.002,"action":{"goaway":{"reason":"Shutdown"}}}"#,
];
/// So many that one of them is not in the way of the others.
const DEVICES: usize = 400;
/// Recipients of a notification.
const RECIPIENTS: usize = 4;
/// Connections that the server may have to APNs.
const CONNECTIONS_MAX: u64 = 4;

/// How much the last third may be above the second: what allocators and databases keep comes and goes.
const RSS_PERCENT: u64 = 5;
const RSS_SLACK_KIB: u64 = 4 * 1024;
/// Sockets that are being opened, closed or accepted at that moment.
const FDS_SLACK: u64 = 8;

/// What a server holds at one moment.
#[derive(Clone, Copy, Debug)]
struct Held {
    rss_kib: u64,
    fds: u64,
    connections: u64,
}

/// Who asks a server.
struct Asker<'a> {
    client: Client,
    server: &'a Running,
    key: &'a str,
}

on_both! { House: c72_under_traffic_and_faults_nothing_grows_and_everything_taken_has_one_outcome }

async fn c72_under_traffic_and_faults_nothing_grows_and_everything_taken_has_one_outcome(mut house: House) {
    let (seconds, per_second) = (number("SOAK_SECONDS", 10) as u64, number("SOAK_PER_SECOND", 25));
    let server = house.serve();
    house.set_up_app(&server);
    let tokens = house.tokens(DEVICES);
    let mut pushes = tokens.chunks(RECIPIENTS).map(to_tokens).collect::<Vec<_>>().into_iter().cycle();
    let team = house.mock.team();
    let faults: Vec<_> = FAULTS.iter().map(|fault| team.fault(fault.parse().unwrap()).unwrap()).collect();
    let asker = Asker::new(&server, house.key());

    let (mut open, mut held, mut ended, mut taken) = (VecDeque::new(), Vec::new(), 0, 0_u64);
    let mut ticks = interval(Duration::from_secs(1) / u32::try_from(per_second).unwrap());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (began, mut sample_at) = (Instant::now(), Instant::now());
    while began.elapsed() < Duration::from_secs(seconds) {
        ticks.tick().await;
        open.push_back(asker.submit(pushes.next().unwrap()).await);
        taken += 1;
        // Looked at as it goes, so that a day of it is not kept in memory.
        if open.len() > 100 {
            ended += asker.look_at(&mut open).await;
        }
        if sample_at <= Instant::now() {
            sample_at = Instant::now() + Duration::from_secs(seconds).div_f64(60.0);
            held.push(asker.held().await);
        }
    }
    let drained = Instant::now();
    while !open.is_empty() {
        assert!(drained.elapsed() < PATIENCE, "{} of {taken} have no outcome", open.len());
        ended += asker.look_at(&mut open).await;
    }
    assert_eq!(ended, taken, "each has one outcome for each recipient");
    let fired: u64 = faults.iter().map(FaultGuard::fired).sum();

    let (second, last) =
        (middle(&held[held.len() / 3..held.len() * 2 / 3]), middle(&held[held.len() * 2 / 3..]));
    eprintln!(
        "{taken} notifications to {RECIPIENTS} in {:?}, {fired} faults; {second:?}, then {last:?}",
        began.elapsed()
    );
    assert!(fired * 100 >= taken * RECIPIENTS as u64 * 2, "{fired} faults are too few to show anything");
    assert!(
        last.rss_kib <= second.rss_kib + second.rss_kib * RSS_PERCENT / 100 + RSS_SLACK_KIB,
        "memory grows: {held:?}"
    );
    assert!(last.fds <= second.fds + FDS_SLACK, "files stay open: {held:?}");
    let most = held.iter().map(|it| it.connections).max().unwrap();
    assert!(most <= 2 * CONNECTIONS_MAX, "connections stay open: {held:?}");
}

/// The middle of each, so that one moment says nothing.
fn middle(of: &[Held]) -> Held {
    let middle = |value: fn(&Held) -> u64| {
        let mut values: Vec<u64> = of.iter().map(value).collect();
        values.sort_unstable();
        values[values.len() / 2]
    };
    Held {
        rss_kib: middle(|it| it.rss_kib),
        fds: middle(|it| it.fds),
        connections: middle(|it| it.connections),
    }
}

impl<'a> Asker<'a> {
    fn new(server: &'a Running, key: &'a str) -> Self {
        let client = Client::builder().tls_backend_preconfigured(apns_provider::web_tls()).no_proxy();
        Self { client: client.build().unwrap(), server, key }
    }

    async fn submit(&self, push: String) -> String {
        let url = format!("{}/v1/apps/{APP}/notifications", self.server.url);
        let request = self.client.post(url).header("content-type", "application/json").body(push);
        let response = request.bearer_auth(self.key).send().await.unwrap();
        assert_eq!(response.status(), 202, "the server takes it");
        let taken: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        taken["id"].as_str().unwrap().to_owned()
    }

    async fn get(&self, path: &str) -> String {
        let request = self.client.get(format!("{}{path}", self.server.url)).bearer_auth(self.key);
        request.send().await.unwrap().error_for_status().unwrap().text().await.unwrap()
    }

    /// Looks at the first of them; those that are not over are the last then. How many are.
    async fn look_at(&self, open: &mut VecDeque<String>) -> u64 {
        let Some(id) = open.pop_front() else { return 0 };
        let path = format!("/v1/apps/{APP}/notifications/{id}");
        let told: Value = serde_json::from_str(&self.get(&path).await).unwrap();
        if told["state"] != "finished" {
            open.push_back(id);
            return 0;
        }
        let outcomes: Value = serde_json::from_str(&self.get(&format!("{path}/outcomes")).await).unwrap();
        let outcomes = outcomes["outcomes"].as_array().unwrap();
        let ids: BTreeSet<&str> = outcomes.iter().filter_map(|it| it["apns-id"].as_str()).collect();
        assert_eq!((outcomes.len(), ids.len()), (RECIPIENTS, RECIPIENTS), "one each: {outcomes:?}");
        1
    }

    async fn held(&self) -> Held {
        let process = format!("/proc/{}", self.server.id());
        let status = fs::read_to_string(format!("{process}/status")).unwrap();
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let metrics = self.get("/metrics").await;
        let connections = metrics.lines().filter_map(|line| line.strip_prefix("apns_provider_connections{"));
        let connections = connections.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        Held {
            rss_kib: rss.trim().trim_end_matches(" kB").parse().unwrap(),
            fds: fs::read_dir(format!("{process}/fd")).unwrap().count() as u64,
            connections: connections.sum(),
        }
    }
}
