//! Frames that break the protocol: the table of how.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A broken frame.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BrokenFrame {
    /// What is wrong with it.
    pub kind: MalformedFrame,
}

impl BrokenFrame {
    #[expect(
        clippy::unnecessary_wraps,
        clippy::trivially_copy_pass_by_ref,
        clippy::unused_self,
        reason = "a row of the table of actions"
    )]
    pub(super) fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Where a broken frame goes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FrameStream {
    /// Stream 0.
    Connection,
    /// The stream of the request at which it happens; where there is none, the client's first.
    Request,
    /// A stream that no client has opened.
    Idle,
    /// A stream of the server's, which may open none.
    Servers,
}

/// Declares [`MalformedFrame`]: each with its name, its type, flags, stream and payload, and what is wrong with it.
macro_rules! malformed_frames {
    ($($variant:ident $name:literal $kind:literal $flags:literal $stream:ident $payload:expr, $wrong:literal;)*) => {
        /// What is wrong with a frame.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        #[non_exhaustive]
        pub enum MalformedFrame {
            $(#[doc = $wrong] $variant,)*
        }

        impl MalformedFrame {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What is wrong with it, and where RFC 9113 or 7541 says so.
            pub const fn wrong(self) -> &'static str {
                match self { $(Self::$variant => $wrong,)* }
            }

            /// The frame's type.
            pub const fn frame_type(self) -> u8 {
                match self { $(Self::$variant => $kind,)* }
            }

            /// The frame's flags.
            pub const fn flags(self) -> u8 {
                match self { $(Self::$variant => $flags,)* }
            }

            /// Where it goes to.
            pub const fn stream(self) -> FrameStream {
                match self { $(Self::$variant => FrameStream::$stream,)* }
            }

            /// Its payload.
            pub const fn payload(self) -> &'static [u8] {
                match self { $(Self::$variant => $payload,)* }
            }
        }
    };
}

