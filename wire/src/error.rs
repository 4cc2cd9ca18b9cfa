use std::{fmt, io};

/// Why a TLS socket came to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum WireError {
    /// The socket failed.
    Io(io::Error),
    /// TLS failed: a handshake refused by either side, a bad record, an alert.
    Tls(rustls::Error),
    /// The peer closed the socket in the middle of the handshake.
    ClosedInHandshake,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "socket: {error}"),
            Self::Tls(error) => write!(f, "TLS: {error}"),
            Self::ClosedInHandshake => f.write_str("the peer closed the connection during the TLS handshake"),
        }
    }
}

impl std::error::Error for WireError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Tls(error) => Some(error),
            Self::ClosedInHandshake => None,
        }
    }
}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<rustls::Error> for WireError {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(error)
    }
}
