//! Error codes (RFC 9113 section 7), what a peer can do wrong, and what a caller can do wrong.

use std::fmt;

use thiserror::Error;

/// An HTTP/2 error code: the 32-bit number that RST_STREAM and GOAWAY carry (RFC 9113 section 7).
///
/// A number and not an enum, because a peer may send codes that nobody knows yet, and they must be kept.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ErrorCode(pub u32);

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        impl ErrorCode {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// The name that RFC 9113 gives this code, if it gives it one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

error_codes! {
    /// A graceful end, not an error.
    NO_ERROR = 0x0;
    /// The peer broke the protocol in a way no other code names.
    PROTOCOL_ERROR = 0x1;
    /// Something unexpected inside the sender of the code.
    INTERNAL_ERROR = 0x2;
    /// The peer sent more than its window allowed.
    FLOW_CONTROL_ERROR = 0x3;
    /// SETTINGS were not acknowledged in time.
    SETTINGS_TIMEOUT = 0x4;
    /// A frame came for a stream that was already half-closed.
    STREAM_CLOSED = 0x5;
    /// A frame had an impossible length.
    FRAME_SIZE_ERROR = 0x6;
    /// The stream was refused before anything was done for it: safe to send again.
    REFUSED_STREAM = 0x7;
    /// The stream is not needed any more.
    CANCEL = 0x8;
    /// The field compression context cannot be kept.
    COMPRESSION_ERROR = 0x9;
    /// The connection behind a CONNECT was reset.
    CONNECT_ERROR = 0xa;
    /// The peer behaves in a way that costs too much.
    ENHANCE_YOUR_CALM = 0xb;
    /// The TLS below is not good enough.
    INADEQUATE_SECURITY = 0xc;
    /// HTTP/1.1 is to be used instead.
    HTTP_1_1_REQUIRED = 0xd;
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "error code {:#x}", self.0),
        }
    }
}

