//! What a payload says (RFC 9113 section 6).

use super::{
    EXCERPT_BYTES_MAX, SETTINGS_SHOWN_MAX,
    blocks::Blocks,
    seen::{Dependency, Excerpt, Payload},
};
use crate::{
    error::{ErrorCode, Violation},
    frame::{Head, flag, kind},
    limits::HEADER_BLOCK_BYTES_MAX,
    settings::Settings,
    stream_id::StreamId,
};

/// Bytes of which the first were kept, and how many there were.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut<'a> {
    pub(super) first: &'a [u8],
    pub(super) len: usize,
}

/// How many bytes of the payload are worth keeping until the frame is complete.
pub(super) const fn bytes_kept(head: Head) -> usize {
    let wanted = match head.kind {
        kind::HEADERS | kind::PUSH_PROMISE | kind::CONTINUATION => HEADER_FRAME_BYTES_MAX,
        kind::SETTINGS => SETTINGS_SHOWN_MAX * SETTING_BYTES,
        _ => EXCERPT_BYTES_MAX + GOAWAY_BYTES,
    };
    if head.len < wanted { head.len } else { wanted }
}

/// Reads the payload of a frame.
pub(super) fn parse(head: Head, payload: Cut<'_>, blocks: &mut Blocks) -> Result<Payload, Violation> {
    Ok(match head.kind {
        kind::DATA => {
            let (padding, data) = unpad(head, payload)?;
            Payload::Data { padding, data: data.excerpt() }
        }
        kind::HEADERS => {
            let (padding, content) = unpad(head, payload)?;
            let (priority, fragment) = if head.has(flag::PRIORITY) {
                content.split().map(|(bytes, rest)| (Some(dependency(bytes)), rest))?
            } else {
                (None, content)
            };
            Payload::Headers { padding, priority, block: blocks.begin(head, fragment) }
        }
        kind::PRIORITY => Payload::Priority(dependency(payload.exactly()?)),
        kind::RST_STREAM => Payload::RstStream { code: ErrorCode(u32::from_be_bytes(payload.exactly()?)) },
        kind::SETTINGS => settings(head, payload)?,
        kind::PUSH_PROMISE => {
            let (padding, content) = unpad(head, payload)?;
            let (promised, fragment) = content.split()?;
            Payload::PushPromise { padding, promised: stream(promised), block: blocks.begin(head, fragment) }
        }
        kind::PING => Payload::Ping { opaque: payload.exactly()? },
        kind::GOAWAY => {
            let (last_stream, rest) = payload.split()?;
            let (code, debug) = rest.split()?;
            let code = ErrorCode(u32::from_be_bytes(code));
            Payload::GoAway { last_stream: stream(last_stream), code, debug: debug.excerpt() }
        }
        kind::WINDOW_UPDATE => Payload::WindowUpdate { increment: stream(payload.exactly()?).get() },
        kind::CONTINUATION => Payload::Continuation { block: blocks.go_on(head, payload) },
        _ => Payload::Unknown(payload.excerpt()),
    })
}

/// What is wrong with what a payload says, or with the stream that it says it on.
pub(super) fn violation(head: Head, payload: &Payload) -> Option<Violation> {
    let is_connection = head.stream == StreamId::CONNECTION;
    let on_wrong_stream = match payload {
        Payload::Settings { .. } | Payload::Ping { .. } | Payload::GoAway { .. } => !is_connection,
        Payload::WindowUpdate { .. } | Payload::Unknown(_) | Payload::Malformed(_) => false,
        _ => is_connection,
    };
    if on_wrong_stream {
        return Some(Violation::FrameOnWrongStream);
    }
    match payload {
        Payload::Settings { parameters, .. } => Settings::of(parameters).check().err(),
        Payload::WindowUpdate { increment: 0 } => Some(Violation::ZeroWindowUpdate),
        _ => None,
    }
}

fn settings(head: Head, payload: Cut<'_>) -> Result<Payload, Violation> {
    if !payload.len.is_multiple_of(SETTING_BYTES) || (head.has(flag::ACK) && payload.len > 0) {
        return Err(Violation::FrameLength);
    }
    let (kept, _) = payload.first.as_chunks::<SETTING_BYTES>();
    let parameter = |&[i, d, a, b, c, e]: &[u8; SETTING_BYTES]| {
        (u16::from_be_bytes([i, d]), u32::from_be_bytes([a, b, c, e]))
    };
    let parameters: Vec<_> = kept.iter().map(parameter).collect();
    let omitted = payload.len / SETTING_BYTES - parameters.len();
    Ok(Payload::Settings { parameters, omitted })
}

/// The padding (RFC 9113 section 6.1), and the payload without it.
fn unpad(head: Head, payload: Cut<'_>) -> Result<(Option<u8>, Cut<'_>), Violation> {
    if !head.has(flag::PADDED) {
        return Ok((None, payload));
    }
    let ([padding], rest) = payload.split()?;
    let len = rest.len.checked_sub(usize::from(padding)).ok_or(Violation::BadPadding)?;
    Ok((Some(padding), Cut { first: &rest.first[..rest.first.len().min(len)], len }))
}

fn dependency([a, b, c, d, weight]: [u8; 5]) -> Dependency {
    Dependency { exclusive: a & 0x80 != 0, stream: stream([a, b, c, d]), weight: u16::from(weight) + 1 }
}

/// 31 bits behind one that is reserved.
fn stream(bytes: [u8; 4]) -> StreamId {
    StreamId::new(u32::from_be_bytes(bytes))
}

impl Cut<'_> {
    /// Whether not all of them were kept.
    pub(super) fn is_cut(self) -> bool {
        self.first.len() < self.len
    }

    pub(super) fn excerpt(self) -> Excerpt {
        Excerpt::of(self.first, self.len)
    }

    fn exactly<const N: usize>(self) -> Result<[u8; N], Violation> {
        if self.len == N { self.split().map(|(bytes, _)| bytes) } else { Err(Violation::FrameLength) }
    }

    fn split<const N: usize>(self) -> Result<([u8; N], Self), Violation> {
        let (bytes, rest) = self.first.split_first_chunk().ok_or(Violation::FrameLength)?;
        Ok((*bytes, Self { first: rest, len: self.len - N }))
    }
}

/// Bytes of one parameter: its identifier and its value (RFC 9113 section 6.5.1).
const SETTING_BYTES: usize = 6;
/// Bytes of GOAWAY before the debug data (RFC 9113 section 6.8).
const GOAWAY_BYTES: usize = 8;
/// Bytes of a frame with the longest block that is read: the length of the padding, a priority, the block,
/// the padding.
const HEADER_FRAME_BYTES_MAX: usize = 1 + 5 + HEADER_BLOCK_BYTES_MAX + 255;
