//! Reading along on one connection, for its log of frames.

use std::time::Duration;

use apns_http2::{
    Connection as Http2, Role,
    trace::{Seen, Trace},
};
use mock_apns_core::{ConnectionId, without_secret};
use tracing::info;

use crate::connections::{Direction, Id, LoggedFrame};
use crate::shared::{Batch, Era, Shared};

/// Reads along, and has what is not handed over yet.
pub(super) struct Frames {
    trace: Trace,
    told: Told,
}

/// What was told, without secrets.
struct Told {
    connection: ConnectionId,
    frames: Vec<LoggedFrame>,
}

impl Frames {
    /// From the first byte of the connection on.
    pub(super) fn from_the_start(connection: ConnectionId) -> Self {
        Self { trace: Trace::new(Role::Server), told: Told { connection, frames: Vec::new() } }
    }

    /// From here on, with what has come and was not handled yet.
    pub(super) fn from_here(connection: ConnectionId, http2: &Http2, elapsed: Duration) -> Self {
        let mut told = Told { connection, frames: Vec::new() };
        let trace = http2.trace_from_here(|seen| told.add(elapsed, Direction::Received, seen));
        Self { trace, told }
    }

    pub(super) fn received(&mut self, elapsed: Duration, bytes: &[u8]) {
        self.trace.received(bytes, |seen| self.told.add(elapsed, Direction::Received, seen));
    }

    /// What is about to be sent. It can be looked at before the provider has it.
    pub(super) fn sent(&mut self, elapsed: Duration, bytes: &[u8], shared: &Shared, era: Era) {
        self.trace.sent(bytes, |seen| self.told.add(elapsed, Direction::Sent, seen));
        if let Some(mut batch) = shared.batch_in(era) {
            self.hand_over(&mut batch);
        }
    }

    /// The connection has ended.
    pub(super) fn end(&mut self, elapsed: Duration) {
        let (received, sent) = (self.trace.end_received(), self.trace.end_sent());
        let ends = [(Direction::Received, received), (Direction::Sent, sent)];
        for (direction, seen) in ends.into_iter().filter_map(|(direction, seen)| Some((direction, seen?))) {
            self.told.add(elapsed, direction, seen);
        }
    }

    /// Has kept what was told.
    pub(super) fn hand_over(&mut self, batch: &mut Batch<'_>) {
        batch.connections().0.keep_frames(Id::Provider(self.told.connection), self.told.frames.drain(..));
    }
}

impl Told {
    fn add(&mut self, elapsed: Duration, direction: Direction, mut seen: Seen) {
        for (name, value) in seen.fields_mut().into_iter().flat_map(|fields| &mut fields.list) {
            if name.eq_ignore_ascii_case(b"authorization") {
                *value = without_secret(value);
            }
        }
        let frame = LoggedFrame { elapsed, direction, seen };
        info!(target: "mock_apns::frames", connection = %self.connection, "{}", OneLine(&frame));
        self.frames.push(frame);
    }
}

/// A frame on one line, written only if somebody wants to read it.
struct OneLine<'a>(&'a LoggedFrame);

impl std::fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines = self.0.lines();
        let (first, details) = lines.split_first().map_or(("", &[][..]), |(first, rest)| (first, rest));
        write!(f, "{first} {}", details.join(", "))
    }
}
