//! Checklist C, where it is about time: provider tokens under clocks that run six hours in a moment, are wrong, or step back.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use apns_certs::{AuthKey, KeyId};
use apns_provider::{
    Client, ClientBuilder, Clock, Credential,
    core::{ClockSkew, Outcome, RetryPolicy, UnixTime},
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::Value;
use tokio::join;
use tracing::Level;

use crate::{
    frames::{data, headers},
    logs::Logs,
    raw_server::{RawPeer, RawRequest, RawServer},
    world::{hello, some_token},
};

const MINUTE: u64 = 60;
/// How long a provider token is used.
const SLOT: u64 = 50 * MINUTE;
/// Midnight, and noon of the same day.
const MIDNIGHT: u64 = 1_699_920_000;
const NOON: u64 = MIDNIGHT + 12 * 60 * MINUTE;

/// A clock that the test sets.
#[derive(Clone, Debug)]
struct Watch(Arc<AtomicU64>);

impl Watch {
    fn at(secs: u64) -> Self {
        Self(Arc::new(AtomicU64::new(secs)))
    }

    fn set(&self, secs: u64) {
        self.0.store(secs, Ordering::Relaxed);
    }
}

impl Clock for Watch {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.0.load(Ordering::Relaxed))
    }
}

/// The field `date` of an answer that is given at this time of the day after [`MIDNIGHT`].
fn date(secs: u64) -> String {
    let of_day = secs - MIDNIGHT;
    assert!(of_day < 24 * 60 * MINUTE, "another day");
    format!("Tue, 14 Nov 2023 {:02}:{:02}:{:02} GMT", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// What the provider token of a request says: its header, its claims, and its signature.
fn parts(request: &RawRequest) -> (Value, Value, Vec<u8>) {
    let jwt = request.field("authorization").unwrap().strip_prefix("bearer ").unwrap();
    let parts: Vec<Vec<u8>> =
        jwt.split('.').map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    let [header, claims, signature] = parts.try_into().unwrap();
    (serde_json::from_slice(&header).unwrap(), serde_json::from_slice(&claims).unwrap(), signature)
}

fn issued_at(request: &RawRequest) -> u64 {
    parts(request).1["iat"].as_u64().expect("an integer")
}

/// One push on a connection that is there: the request as it came. Accepted, and dated if `dated`.
async fn push(client: &Client, peer: &mut RawPeer, dated: Option<u64>) -> RawRequest {
    let answers = async {
        let request = peer.request().await;
        let date = dated.map(date);
        let fields = [(":status", "200"), ("date", date.as_deref().unwrap_or_default())];
        peer.write([headers(request.stream, &fields[..if dated.is_some() { 2 } else { 1 }]).end_stream()])
            .await;
        request
    };
    let (outcome, request) = join!(client.send(hello(), some_token()), answers);
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    request
}

/// A client with this clock, and its one connection, after a first push.
async fn begin(
    server: &RawServer,
    builder: ClientBuilder,
    dated: Option<u64>,
) -> (Client, RawPeer, RawRequest) {
    let client = builder.build().unwrap();
    client.prewarm(1);
    let mut peer = server.greeted(&[]).await;
    let first = push(&client, &mut peer, dated).await;
    (client, peer, first)
}

/// The beginning of the slot that noon lies in: it is the key's ID that says.
async fn slot_at_noon() -> u64 {
    let server = RawServer::start().await;
    let (_client, _peer, first) = begin(&server, server.builder().clock(Watch::at(NOON)), None).await;
    issued_at(&first)
}

#[tokio::test]
async fn c20_header_claims_and_signature_are_what_rfc_7515_and_apple_ask_for_and_no_more() {
    let server = RawServer::start().await;
    let (_client, _peer, request) = begin(&server, server.builder().clock(Watch::at(NOON)), None).await;
    let (header, claims, signature) = parts(&request);
    assert_eq!(header, serde_json::json!({ "alg": "ES256", "kid": "MOCKKEY001" }));
    assert_eq!(claims, serde_json::json!({ "iss": "MOCKTEAM01", "iat": issued_at(&request) }));
    assert_eq!(signature.len(), 64, "R and S, not DER");
}

#[tokio::test]
async fn c21_over_six_hours_no_token_is_older_than_an_hour_and_none_comes_within_twenty_minutes() {
    let server = RawServer::start().await;
    let watch = Watch::at(NOON);
    let (client, mut peer, first) = begin(&server, server.builder().clock(watch.clone()), None).await;
    let mut last = first.field("authorization").unwrap().to_owned();
    let mut changes = Vec::new();
    for now in (NOON..=NOON + 6 * 60 * MINUTE).step_by(MINUTE as usize) {
        watch.set(now);
        let request = push(&client, &mut peer, None).await;
        let issued_at = issued_at(&request);
        assert!(issued_at <= now && now - issued_at <= 60 * MINUTE, "{issued_at} at {now}");
        let authorization = request.field("authorization").unwrap();
        if authorization != last {
            changes.push(now);
            authorization.clone_into(&mut last);
        }
    }
    assert!((6..=8).contains(&changes.len()), "{changes:?}");
    assert!(changes.windows(2).all(|pair| pair[1] - pair[0] >= 20 * MINUTE), "{changes:?}");
}

#[tokio::test]
async fn c24_a_fleet_sends_the_same_bytes_whenever_it_was_started_and_again_after_a_restart() {
    let key = AuthKey::generate(KeyId::new("FLEETKEY01").unwrap()).unwrap();
    let p8 = key.to_p8();
    let server = RawServer::start().await;
    let member = |at| {
        let credential = Credential::from_p8(p8.as_bytes(), "FLEETKEY01", "MOCKTEAM01").unwrap();
        server.builder().credential(credential).clock(Watch::at(at))
    };
    let (_first, _peer, request) = begin(&server, member(NOON), None).await;
    let slot = issued_at(&request);
    let mut tokens = HashSet::from([request.field("authorization").unwrap().to_owned()]);
    // The last one is the second after a restart: nothing of it is left.
    for at in [slot, slot + 17 * MINUTE, slot + SLOT - 1, slot + 17 * MINUTE] {
        let (_member, _peer, request) = begin(&server, member(at), None).await;
        tokens.insert(request.field("authorization").unwrap().to_owned());
    }
    assert_eq!(tokens.len(), 1, "one token a slot, byte for byte");
    let (_member, _peer, next) = begin(&server, member(slot + SLOT), None).await;
    assert_eq!(issued_at(&next), slot + SLOT);
}

#[tokio::test]
async fn c23_a_clock_that_is_behind_is_corrected_by_what_answers_are_dated() {
    let slot = slot_at_noon().await;
    let (truth, machine) = (slot + SLOT + 5 * MINUTE, slot + SLOT - 5 * MINUTE);
    for (corrects, second) in [(true, slot + SLOT), (false, slot)] {
        let server = RawServer::start().await;
        let builder = server.builder().clock(Watch::at(machine)).correct_clock(corrects);
        let (client, mut peer, first) = begin(&server, builder, Some(truth)).await;
        assert_eq!(issued_at(&first), slot, "nothing is known yet");
        assert_eq!(issued_at(&push(&client, &mut peer, Some(truth)).await), second);
        let Some(ClockSkew::Behind(by)) = client.clock_skew() else { panic!("{:?}", client.clock_skew()) };
        assert!((599..660).contains(&by.as_secs()), "{by:?}");
    }
}

#[tokio::test]
async fn c23_a_clock_that_steps_back_decreases_no_iat() {
    let slot = slot_at_noon().await;
    for corrects in [true, false] {
        let server = RawServer::start().await;
        let watch = Watch::at(slot + 5 * MINUTE);
        let builder = server.builder().clock(watch.clone()).correct_clock(corrects);
        let (client, mut peer, _) = begin(&server, builder, Some(slot + 5 * MINUTE)).await;
        assert_eq!(client.clock_skew(), None);
        watch.set(slot - 5 * MINUTE);
        assert_eq!(issued_at(&push(&client, &mut peer, None).await), slot);
        assert!(matches!(client.clock_skew(), Some(ClockSkew::Behind(_))));
    }
}

#[tokio::test]
async fn c23_a_token_from_the_future_that_is_refused_gives_way_and_the_log_names_the_clock() {
    let slot = slot_at_noon().await;
    // APNs' clock is in this slot, the machine's in the next one.
    let (truth, machine) = (slot + SLOT - 5 * MINUTE, slot + SLOT + 5 * MINUTE);
    let logs = Logs::at(Level::WARN);
    let server = RawServer::start().await;
    let retry = RetryPolicy::new(3, Duration::from_millis(10), Duration::from_secs(9)).unwrap();
    let builder = server.builder().retry(retry).clock(Watch::at(machine)).correct_clock(true);
    let client = builder.build().unwrap();
    let answers = async {
        let mut peer = server.greeted(&[]).await;
        let first = peer.request().await;
        let fields = [(":status", "403"), ("date", &date(truth))];
        let body = data(first.stream, br#"{"reason":"ExpiredProviderToken"}"#).end_stream();
        peer.write([headers(first.stream, &fields), body]).await;
        let mut peer = server.greeted(&[]).await;
        let second = peer.request().await;
        peer.accepts(second.stream).await;
        (issued_at(&first), issued_at(&second))
    };
    let (outcome, (first, second)) = join!(client.send(hello(), some_token()), answers);
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    assert_eq!((first, second), (slot + SLOT, slot));
    let said = logs.text();
    assert!(said.contains("clock is 10 min ahead of the server's"), "{said}");
}
