//! Checklist G: broadcasts. The server is the test's.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use apns_provider::core::{
    Broadcast, BundleId, Channel, ChannelId, Expiration, LiveActivityUpdate, MessageStoragePolicy, Outcome,
    Priority, Reason, UnixTime,
};
use serde_json::json;
use tokio::join;

use crate::{
    frames::{data, headers},
    raw_server::{RawPeer, RawRequest, RawServer},
    world::{hello, some_token},
};

const CHANNEL: &str = "dHN0LXNyY2gtY2hubA==";

/// An hour from now.
fn later() -> Expiration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Expiration::at_secs(now + 3600).unwrap()
}

fn goal() -> LiveActivityUpdate {
    let app = BundleId::parse("com.example.app").unwrap();
    LiveActivityUpdate::new(app, UnixTime::from_secs(1_700_000_000)).content_state(json!({ "score": 1 }))
}

fn broadcast() -> Broadcast {
    goal().broadcast(ChannelId::parse(CHANNEL).unwrap()).unwrap()
}

async fn refuses(peer: &mut RawPeer, stream: u32, status: &str, reason: &str) {
    let body = format!(r#"{{"reason":"{reason}"}}"#);
    peer.write([headers(stream, &[(":status", status)]), data(stream, body.as_bytes()).end_stream()]).await;
}

/// Its fields without the provider token and its own ID, which differ each time; both have to be there.
fn lasting(request: &RawRequest) -> Vec<(&str, &str)> {
    assert!(request.field("authorization").unwrap().starts_with("bearer "));
    assert_eq!(request.field("apns-request-id").unwrap().len(), 36);
    let all = request.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    all.filter(|(name, _)| !["authorization", "apns-request-id"].contains(name)).collect()
}

#[tokio::test]
async fn c67_a_broadcast_is_sent_as_apple_writes_it_on_the_connection_of_the_pushes() {
    let server = RawServer::start().await;
    let client = server.builder().build().unwrap();
    let stores = MessageStoragePolicy::MostRecentMessageStored;
    let channel = Channel { id: ChannelId::parse(CHANNEL).unwrap(), storage: stores };
    let expiration = later();
    let update = goal().expiration(expiration).priority(Priority::PowerFirst).broadcast_to(&channel).unwrap();
    let (outcomes, peer) =
        join!(async { [client.send(hello(), some_token()).await, client.broadcast(update).await] }, async {
            let mut peer = server.greeted(&[]).await;
            let push = peer.request().await;
            peer.accepts(push.stream).await;
            let request = peer.request().await;
            let authority = request.field(":authority").unwrap().to_owned();
            let expected = [
                (":method", "POST"),
                (":scheme", "https"),
                (":authority", &authority),
                (":path", "/4/broadcasts/apps/com.example.app"),
                ("apns-channel-id", CHANNEL),
                ("apns-push-type", "liveactivity"),
                ("apns-priority", "1"),
                ("apns-expiration", &expiration.as_secs().to_string()),
            ];
            assert_eq!(lasting(&request), expected);
            assert_eq!(
                request.body,
                br#"{"aps":{"timestamp":1700000000,"event":"update","content-state":{"score":1}}}"#
            );
            let id = request.field("apns-request-id").unwrap().to_owned();
            let fields = [(":status", "200"), ("apns-request-id", &id), ("apns-unique-id", "f3a1")];
            peer.write([headers(request.stream, &fields).end_stream()]).await;
            (peer, id)
        });
    let [Outcome::Accepted(_), Outcome::Accepted(acceptance)] = outcomes else { panic!("{outcomes:?}") };
    assert_eq!(acceptance.apns_id.as_str(), peer.1);
    assert_eq!(acceptance.apns_unique_id.as_deref(), Some("f3a1"));
    assert_eq!(client.stats().connections_opened, 1);
}

#[tokio::test]
async fn c67_a_refused_broadcast_keeps_its_reason_and_tells_of_no_device_token() {
    let server = RawServer::start().await;
    let told = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&told);
    let hook = move |_: &_, _: &_| {
        count.fetch_add(1, Ordering::Relaxed);
    };
    let client = server.builder().on_invalid_token(hook).build().unwrap();
    let refusals = [
        ("400", "ChannelNotRegistered", Reason::ChannelNotRegistered),
        ("403", "TopicMismatch", Reason::TopicMismatch),
        // Neither is Apple's for broadcasts.
        ("410", "Unregistered", Reason::Unregistered),
        ("400", "BrandNew2027", Reason::Unknown("BrandNew2027".into())),
    ];
    let (reasons, _peer) = join!(
        async {
            let mut reasons = Vec::new();
            for _ in 0..refusals.len() {
                match client.broadcast(broadcast()).await {
                    Outcome::Rejected(rejection) => reasons.push(rejection.reason.unwrap()),
                    other => panic!("{other:?}"),
                }
            }
            reasons
        },
        async {
            let mut peer = server.greeted(&[]).await;
            for (status, word, _) in &refusals {
                let stream = peer.request().await.stream;
                refuses(&mut peer, stream, status, word).await;
            }
            peer
        }
    );
    assert_eq!(reasons, refusals.map(|(_, _, reason)| reason));
    assert_eq!(told.load(Ordering::Relaxed), 0);
}
