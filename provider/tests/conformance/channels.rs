//! Checklist G: channel management. The server is the test's.

use std::time::Duration;

use apns_provider::{
    Channels,
    core::{Advice, Ambiguity, Channel, ChannelError, ChannelId, MessageStoragePolicy, NotSent, Reason},
};
use tokio::join;

use crate::{
    frames::{Frame, data, goaway, headers, rst_stream},
    raw_server::{RawPeer, RawRequest, RawServer},
};

const CHANNEL: &str = "dHN0LXNyY2gtY2hubA==";
const STORES: MessageStoragePolicy = MessageStoragePolicy::MostRecentMessageStored;

fn id() -> ChannelId {
    ChannelId::parse(CHANNEL).unwrap()
}

fn request_id(request: &RawRequest) -> &str {
    let id = request.field("apns-request-id").unwrap();
    assert_eq!(id.len(), 36);
    id
}

/// Answers with the request's ID, this status, these fields and this body.
async fn answer(peer: &mut RawPeer, request: &RawRequest, status: &str, fields: &[(&str, &str)], body: &str) {
    let head = [(":status", status), ("apns-request-id", request_id(request))];
    let head = headers(request.stream, &[&head, fields].concat());
    let frames = if body.is_empty() {
        vec![head.end_stream()]
    } else {
        [vec![head], pieces(request.stream, body)].concat()
    };
    peer.write(frames).await;
}

/// A body in as many frames as it takes.
fn pieces(stream: u32, body: &str) -> Vec<Frame> {
    let mut frames: Vec<Frame> = body.as_bytes().chunks(1000).map(|piece| data(stream, piece)).collect();
    let last = frames.pop().map(Frame::end_stream);
    frames.extend(last);
    frames
}

/// Method, path and channel of a request that has everything else that each has.
fn told(request: &RawRequest) -> (&str, &str, Option<&str>) {
    assert!(request.field("authorization").unwrap().starts_with("bearer "));
    assert_eq!(request.field(":scheme"), Some("https"));
    let known = 6 + usize::from(request.field("apns-channel-id").is_some());
    assert_eq!(request.fields.len(), known, "{:?}", request.fields);
    (request.field(":method").unwrap(), request.field(":path").unwrap(), request.field("apns-channel-id"))
}

