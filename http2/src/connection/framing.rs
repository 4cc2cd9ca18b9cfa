//! Forms of frames that HTTP/2 allows and nobody needs, for a caller that asks for them.

use std::num::NonZeroU16;

use super::Connection;
use crate::{error::CommandError, stream_id::StreamId};

/// The form in which the messages of a stream go out. The default is the usual one: no padding, and frames as long as the peer takes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Framing {
    /// Bytes of padding in each HEADERS and DATA frame (RFC 9113 sections 6.1 and 6.2). With 0 the frame is one byte longer, the
    /// one that says so. DATA whose window has no room for both has less padding, or none, so that a small window stops nothing.
    pub padding: Option<u8>,
    /// Bytes of field block in each HEADERS and CONTINUATION frame, at most (RFC 9113 section 6.10).
    pub block_bytes: Option<NonZeroU16>,
}

impl Connection {
    /// Gives what goes out on an open stream from now on another form: sections, bodies, and what waits for window.
    pub fn set_framing(&mut self, stream: StreamId, framing: Framing) -> Result<(), CommandError> {
        self.alive()?;
        self.state.streams.get_mut(stream).ok_or(CommandError::StreamNotOpen)?.framing = framing;
        Ok(())
    }
}

impl Framing {
    pub(super) const fn is_usual(self) -> bool {
        self.padding.is_none() && self.block_bytes.is_none()
    }

    /// What goes into a DATA frame of at most `room` bytes: how many of `len` that are to be sent, and how much padding. Where
    /// there is room for anything, it is for some of the data.
    pub(super) fn fill(self, len: usize, room: usize) -> (usize, Option<u8>) {
        let Some(padding) = self.padding else { return (len.min(room), None) };
        let beside_padding = room.checked_sub(padding_bytes(self.padding)).filter(|left| *left > 0);
        let data = len.min(beside_padding.unwrap_or(room));
        let left = (room - data).checked_sub(1);
        (data, left.map(|left| padding.min(u8::try_from(left).unwrap_or(u8::MAX))))
    }
}

/// Bytes that padding adds to a frame: its own, and the one that says how many.
pub(super) fn padding_bytes(padding: Option<u8>) -> usize {
    padding.map_or(0, |padding| 1 + usize::from(padding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_gives_way_to_data_in_a_window_that_is_too_small_for_both() {
        let padded = Framing { padding: Some(255), ..Framing::default() };
        for (len, room, expected) in [
            (31, 16_384, (31, Some(255))),
            (31, 287, (31, Some(255))),
            (31, 286, (30, Some(255))), // the last byte comes with padding of its own
            (31, 257, (1, Some(255))),
            (31, 256, (31, Some(224))),
            (31, 32, (31, Some(0))),
            (31, 31, (31, None)),
            (31, 5, (5, None)),
            (100_000, 16_384, (16_384 - 256, Some(255))),
            (0, 256, (0, Some(255))),
            (0, 1, (0, Some(0))),
            (0, 0, (0, None)),
        ] {
            assert_eq!(padded.fill(len, room), expected, "{len} bytes in {room}");
        }
        assert_eq!(Framing::default().fill(31, 30), (30, None));
    }
}
