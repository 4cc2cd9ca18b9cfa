//! Node's HTTP/2 server (`interop/servers/apns.mjs`).

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use apns_provider::core::{Ambiguity, Outcome, Reason, RetryPolicy, UnixTime};
use tempfile::TempDir;

use crate::{
    pushes::{assert_all, on_one_connection, send, send_many, short},
    server_identity::ServerIdentity,
};

/// A process of Node, until it is dropped.
struct Node {
    identity: ServerIdentity,
    port: u16,
    process: Child,
    _folder: TempDir,
}

impl Node {
    fn start() -> Self {
        let identity = ServerIdentity::generate();
        let folder = TempDir::new().unwrap();
        let pem = folder.path().join("server.pem");
        std::fs::write(&pem, identity.identity.to_pem()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop/servers/apns.mjs");
        let mut process =
            Command::new("node").arg(script).arg(pem).stdout(Stdio::piped()).spawn().expect("Node is there");
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { identity, port: port.trim().parse().unwrap(), process, _folder: folder }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
#[ignore = "needs Node: interop/run runs it"]
async fn node_takes_hundreds_at_once_and_its_errors_have_their_bodies() {
    let node = Node::start();
    let client = on_one_connection(node.identity.builder(node.port));
    assert_all(&send_many(&client, "0000", 500).await, "200");
    assert_all(&send_many(&client, "0bad", 300).await, "400 BadDeviceToken");
    let Outcome::Rejected(rejection) = send(&client, "dead").await else { panic!() };
    assert_eq!((rejection.status, rejection.reason), (410, Some(Reason::Unregistered)));
    assert_eq!(rejection.unregistered_since, Some(UnixTime::from_millis(1_700_000_000_123)));
    assert_eq!(client.stats().connections_opened, 1);
}

#[tokio::test]
#[ignore = "needs Node: interop/run runs it"]
async fn node_closes_connections_and_nothing_is_lost() {
    let node = Node::start();
    let client = node.identity.builder(node.port).retry(RetryPolicy::default()).build().unwrap();
    for _ in 0..5 {
        let (goaway, others) =
            futures::future::join(send(&client, "90a1"), send_many(&client, "0000", 200)).await;
        assert_eq!(short(&goaway), "200");
        assert_all(&others, "200");
    }
    assert!(client.stats().connections_opened >= 5, "{}", client.stats().connections_opened);
}

#[tokio::test]
#[ignore = "needs Node: interop/run runs it"]
async fn node_resets_streams_and_each_is_told_or_sent_again() {
    let node = Node::start();
    let client = node.identity.builder(node.port).retry(RetryPolicy::default()).build().unwrap();
    assert_all(&send_many(&client, "0f05", 100).await, "200");
    let once = node.identity.builder(node.port).build().unwrap();
    assert_eq!(send(&once, "0e44").await, Outcome::Ambiguous(Ambiguity::StreamReset { code: 2 }));
}
