//! HTTP/2 frames as the wire has them, for tests that are the server (RFC 9113 section 4.1).

use std::fmt;

use apns_http2::hpack::{Encoder, Field};

/// What a client sends first (RFC 9113 section 3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Types of frames (RFC 9113 section 6).
pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const RST_STREAM: u8 = 3;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const PING: u8 = 6;
    pub(crate) const GOAWAY: u8 = 7;
    pub(crate) const WINDOW_UPDATE: u8 = 8;
    pub(crate) const CONTINUATION: u8 = 9;
}

/// Identifiers of settings (RFC 9113 section 6.5.2).
pub(crate) mod setting {
    pub(crate) const HEADER_TABLE_SIZE: u16 = 1;
    pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;
    pub(crate) const MAX_FRAME_SIZE: u16 = 5;
    pub(crate) const MAX_HEADER_LIST_SIZE: u16 = 6;
}

const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const WITH_PRIORITY: u8 = 0x20;

/// Bytes of a frame before its payload.
const HEAD: usize = 9;

/// One frame.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

pub(crate) fn data(stream: u32, content: &[u8]) -> Frame {
    Frame { kind: kind::DATA, flags: 0, stream, payload: content.to_vec() }
}

/// HEADERS with a whole field block.
pub(crate) fn headers(stream: u32, fields: &[(&str, &str)]) -> Frame {
    Frame { kind: kind::HEADERS, flags: END_HEADERS, stream, payload: block(fields) }
}

pub(crate) fn settings(parameters: &[(u16, u32)]) -> Frame {
    let parameter = |(id, value): &(u16, u32)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat();
    let payload = parameters.iter().flat_map(parameter).collect();
    Frame { kind: kind::SETTINGS, flags: 0, stream: 0, payload }
}

pub(crate) fn settings_ack() -> Frame {
    Frame { kind: kind::SETTINGS, flags: ACK, stream: 0, payload: vec![] }
}

pub(crate) fn ping(opaque: [u8; 8]) -> Frame {
    Frame { kind: kind::PING, flags: 0, stream: 0, payload: opaque.to_vec() }
}

pub(crate) fn window_update(stream: u32, increment: u32) -> Frame {
    Frame { kind: kind::WINDOW_UPDATE, flags: 0, stream, payload: increment.to_be_bytes().to_vec() }
}

pub(crate) fn rst_stream(stream: u32, code: u32) -> Frame {
    Frame { kind: kind::RST_STREAM, flags: 0, stream, payload: code.to_be_bytes().to_vec() }
}

/// GOAWAY with a reason, as APNs says it.
pub(crate) fn goaway(last_stream: u32, reason: &str) -> Frame {
    let debug = format!(r#"{{"reason":"{reason}"}}"#);
    let payload = [&last_stream.to_be_bytes(), &[0; 4], debug.as_bytes()].concat();
    Frame { kind: kind::GOAWAY, flags: 0, stream: 0, payload }
}

/// The last CONTINUATION of a field block.
pub(crate) fn continuation(stream: u32, part: &[u8]) -> Frame {
    Frame { kind: kind::CONTINUATION, flags: END_HEADERS, stream, payload: part.to_vec() }
}

/// A frame of a type that nobody knows, to be ignored (RFC 9113 section 4.1).
pub(crate) fn unknown(stream: u32) -> Frame {
    Frame { kind: 0xfa, flags: 0xff, stream, payload: b"whatever".to_vec() }
}

impl Frame {
    pub(crate) fn end_stream(mut self) -> Self {
        self.flags |= END_STREAM;
        self
    }

    /// A part of a field block that CONTINUATION goes on with.
    pub(crate) fn unfinished(mut self) -> Self {
        self.flags &= !END_HEADERS;
        self
    }

    /// With `len` bytes of padding behind and its length before.
    pub(crate) fn padded(mut self, len: u8) -> Self {
        self.flags |= PADDED;
        self.payload.insert(0, len);
        self.payload.extend(std::iter::repeat_n(0, usize::from(len)));
        self
    }

    /// HEADERS with the five bytes of a priority before the block.
    pub(crate) fn with_priority(mut self) -> Self {
        self.flags |= WITH_PRIORITY;
        self.payload.splice(0..0, [0, 0, 0, 0, 15]);
        self
    }

    pub(crate) fn is_ack(&self) -> bool {
        matches!(self.kind, kind::SETTINGS | kind::PING) && self.flags & ACK != 0
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        matches!(self.kind, kind::DATA | kind::HEADERS) && self.flags & END_STREAM != 0
    }

    pub(crate) fn is_end_headers(&self) -> bool {
        matches!(self.kind, kind::HEADERS | kind::CONTINUATION) && self.flags & END_HEADERS != 0
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let len = u32::try_from(self.payload.len()).unwrap().to_be_bytes();
        let mut bytes = vec![len[1], len[2], len[3], self.kind, self.flags];
        bytes.extend_from_slice(&self.stream.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Takes the first frame from what has come, if it is there as a whole.
    pub(crate) fn take(input: &mut Vec<u8>) -> Option<Self> {
        let head = input.first_chunk::<HEAD>()?;
        let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let (kind, flags) = (head[3], head[4]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let payload = input.get(HEAD..HEAD + len)?.to_vec();
        input.drain(..HEAD + len);
        Some(Self { kind, flags, stream, payload })
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, flags, stream, payload } = self;
        let shown = payload[..payload.len().min(40)].escape_ascii();
        write!(f, "type {kind} flags {flags:#x} stream {stream} length {}: {shown}", payload.len())
    }
}

/// A field block that needs and changes no table.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let (mut bytes, mut encoder) = (Vec::new(), Encoder::new());
    encoder.begin_block(&mut bytes);
    for (name, value) in fields {
        encoder.field(Field::literal(name.as_bytes(), value.as_bytes()), &mut bytes);
    }
    bytes
}
