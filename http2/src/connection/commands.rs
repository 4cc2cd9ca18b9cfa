//! What a caller can make a connection send.

use bytes::Bytes;

use super::{Connection, Framing, Role, State};
use crate::{
    error::{CommandError, ErrorCode},
    frame::{self, kind},
    hpack::Field,
    limits::SETTINGS_PENDING_MAX,
    message::FIELD_OVERHEAD,
    settings::{MAX_MAX_FRAME_SIZE, Settings},
    stream::{Direction, Stream, StreamEnd},
    stream_id::StreamId,
};

impl Connection {
    /// Opens a stream with a request's fields; a client's command. Pseudo-fields come first and names are lower-case: what is given goes
    /// out as it is.
    pub fn open(&mut self, fields: &[Field<'_>], end_stream: bool) -> Result<StreamId, CommandError> {
        self.alive()?;
        let state = &mut self.state;
        let id = state.openable()?;
        state.check_size(fields)?;
        let frame_max = state.peers.max_frame_size as usize;
        state.out.put_headers(id, fields, end_stream, frame_max, Framing::default());
        let mut stream = Stream::new(state.peers.initial_window_size, state.ours.initial_window_size);
        stream.sending = if end_stream { Direction::Ended } else { Direction::Body };
        stream.is_head = is_head(fields);
        state.streams.insert(id, stream);
        state.next_stream = id.next();
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
        state.check_size(fields)?;
        let open = state.streams.get_mut(stream).ok_or(CommandError::StreamNotOpen)?;
        match open.sending {
            Direction::Ended => return Err(CommandError::StreamNotOpen),
            Direction::Body if !end_stream => {
                return Err(CommandError::OutOfRange { what: "end_stream of trailers" });
            }
            Direction::Head | Direction::Body => {}
        }
        if let Some(queue) = open.queue.as_mut() {
            if queue.end.is_some() {
                return Err(CommandError::StreamNotOpen);
            }
            let owned = fields.iter().map(|field| (field.name.to_vec(), field.value.to_vec(), field.index));
            queue.end = Some(StreamEnd::Trailers(owned.collect()));
            return Ok(());
        }
        if end_stream {
            open.sending = Direction::Ended;
        } else if !is_interim(fields) {
            open.sending = Direction::Body;
        }
        let (is_closed, framing) = (open.is_closed(), open.framing);
        state.out.put_headers(stream, fields, end_stream, state.peers.max_frame_size as usize, framing);
        if is_closed {
            state.streams.remove(stream);
        }
        Ok(())
    }

    /// Sends a part of a body. What the peer's windows do not allow yet waits here and goes out as they open.
    pub fn send_data(&mut self, stream: StreamId, data: Bytes, end_stream: bool) -> Result<(), CommandError> {
        self.alive()?;
        self.state.send_or_queue(stream, data, end_stream)
    }

    /// Ends a stream at once with RST_STREAM. What the peer still sends on it is ignored.
    pub fn reset(&mut self, stream: StreamId, code: ErrorCode) -> Result<(), CommandError> {
        self.alive()?;
        if !self.state.break_off(stream) {
            return Err(CommandError::StreamNotOpen);
        }
        self.state.streams.remember_reset(stream);
        frame::put_reset(self.state.out.buffer(), stream, code);
        Ok(())
    }

    /// Changes our settings. They bind the peer when it has acknowledged them ([`Event::SettingsAcknowledged`]).
    ///
    /// [`Event::SettingsAcknowledged`]: crate::Event::SettingsAcknowledged
    pub fn settings(&mut self, changes: Settings) -> Result<(), CommandError> {
        self.alive()?;
        if changes.check().is_err() || changes.enable_push == Some(1) {
            return Err(CommandError::OutOfRange { what: "a setting" }); // push is never on here
        }
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

    /// Sends GOAWAY. A server closes its streams above `last_stream` and ignores what still comes for them; a client opens no more.
    /// May be sent again, with the same `last_stream` or a lower one (RFC 9113 section 6.8). `debug` is what Apple fills with
    /// `{"reason":"…"}`.
    pub fn goaway(
        &mut self,
        last_stream: StreamId,
        code: ErrorCode,
        debug: &[u8],
    ) -> Result<(), CommandError> {
        self.alive()?;
        let state = &mut self.state;
        if debug.len() + 8 > state.peers.max_frame_size as usize {
            return Err(CommandError::OutOfRange { what: "the length of the debug data" });
        }
        if state.goaway_sent.is_some_and(|before| last_stream > before) {
            return Err(CommandError::OutOfRange { what: "the last stream, which may not grow," });
        }
        state.goaway_sent = Some(last_stream);
        if state.role == Role::Server {
            state.break_off_above(last_stream);
        }
        frame::put_goaway(state.out.buffer(), last_stream, code, debug);
        Ok(())
    }

    /// Queues a frame as it is, whatever the protocol says of it. Faults misbehave with it; nothing of the connection's own state
    /// changes. It counts for [`OUTPUT_BYTES_MAX`](crate::limits::OUTPUT_BYTES_MAX): write a huge one before looking at more input.
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

impl State {
    pub(super) fn openable(&self) -> Result<StreamId, CommandError> {
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
        if self.out.is_too_high_to_open() {
            return Err(CommandError::OutputFull { pending: self.out.pending().len() });
        }
        self.next_stream.ok_or(CommandError::StreamIdsExhausted)
    }

    fn check_size(&self, fields: &[Field<'_>]) -> Result<(), CommandError> {
        let limit = self.peers.max_header_list_size;
        let size: usize =
            fields.iter().map(|field| field.name.len() + field.value.len() + FIELD_OVERHEAD).sum();
        if size > limit as usize { Err(CommandError::FieldSectionTooLarge { size, limit }) } else { Ok(()) }
    }
}

/// Whether these are the fields of an interim answer, which another section follows.
fn is_interim(fields: &[Field<'_>]) -> bool {
    fields.first().is_some_and(|field| field.name == b":status" && field.value.starts_with(b"1"))
}

fn is_head(fields: &[Field<'_>]) -> bool {
    let mut pseudo = fields.iter().take_while(|field| field.name.first() == Some(&b':'));
    pseudo.any(|field| field.name == b":method" && field.value == b"HEAD")
}
