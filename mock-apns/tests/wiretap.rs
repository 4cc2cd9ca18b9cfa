//! Who reads along is told every byte of a provider's connection, in the clear and in order.

#![expect(clippy::unwrap_used, reason = "tests")]

#[expect(dead_code, reason = "what other tests need")]
mod support;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use mock_apns::{Environment, MockApns, Wiretap};
use support::{Peer, authorization};
use tokio::sync::Notify;

/// Writes down what it is told.
#[derive(Debug, Default)]
struct Notes {
    notes: Mutex<Vec<Note>>,
    closed: Notify,
}

#[derive(Clone, Debug, PartialEq)]
enum Note {
    Opened(u64, Environment),
    Received(u64, Vec<u8>),
    Sent(u64, Vec<u8>),
    Closed(u64),
}

impl Notes {
    fn add(&self, note: Note) {
        self.notes.lock().unwrap().push(note);
    }
}

impl Wiretap for Notes {
    fn opened(&self, connection: u64, peer: SocketAddr, environment: Environment) {
        assert!(peer.ip().is_loopback());
        self.add(Note::Opened(connection, environment));
    }

    fn received(&self, connection: u64, bytes: &[u8]) {
        self.add(Note::Received(connection, bytes.to_vec()));
    }

    fn sent(&self, connection: u64, bytes: &[u8]) {
        self.add(Note::Sent(connection, bytes.to_vec()));
    }

    fn closed(&self, connection: u64) {
        self.add(Note::Closed(connection));
        self.closed.notify_one();
    }
}

#[tokio::test]
async fn a_push_is_read_along_from_the_preface_to_the_answer() {
    let notes = Arc::new(Notes::default());
    let mock = MockApns::builder().wiretap(Arc::clone(&notes) as _).start().await.unwrap();
    let (mut peer, bearer) = (Peer::sandbox(&mock).await, authorization(&mock));
    let fields = [("authorization", &*bearer), ("apns-topic", "com.example.app")];
    let token = &mock.ready_made().device_tokens[0].token;
    let answer = peer.answer(token, &fields, r#"{"aps":{"alert":"Hello"}}"#).await;
    assert_eq!(answer.0, 200);
    drop(peer);
    tokio::time::timeout(Duration::from_secs(10), notes.closed.notified()).await.unwrap();

    let notes = notes.notes.lock().unwrap().clone();
    assert_eq!(notes[0], Note::Opened(0, Environment::Sandbox));
    assert_eq!(notes.last(), Some(&Note::Closed(0)));
    let bytes = |of: fn(&Note) -> Option<&Vec<u8>>| notes.iter().filter_map(of).flatten().copied();
    let received: Vec<u8> = bytes(|note| match note {
        Note::Received(0, bytes) => Some(bytes),
        _ => None,
    })
    .collect();
    let sent: Vec<u8> = bytes(|note| match note {
        Note::Sent(0, bytes) => Some(bytes),
        _ => None,
    })
    .collect();
    assert!(received.starts_with(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    assert!(received.windows(5).any(|bytes| bytes == b"Hello"), "the payload");
    assert_eq!(sent[3], 4, "SETTINGS are the first frame of the double");
    // HEADERS on stream 1 that end it: the answer.
    assert!(sent.windows(6).any(|bytes| bytes == [1, 5, 0, 0, 0, 1]), "{sent:?}");
}
