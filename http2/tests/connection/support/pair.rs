//! Two connections with no socket between them, in the manner of quinn-proto's tests.

use std::time::Duration;

use apns_http2::{Config, Connection, StreamId};

use super::{OK, PUSH, Seen, seen_of};

/// A client and a server.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) client: Connection,
    pub(crate) server: Connection,
}

/// What both sides have told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) client: Vec<Seen>,
    pub(crate) server: Vec<Seen>,
}

impl Pair {
    /// Both greetings are exchanged and acknowledged.
    pub(crate) fn new(client: Config, server: Config) -> Self {
        let mut pair = Self { client: Connection::client(client), server: Connection::server(server) };
        pair.drive();
        pair
    }

    /// Carries bytes both ways until neither side has more to write.
    pub(crate) fn drive(&mut self) -> Told {
        let mut told = Told::default();
        loop {
            let there = carry(&mut self.client, &mut self.server, usize::MAX);
            told.server.extend(there.seen);
            let back = carry(&mut self.server, &mut self.client, usize::MAX);
            told.client.extend(back.seen);
            if there.bytes + back.bytes == 0 {
                return told;
            }
        }
    }

    /// Carries at most `max` bytes from the client.
    pub(crate) fn carry_to_server(&mut self, max: usize) -> Vec<Seen> {
        carry(&mut self.client, &mut self.server, max).seen
    }

    /// Carries at most `max` bytes from the server.
    pub(crate) fn carry_to_client(&mut self, max: usize) -> Vec<Seen> {
        carry(&mut self.server, &mut self.client, max).seen
    }

    /// A stream with a request whose body follows, and an answer whose body follows.
    pub(crate) fn exchange(&mut self) -> StreamId {
        let stream = self.client.open(&PUSH, false).unwrap();
        self.drive();
        self.server.send_headers(stream, &OK, false).unwrap();
        self.drive();
        stream
    }

    /// With nothing under way, both sides must count every window alike.
    pub(crate) fn assert_windows_agree(&self, streams: impl IntoIterator<Item = StreamId>) {
        for (from, to) in [(&self.client, &self.server), (&self.server, &self.client)] {
            let granted = to.receive_window(StreamId::CONNECTION).unwrap();
            assert_eq!(from.send_window(), usize::try_from(granted).unwrap(), "the connection");
        }
        for stream in streams {
            for (from, to) in [(&self.client, &self.server), (&self.server, &self.client)] {
                if let (Some(may), Some(granted)) =
                    (from.stream_send_window(stream), to.receive_window(stream))
                {
                    assert_eq!(may, granted, "{stream:?}");
                }
            }
        }
    }
}

struct Carried {
    seen: Vec<Seen>,
    bytes: usize,
}

fn carry(from: &mut Connection, to: &mut Connection, max: usize) -> Carried {
    let Some(bytes) = from.poll_transmit() else { return Carried { seen: vec![], bytes: 0 } };
    let bytes = bytes[..bytes.len().min(max)].to_vec();
    from.transmitted(bytes.len());
    to.recv(Duration::ZERO, &bytes);
    let (seen, end) = seen_of(to);
    assert_eq!(end, Ok(()), "after {seen:?}");
    Carried { seen, bytes: bytes.len() }
}