malformed_frames! {
    DataOnStream0 "data-on-stream-0" 0x0 0x0 Connection b"{}",
        "DATA on stream 0 (6.1: PROTOCOL_ERROR).";
    DataOnIdleStream "data-on-idle-stream" 0x0 0x1 Idle b"{}",
        "DATA on a stream that was never opened (5.1: PROTOCOL_ERROR).";
    DataPadding "data-padding" 0x0 0x8 Request &[9, b'{', b'}'],
        "DATA with more padding than payload (6.1: PROTOCOL_ERROR).";
    HeadersOnStream0 "headers-on-stream-0" 0x1 0x4 Connection &[0x88],
        "HEADERS on stream 0 (6.2: PROTOCOL_ERROR).";
    HeadersOnServersStream "headers-on-servers-stream" 0x1 0x5 Servers &[0x88],
        "HEADERS on a stream that the server would have opened (5.1.1: PROTOCOL_ERROR).";
    HeadersWithoutStatus "headers-without-status" 0x1 0x5 Request &[0x00, 1, b'a', 1, b'b'],
        "An answer without :status (8.3.2: PROTOCOL_ERROR of the stream).";
    HeadersUpperCase "headers-upper-case" 0x1 0x5 Request &[0x88, 0x00, 7, b'A', b'p', b'n', b's', b'-', b'I', b'd', 1, b'1'],
        "An answer with a field name in upper case (8.2.1: PROTOCOL_ERROR of the stream).";
    HeadersBadIndex "headers-bad-index" 0x1 0x5 Request &[0xff, 0xff, 0xff, 0x7f],
        "Fields that refer to an entry which no table has (RFC 7541, 2.3.3: COMPRESSION_ERROR).";
    HeadersCutShort "headers-cut-short" 0x1 0x5 Request &[0x00, 10, b'a'],
        "Fields that end in the middle of a name (RFC 7541, 5.2: COMPRESSION_ERROR).";
    HeadersBadHuffman "headers-bad-huffman" 0x1 0x5 Request &[0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0],
        "A name in a Huffman code that holds the end of string (RFC 7541, 5.2: COMPRESSION_ERROR).";
    PriorityShort "priority-short" 0x2 0x0 Request &[0, 0, 0, 0],
        "PRIORITY of four bytes (6.3: FRAME_SIZE_ERROR of the stream).";
    RstStreamOnStream0 "rst-stream-on-stream-0" 0x3 0x0 Connection &[0, 0, 0, 8],
        "RST_STREAM on stream 0 (6.4: PROTOCOL_ERROR).";
    RstStreamOnIdleStream "rst-stream-on-idle-stream" 0x3 0x0 Idle &[0, 0, 0, 8],
        "RST_STREAM of a stream that was never opened (6.4: PROTOCOL_ERROR).";
    RstStreamShort "rst-stream-short" 0x3 0x0 Request &[0, 0, 8],
        "RST_STREAM of three bytes (6.4: FRAME_SIZE_ERROR).";
    SettingsOnStream "settings-on-stream" 0x4 0x0 Request &[],
        "SETTINGS on a stream (6.5: PROTOCOL_ERROR).";
    SettingsAckWithPayload "settings-ack-with-payload" 0x4 0x1 Connection &[0, 3, 0, 0, 0, 1],
        "An acknowledgement of SETTINGS with a payload (6.5: FRAME_SIZE_ERROR).";
    SettingsLength "settings-length" 0x4 0x0 Connection &[0, 3, 0, 0, 0],
        "SETTINGS of five bytes (6.5: FRAME_SIZE_ERROR).";
    SettingsWindow "settings-window" 0x4 0x0 Connection &[0, 4, 0xff, 0xff, 0xff, 0xff],
        "INITIAL_WINDOW_SIZE above 2³¹−1 (6.5.2: FLOW_CONTROL_ERROR).";
    SettingsFrameSize "settings-frame-size" 0x4 0x0 Connection &[0, 5, 0, 0, 0, 1],
        "MAX_FRAME_SIZE of 1 (6.5.2: PROTOCOL_ERROR).";
    SettingsEnablePush "settings-enable-push" 0x4 0x0 Connection &[0, 2, 0, 0, 0, 1],
        "A server's ENABLE_PUSH of 1 (6.5.2: PROTOCOL_ERROR).";
    PushPromise "push-promise" 0x5 0x4 Request &[0, 0, 0, 2, 0x82],
        "PUSH_PROMISE to a client that has switched it off (8.4: PROTOCOL_ERROR).";
    PingOnStream "ping-on-stream" 0x6 0x0 Request &[0; 8],
        "PING on a stream (6.7: PROTOCOL_ERROR).";
    PingLength "ping-length" 0x6 0x0 Connection &[0; 7],
        "PING of seven bytes (6.7: FRAME_SIZE_ERROR).";
    GoAwayOnStream "goaway-on-stream" 0x7 0x0 Request &[0; 8],
        "GOAWAY on a stream (6.8: PROTOCOL_ERROR).";
    GoAwayShort "goaway-short" 0x7 0x0 Connection &[0; 7],
        "GOAWAY of seven bytes (6.8: FRAME_SIZE_ERROR).";
    GoAwayRaised "goaway-raised" 0x7 0x0 Connection &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0],
        "GOAWAY with the last stream 2³¹−1: behind a lower one it is raised (6.8), and otherwise nothing is wrong with it.";
    WindowUpdateZero "window-update-zero" 0x8 0x0 Connection &[0; 4],
        "WINDOW_UPDATE of 0 for the connection (6.9: PROTOCOL_ERROR).";
    WindowUpdateZeroOnStream "window-update-zero-on-stream" 0x8 0x0 Request &[0; 4],
        "WINDOW_UPDATE of 0 for a stream (6.9: PROTOCOL_ERROR of the stream).";
    WindowUpdateOverflow "window-update-overflow" 0x8 0x0 Connection &[0x7f, 0xff, 0xff, 0xff],
        "A connection's window above 2³¹−1 (6.9.1: FLOW_CONTROL_ERROR).";
    WindowUpdateShort "window-update-short" 0x8 0x0 Connection &[0, 0, 1],
        "WINDOW_UPDATE of three bytes (6.9: FRAME_SIZE_ERROR).";
    ContinuationAlone "continuation-alone" 0x9 0x4 Request &[0x88],
        "CONTINUATION that continues nothing (6.10: PROTOCOL_ERROR).";
    HeadersInterrupted "headers-interrupted" 0x1 0x1 Request &[0x88],
        "HEADERS without END_HEADERS, and then any other frame (6.10: PROTOCOL_ERROR).";
    TooLong "too-long" 0x0 0x0 Request &SPACES,
        "DATA of 16,385 bytes, which is longer than any client takes that has not said so (4.2: FRAME_SIZE_ERROR).";
    UnknownType "unknown-type" 0xfa 0xff Connection b"what is this?",
        "A frame of a type that nobody knows, which a client has to ignore (4.1): nothing is wrong with it.";
}

/// One byte more than the frame that every client takes (RFC 9113, 4.2).
static SPACES: [u8; 16_385] = [b' '; 16_385];

impl Serialize for MalformedFrame {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for MalformedFrame {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|kind| kind.as_str()).collect();
            de::Error::custom(format_args!("{name:?} is not one of {}", names.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_says_what_is_wrong_with_it() {
        for &kind in MalformedFrame::ALL {
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(serde_json::from_str::<MalformedFrame>(&json).unwrap(), kind);
            assert!(kind.wrong().ends_with('.') && kind.wrong().contains('('), "{json}");
        }
        let error = serde_json::from_str::<MalformedFrame>(r#""odd""#).unwrap_err().to_string();
        assert!(error.contains(r#""odd" is not one of data-on-stream-0"#), "{error}");
    }
}
