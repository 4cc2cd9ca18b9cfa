//! What a connection tells its caller.

use crate::{
    error::{ErrorCode, Violation},
    settings::Settings,
    stream_id::StreamId,
};

/// Something the peer did. Slices are lent until the next call on the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The peer's SETTINGS; already in force and acknowledged.
    Settings {
        /// What the frame changed.
        changes: Settings,
    },
    /// The peer acknowledged the oldest of our SETTINGS that waited; they are in force now.
    SettingsAcknowledged,
    /// A whole field section; its fields went to the [`FieldVisitor`] just before.
    Headers {
        /// The stream.
        stream: StreamId,
        /// What kind of section it is.
        section: Section,
        /// Whether nothing more comes on this stream from the peer.
        end_stream: bool,
    },
    /// The content of one DATA frame, without padding.
    Data {
        /// The stream.
        stream: StreamId,
        /// The bytes.
        data: &'a [u8],
        /// Whether nothing more comes on this stream from the peer.
        end_stream: bool,
    },
    /// The stream has ended before its time; no further event names it. With a violation it may be a stream that no event has named:
    /// a request that was refused, or a frame on a stream that had ended.
    Reset {
        /// The stream.
        stream: StreamId,
        /// Why.
        code: ErrorCode,
        /// `None` if the peer reset it; else what the peer did that made us reset it.
        violation: Option<Violation>,
    },
    /// To a client: the peer sends no answers to streams above `last_stream` (they are closed here already: nothing was done for them), and
    /// takes no new ones. To a server: the peer wants to close. May come twice, with a lower last stream.
    GoAway {
        /// The highest stream of ours that the peer has worked on, or may yet.
        last_stream: StreamId,
        /// Why.
        code: ErrorCode,
        /// Debug data; Apple's is JSON, `{"reason":"Shutdown"}`. May be empty.
        debug: &'a [u8],
    },
    /// A PING came, and was answered unless [`set_answer_pings`](crate::Connection::set_answer_pings) forbids it.
    Ping {
        /// Its eight bytes.
        opaque: [u8; 8],
    },
    /// A PING of ours was answered.
    PingAcknowledged {
        /// The eight bytes that we sent.
        opaque: [u8; 8],
    },
}

/// What a field section is in its message (RFC 9113 section 8.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Section {
    /// The head of a request.
    Request,
    /// A response of status 1xx; the final one follows.
    Informational,
    /// The head of a final response.
    Response,
    /// Fields after the body.
    Trailers,
}

/// Takes the fields of a section one by one, so that a caller keeps just what it needs and nothing is built for the rest.
///
/// If the section turns out to be malformed, its event is a [`Event::Reset`] and what was visited does not count; `begin` of the
/// next section says when to forget it.
pub trait FieldVisitor {
    /// A new section begins on `stream`.
    fn begin(&mut self, stream: StreamId);
    /// One field, in the order of the wire. `name` is lower-case; values may hold any byte but NUL, CR and LF.
    fn field(&mut self, name: &[u8], value: &[u8]);
}

/// Keeps nothing.
impl FieldVisitor for () {
    fn begin(&mut self, _: StreamId) {}
    fn field(&mut self, _: &[u8], _: &[u8]) {}
}

/// Keeps the fields of the last section, in order.
impl FieldVisitor for Vec<(Vec<u8>, Vec<u8>)> {
    fn begin(&mut self, _: StreamId) {
        self.clear();
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        self.push((name.to_vec(), value.to_vec()));
    }
}
