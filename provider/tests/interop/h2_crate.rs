//! The server of the h2 crate, on which hyper, axum and tonic stand.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use apns_provider::core::{Ambiguity, Outcome, Reason, RetryPolicy};
use bytes::Bytes;
use h2::{
    RecvStream,
    server::{Builder, SendResponse},
};
use http::{Request, Response};
use tokio::{
    net::{TcpListener, TcpStream},
    spawn,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    pushes::{assert_all, on_one_connection, send, send_many, tally},
    server_identity::ServerIdentity,
};

/// A server whose answers the ends of device tokens decide.
struct Server {
    identity: ServerIdentity,
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

/// What it has been sent.
#[derive(Default)]
struct Seen {
    /// The apns-ids of pushes that were answered.
    answered: Vec<String>,
    /// Those whose streams were refused.
    refused: HashSet<String>,
    bytes: usize,
}

impl Server {
    /// Says that it is closing after so many requests on a connection.
    async fn closing_after(requests: usize) -> Self {
        let identity = ServerIdentity::generate();
        let acceptor = TlsAcceptor::from(identity.tls(rustls::ALL_VERSIONS));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let log = Arc::clone(&seen);
        spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                spawn(serve(tcp, acceptor.clone(), requests, Arc::clone(&log)));
            }
        });
        Self { identity, port, seen }
    }
}

async fn serve(tcp: TcpStream, acceptor: TlsAcceptor, closing_after: usize, seen: Arc<Mutex<Seen>>) {
    let tls = acceptor.accept(tcp).await.unwrap();
    let mut connection = Builder::new()
        .max_concurrent_streams(100)
        .initial_window_size(1000)
        .max_header_list_size(8000)
        .handshake::<_, Bytes>(tls)
        .await
        .unwrap();
    let mut requests = 0;
    // It ends with an error when the client closes first.
    while let Some(Ok((request, answer))) = connection.accept().await {
        requests += 1;
        spawn(handle(request, answer, Arc::clone(&seen)));
        if requests == closing_after {
            connection.graceful_shutdown();
        }
    }
}

async fn handle(request: Request<RecvStream>, mut answer: SendResponse<Bytes>, seen: Arc<Mutex<Seen>>) {
    let end = request.uri().path()[1..].rsplit_once("9a34").unwrap().1.to_owned();
    let apns_id = request.headers()["apns-id"].to_str().unwrap().to_owned();
    if end == "0f05" && seen.lock().unwrap().refused.insert(apns_id.clone()) {
        return answer.send_reset(h2::Reason::REFUSED_STREAM);
    }
    let mut body = request.into_body();
    while let Some(Ok(data)) = body.data().await {
        seen.lock().unwrap().bytes += data.len();
        body.flow_control().release_capacity(data.len()).unwrap();
    }
    seen.lock().unwrap().answered.push(apns_id.clone());
    let head = |status| Response::builder().status(status).header("apns-id", &apns_id).body(()).unwrap();
    match end.as_str() {
        "0bad" => {
            let mut stream = answer.send_response(head(400), false).unwrap();
            stream.send_data(Bytes::from_static(br#"{"reason":"#), false).unwrap();
            stream.send_data(Bytes::from_static(br#""BadDeviceToken"}"#), true).unwrap();
        }
        "0e44" => answer.send_reset(h2::Reason::INTERNAL_ERROR),
        _ => drop(answer.send_response(head(200), true).unwrap()),
    }
}

#[tokio::test]
async fn hundreds_at_once_are_accepted_through_small_windows() {
    let server = Server::closing_after(usize::MAX).await;
    let client = on_one_connection(server.identity.builder(server.port));
    assert_all(&send_many(&client, "0000", 500).await, "200");
    assert_eq!(client.stats().connections_opened, 1);
    assert!(server.seen.lock().unwrap().bytes > 500 * 500, "bodies came as a whole");
}

#[tokio::test]
async fn errors_have_their_bodies() {
    let server = Server::closing_after(usize::MAX).await;
    let client = server.identity.builder(server.port).build().unwrap();
    assert_all(&send_many(&client, "0bad", 300).await, "400 BadDeviceToken");
    let Outcome::Rejected(rejection) = send(&client, "0bad").await else { panic!() };
    assert_eq!(rejection.reason, Some(Reason::BadDeviceToken));
}

#[tokio::test]
async fn a_graceful_shutdown_loses_nothing_and_repeats_nothing() {
    let server = Server::closing_after(150).await;
    let client = server.identity.builder(server.port).retry(RetryPolicy::default()).build().unwrap();
    let mut outcomes = send_many(&client, "0000", 1).await;
    outcomes.extend(send_many(&client, "0000", 800).await);
    assert_all(&outcomes, "200");
    assert!(client.stats().connections_opened > 1);
    let answered = &server.seen.lock().unwrap().answered;
    assert_eq!(answered.len(), 801);
    assert_eq!(answered.iter().collect::<HashSet<_>>().len(), 801);
}

#[tokio::test]
async fn a_stream_that_is_refused_is_opened_again_and_one_that_breaks_is_told() {
    let server = Server::closing_after(usize::MAX).await;
    let client = server.identity.builder(server.port).retry(RetryPolicy::default()).build().unwrap();
    assert_all(&send_many(&client, "0f05", 100).await, "200");
    assert_eq!(server.seen.lock().unwrap().refused.len(), 100);
    let once = server.identity.builder(server.port).build().unwrap();
    let broken = format!("{:?}", Ambiguity::StreamReset { code: 2 });
    assert_eq!(tally(&[send(&once, "0e44").await]).into_keys().collect::<Vec<_>>(), [broken]);
}
