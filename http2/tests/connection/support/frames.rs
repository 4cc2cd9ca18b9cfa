//! Frames as the wire has them, written so that a test reads like its log.

use std::fmt;

use apns_http2::{
    ErrorCode,
    hpack::{Encoder, Field},
};

/// What a client sends first (RFC 9113 section 3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const NAMES: [&str; 10] = [
    "DATA",
    "HEADERS",
    "PRIORITY",
    "RST_STREAM",
    "SETTINGS",
    "PUSH_PROMISE",
    "PING",
    "GOAWAY",
    "WINDOW_UPDATE",
    "CONTINUATION",
];

const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const WITH_PRIORITY: u8 = 0x20;

/// Identifiers of settings (RFC 9113 section 6.5.2).
pub(crate) mod setting {
    pub(crate) const ENABLE_PUSH: u16 = 2;
    pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 3;
    pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;
    pub(crate) const MAX_FRAME_SIZE: u16 = 5;
    pub(crate) const MAX_HEADER_LIST_SIZE: u16 = 6;
}

/// One frame.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

pub(crate) fn data(stream: u32, content: &[u8]) -> Frame {
    Frame { kind: 0, flags: 0, stream, payload: content.to_vec() }
}

/// HEADERS with a whole field block.
pub(crate) fn headers(stream: u32, fields: &[(&str, &str)]) -> Frame {
    Frame { kind: 1, flags: END_HEADERS, stream, payload: block(fields) }
}

pub(crate) fn priority(stream: u32) -> Frame {
    Frame { kind: 2, flags: 0, stream, payload: vec![0, 0, 0, 0, 15] }
}

pub(crate) fn reset(stream: u32, code: ErrorCode) -> Frame {
    Frame { kind: 3, flags: 0, stream, payload: code.0.to_be_bytes().to_vec() }
}

pub(crate) fn settings(parameters: &[(u16, u32)]) -> Frame {
    let bytes =
        parameters.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat());
    Frame { kind: 4, flags: 0, stream: 0, payload: bytes.collect() }
}

pub(crate) fn settings_ack() -> Frame {
    Frame { kind: 4, flags: ACK, stream: 0, payload: vec![] }
}

pub(crate) fn push_promise(stream: u32, promised: u32) -> Frame {
    let payload = [&promised.to_be_bytes()[..], &block(&super::REQUEST)].concat();
    Frame { kind: 5, flags: END_HEADERS, stream, payload }
}

pub(crate) fn ping(opaque: [u8; 8]) -> Frame {
    Frame { kind: 6, flags: 0, stream: 0, payload: opaque.to_vec() }
}

pub(crate) fn ping_ack(opaque: [u8; 8]) -> Frame {
    Frame { flags: ACK, ..ping(opaque) }
}

pub(crate) fn goaway(last_stream: u32, code: ErrorCode, debug: &[u8]) -> Frame {
    let payload = [&last_stream.to_be_bytes()[..], &code.0.to_be_bytes(), debug].concat();
    Frame { kind: 7, flags: 0, stream: 0, payload }
}

pub(crate) fn window_update(stream: u32, increment: u32) -> Frame {
    Frame { kind: 8, flags: 0, stream, payload: increment.to_be_bytes().to_vec() }
}

/// The last CONTINUATION of a field block.
pub(crate) fn continuation(stream: u32, part: &[u8]) -> Frame {
    Frame { kind: 9, flags: END_HEADERS, stream, payload: part.to_vec() }
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
        self.payload.splice(0..0, [0x80, 0, 0, 7, 200]);
        self
    }

    pub(crate) fn with_payload(self, payload: &[u8]) -> Self {
        Self { payload: payload.to_vec(), ..self }
    }

    pub(crate) fn on_stream(self, stream: u32) -> Self {
        Self { stream, ..self }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let len = u32::try_from(self.payload.len()).unwrap().to_be_bytes();
        let mut bytes = vec![len[1], len[2], len[3], self.kind, self.flags];
        bytes.extend_from_slice(&self.stream.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// The frames that `bytes` are, all of them whole.
    pub(crate) fn parse_all(mut bytes: &[u8]) -> Vec<Self> {
        let mut frames = Vec::new();
        while let Some((head, rest)) = bytes.split_first_chunk::<9>() {
            let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            frames.push(Self { kind: head[3], flags: head[4], stream, payload: rest[..len].to_vec() });
            bytes = &rest[len..];
        }
        assert!(bytes.is_empty(), "the output ends inside a frame: {bytes:?}");
        frames
    }

    /// How the log names it: `DATA`, `HEADERS`, …
    pub(crate) fn name(&self) -> &'static str {
        NAMES.get(usize::from(self.kind)).copied().unwrap_or("UNKNOWN")
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.flags & END_STREAM != 0
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let payload = String::from_utf8_lossy(&self.payload[..self.payload.len().min(60)]);
        write!(
            f,
            "{} stream {} flags {:#x} len {} {payload:?}",
            self.name(),
            self.stream,
            self.flags,
            self.payload.len()
        )
    }
}

/// A field block that needs and changes no table.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new();
    encoder.begin_block(&mut bytes);
    for (name, value) in fields {
        encoder.field(Field::literal(name.as_bytes(), value.as_bytes()), &mut bytes);
    }
    bytes
}

/// The error codes of RST_STREAM and GOAWAY frames; other frames have none.
pub(crate) fn codes(frames: &[Frame]) -> Vec<(u32, ErrorCode)> {
    let code = |frame: &Frame| match frame.kind {
        3 => Some((frame.stream, ErrorCode(u32::from_be_bytes(frame.payload[..4].try_into().unwrap())))),
        7 => Some((0, ErrorCode(u32::from_be_bytes(frame.payload[4..8].try_into().unwrap())))),
        _ => None,
    };
    frames.iter().filter_map(code).collect()
}
