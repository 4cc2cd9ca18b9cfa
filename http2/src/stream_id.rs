use std::fmt;

/// The 31-bit number of a stream (RFC 9113 section 5.1.1). Odd numbers are the client's; 0 is the connection itself.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct StreamId(u32);

impl StreamId {
    /// The connection itself: SETTINGS, PING and GOAWAY belong to it.
    pub const CONNECTION: Self = Self(0);
    /// The first stream of a client.
    pub const FIRST: Self = Self(1);
    /// The highest identifier there is; a GOAWAY with it announces a shutdown and closes nothing yet.
    pub const MAX: Self = Self(0x7fff_ffff);

    /// The identifier with this number; its topmost bit, which is reserved, is dropped.
    pub const fn new(number: u32) -> Self {
        Self(number & Self::MAX.0)
    }

    /// The number on the wire.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Whether a client opens streams of this number.
    pub const fn is_client_initiated(self) -> bool {
        self.0 % 2 == 1
    }

    /// The client's stream after this one, while there is one.
    pub(crate) const fn next(self) -> Option<Self> {
        if self.0 + 2 > Self::MAX.0 { None } else { Some(Self(self.0 + 2)) }
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stream {}", self.0)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
