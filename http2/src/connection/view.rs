//! What a caller can see of a connection.

use std::time::Duration;

use super::{Connection, Input, State};
use crate::{
    error::CommandError,
    settings::SettingsInForce,
    stream_id::StreamId,
    trace::{Binding, Blocks, Reader, Seen, TABLE_BYTES_MAX, Trace},
};

/// What can be seen.
impl Connection {
    /// Streams open now.
    pub fn open_streams(&self) -> usize {
        self.state.streams.len()
    }

    /// How many streams a client may open now. Follows the peer's SETTINGS_MAX_CONCURRENT_STREAMS up and down; 0 when going away and
    /// while too much waits to be written.
    pub fn openable_streams(&self) -> usize {
        if self.failed.is_some() || self.state.openable().is_err() {
            return 0;
        }
        let free = self.state.peers.max_concurrent_streams as usize - self.state.streams.len();
        free.min(self.stream_ids_left() as usize)
    }

    /// Bytes of DATA that the connection's window lets us send now; below 0 never, since only streams can be.
    pub fn send_window(&self) -> usize {
        self.state.send_window.available()
    }

    /// The window of one stream for sending; may be below 0 (RFC 9113 section 6.9.2). `None` if the stream is not open.
    pub fn stream_send_window(&self, stream: StreamId) -> Option<i32> {
        self.state.streams.get(stream).map(|stream| stream.send_window.size())
    }

    /// The window of the connection, or of one stream, that the peer may still fill. `None` if the stream is not open.
    pub fn receive_window(&self, stream: StreamId) -> Option<i32> {
        let window = if stream == StreamId::CONNECTION {
            self.state.receive_window
        } else {
            self.state.streams.get(stream)?.receive_window
        };
        Some(window.window().size())
    }

    /// The peer's settings, which bind us.
    pub fn peer_settings(&self) -> &SettingsInForce {
        &self.state.peers
    }

    /// Whether the peer's first SETTINGS have come. Until then its limits are unknown, and a careful client opens one stream at most.
    pub fn has_peer_settings(&self) -> bool {
        self.state.peer_settings_seen
    }

    /// Our settings that the peer has acknowledged, which bind it.
    pub fn acknowledged_settings(&self) -> &SettingsInForce {
        &self.state.ours
    }

    /// Our SETTINGS that still wait for their acknowledgement.
    pub fn pending_settings(&self) -> usize {
        self.state.pending.len()
    }

    /// The highest stream of the peer seen so far: the last stream of an honest GOAWAY.
    pub fn last_peer_stream(&self) -> StreamId {
        self.state.last_peer_stream
    }

    /// Streams that a client can still open before identifiers run out.
    pub fn stream_ids_left(&self) -> u32 {
        self.state.next_stream.map_or(0, |next| (StreamId::MAX.get() - next.get()) / 2 + 1)
    }

    /// Whether a GOAWAY was sent or received.
    pub fn is_going_away(&self) -> bool {
        self.state.goaway_sent.is_some() || self.state.goaway_received.is_some()
    }

    /// Frames that have come.
    pub fn frames_received(&self) -> u64 {
        self.state.frames
    }

    /// Whether a part of the preface, of a frame or of a field block has come, and the rest of it not yet.
    pub fn is_within_a_frame(&self) -> bool {
        self.input.consumed < self.input.bytes.len() || self.state.partial_block.is_some()
    }

    /// Whether something that was to be sent waits: to be [written](Self::poll_transmit), or for the peer to open a window. Looks at
    /// every open stream.
    pub fn is_sending(&self) -> bool {
        !self.state.out.pending().is_empty() || self.state.streams.any_queued()
    }

    /// About how much memory this connection holds for what is under way, in bytes: what has come and was not looked at, what is to be
    /// sent, and a kilobyte for each open stream. Bodies larger than that which wait for window are not counted.
    pub fn held_bytes(&self) -> usize {
        let state = &self.state;
        let came = self.input.bytes.len() - self.input.consumed + state.block_bytes.len();
        came + state.out.pending().len() + state.streams.len() * STREAM_BYTES
    }

    /// Gives back the memory of buffers that nothing is in: for a connection that has nothing to do.
    pub fn shrink_buffers(&mut self) {
        let input = &mut self.input;
        if input.consumed == input.bytes.len() {
            input.bytes = Vec::new();
            input.consumed = 0;
        }
        self.state.out.shrink();
    }

    /// The latest time that was given.
    pub fn now(&self) -> Duration {
        self.state.now
    }

    /// Begins to read along in mid-connection, with the tables of both directions as they stand. What was received and has not been
    /// polled is told at once; a frame whose beginning came before is told when it is complete. What waits to be written now stays
    /// untold: the table that it refers to has gone on.
    pub fn trace_from_here(&self, see: impl FnMut(Seen)) -> Trace {
        let Input { bytes, consumed, preface_due } = &self.input;
        let State { ours, pending, peers, decoder, partial_block, block_bytes, out, .. } = &self.state;

        let open = partial_block.map(|block| (block.stream, &block_bytes[..]));
        let blocks = Blocks::new(decoder.copy(), open);
        let binding = Binding { in_force: *ours, unacknowledged: pending.clone() };
        let received = Reader::from_here(*preface_due, 0, blocks, binding);

        let blocks = Blocks::new(out.encoder.decoder_from_here(TABLE_BYTES_MAX), None);
        let binding = Binding { in_force: *peers, ..Binding::default() };
        let sent = Reader::from_here(false, out.pending().len(), blocks, binding);

        let mut trace = Trace::from_here(received, sent);
        trace.received(&bytes[*consumed..], see);
        trace
    }

    pub(super) fn alive(&self) -> Result<(), CommandError> {
        if self.failed.is_some() { Err(CommandError::Closed) } else { Ok(()) }
    }
}

/// What an open stream takes, with a short answer that waits for window, in bytes.
const STREAM_BYTES: usize = 1024;
