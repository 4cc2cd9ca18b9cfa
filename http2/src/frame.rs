//! Frames on the wire (RFC 9113 section 4.1 and 6): the nine-byte head, the types, the flags, and how each is written.

use crate::{error::ErrorCode, settings::Settings, stream_id::StreamId};

/// Bytes of a frame's head: length 24 bits, type 8, flags 8, reserved 1, stream 31.
pub(crate) const HEAD_LEN: usize = 9;

/// What a client sends before its first frame (RFC 9113 section 3.4).
pub(crate) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Frame types (RFC 9113 section 6).
pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0x0;
    pub(crate) const HEADERS: u8 = 0x1;
    pub(crate) const PRIORITY: u8 = 0x2;
    pub(crate) const RST_STREAM: u8 = 0x3;
    pub(crate) const SETTINGS: u8 = 0x4;
    pub(crate) const PUSH_PROMISE: u8 = 0x5;
    pub(crate) const PING: u8 = 0x6;
    pub(crate) const GOAWAY: u8 = 0x7;
    pub(crate) const WINDOW_UPDATE: u8 = 0x8;
    pub(crate) const CONTINUATION: u8 = 0x9;
}

/// Flags (RFC 9113 section 6); ACK and END_STREAM share a bit.
pub(crate) mod flag {
    pub(crate) const ACK: u8 = 0x1;
    pub(crate) const END_STREAM: u8 = 0x1;
    pub(crate) const END_HEADERS: u8 = 0x4;
    pub(crate) const PADDED: u8 = 0x8;
    pub(crate) const PRIORITY: u8 = 0x20;
}

/// A frame's head, decoded (RFC 9113 section 4.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Head {
    /// Bytes of the payload, at most 2^24-1.
    pub len: usize,
    /// The type.
    pub kind: u8,
    /// The flags, whatever they mean for the type.
    pub flags: u8,
    /// The stream, without the reserved bit.
    pub stream: StreamId,
}

impl Head {
    /// The head at the start of `bytes`, or `None` while it is not all there.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let head: &[u8; HEAD_LEN] = bytes.first_chunk()?;
        Some(Self {
            len: u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize,
            kind: head[3],
            flags: head[4],
            stream: StreamId::new(u32::from_be_bytes([head[5], head[6], head[7], head[8]])),
        })
    }

    pub(crate) const fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(crate) const fn is_settings_ack(self) -> bool {
        self.kind == kind::SETTINGS && self.has(flag::ACK)
    }
}

/// The head of a frame of `len` bytes.
pub(crate) fn head(len: usize, kind: u8, flags: u8, stream: StreamId) -> [u8; HEAD_LEN] {
    let len = (len as u32).to_be_bytes();
    let id = stream.get().to_be_bytes();
    [len[1], len[2], len[3], kind, flags, id[0], id[1], id[2], id[3]]
}

/// Appends a whole frame.
pub(crate) fn put(out: &mut Vec<u8>, kind: u8, flags: u8, stream: StreamId, payload: &[u8]) {
    out.extend_from_slice(&head(payload.len(), kind, flags, stream));
    out.extend_from_slice(payload);
}

/// Appends a whole frame of a type that may be padded, with so many bytes of padding.
pub(crate) fn put_padded(
    out: &mut Vec<u8>,
    kind: u8,
    flags: u8,
    stream: StreamId,
    payload: &[u8],
    padding: u8,
) {
    let len = 1 + payload.len() + usize::from(padding);
    out.extend_from_slice(&head(len, kind, flags | flag::PADDED, stream));
    out.push(padding);
    out.extend_from_slice(payload);
    out.resize(out.len() + usize::from(padding), 0);
}

/// Appends SETTINGS.
pub(crate) fn put_settings(out: &mut Vec<u8>, settings: &Settings) {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD_LEN]);
    settings.encode(out);
    let len = out.len() - start - HEAD_LEN;
    out[start..start + HEAD_LEN].copy_from_slice(&head(len, kind::SETTINGS, 0, StreamId::CONNECTION));
}

/// Appends RST_STREAM.
pub(crate) fn put_reset(out: &mut Vec<u8>, stream: StreamId, code: ErrorCode) {
    put(out, kind::RST_STREAM, 0, stream, &code.0.to_be_bytes());
}

/// Appends WINDOW_UPDATE.
pub(crate) fn put_window_update(out: &mut Vec<u8>, stream: StreamId, increment: u32) {
    put(out, kind::WINDOW_UPDATE, 0, stream, &increment.to_be_bytes());
}

/// Appends GOAWAY.
pub(crate) fn put_goaway(out: &mut Vec<u8>, last_stream: StreamId, code: ErrorCode, debug: &[u8]) {
    out.extend_from_slice(&head(8 + debug.len(), kind::GOAWAY, 0, StreamId::CONNECTION));
    out.extend_from_slice(&last_stream.get().to_be_bytes());
    out.extend_from_slice(&code.0.to_be_bytes());
    out.extend_from_slice(debug);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_survives_the_wire() {
        let bytes = head(0x12_3456, kind::GOAWAY, flag::PADDED, StreamId::new(0x7fff_fffe));
        let head = Head::parse(&bytes).unwrap();
        assert_eq!((head.len, head.kind, head.stream.get()), (0x12_3456, kind::GOAWAY, 0x7fff_fffe));
        assert!(head.has(flag::PADDED) && !head.has(flag::ACK));
        assert!(Head::parse(&bytes[..8]).is_none());
    }

    #[test]
    fn the_reserved_bit_is_ignored() {
        let mut bytes = head(0, kind::DATA, 0, StreamId::new(5));
        bytes[5] |= 0x80;
        assert_eq!(Head::parse(&bytes).unwrap().stream, StreamId::new(5));
    }

    #[test]
    fn goaway_has_the_layout_that_apple_was_seen_to_send() {
        let mut out = Vec::new();
        let debug = br#"{"reason":"BadCertificateEnvironment"}"#;
        put_goaway(&mut out, StreamId::CONNECTION, ErrorCode::NO_ERROR, debug);
        assert_eq!(out[..HEAD_LEN], [0, 0, 46, 7, 0, 0, 0, 0, 0], "46 bytes, as in the 2016 trace");
        assert_eq!(&out[17..], debug);
    }
}
