use crate::{hpack::Huffman, limits::Limits, settings::Settings, stream_id::StreamId};

/// Which side of a connection this is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Opens streams.
    Client,
    /// Answers them.
    Server,
}

/// Who widens the receiving windows again after DATA has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Grants {
    /// The connection itself, as soon as half of a stream's window is used, or a thirty-second of the connection's, once for all that
    /// came together.
    Automatic,
    /// The caller, with [`Connection::release`](crate::Connection::release): back-pressure, or a stall on purpose.
    Manual,
}

/// How a connection begins. Values outside their range are moved into it, so that no configuration makes an impossible connection.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Our first SETTINGS. A client's always disable push, a server's never name it.
    pub settings: Settings,
    /// What the peer may do how often.
    pub limits: Limits,
    /// Who grants window.
    pub grants: Grants,
    /// Bytes of the connection's receiving window; above 65535 a WINDOW_UPDATE goes out with the first SETTINGS, since no setting
    /// can change this window (RFC 9113 section 6.9.2).
    pub connection_window: u32,
    /// Whether strings are Huffman-coded.
    pub huffman: Huffman,
    /// A client's first stream; an even one counts as the odd one above it. Higher than 1 only to rehearse the end of the identifiers.
    pub first_stream: StreamId,
}

impl Default for Config {
    /// RFC 9113's defaults, automatic grants, plain strings.
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            limits: Limits::default(),
            grants: Grants::Automatic,
            connection_window: crate::settings::DEFAULT_WINDOW,
            huffman: Huffman::Never,
            first_stream: StreamId::FIRST,
        }
    }
}
