//! What a caller can make a connection do.

use std::time::Duration;

use bytes::Bytes;

use super::{Connection, Grants, Role, State};
use crate::{
    error::{CommandError, ErrorCode},
    frame::{self, HEAD_LEN, flag, kind},
    hpack::Field,
    limits::SETTINGS_PENDING_MAX,
    settings::{MAX_MAX_FRAME_SIZE, MAX_WINDOW, Settings, SettingsInForce},
    stream::{Direction, SendQueue, Stream, StreamEnd},
    stream_id::StreamId,
};

/// What is sent.
impl Connection {
    /// Opens a stream with a request's fields; a client's command. Pseudo-fields come first and names are lower-case: what is given goes
    /// out as it is.
    pub fn open(&mut self, fields: &[Field<'_>], end_stream: bool) -> Result<StreamId, CommandError> {
        self.alive()?;
        let state = &mut self.state;
        let id = state.openable()?;
        state.check_size(fields)?;
        let stream = Stream::new(state.peers.initial_window_size, state.ours.initial_window_size);
        state.streams.insert(id, stream);
        state.next_stream = id.next();
        state.put_headers(id, fields, end_stream);
        Ok(id)
    }

    /// Sends a section on a stream that the peer opened (an answer, interim or final), or trailers after a body on any stream.
    /// Trailers always end the stream, and wait for the body before them.
    pub fn send_headers(
        &mut self,
        stream: StreamId,
        fields: &[Field<'_>],
        end_stream: bool,
    ) -> Result<(), CommandError> {
        self.alive()?;
        let state = &mut self.state;
        let open = state.streams.get_mut(stream).ok_or(CommandError::StreamNotOpen)?;
        match (open.sending, open.queue.as_mut()) {
            (Direction::Ended, _) => return Err(CommandError::StreamNotOpen),
            (Direction::Body, _) if !end_stream => {
                return Err(CommandError::OutOfRange { what: "end_stream of trailers" });
            }
            (_, Some(queue)) => {
                if queue.end.is_some() {
                    return Err(CommandError::StreamNotOpen);
                }
                let owned = fields.iter().map(|field| (field.name.to_vec(), field.value.to_vec(), field.index));
                queue.end = Some(StreamEnd::Trailers(owned.collect()));
                return Ok(());
            }
            _ => {}
        }
        state.check_size(fields)?;
        state.put_headers(stream, fields, end_stream);
        Ok(())
    }

    /// Sends a part of a body. What the peer's windows do not allow yet waits here and goes out as they open.
    pub fn send_data(&mut self, stream: StreamId, data: Bytes, end_stream: bool) -> Result<(), CommandError> {
        self.alive()?;
        let state = &mut self.state;
        let frame_max = state.peers.max_frame_size as usize;
        let open = state.streams.get_mut(stream).ok_or(CommandError::StreamNotOpen)?;
        let ended = open.queue.as_ref().is_some_and(|queue| queue.end.is_some());
        if open.sending != Direction::Body || ended {
            return Err(CommandError::StreamNotOpen);
        }
        let room = state.send_window.available().min(open.send_window.available()).min(frame_max);
        // An empty frame takes no window, so that a body can end while windows are shut.
        if open.queue.is_none() && (data.is_empty() || (data.len() <= room && !state.out.is_high())) {
            state.put_data(stream, &data, end_stream);
            return Ok(());
        }
        let newly = open.queue.is_none();
        let queue = open.queue.get_or_insert_with(|| Box::new(SendQueue::default()));
        queue.chunks.push_back(data);
        queue.end = end_stream.then_some(StreamEnd::Data);
        if newly {
            state.blocked.push_back(stream);
        }
        state.send_queued_of(stream);
        Ok(())
    }

    /// Ends a stream at once with RST_STREAM. What the peer still sends on it is ignored.
    pub fn reset(&mut self, stream: StreamId, code: ErrorCode) -> Result<(), CommandError> {
        self.alive()?;
        self.state.streams.remove(stream).ok_or(CommandError::StreamNotOpen)?;
        self.state.streams.remember_reset(stream);
        frame::put_reset(self.state.out.buffer(), stream, code);
        Ok(())
    }

    /// Changes our settings. They bind the peer when it has acknowledged them ([`Event::SettingsAcknowledged`]).
    ///
    /// [`Event::SettingsAcknowledged`]: crate::Event::SettingsAcknowledged
    pub fn settings(&mut self, changes: Settings) -> Result<(), CommandError> {
        self.alive()?;
        changes.check().map_err(|_| CommandError::OutOfRange { what: "a setting" })?;
        let pending = self.state.pending.len();
        if pending >= SETTINGS_PENDING_MAX {
            return Err(CommandError::SettingsPending { pending });
        }
        frame::put_settings(self.state.out.buffer(), &changes);
        self.state.pending.push_back(changes);
        Ok(())
    }

    /// Sends PING; the answer comes as [`Event::PingAcknowledged`](crate::Event::PingAcknowledged) with the same bytes.
    pub fn ping(&mut self, opaque: [u8; 8]) -> Result<(), CommandError> {
        self.alive()?;
        frame::put(self.state.out.buffer(), kind::PING, 0, StreamId::CONNECTION, &opaque);
        Ok(())
    }

    /// Sends GOAWAY. A server ignores streams above `last_stream` from now on; a client opens none. May be sent again with a lower
    /// `last_stream` (RFC 9113 section 6.8). `debug` is what Apple fills with `{"reason":"…"}`.
    pub fn goaway(&mut self, last_stream: StreamId, code: ErrorCode, debug: &[u8]) -> Result<(), CommandError> {
        self.alive()?;
        if debug.len() + 8 > self.state.peers.max_frame_size as usize {
            return Err(CommandError::OutOfRange { what: "the length of the debug data" });
        }
        let last = self.state.goaway_sent.map_or(last_stream, |before| before.min(last_stream));
        self.state.goaway_sent = Some(last);
        frame::put_goaway(self.state.out.buffer(), last_stream, code, debug);
        Ok(())
    }

    /// Queues a frame as it is, whatever the protocol says of it. Faults misbehave with it; nothing of the connection's own state
    /// changes.
    pub fn send_raw_frame(
        &mut self,
        kind: u8,
        flags: u8,
        stream: StreamId,
        payload: &[u8],
    ) -> Result<(), CommandError> {
        if payload.len() > MAX_MAX_FRAME_SIZE as usize {
            return Err(CommandError::OutOfRange { what: "the length of the payload" });
        }
        frame::put(self.state.out.buffer(), kind, flags, stream, payload);
        Ok(())
    }
}

/// Windows that we grant.
impl Connection {
    /// Says who grants window from now on.
    pub fn set_grants(&mut self, grants: Grants) {
        self.state.grants = grants;
    }

    /// Gives back `bytes` of DATA that were taken from `stream`, for it and for the connection; only needed with [`Grants::Manual`].
    /// Updates go out once half of a window is owed.
    pub fn release(&mut self, stream: StreamId, bytes: usize) {
        self.state.release_connection(bytes);
        self.state.release_stream(stream, bytes);
    }

    /// Widens the window of `stream`, or of the connection for [`StreamId::CONNECTION`], beyond what was received.
    pub fn widen_window(&mut self, stream: StreamId, increment: u32) -> Result<(), CommandError> {
        self.alive()?;
        let out_of_range = CommandError::OutOfRange { what: "the window" };
        if increment == 0 || increment > MAX_WINDOW {
            return Err(out_of_range);
        }
        let state = &mut self.state;
        let window = if stream == StreamId::CONNECTION {
            &mut state.receive_window
        } else {
            &mut state.streams.get_mut(stream).ok_or(CommandError::StreamNotOpen)?.receive_window
        };
        window.widen(increment).map_err(|_| out_of_range)?;
        frame::put_window_update(state.out.buffer(), stream, increment);
        Ok(())
    }

    /// Whether PINGs are answered; they are, unless a fault wants silence.
    pub fn set_answer_pings(&mut self, answer: bool) {
        self.state.answer_pings = answer;
    }
}

/// What can be seen.
impl Connection {
    /// Streams open now.
    pub fn open_streams(&self) -> usize {
        self.state.streams.len()
    }

    /// How many streams a client may open now. Follows the peer's SETTINGS_MAX_CONCURRENT_STREAMS up and down; 0 when going away.
    pub fn openable_streams(&self) -> usize {
        match self.state.openable() {
            Ok(_) => (self.state.peers.max_concurrent_streams as usize) - self.state.streams.len(),
            Err(_) => 0,
        }
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

    /// The latest time that was given.
    pub fn now(&self) -> Duration {
        self.state.now
    }

    fn alive(&self) -> Result<(), CommandError> {
        if self.failed.is_some() { Err(CommandError::Closed) } else { Ok(()) }
    }
}

impl State {
    fn openable(&self) -> Result<StreamId, CommandError> {
        if self.role == Role::Server {
            return Err(CommandError::WrongRole { side: "client" });
        }
        if self.goaway_received.is_some() || self.goaway_sent.is_some() {
            return Err(CommandError::GoingAway);
        }
        let limit = self.peers.max_concurrent_streams;
        if self.streams.len() >= limit as usize {
            return Err(CommandError::TooManyStreams { limit });
        }
        self.next_stream.ok_or(CommandError::StreamIdsExhausted)
    }

    fn check_size(&self, fields: &[Field<'_>]) -> Result<(), CommandError> {
        let limit = self.peers.max_header_list_size;
        let size: usize = fields.iter().map(|field| field.name.len() + field.value.len() + 32).sum();
        if size > limit as usize { Err(CommandError::FieldSectionTooLarge { size, limit }) } else { Ok(()) }
    }

    /// Compresses and frames a section, and moves its stream on.
    pub(super) fn put_headers(&mut self, id: StreamId, fields: &[Field<'_>], end_stream: bool) {
        let out = self.out.buffer();
        let start = out.len();
        out.extend_from_slice(&[0; HEAD_LEN]);
        self.encoder.begin_block(out);
        for field in fields {
            self.encoder.field(*field, out);
        }
        let len = out.len() - start - HEAD_LEN;
        let end = if end_stream { flag::END_STREAM } else { 0 };
        let frame_max = self.peers.max_frame_size as usize;
        if len <= frame_max {
            let head = frame::head(len, kind::HEADERS, end | flag::END_HEADERS, id);
            out[start..start + HEAD_LEN].copy_from_slice(&head);
        } else {
            let block = out.split_off(start + HEAD_LEN);
            out.truncate(start);
            put_long_block(out, id, end, &block, frame_max);
        }
        let Some(stream) = self.streams.get_mut(id) else { return };
        let interim = fields.first().is_some_and(|field| field.name == b":status" && field.value.starts_with(b"1"));
        stream.sending = match stream.sending {
            _ if end_stream => Direction::Ended,
            Direction::Head if interim => Direction::Head,
            _ => Direction::Body,
        };
        if end_stream {
            self.streams.remove_if_closed(id);
        }
    }
}

/// HEADERS and as many CONTINUATION frames as it takes.
fn put_long_block(out: &mut Vec<u8>, id: StreamId, end: u8, block: &[u8], frame_max: usize) {
    let last = block.len().div_ceil(frame_max) - 1;
    for (i, part) in block.chunks(frame_max).enumerate() {
        let (kind, mut flags) = if i == 0 { (kind::HEADERS, end) } else { (kind::CONTINUATION, 0) };
        if i == last {
            flags |= flag::END_HEADERS;
        }
        frame::put(out, kind, flags, id, part);
    }
}
