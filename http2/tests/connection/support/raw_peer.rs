//! One connection under test; its peer is the test itself, frame by frame.

use std::time::Duration;

use apns_http2::{Config, Connection, Event, StreamId, Violation};

use super::{Frame, OK, PREFACE, PUSH, Seen, codes, frames::headers, seen_of, settings, settings_ack};

/// The test's end of a connection whose other end is `subject`.
#[derive(Debug)]
pub(crate) struct RawPeer {
    pub(crate) subject: Connection,
    pub(crate) now: Duration,
}

impl RawPeer {
    /// A client by hand against a server, both greetings done.
    pub(crate) fn of_server(config: Config) -> Self {
        let mut peer = Self::silent(Connection::server(config));
        peer.sends_bytes(PREFACE);
        peer.greet()
    }

    /// A server by hand against a client, both greetings done.
    pub(crate) fn of_client(config: Config) -> Self {
        Self::silent(Connection::client(config)).greet()
    }

    /// A peer that has said nothing yet.
    pub(crate) fn silent(subject: Connection) -> Self {
        Self { subject, now: Duration::ZERO }
    }

    fn greet(mut self) -> Self {
        self.sends([settings(&[]), settings_ack()]);
        self.reads_bytes();
        self
    }

    /// What the subject tells when these frames come; they must not end the connection.
    pub(crate) fn sends(&mut self, frames: impl IntoIterator<Item = Frame>) -> Vec<Seen> {
        let bytes: Vec<u8> = frames.into_iter().flat_map(|frame| frame.bytes()).collect();
        self.sends_bytes(&bytes)
    }

    pub(crate) fn sends_bytes(&mut self, bytes: &[u8]) -> Vec<Seen> {
        self.subject.recv(self.now, bytes);
        let (seen, end) = seen_of(&mut self.subject);
        assert_eq!(end, Ok(()), "after {seen:?}");
        seen
    }

    /// For what the subject ends the connection when these frames come. It must say so in a GOAWAY with the right code.
    pub(crate) fn breaks_with(&mut self, frames: impl IntoIterator<Item = Frame>) -> Violation {
        let bytes: Vec<u8> = frames.into_iter().flat_map(|frame| frame.bytes()).collect();
        self.breaks_with_bytes(&bytes)
    }

    pub(crate) fn breaks_with_bytes(&mut self, bytes: &[u8]) -> Violation {
        self.subject.recv(self.now, bytes);
        let (seen, end) = seen_of(&mut self.subject);
        let Err(error) = end else { panic!("the connection lives on after {seen:?}") };
        let last = self.reads().pop().expect("a GOAWAY");
        assert_eq!(last.name(), "GOAWAY");
        assert_eq!(codes(std::slice::from_ref(&last)), [(0, error.violation.code())]);
        assert_eq!(&last.payload[8..], error.violation.words().as_bytes());
        error.violation
    }

    /// The frames that the subject has written since the last call.
    pub(crate) fn reads(&mut self) -> Vec<Frame> {
        Frame::parse_all(&self.reads_bytes())
    }

    pub(crate) fn reads_bytes(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(bytes) = self.subject.poll_transmit() {
            all.extend_from_slice(bytes);
            let count = bytes.len();
            self.subject.transmitted(count);
        }
        all
    }

    /// The subject, a server, is sent a request whose body follows.
    pub(crate) fn requests(&mut self, stream: u32) {
        self.sends([headers(stream, &super::REQUEST)]);
    }

    /// The subject, a client, opens a stream whose body follows.
    pub(crate) fn opened(&mut self) -> StreamId {
        let stream = self.subject.open(&PUSH, false).unwrap();
        self.reads_bytes();
        stream
    }

    /// The subject, a server, answers with a head whose body follows.
    pub(crate) fn answered(&mut self, stream: u32) {
        self.subject.send_headers(StreamId::new(stream), &OK, false).unwrap();
        self.reads_bytes();
    }

    /// The subject still does its work: a new request, or an answer, comes through.
    pub(crate) fn still_serves(&mut self, stream: u32) {
        let seen = self.sends([headers(stream, &super::REQUEST).end_stream()]);
        assert!(matches!(seen[..], [Seen::Headers { end_stream: true, .. }]), "{seen:?}");
    }

    /// Whether the subject has ended the connection.
    pub(crate) fn is_broken(&mut self) -> bool {
        !matches!(self.subject.poll_event(&mut ()), Ok(None::<Event<'_>>))
    }
}
