//! HEADERS and CONTINUATION (RFC 9113 sections 4.3, 6.2, 6.10): from frames to a field section, to a state of its stream.

use super::{Handled, Role, State};
use crate::{
    error::Violation,
    event::{Event, FieldVisitor, Section},
    frame::{Head, flag},
    limits::{
        BUFFER_BYTES_KEPT, CONTINUATIONS_MAX, FIELD_SECTION_BYTES_MAX, HEADER_BLOCK_BYTES_MAX, STREAMS_MAX,
    },
    message::{Checked, Expected, SectionCheck},
    stream::{Direction, Stream},
    stream_id::StreamId,
};

/// A field block whose last frame has not come yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct PartialBlock {
    pub(super) stream: StreamId,
    end_stream: bool,
    continuations: u32,
}

/// What becomes of a field block. All are decompressed, since the table is the connection's.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// A new stream of the peer.
    Open,
    /// The next section of a stream that is open.
    Next(Expected),
    /// The stream is reset for this.
    Refuse(Violation),
    /// It was under way when its stream was reset, or after our GOAWAY.
    Ignore,
}

impl State {
    pub(super) fn on_headers<'p>(
        &mut self,
        head: Head,
        payload: &[u8],
        fields: &mut impl FieldVisitor,
    ) -> Handled<'p> {
        if head.stream == StreamId::CONNECTION {
            return Err(Violation::FrameOnWrongStream);
        }
        let mut fragment = super::receive::unpad(head, payload)?;
        if head.has(flag::PRIORITY) {
            fragment = fragment.get(5..).ok_or(Violation::FrameLength)?;
        }
        let end_stream = head.has(flag::END_STREAM);
        if fragment.len() > HEADER_BLOCK_BYTES_MAX {
            return Err(Violation::HeaderBlockTooLarge);
        }
        if head.has(flag::END_HEADERS) {
            return self.on_block(head.stream, end_stream, fragment, fields);
        }
        self.block_bytes.clear();
        self.block_bytes.extend_from_slice(fragment);
        self.partial_block = Some(PartialBlock { stream: head.stream, end_stream, continuations: 0 });
        Ok(None)
    }

    pub(super) fn on_continuation<'p>(
        &mut self,
        head: Head,
        payload: &[u8],
        fields: &mut impl FieldVisitor,
    ) -> Handled<'p> {
        // `on_frame` lets a CONTINUATION through only while a block is partial, and on its stream.
        let Some(mut block) = self.partial_block else { return Err(Violation::HeaderBlockInterrupted) };
        block.continuations += 1;
        self.block_bytes.extend_from_slice(payload);
        if block.continuations > CONTINUATIONS_MAX || self.block_bytes.len() > HEADER_BLOCK_BYTES_MAX {
            return Err(Violation::HeaderBlockTooLarge);
        }
        if !head.has(flag::END_HEADERS) {
            self.partial_block = Some(block);
            return Ok(None);
        }
        self.partial_block = None;
        let bytes = std::mem::take(&mut self.block_bytes);
        let handled = self.on_block(block.stream, block.end_stream, &bytes, fields);
        self.block_bytes = bytes;
        self.block_bytes.clear();
        self.block_bytes.shrink_to(BUFFER_BYTES_KEPT / 4);
        handled
    }

    fn on_block<'p>(
        &mut self,
        id: StreamId,
        end_stream: bool,
        block: &[u8],
        fields: &mut impl FieldVisitor,
    ) -> Handled<'p> {
        let fate = match self.role {
            Role::Server => self.fate_at_server(id, end_stream)?,
            Role::Client => self.fate_at_client(id, end_stream)?,
        };
        let (Fate::Open | Fate::Next(_)) = fate else {
            self.decoder.decode(block, |_, _| {}).map_err(|_| Violation::Compression)?;
            return match fate {
                Fate::Refuse(violation) => self.stream_error(id, violation),
                _ => Ok(None),
            };
        };
        let expected = if let Fate::Next(expected) = fate { expected } else { Expected::Request };
        let size_max = self.ours.max_header_list_size.min(FIELD_SECTION_BYTES_MAX);
        let mut check = SectionCheck::new(expected, size_max);
        fields.begin(id);
        let visit = |name: &[u8], value: &[u8]| {
            if check.field(name, value) {
                fields.field(name, value);
            }
        };
        self.decoder.decode(block, visit).map_err(|_| Violation::Compression)?;
        match check.finish(end_stream) {
            Ok(checked) => self.on_section(id, end_stream, checked),
            Err(violation) => self.stream_error(id, violation),
        }
    }

    fn fate_at_server(&mut self, id: StreamId, end_stream: bool) -> Result<Fate, Violation> {
        if let Some(stream) = self.streams.get(id) {
            return Ok(match stream.receiving {
                Direction::Ended => Fate::Refuse(Violation::StreamClosed),
                _ if !end_stream => Fate::Refuse(Violation::FrameOutOfOrder), // RFC 9113 section 8.1
                _ => Fate::Next(Expected::Trailers),
            });
        }
        if !id.is_client_initiated() {
            return Err(Violation::BadStreamId);
        }
        if self.is_abandoned(id) {
            return Ok(Fate::Ignore);
        }
        if id <= self.last_peer_stream {
            let was_skipped = self.skipped.0 < id && id < self.skipped.1;
            return Err(if was_skipped { Violation::BadStreamId } else { Violation::StreamClosed });
        }
        if id.get() - self.last_peer_stream.get() > 2 {
            self.skipped = (self.last_peer_stream, id);
        }
        self.last_peer_stream = id;
        let limit = self.ours.max_concurrent_streams.min(STREAMS_MAX) as usize;
        Ok(if self.streams.len() >= limit { Fate::Refuse(Violation::TooManyStreams) } else { Fate::Open })
    }

    fn fate_at_client(&mut self, id: StreamId, end_stream: bool) -> Result<Fate, Violation> {
        if let Some(stream) = self.streams.get(id) {
            return Ok(match stream.receiving {
                Direction::Head => Fate::Next(Expected::Response),
                Direction::Body if end_stream => Fate::Next(Expected::Trailers),
                Direction::Body => Fate::Refuse(Violation::FrameOutOfOrder),
                Direction::Ended => Fate::Refuse(Violation::StreamClosed),
            });
        }
        if self.is_idle(id) {
            return Err(Violation::IdleStream);
        }
        if self.is_abandoned(id) { Ok(Fate::Ignore) } else { Err(Violation::StreamClosed) }
    }

    /// A well-formed section: the stream moves on.
    fn on_section<'p>(&mut self, id: StreamId, end_stream: bool, checked: Checked) -> Handled<'p> {
        let Checked { section, content_length, never_has_content } = checked;
        if section == Section::Request {
            if end_stream && content_length.is_some_and(|length| length > 0) {
                return self.stream_error(id, Violation::ContentLengthMismatch);
            }
            let mut stream = Stream::new(self.peers.initial_window_size, self.ours.initial_window_size);
            stream.content_left = content_length;
            stream.receiving = if end_stream { Direction::Ended } else { Direction::Body };
            self.streams.insert(id, stream);
            return Ok(Some(Event::Headers { stream: id, section, end_stream }));
        }
        let Some(stream) = self.streams.get_mut(id) else { return Ok(None) };
        if section == Section::Response {
            let never_has_content = never_has_content || stream.is_head;
            stream.content_left = if never_has_content { Some(0) } else { content_length };
            stream.receiving = Direction::Body;
        }
        if end_stream {
            if stream.content_left.is_some_and(|left| left > 0) {
                return self.stream_error(id, Violation::ContentLengthMismatch);
            }
            stream.receiving = Direction::Ended;
            if stream.is_closed() {
                self.streams.remove(id);
            }
        }
        Ok(Some(Event::Headers { stream: id, section, end_stream }))
    }
}