/// Something a peer did that RFC 9113 or a limit of ours forbids.
///
/// One table gives each violation its error code and its words; the words go into the GOAWAY that we send, so that
/// whoever debugs the peer reads what was wrong.
macro_rules! violations {
    ($($(#[$doc:meta])* $name:ident => $code:ident, $words:literal;)*) => {
        /// What a peer did that RFC 9113, or a limit of ours, forbids.
        #[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum Violation {
            $($(#[$doc])* #[error($words)] $name,)*
        }

        impl Violation {
            /// All of them, in the order of this table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name here, such as `TooManyResets`: for logs and metrics.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The code that the RST_STREAM or GOAWAY for this violation carries.
            pub const fn code(self) -> ErrorCode {
                match self {
                    $(Self::$name => ErrorCode::$code,)*
                }
            }

            /// The words of this violation, as a GOAWAY's debug data has them.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)*
                }
            }
        }
    };
}

violations! {
    /// The first bytes of a client are not the connection preface (RFC 9113 section 3.4).
    BadPreface => PROTOCOL_ERROR, "the connection does not begin with the HTTP/2 preface";
    /// The first bytes look like an HTTP/1 request: the client was not told to speak HTTP/2.
    Http1Request => PROTOCOL_ERROR, "unexpected HTTP/1.x request: only HTTP/2 is spoken here";
    /// The first frame is not SETTINGS (RFC 9113 section 3.4).
    FirstFrameNotSettings => PROTOCOL_ERROR, "the first frame is not SETTINGS";
    /// A frame is longer than SETTINGS_MAX_FRAME_SIZE (RFC 9113 section 4.2).
    FrameTooLarge => FRAME_SIZE_ERROR, "a frame is longer than SETTINGS_MAX_FRAME_SIZE";
    /// A frame of fixed length has another, or a part of it is missing (RFC 9113 section 4.2).
    FrameLength => FRAME_SIZE_ERROR, "a frame has a length that its type does not allow";
    /// A connection frame on a stream, or a stream frame on the connection (RFC 9113 section 6).
    FrameOnWrongStream => PROTOCOL_ERROR, "a frame came on a stream identifier that its type does not allow";
    /// A frame on a stream that was never opened (RFC 9113 section 5.1).
    IdleStream => PROTOCOL_ERROR, "a frame came for a stream that was never opened";
    /// A client's stream with an even identifier, or one lower than an earlier one (RFC 9113 section 5.1.1).
    BadStreamId => PROTOCOL_ERROR, "a new stream has an identifier that is even or not higher than the last";
    /// Padding is as long as the frame or longer (RFC 9113 section 6.1).
    BadPadding => PROTOCOL_ERROR, "padding is as long as the frame or longer";
    /// Something came between HEADERS and its last CONTINUATION, or a CONTINUATION alone (RFC 9113 section 4.3).
    HeaderBlockInterrupted => PROTOCOL_ERROR, "a field block was interrupted, or continued without a beginning";
    /// More CONTINUATION frames or bytes in one field block than allowed (CVE-2024-27316).
    HeaderBlockTooLarge => ENHANCE_YOUR_CALM, "a field block has too many bytes or CONTINUATION frames";
    /// A field block cannot be decompressed (RFC 7541).
    Compression => COMPRESSION_ERROR, "a field block cannot be decompressed";
    /// PUSH_PROMISE, which we never allow (RFC 9113 section 8.4).
    PushPromise => PROTOCOL_ERROR, "PUSH_PROMISE although push is not enabled";
    /// A setting outside its range (RFC 9113 section 6.5.2).
    SettingOutOfRange => PROTOCOL_ERROR, "a setting has a value outside its range";
    /// SETTINGS_INITIAL_WINDOW_SIZE above 2^31-1 (RFC 9113 section 6.5.2).
    InitialWindowOutOfRange => FLOW_CONTROL_ERROR, "SETTINGS_INITIAL_WINDOW_SIZE is above 2147483647";
    /// An acknowledgement of SETTINGS that were never sent.
    UnexpectedSettingsAck => PROTOCOL_ERROR, "SETTINGS were acknowledged that were not sent";
    /// More DATA than the connection's window (RFC 9113 section 6.9.1).
    ConnectionWindowExceeded => FLOW_CONTROL_ERROR, "DATA exceeds the connection's flow-control window";
    /// More DATA than the stream's window (RFC 9113 section 6.9.1).
    StreamWindowExceeded => FLOW_CONTROL_ERROR, "DATA exceeds the stream's flow-control window";
    /// A WINDOW_UPDATE of 0 (RFC 9113 section 6.9).
    ZeroWindowUpdate => PROTOCOL_ERROR, "WINDOW_UPDATE with an increment of 0";
    /// A window above 2^31-1 (RFC 9113 section 6.9.1).
    WindowOverflow => FLOW_CONTROL_ERROR, "a flow-control window grew above 2147483647";
    /// HEADERS or DATA after END_STREAM, or on a stream that has ended (RFC 9113 section 5.1).
    StreamClosed => STREAM_CLOSED, "HEADERS or DATA on a stream that has ended";
    /// A second GOAWAY with a higher last stream (RFC 9113 section 6.8).
    GoAwayIncreased => PROTOCOL_ERROR, "GOAWAY raised its last stream identifier";
    /// Fields that make a message malformed (RFC 9113 section 8.1.1): names, order, pseudo-fields.
    MalformedMessage => PROTOCOL_ERROR, "the message's fields are malformed";
    /// A body that is not as long as content-length says (RFC 9113 section 8.1.1).
    ContentLengthMismatch => PROTOCOL_ERROR, "the body is not as long as content-length says";
    /// A field section above SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113 section 6.5.2).
    FieldSectionTooLarge => PROTOCOL_ERROR, "the field section is larger than SETTINGS_MAX_HEADER_LIST_SIZE";
    /// DATA before HEADERS, or trailers that do not end the stream (RFC 9113 section 8.1).
    FrameOutOfOrder => PROTOCOL_ERROR, "a frame out of order for an HTTP message";
    /// One stream too many (RFC 9113 section 5.1.2).
    TooManyStreams => REFUSED_STREAM, "more streams than SETTINGS_MAX_CONCURRENT_STREAMS";
    /// Streams are opened and reset faster than allowed (CVE-2023-44487).
    TooManyResets => ENHANCE_YOUR_CALM, "too many streams were reset";
    /// The peer makes us reset streams faster than allowed (CVE-2025-8671).
    TooManyStreamErrors => ENHANCE_YOUR_CALM, "too many streams had to be reset for the peer's errors";
    /// SETTINGS faster than allowed (CVE-2019-9515).
    TooManySettings => ENHANCE_YOUR_CALM, "too many SETTINGS frames";
    /// PING faster than allowed (CVE-2019-9512).
    TooManyPings => ENHANCE_YOUR_CALM, "too many PING frames";
    /// WINDOW_UPDATE for what was never sent faster than allowed.
    TooManyWindowUpdates => ENHANCE_YOUR_CALM, "too many WINDOW_UPDATE frames for what was sent";
    /// DATA frames that carry nothing faster than allowed (CVE-2019-9518).
    TooManyEmptyFrames => ENHANCE_YOUR_CALM, "too many empty DATA frames";
    /// PRIORITY or unknown frames faster than allowed (CVE-2019-9513).
    TooManyIgnoredFrames => ENHANCE_YOUR_CALM, "too many PRIORITY or unknown frames";
    /// The peer does not read what it asks for (CVE-2019-9511, CVE-2019-9517).
    OutputNotRead => ENHANCE_YOUR_CALM, "answers are not read while more are asked for";
}

/// The end of a connection: what the peer did, in a form to log, to match and to send as GOAWAY.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[error("HTTP/2 connection error {}: {violation}", violation.code())]
pub struct ConnectionError {
    /// What the peer did.
    pub violation: Violation,
}

impl From<Violation> for ConnectionError {
    fn from(violation: Violation) -> Self {
        Self { violation }
    }
}

/// A command that cannot be carried out. Nothing was written.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum CommandError {
    /// The connection ended with an error, ours or the peer's.
    #[error("the connection has ended")]
    Closed,
    /// A GOAWAY was sent or received: no new stream may be opened.
    #[error("the connection is going away: no new stream may be opened")]
    GoingAway,
    /// The peer's SETTINGS_MAX_CONCURRENT_STREAMS is reached; wait for a stream to end.
    #[error("all {limit} streams that the peer allows are open")]
    TooManyStreams {
        /// The limit now in force.
        limit: u32,
    },
    /// All 2^30 identifiers of this connection are used up; open another connection.
    #[error("the stream identifiers of this connection are used up")]
    StreamIdsExhausted,
    /// The stream is not open, or its sending side has already ended.
    #[error("the stream is not open for sending")]
    StreamNotOpen,
    /// The fields are larger than the peer's SETTINGS_MAX_HEADER_LIST_SIZE.
    #[error("the field section has {size} bytes, the peer allows {limit}")]
    FieldSectionTooLarge {
        /// Bytes, counted as RFC 9113 section 6.5.2 does (32 more for each field).
        size: usize,
        /// The peer's limit.
        limit: u32,
    },
    /// A value is outside of what the protocol can carry.
    #[error("{what} is outside of its range")]
    OutOfRange {
        /// Which value.
        what: &'static str,
    },
    /// The command is not for this side of a connection.
    #[error("only a {side} may do this")]
    WrongRole {
        /// Whose command it is.
        side: &'static str,
    },
    /// Much more waits to be written than a socket takes at once: write it first.
    #[error("{pending} bytes wait to be written: write them before opening more streams")]
    OutputFull {
        /// Bytes that wait.
        pending: usize,
    },
    /// Too many of our SETTINGS wait for their acknowledgement.
    #[error("{pending} SETTINGS wait for their acknowledgement already")]
    SettingsPending {
        /// How many wait.
        pending: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_codes_are_kept_and_shown_as_numbers() {
        assert_eq!(ErrorCode(0xd).to_string(), "HTTP_1_1_REQUIRED");
        assert_eq!(ErrorCode(0xbad).to_string(), "error code 0xbad");
    }

    #[test]
    fn an_error_names_its_code_and_its_cause() {
        let error = ConnectionError::from(Violation::TooManyResets);
        assert_eq!(
            error.to_string(),
            "HTTP/2 connection error ENHANCE_YOUR_CALM: too many streams were reset"
        );
    }
}