#[tokio::test]
async fn c67_channels_are_created_read_listed_and_deleted_on_one_connection() {
    let server = RawServer::start().await;
    let channels = server.channels().build().unwrap();
    let ((), _peer) = join!(
        async {
            let channel = Channel { id: id(), storage: STORES };
            assert_eq!(channels.create(STORES).await, Ok(channel.clone()));
            assert_eq!(channels.read(id()).await, Ok(channel));
            assert_eq!(channels.list().await.unwrap(), [id()]);
            assert_eq!(channels.clone().delete(id()).await, Ok(()));
        },
        async {
            let mut peer = server.greeted(&[]).await;
            let (path, all) = ("/1/apps/com.example.app/channels", "/1/apps/com.example.app/all-channels");

            let create = peer.request().await;
            assert_eq!(told(&create), ("POST", path, None));
            assert_eq!(create.body, br#"{"message-storage-policy":1,"push-type":"LiveActivity"}"#);
            answer(&mut peer, &create, "201", &[("apns-channel-id", CHANNEL)], "").await;

            let read = peer.request().await;
            assert_eq!((told(&read), &read.body[..]), (("GET", path, Some(CHANNEL)), &b""[..]));
            let body = r#"{"message-storage-policy":1,"push-type":"LiveActivity"}"#;
            answer(&mut peer, &read, "200", &[], body).await;

            let list = peer.request().await;
            assert_eq!((told(&list), &list.body[..]), (("GET", all, None), &b""[..]));
            answer(&mut peer, &list, "200", &[], &format!(r#"{{"channels":["{CHANNEL}"]}}"#)).await;

            let delete = peer.request().await;
            assert_eq!((told(&delete), &delete.body[..]), (("DELETE", path, Some(CHANNEL)), &b""[..]));
            answer(&mut peer, &delete, "204", &[], "").await;

            let mut ids: Vec<&str> = [&create, &read, &list, &delete].map(request_id).to_vec();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), 4, "each request has an ID of its own");
            peer
        }
    );
}

#[tokio::test]
async fn c67_a_long_list_is_read_to_its_end() {
    let server = RawServer::start().await;
    let channels = server.channels().build().unwrap();
    let ids: Vec<String> = (0..2000).map(|number| format!("{number:020}")).collect();
    let body = serde_json::json!({ "channels": ids }).to_string();
    let (listed, _peer) = join!(channels.list(), async {
        let mut peer = server.greeted(&[]).await;
        let request = peer.request().await;
        answer(&mut peer, &request, "200", &[], &body).await;
        peer
    });
    let listed: Vec<String> = listed.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(listed, ids);
}

#[tokio::test]
async fn c67_a_refusal_says_why_and_the_connection_goes_on() {
    let server = RawServer::start().await;
    let channels = server.channels().build().unwrap();
    let (refused, _peer) =
        join!(async { [channels.create(STORES).await.map(drop), channels.delete(id()).await] }, async {
            let mut peer = server.greeted(&[]).await;
            for (status, reason) in [("400", "FeatureNotEnabled"), ("503", "BrandNew2027")] {
                let request = peer.request().await;
                answer(&mut peer, &request, status, &[], &format!(r#"{{"reason":"{reason}"}}"#)).await;
            }
            peer
        });
    let [Err(ChannelError::Rejected(disabled)), Err(ChannelError::Rejected(busy))] = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((disabled.status, disabled.reason), (400, Some(Reason::FeatureNotEnabled)));
    assert_eq!(
        (busy.reason, busy.advice),
        (Some(Reason::Unknown("BrandNew2027".into())), Advice::RetryLater)
    );
}

#[tokio::test]
async fn c67_the_answer_to_another_request_is_not_believed_and_its_connection_not_used_again() {
    let server = RawServer::start().await;
    let channels = server.channels().build().unwrap();
    let other = "00000000-0000-4000-8000-000000000000";
    let (outcomes, _peers) =
        join!(async { [channels.delete(id()).await, channels.delete(id()).await] }, async {
            let mut first = server.greeted(&[]).await;
            let request = first.request().await;
            let fields = [(":status", "204"), ("apns-request-id", other)];
            first.write([headers(request.stream, &fields).end_stream()]).await;
            let mut second = server.greeted(&[]).await;
            let request = second.request().await;
            answer(&mut second, &request, "204", &[], "").await;
            (first, second)
        });
    let [Err(ChannelError::OtherRequest { answered, .. }), Ok(())] = outcomes else { panic!("{outcomes:?}") };
    assert_eq!(answered.as_str(), other);
}

/// What the request ends with when the server does this instead of answering it.
async fn ends_with(instead: impl AsyncFnOnce(RawPeer, u32) -> Option<RawPeer>) -> ChannelError {
    let server = RawServer::start().await;
    let channels = server.channels().timeout(Duration::from_millis(500)).build().unwrap();
    let (created, _peer) = join!(channels.create(STORES), async {
        let mut peer = server.greeted(&[]).await;
        let stream = peer.request().await.stream;
        instead(peer, stream).await
    });
    created.unwrap_err()
}

#[tokio::test]
async fn c67_what_may_have_been_done_and_what_has_not_are_told_apart() {
    let beyond = ends_with(async |mut peer, _| {
        peer.write([goaway(0, "Shutdown")]).await;
        Some(peer)
    });
    let reason = Some(Reason::Shutdown);
    assert_eq!(beyond.await, ChannelError::NotSent(NotSent::BeyondGoaway { reason }));
    let reset = async |code| {
        ends_with(async move |mut peer, stream| {
            peer.write([rst_stream(stream, code)]).await;
            Some(peer)
        })
        .await
    };
    assert_eq!(reset(7).await, ChannelError::NotSent(NotSent::StreamRefused));
    assert_eq!(reset(2).await, ChannelError::Ambiguous(Ambiguity::StreamReset { code: 2 }));
    let lost = ends_with(async |_, _| None).await;
    assert_eq!(lost, ChannelError::Ambiguous(Ambiguity::ConnectionLost));
    let silent = ends_with(async |peer, _| Some(peer)).await;
    assert_eq!(silent, ChannelError::Ambiguous(Ambiguity::NoAnswer));
}

/// What create and read end with when the status of their answer comes, and then this instead of the rest.
async fn end_after_the_fields(
    instead: impl AsyncFn(RawPeer, u32) -> Option<RawPeer>,
) -> [Result<Channel, ChannelError>; 2] {
    let server = RawServer::start().await;
    let channels = server.channels().timeout(Duration::from_millis(500)).build().unwrap();
    let answered = async |fields: &[(&str, &str)]| {
        let mut peer = server.greeted(&[]).await;
        let request = peer.request().await;
        peer.write([headers(request.stream, fields)]).await;
        instead(peer, request.stream).await
    };
    let (ends, _peers) = join!(async { [channels.create(STORES).await, channels.read(id()).await] }, async {
        let created = answered(&[(":status", "201"), ("apns-channel-id", CHANNEL)]).await;
        (created, answered(&[(":status", "200")]).await)
    });
    ends
}

#[tokio::test]
async fn c67_an_answer_that_ends_behind_its_fields_counts_if_they_say_it_all() {
    let created = Ok(Channel { id: id(), storage: STORES });
    let reset = end_after_the_fields(async |mut peer: RawPeer, stream| {
        peer.write([rst_stream(stream, 2), goaway(stream, "Shutdown")]).await;
        Some(peer)
    });
    let code = Ambiguity::StreamReset { code: 2 };
    assert_eq!(Box::pin(reset).await, [created.clone(), Err(ChannelError::Ambiguous(code))]);
    let lost = Box::pin(end_after_the_fields(async |_, _| None)).await;
    assert_eq!(lost, [created.clone(), Err(ChannelError::Ambiguous(Ambiguity::ConnectionLost))]);
}

#[tokio::test]
async fn c67_a_request_may_take_for_ever() {
    let server = RawServer::start().await;
    let channels = server.channels().timeout(Duration::MAX).build().unwrap();
    deletes(&server, &channels).await;
}

#[tokio::test]
async fn c67_without_the_servers_settings_nothing_is_asked() {
    let server = RawServer::start().await;
    let channels = server.channels().timeout(Duration::from_millis(500)).build().unwrap();
    let (created, _peer) = join!(channels.create(STORES), server.accept());
    assert_eq!(created, Err(ChannelError::NotSent(NotSent::OutOfTime)));
}

/// One request that is answered, on a new connection.
async fn deletes(server: &RawServer, channels: &Channels) -> RawPeer {
    let (deleted, peer) = join!(channels.delete(id()), async {
        let mut peer = server.greeted(&[]).await;
        let request = peer.request().await;
        answer(&mut peer, &request, "204", &[], "").await;
        peer
    });
    deleted.unwrap();
    peer
}

#[tokio::test]
async fn c67_a_connection_that_ends_between_requests_costs_none() {
    let server = RawServer::start().await;
    let channels = server.channels().build().unwrap();
    let mut leaving = deletes(&server, &channels).await;
    leaving.write([goaway(1, "Shutdown")]).await;
    let gone = deletes(&server, &channels).await;
    drop(gone);
    deletes(&server, &channels).await;
}
