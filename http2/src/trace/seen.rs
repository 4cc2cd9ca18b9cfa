//! What is seen.

use std::fmt;

use thiserror::Error;

use super::{EXCERPT_BYTES_MAX, Head};
use crate::{
    error::{ErrorCode, Violation},
    hpack::HpackError,
    stream_id::StreamId,
};

/// What bytes of one direction turned out to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Seen {
    /// The client's connection preface (RFC 9113 section 3.4).
    Preface,
    /// Something else than the preface at the beginning of what a client sends: its first 24 bytes. What
    /// follows cannot be told apart, and is not looked at.
    NotPreface(Vec<u8>),
    /// A frame.
    Frame(Frame),
    /// The direction has ended within a frame, or within the preface.
    CutOff {
        /// The frame's head, if that was complete.
        head: Option<Head>,
        /// Bytes that came: of the payload if there is a head, else of the head or the preface.
        bytes: usize,
    },
}

/// A frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Frame {
    /// Its length, type, flags and stream.
    pub head: Head,
    /// What it says.
    pub payload: Payload,
    /// What is wrong with it, looked at by itself and at its place among header blocks; the first that is
    /// found.
    pub wrong: Option<Violation>,
}

/// What a frame's payload says, by its type (RFC 9113 section 6).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Payload {
    /// DATA.
    Data {
        /// Bytes of padding, if the frame is padded.
        padding: Option<u8>,
        /// The content.
        data: Excerpt,
    },
    /// HEADERS.
    Headers {
        /// Bytes of padding, if the frame is padded.
        padding: Option<u8>,
        /// The priority, if one is given.
        priority: Option<Dependency>,
        /// The fields.
        block: FieldBlock,
    },
    /// PRIORITY.
    Priority(Dependency),
    /// RST_STREAM.
    RstStream {
        /// Why.
        code: ErrorCode,
    },
    /// SETTINGS, an acknowledgement included.
    Settings {
        /// Identifiers and values in their order, at most [`SETTINGS_SHOWN_MAX`](super::SETTINGS_SHOWN_MAX).
        parameters: Vec<(u16, u32)>,
        /// How many more there are.
        omitted: usize,
    },
    /// PUSH_PROMISE.
    PushPromise {
        /// Bytes of padding, if the frame is padded.
        padding: Option<u8>,
        /// The stream that is promised.
        promised: StreamId,
        /// The fields.
        block: FieldBlock,
    },
    /// PING.
    Ping {
        /// Its eight bytes.
        opaque: [u8; 8],
    },
    /// GOAWAY.
    GoAway {
        /// The highest stream that was, or may yet be, worked on.
        last_stream: StreamId,
        /// Why.
        code: ErrorCode,
        /// What Apple fills with `{"reason":"…"}`.
        debug: Excerpt,
    },
    /// WINDOW_UPDATE.
    WindowUpdate {
        /// Bytes by which the window grows.
        increment: u32,
    },
    /// CONTINUATION.
    Continuation {
        /// The fields.
        block: FieldBlock,
    },
    /// A type that RFC 9113 does not define.
    Unknown(Excerpt),
    /// A payload that is not what its type wants. Nothing of header blocks is in it: a provider token may be
    /// among them.
    Malformed(Excerpt),
}

/// The first of some bytes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Excerpt {
    /// At most [`EXCERPT_BYTES_MAX`] of them.
    pub first: Vec<u8>,
    /// How many there are.
    pub len: usize,
}

/// A priority (RFC 7540 section 5.3), which RFC 9113 lets pass and gives no meaning.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Dependency {
    /// Whether it is exclusive.
    pub exclusive: bool,
    /// The stream that it depends on.
    pub stream: StreamId,
    /// 1 to 256.
    pub weight: u16,
}

/// What a frame has of a field block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FieldBlock {
    /// A part of it: CONTINUATION goes on, and the last one of them has the fields.
    Unfinished,
    /// The end of it, and with it the fields.
    Fields(Fields),
}

/// The fields of a block. Its `Debug` shows how many, and none of them: a provider token may be among them.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Fields {
    /// Names and values in their order, as much as
    /// [`FIELD_BYTES_SHOWN_MAX`](super::FIELD_BYTES_SHOWN_MAX) takes.
    pub list: Vec<(Vec<u8>, Vec<u8>)>,
    /// How many more there are.
    pub omitted: usize,
    /// Why the rest cannot be read.
    pub unreadable: Option<Unreadable>,
}

/// Why fields cannot be read.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Unreadable {
    /// The block breaks the rules of HPACK.
    #[error("the rest of the block cannot be read: {0}")]
    Hpack(HpackError),
    /// The block is longer than [`HEADER_BLOCK_BYTES_MAX`](crate::limits::HEADER_BLOCK_BYTES_MAX).
    #[error("the block is too long to be read")]
    TooLarge,
    /// An earlier block of this direction could not be read, or was broken off: what is in the table since
    /// then is not known.
    #[error("the fields cannot be read, because an earlier block could not be read to its end")]
    TableLost,
    /// CONTINUATION without HEADERS before it.
    #[error("the fields cannot be read: no HEADERS came before this CONTINUATION")]
    NotBegun,
}

impl Seen {
    /// The fields, for whoever must not show all of them.
    pub fn fields_mut(&mut self) -> Option<&mut Fields> {
        let Self::Frame(frame) = self else { return None };
        let (Payload::Headers { block, .. }
        | Payload::PushPromise { block, .. }
        | Payload::Continuation { block }) = &mut frame.payload
        else {
            return None;
        };
        match block {
            FieldBlock::Fields(fields) => Some(fields),
            FieldBlock::Unfinished => None,
        }
    }

    /// Bytes of memory that it takes beside itself, about.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Preface | Self::CutOff { .. } => 0,
            Self::NotPreface(first) => first.len(),
            Self::Frame(frame) => frame.payload.bytes(),
        }
    }
}

impl Payload {
    fn bytes(&self) -> usize {
        match self {
            Self::Data { data: excerpt, .. }
            | Self::GoAway { debug: excerpt, .. }
            | Self::Unknown(excerpt)
            | Self::Malformed(excerpt) => excerpt.first.len(),
            Self::Settings { parameters, .. } => size_of_val(&**parameters),
            Self::Headers { block: FieldBlock::Fields(fields), .. }
            | Self::PushPromise { block: FieldBlock::Fields(fields), .. }
            | Self::Continuation { block: FieldBlock::Fields(fields) } => fields.bytes(),
            _ => 0,
        }
    }

    pub(super) fn unreadable(&self) -> Option<Unreadable> {
        match self {
            Self::Headers { block: FieldBlock::Fields(fields), .. }
            | Self::PushPromise { block: FieldBlock::Fields(fields), .. }
            | Self::Continuation { block: FieldBlock::Fields(fields) } => fields.unreadable,
            _ => None,
        }
    }
}

impl Fields {
    fn bytes(&self) -> usize {
        let field = |(name, value): &(Vec<u8>, Vec<u8>)| name.len() + value.len();
        size_of_val(&*self.list) + self.list.iter().map(field).sum::<usize>()
    }
}

impl Excerpt {
    /// Of these bytes, which are the first of `len`.
    pub(super) fn of(bytes: &[u8], len: usize) -> Self {
        Self { first: bytes[..bytes.len().min(EXCERPT_BYTES_MAX)].to_vec(), len }
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields")
            .field("count", &(self.list.len() + self.omitted))
            .field("unreadable", &self.unreadable)
            .finish_non_exhaustive()
    }
}
