//! Frames as they come (RFC 9113 section 6).

use super::{Grants, Handled, Role, State};
use crate::{
    error::{ErrorCode, Violation},
    event::{Event, FieldVisitor},
    frame::{self, Head, flag, kind},
    stream::Direction,
    stream_id::StreamId,
    window::{connection_share, stream_share},
};

impl State {
    pub(super) fn on_frame<'p>(
        &mut self,
        head: Head,
        payload: &'p [u8],
        fields: &mut impl FieldVisitor,
    ) -> Handled<'p> {
        self.frames += 1;
        if self.out.is_overfull() {
            return Err(Violation::OutputNotRead);
        }
        if !self.peer_settings_seen && (head.kind != kind::SETTINGS || head.has(flag::ACK)) {
            return Err(Violation::FirstFrameNotSettings);
        }
        let continues = head.kind == kind::CONTINUATION;
        if self.partial_block.map(|block| block.stream) != continues.then_some(head.stream) {
            return Err(Violation::HeaderBlockInterrupted);
        }
        match head.kind {
            kind::DATA => self.on_data(head, payload),
            kind::HEADERS => self.on_headers(head, payload, fields),
            kind::CONTINUATION => self.on_continuation(head, payload, fields),
            kind::RST_STREAM => self.on_reset(head, payload),
            kind::SETTINGS => self.on_settings(head, payload),
            kind::PUSH_PROMISE => Err(Violation::PushPromise),
            kind::PING => self.on_ping(head, payload),
            kind::GOAWAY => self.on_goaway(head, payload),
            kind::WINDOW_UPDATE => self.on_window_update(head, payload),
            kind::PRIORITY => self.on_priority(head, payload),
            _ => self.meters.count(Violation::TooManyIgnoredFrames, self.now).map(|()| None),
        }
    }

    fn on_data<'p>(&mut self, head: Head, payload: &'p [u8]) -> Handled<'p> {
        let id = head.stream;
        let Some(stream) = self.streams.get_mut(id) else { return self.on_data_of_none(head, payload) };
        let data = unpad(head, payload)?;
        let taken = self.receive_window.receive(payload.len());
        taken.map_err(|_| Violation::ConnectionWindowExceeded)?;
        let end_stream = head.has(flag::END_STREAM);
        if data.is_empty() && !end_stream {
            self.meters.count(Violation::TooManyEmptyFrames, self.now)?;
        }
        let violation = match (stream.receiving, stream.receive_window.receive(payload.len())) {
            (Direction::Head, _) => Some(Violation::FrameOutOfOrder),
            (Direction::Ended, _) => Some(Violation::StreamClosed),
            (Direction::Body, Err(_)) => Some(Violation::StreamWindowExceeded),
            (Direction::Body, Ok(())) => {
                count_content(&mut stream.content_left, data.len(), end_stream).err()
            }
        };
        if let Some(violation) = violation {
            self.release_connection(payload.len());
            return self.stream_error(id, violation);
        }
        let returned = match self.grants {
            Grants::Automatic => payload.len(),
            Grants::Manual => payload.len() - data.len(), // the caller never sees padding
        };
        if end_stream {
            stream.receiving = Direction::Ended;
            if stream.is_closed() {
                self.streams.remove(id);
            }
        } else {
            self.release_stream(id, returned);
        }
        self.release_connection(returned);
        Ok(Some(Event::Data { stream: id, data, end_stream }))
    }

    /// DATA for a stream that is not open. It counts for the connection's window all the same (RFC 9113 section 5.1).
    fn on_data_of_none<'p>(&mut self, head: Head, payload: &[u8]) -> Handled<'p> {
        self.check_stream_of(head)?;
        unpad(head, payload)?;
        let taken = self.receive_window.receive(payload.len());
        taken.map_err(|_| Violation::ConnectionWindowExceeded)?;
        self.release_connection(payload.len());
        if self.is_abandoned(head.stream) {
            Ok(None)
        } else {
            self.stream_error(head.stream, Violation::StreamClosed)
        }
    }

    fn on_reset<'p>(&mut self, head: Head, payload: &[u8]) -> Handled<'p> {
        let code = ErrorCode(u32::from_be_bytes(exactly(payload)?));
        self.check_stream_of(head)?;
        self.meters.count(Violation::TooManyResets, self.now)?;
        let was_open = self.break_off(head.stream);
        Ok(was_open.then_some(Event::Reset { stream: head.stream, code, violation: None }))
    }

    fn on_ping<'p>(&mut self, head: Head, payload: &[u8]) -> Handled<'p> {
        let opaque: [u8; 8] = exactly(payload)?;
        if head.stream != StreamId::CONNECTION {
            return Err(Violation::FrameOnWrongStream);
        }
        if head.has(flag::ACK) {
            return Ok(Some(Event::PingAcknowledged { opaque }));
        }
        self.meters.count(Violation::TooManyPings, self.now)?;
        if self.answer_pings {
            frame::put(self.out.buffer(), kind::PING, flag::ACK, StreamId::CONNECTION, &opaque);
        }
        Ok(Some(Event::Ping { opaque }))
    }

    fn on_goaway<'p>(&mut self, head: Head, payload: &'p [u8]) -> Handled<'p> {
        if head.stream != StreamId::CONNECTION {
            return Err(Violation::FrameOnWrongStream);
        }
        let (last_stream, rest) = payload.split_first_chunk().ok_or(Violation::FrameLength)?;
        let (code, debug) = rest.split_first_chunk().ok_or(Violation::FrameLength)?;
        let last_stream = StreamId::new(u32::from_be_bytes(*last_stream));
        if self.goaway_received.is_some_and(|before| last_stream > before) {
            return Err(Violation::GoAwayIncreased);
        }
        self.goaway_received = Some(last_stream);
        if self.role == Role::Client {
            self.break_off_above(last_stream);
        }
        Ok(Some(Event::GoAway { last_stream, code: ErrorCode(u32::from_be_bytes(*code)), debug }))
    }

    fn on_window_update<'p>(&mut self, head: Head, payload: &[u8]) -> Handled<'p> {
        let increment = u32::from_be_bytes(exactly(payload)?) & StreamId::MAX.get();
        if !self.out.is_window_update_due() {
            self.meters.count(Violation::TooManyWindowUpdates, self.now)?;
        }
        if head.stream == StreamId::CONNECTION {
            if increment == 0 {
                return Err(Violation::ZeroWindowUpdate);
            }
            self.send_window.widen(increment)?;
            self.send_queued();
            return Ok(None);
        }
        self.check_stream_of(head)?;
        let widened = match increment {
            0 if self.streams.is_open(head.stream) => Err(Violation::ZeroWindowUpdate),
            _ => self.widen_stream(head.stream, increment),
        };
        match widened {
            Ok(()) => Ok(None),
            Err(violation) => self.stream_error(head.stream, violation),
        }
    }

    /// RFC 9113 section 5.3.2: read, checked, ignored.
    fn on_priority<'p>(&mut self, head: Head, payload: &[u8]) -> Handled<'p> {
        self.meters.count(Violation::TooManyIgnoredFrames, self.now)?;
        if head.stream == StreamId::CONNECTION {
            return Err(Violation::FrameOnWrongStream);
        }
        if payload.len() != 5 {
            return Err(Violation::FrameLength); // section 5.4.1 lets a stream error end the connection
        }
        Ok(None)
    }

    /// A frame that needs a stream which was opened at some time.
    fn check_stream_of(&self, head: Head) -> Result<(), Violation> {
        if head.stream == StreamId::CONNECTION {
            Err(Violation::FrameOnWrongStream)
        } else if self.is_idle(head.stream) {
            Err(Violation::IdleStream)
        } else {
            Ok(())
        }
    }

    /// Whether nobody has opened `id` yet.
    pub(super) fn is_idle(&self, id: StreamId) -> bool {
        if !id.is_client_initiated() {
            return true; // servers open none without push
        }
        match self.role {
            // What came above our GOAWAY was not counted, so whether it is idle cannot be known there: it is not.
            Role::Server => id > self.last_peer_stream && self.goaway_sent.is_none_or(|last| id <= last),
            Role::Client => self.next_stream.is_some_and(|next| id >= next),
        }
    }

    /// Whether frames for `id`, which is not open, may still be under way: we reset it, or a GOAWAY cut it off.
    pub(super) fn is_abandoned(&self, id: StreamId) -> bool {
        let cut_off = match self.role {
            Role::Server => self.goaway_sent,
            Role::Client => self.goaway_received,
        };
        cut_off.is_some_and(|last| id > last) || self.streams.was_reset_by_us(id)
    }

    /// Resets a stream for what the peer did on it.
    pub(super) fn stream_error<'p>(&mut self, id: StreamId, violation: Violation) -> Handled<'p> {
        self.meters.count(Violation::TooManyStreamErrors, self.now)?;
        frame::put_reset(self.out.buffer(), id, violation.code());
        self.break_off(id);
        self.streams.remember_reset(id);
        Ok(Some(Event::Reset { stream: id, code: violation.code(), violation: Some(violation) }))
    }

    /// Gives bytes of the connection's window back, to be granted with the next [`grant_connection`](Self::grant_connection).
    pub(super) fn release_connection(&mut self, bytes: usize) {
        if !self.withheld.connection {
            self.receive_window.give_back(bytes);
        }
    }

    /// Tells the peer what of the connection's window it has again, if that is worth a frame.
    pub(super) fn grant_connection(&mut self) {
        if self.withheld.connection {
            return;
        }
        let worth_a_frame = connection_share(self.receive_window_target);
        if let Some(increment) = self.receive_window.grant(worth_a_frame) {
            frame::put_window_update(self.out.buffer(), StreamId::CONNECTION, increment);
        }
    }

    pub(super) fn release_stream(&mut self, id: StreamId, bytes: usize) {
        if self.withheld.streams {
            return;
        }
        let worth_a_frame = stream_share(self.ours.initial_window_size);
        let Some(stream) = self.streams.get_mut(id) else { return };
        if stream.receiving == Direction::Ended {
            return; // nothing more comes
        }
        if let Some(increment) = stream.receive_window.release(bytes, worth_a_frame) {
            frame::put_window_update(self.out.buffer(), id, increment);
        }
    }
}

/// A frame's payload without its padding (RFC 9113 section 6.1).
pub(super) fn unpad(head: Head, payload: &[u8]) -> Result<&[u8], Violation> {
    if !head.has(flag::PADDED) {
        return Ok(payload);
    }
    let (&padding, rest) = payload.split_first().ok_or(Violation::FrameLength)?;
    let len = rest.len().checked_sub(usize::from(padding)).ok_or(Violation::BadPadding)?;
    Ok(&rest[..len])
}

fn exactly<const N: usize>(payload: &[u8]) -> Result<[u8; N], Violation> {
    payload.try_into().map_err(|_| Violation::FrameLength)
}

/// Takes `len` bytes off what content-length announced.
fn count_content(left: &mut Option<u64>, len: usize, end_stream: bool) -> Result<(), Violation> {
    let Some(left) = left else { return Ok(()) };
    *left = left.checked_sub(len as u64).ok_or(Violation::ContentLengthMismatch)?;
    if end_stream && *left > 0 { Err(Violation::ContentLengthMismatch) } else { Ok(()) }
}
