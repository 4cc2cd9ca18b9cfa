//! Frames as bytes (RFC 9113, 4.1 and 6): for cases that write them by hand, and for the link that writes and reads all of them.

use apns_http2::hpack::{Encoder, Field};

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

pub(crate) const ACK: u8 = 0x1;
pub(crate) const END_STREAM: u8 = 0x1;
pub(crate) const END_HEADERS: u8 = 0x4;
pub(crate) const PADDED: u8 = 0x8;
pub(crate) const WITH_PRIORITY: u8 = 0x20;

/// What a client says first (RFC 9113, 3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes of a frame's head.
pub(crate) const HEAD_BYTES: usize = 9;
/// The longest payload of a frame that every peer takes (RFC 9113, 4.2).
pub(crate) const FRAME_BYTES_MAX: usize = 16_384;

/// A frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// SETTINGS.
pub(crate) fn settings(parameters: &[(u16, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (identifier, value) in parameters {
        payload.extend(identifier.to_be_bytes());
        payload.extend(value.to_be_bytes());
    }
    frame(SETTINGS, 0, 0, &payload)
}

/// A field block in which nothing is indexed, so that any number of them leave the target's table as it is.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let (mut encoder, mut block) = (Encoder::new(), Vec::new());
    encoder.begin_block(&mut block);
    for (name, value) in fields {
        encoder.field(Field::literal(name.as_bytes(), value.as_bytes()), &mut block);
    }
    block
}

/// The field block of a request that no service takes, and every one answers.
pub(crate) fn any_request() -> Vec<u8> {
    block(&[(":method", "POST"), (":scheme", "https"), (":path", "/"), (":authority", "localhost")])
}

/// A frame that has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Frame {
    /// Its type.
    pub(crate) kind: u8,
    /// Its flags.
    pub(crate) flags: u8,
    /// Its stream.
    pub(crate) stream: u32,
    /// What it carries.
    pub(crate) payload: Vec<u8>,
}

/// Takes a whole frame off the beginning.
pub(crate) fn take_frame(bytes: &mut &[u8]) -> Option<Frame> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    let (payload, rest) = rest.split_at_checked(len)?;
    *bytes = rest;
    let stream = number(&head[5..]) & 0x7fff_ffff;
    Some(Frame { kind: head[3], flags: head[4], stream, payload: payload.to_vec() })
}

/// The number at the beginning.
pub(crate) fn number(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_written() {
        let mut bytes = frame(HEADERS, END_HEADERS, 5, b"block");
        bytes.extend(&frame(PING, 0, 0, b"12345678")[..10]);
        let mut bytes = bytes.as_slice();
        let read = take_frame(&mut bytes).unwrap();
        assert_eq!(read, Frame { kind: HEADERS, flags: END_HEADERS, stream: 5, payload: b"block".to_vec() });
        assert_eq!((take_frame(&mut bytes), bytes.len()), (None, 10));
    }

    #[test]
    fn settings_are_pairs() {
        assert_eq!(settings(&[(3, 1000)])[HEAD_BYTES..], [0, 3, 0, 0, 3, 0xe8]);
    }
}
