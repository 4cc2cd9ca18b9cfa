//! The streams of a connection and the state of each (RFC 9113 section 5.1).

use std::collections::VecDeque;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::{
    connection::Framing,
    hpack::Index,
    limits::RESET_STREAMS_REMEMBERED,
    stream_id::StreamId,
    window::{ReceiveWindow, Window},
};

/// One stream. Each direction goes its own way through
///
/// ```text
///   Head ──HEADERS──▶ Body ──END_STREAM──▶ Ended
///     └────────HEADERS + END_STREAM──────────▲
/// ```
///
/// and the stream is closed, and forgotten, when both have ended or either side resets it. "Idle" and "closed" of the RFC are
/// not kept: an identifier not yet reached is idle, one passed and not in the map is closed.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) receiving: Direction,
    pub(crate) sending: Direction,
    pub(crate) send_window: Window,
    pub(crate) receive_window: ReceiveWindow,
    /// Bytes that content-length still announces.
    pub(crate) content_left: Option<u64>,
    /// Whether our request was HEAD, whose answer has no content whatever its content-length says.
    pub(crate) is_head: bool,
    /// The form of the frames that go out.
    pub(crate) framing: Framing,
    /// What waits for window; boxed, since it is rare. Never without a chunk, and no chunk is empty.
    pub(crate) queue: Option<Box<SendQueue>>,
    /// Whether the stream stands in the line of those that wait for the connection.
    pub(crate) in_line: bool,
}

/// How far one direction of a stream has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Direction {
    Head,
    Body,
    Ended,
}

/// What a caller has sent and the peer's windows do not allow yet.
#[derive(Debug, Default)]
pub(crate) struct SendQueue {
    pub(crate) chunks: VecDeque<Bytes>,
    pub(crate) end: Option<StreamEnd>,
}

/// How a queued body ends.
#[derive(Debug)]
pub(crate) enum StreamEnd {
    Data,
    Trailers(Vec<(Vec<u8>, Vec<u8>, Index)>),
}

impl Stream {
    /// A stream on which nothing was said yet, with the windows that settings in force give it.
    pub(crate) fn new(send_window: u32, receive_window: u32) -> Self {
        Self {
            receiving: Direction::Head,
            sending: Direction::Head,
            send_window: Window::new(send_window),
            receive_window: ReceiveWindow::new(receive_window),
            content_left: None,
            is_head: false,
            framing: Framing::default(),
            queue: None,
            in_line: false,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.receiving == Direction::Ended && self.sending == Direction::Ended && self.queue.is_none()
    }
}

/// The open streams, and which of the closed ones were reset by us.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    // Keyed by the number itself and never walked where order shows; the hasher has no seed, so runs repeat.
    open: FxHashMap<StreamId, Stream>,
    reset_by_us: VecDeque<StreamId>,
    /// The highest of those that had to be dropped from `reset_by_us`.
    reset_forgotten: StreamId,
}

impl Streams {
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    pub(crate) fn is_open(&self, id: StreamId) -> bool {
        self.open.contains_key(&id)
    }

    pub(crate) fn get_mut(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.open.get_mut(&id)
    }

    pub(crate) fn get(&self, id: StreamId) -> Option<&Stream> {
        self.open.get(&id)
    }

    pub(crate) fn insert(&mut self, id: StreamId, stream: Stream) {
        self.open.insert(id, stream);
    }

    pub(crate) fn remove(&mut self, id: StreamId) -> Option<Stream> {
        self.open.remove(&id)
    }

    /// Forgets the streams above `last`; the peer's GOAWAY says that it never worked on them.
    pub(crate) fn remove_above(&mut self, last: StreamId) {
        self.open.retain(|id, _| *id <= last);
    }

    /// Remembers that frames for `id` may still be under way.
    pub(crate) fn remember_reset(&mut self, id: StreamId) {
        if self.reset_by_us.len() == RESET_STREAMS_REMEMBERED {
            let oldest = self.reset_by_us.pop_front().unwrap_or_default();
            self.reset_forgotten = self.reset_forgotten.max(oldest);
        }
        self.reset_by_us.push_back(id);
    }

    /// Whether we have reset this stream, or may have: below one that is no longer remembered, the peer has the benefit of the doubt.
    pub(crate) fn was_reset_by_us(&self, id: StreamId) -> bool {
        id <= self.reset_forgotten || self.reset_by_us.contains(&id)
    }

    /// Applies `change` to every open stream; the first error ends it.
    pub(crate) fn try_for_each<E>(
        &mut self,
        change: impl FnMut(&mut Stream) -> Result<(), E>,
    ) -> Result<(), E> {
        self.open.values_mut().try_for_each(change)
    }

    /// Whether an open stream has something that waits for window.
    pub(crate) fn any_queued(&self) -> bool {
        self.open.values().any(|stream| stream.queue.is_some())
    }

    /// Every open stream in the order of their numbers, for what shows on the wire. Rare enough to sort.
    pub(crate) fn in_order(&mut self) -> impl Iterator<Item = (StreamId, &mut Stream)> {
        let mut streams: Vec<_> = self.open.iter_mut().map(|(id, stream)| (*id, stream)).collect();
        streams.sort_unstable_by_key(|(id, _)| *id);
        streams.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_reset_by_us_is_known_even_after_it_had_to_be_forgotten() {
        let mut streams = Streams::default();
        let ids: Vec<StreamId> =
            (0..2 * RESET_STREAMS_REMEMBERED as u32).map(|n| StreamId::new(4 * n + 1)).collect();
        for id in &ids {
            streams.remember_reset(*id);
        }
        assert!(ids.iter().all(|id| streams.was_reset_by_us(*id)));
        assert!(streams.was_reset_by_us(StreamId::new(3)), "maybe: it is below a forgotten one");
        let between = StreamId::new(ids[ids.len() - 1].get() - 2);
        assert!(!streams.was_reset_by_us(between));
    }
}
