//! Reading along: the frames of a connection, decoded by somebody who only watches.
//!
//! ```text
//!   socket ──bytes──┬──▶ Connection ──bytes──┬──▶ socket
//!                   ▼                        ▼
//!                Trace::received          Trace::sent
//!                   └────────▶ Seen ◀────────┘      to print, to keep, to show
//! ```
//!
//! A [`Trace`] takes the bytes of both directions and gives what they are, frame by frame: types and flags by
//! name, what the payload says, the fields of header blocks. It has tables and settings of its own, and
//! nothing to do with what a [`Connection`](crate::Connection) makes of the bytes: a frame that breaks the
//! rules is shown as it is, with what is wrong, and the next one follows. It looks at one frame at a time,
//! and at header blocks; whether a frame is allowed at this moment (streams that are open, windows, floods)
//! is for a `Connection` to say.
//!
//! | module | what |
//! |---|---|
//! | `reader` | bytes of one direction to frames, however they are cut |
//! | `payload`, `blocks` | what a payload says; the fields of a header block |
//! | `seen` | what is told: [`Seen`], [`Frame`], [`Payload`] |
//! | `names`, `text` | names of types and flags; the lines of `nghttp -v` |
//!
//! # Example
//!
//! ```
//! use apns_http2::{Role, trace::Trace};
//!
//! let mut lines = Vec::new();
//! let mut trace = Trace::new(Role::Server);
//! trace.received(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\x01\0\0\0\0", |seen| lines.extend(seen.lines()));
//! assert_eq!(lines, ["connection preface", "SETTINGS frame <length=0, flags=0x01, stream_id=0>", "; ACK", "(niv=0)"]);
//! ```

mod blocks;
mod names;
mod payload;
mod reader;
mod seen;
mod text;

use std::collections::VecDeque;

pub use crate::frame::Head;
use crate::{
    connection::Role,
    settings::{Settings, SettingsInForce},
};
pub(crate) use blocks::Blocks;
pub(crate) use reader::Reader;
pub use seen::{Dependency, Excerpt, FieldBlock, Fields, Frame, Payload, Seen, Unreadable};

/// Bytes of a payload's content that are shown: a push or an error of APNs mostly fits.
pub const EXCERPT_BYTES_MAX: usize = 256;
/// Parameters of one SETTINGS frame that are shown and followed; RFC 9113 defines six.
pub const SETTINGS_SHOWN_MAX: usize = 64;
/// Bytes of the fields of one block that are shown, 32 more counted for each field: twice what Apple lets a
/// request have. A block of 64 KiB can stand for 4000 times as much.
pub const FIELD_BYTES_SHOWN_MAX: usize = 16_384;
/// Bytes of the HPACK table that is followed for each direction. No larger one is in use for APNs; a peer
/// that announces a larger one and uses it is read until then.
pub const TABLE_BYTES_MAX: usize = 65_536;
/// SETTINGS without an acknowledgement that are remembered for each direction; of more, the oldest count as
/// acknowledged.
pub const SETTINGS_UNACKNOWLEDGED_MAX: usize = 128;

/// Both directions of one connection, read along.
///
/// It keeps about a megabyte at most, whatever comes, and mostly a few kilobytes.
#[derive(Debug)]
pub struct Trace {
    received: Reader,
    sent: Reader,
}

impl Trace {
    /// A connection from its first byte on, seen from the side of `role`.
    pub fn new(role: Role) -> Self {
        let (received, sent) = match role {
            Role::Server => (Reader::of_client(), Reader::of_server()),
            Role::Client => (Reader::of_server(), Reader::of_client()),
        };
        Self { received, sent }
    }

    /// A connection from where its two readers stand.
    pub(crate) fn from_here(received: Reader, sent: Reader) -> Self {
        Self { received, sent }
    }

    /// Takes what came, in pieces of any size, and tells what is complete.
    pub fn received(&mut self, bytes: &[u8], see: impl FnMut(Seen)) {
        read(&mut self.received, &mut self.sent, bytes, see);
    }

    /// Takes what was sent, in pieces of any size, and tells what is complete.
    pub fn sent(&mut self, bytes: &[u8], see: impl FnMut(Seen)) {
        read(&mut self.sent, &mut self.received, bytes, see);
    }

    /// Nothing more is received: what is not complete is told as it is.
    pub fn end_received(&mut self) -> Option<Seen> {
        self.received.end()
    }

    /// Nothing more is sent: what is not complete is told as it is.
    pub fn end_sent(&mut self) -> Option<Seen> {
        self.sent.end()
    }
}

/// Reads one direction. The SETTINGS in it bind the `other` one, from its acknowledgement on.
fn read(reader: &mut Reader, other: &mut Reader, mut bytes: &[u8], mut see: impl FnMut(Seen)) {
    while let Some(seen) = reader.next(&mut bytes) {
        if let Seen::Frame(Frame { head, payload: Payload::Settings { parameters, .. }, wrong: None }) = &seen
            && !head.is_settings_ack()
        {
            other.is_told(Settings::of(parameters));
        }
        see(seen);
    }
}

/// Settings that bind one direction: they are those of the side that reads it.
#[derive(Debug, Default)]
pub(crate) struct Binding {
    pub(crate) in_force: SettingsInForce,
    /// Oldest first.
    pub(crate) unacknowledged: VecDeque<Settings>,
}
