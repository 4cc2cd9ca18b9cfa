//! Frames that no HTTP/2 connection would send by itself.

use apns_http2::{
    CommandError, Connection as Http2, StreamId,
    hpack::{Encoder, Field},
};
use mock_apns_core::fault::{FrameStream, Head, MalformedFrame};

/// Sends a frame that breaks the protocol.
pub(super) fn send(
    http2: &mut Http2,
    request: Option<StreamId>,
    kind: MalformedFrame,
) -> Result<(), CommandError> {
    let stream = match kind.stream() {
        FrameStream::Connection => StreamId::CONNECTION,
        FrameStream::Request => request.unwrap_or(StreamId::FIRST),
        FrameStream::Idle => StreamId::new(IDLE_STREAM),
        FrameStream::Servers => StreamId::new(SERVERS_STREAM),
    };
    http2.send_raw_frame(kind.frame_type(), kind.flags(), stream, kind.payload())?;
    if kind == MalformedFrame::HeadersInterrupted {
        http2.ping([0; 8])?;
    }
    Ok(())
}

/// Sends an answer on a stream that is no more, where a connection would send nothing.
pub(super) fn send_dead_answer(
    http2: &mut Http2,
    stream: StreamId,
    head: &[Head],
    body: &[u8],
) -> Result<(), CommandError> {
    let (mut encoder, mut block) = (Encoder::new(), Vec::new());
    // An encoder of its own, and nothing that goes into a table: that of the connection stays as it is.
    for Head { name, value } in head {
        encoder.field(Field::literal(name.as_bytes(), value.as_bytes()), &mut block);
    }
    let ends = if body.is_empty() { END_STREAM } else { 0 };
    http2.send_raw_frame(HEADERS, END_HEADERS | ends, stream, &block)?;
    if !body.is_empty() {
        http2.send_raw_frame(DATA, END_STREAM, stream, body)?;
    }
    Ok(())
}

/// A client's stream that none gets to.
const IDLE_STREAM: u32 = 0x7fff_ff01;
/// The first stream that a server could open.
const SERVERS_STREAM: u32 = 2;

const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
