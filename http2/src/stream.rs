//! The streams of a connection and the state of each (RFC 9113 section 5.1).

use std::collections::VecDeque;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::{
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
    /// What waits for window; boxed, since it is rare.
    pub(crate) queue: Option<Box<SendQueue>>,
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
            queue: None,
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
}

impl Streams {
    pub(crate) fn len(&self) -> usize {
        self.open.len()
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

    /// Forgets the stream if both its directions have ended.
    pub(crate) fn remove_if_closed(&mut self, id: StreamId) {
        if self.open.get(&id).is_some_and(Stream::is_closed) {
            self.open.remove(&id);
        }
    }

    /// Forgets the streams above `last`; the peer's GOAWAY says that it never worked on them.
    pub(crate) fn remove_above(&mut self, last: StreamId) {
        self.open.retain(|id, _| *id <= last);
    }

    /// Remembers that frames for `id` may still be under way.
    pub(crate) fn remember_reset(&mut self, id: StreamId) {
        if self.reset_by_us.len() == RESET_STREAMS_REMEMBERED {
            self.reset_by_us.pop_front();
        }
        self.reset_by_us.push_back(id);
    }

    pub(crate) fn was_reset_by_us(&self, id: StreamId) -> bool {
        self.reset_by_us.contains(&id)
    }

    /// Applies `change` to every open stream; the first error ends it.
    pub(crate) fn try_for_each<E>(&mut self, change: impl FnMut(&mut Stream) -> Result<(), E>) -> Result<(), E> {
        self.open.values_mut().try_for_each(change)
    }
}
