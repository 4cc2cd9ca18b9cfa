//! What RFC 9113 calls types, flags and settings.

use super::Head;
use crate::frame::{flag, kind};

/// Flags, with their names.
type Flags = &'static [(u8, &'static str)];

/// Types, with the flags that each has (RFC 9113 section 6).
const KINDS: [(u8, &str, Flags); 10] = [
    (kind::DATA, "DATA", &[(flag::END_STREAM, "END_STREAM"), (flag::PADDED, "PADDED")]),
    (
        kind::HEADERS,
        "HEADERS",
        &[
            (flag::END_STREAM, "END_STREAM"),
            (flag::END_HEADERS, "END_HEADERS"),
            (flag::PADDED, "PADDED"),
            (flag::PRIORITY, "PRIORITY"),
        ],
    ),
    (kind::PRIORITY, "PRIORITY", &[]),
    (kind::RST_STREAM, "RST_STREAM", &[]),
    (kind::SETTINGS, "SETTINGS", &[(flag::ACK, "ACK")]),
    (kind::PUSH_PROMISE, "PUSH_PROMISE", &[(flag::END_HEADERS, "END_HEADERS"), (flag::PADDED, "PADDED")]),
    (kind::PING, "PING", &[(flag::ACK, "ACK")]),
    (kind::GOAWAY, "GOAWAY", &[]),
    (kind::WINDOW_UPDATE, "WINDOW_UPDATE", &[]),
    (kind::CONTINUATION, "CONTINUATION", &[(flag::END_HEADERS, "END_HEADERS")]),
];

impl Head {
    /// The name of its type, such as `HEADERS`; `unknown(0x2a)` for one that RFC 9113 does not define.
    pub fn kind_name(self) -> String {
        match KINDS.iter().find(|(kind, ..)| *kind == self.kind) {
            Some((_, name, _)) => (*name).to_owned(),
            None => format!("unknown({:#04x})", self.kind),
        }
    }

    /// The names of the flags that are set, such as `END_STREAM`; in hexadecimal those that its type does not
    /// define.
    pub fn flag_names(self) -> Vec<String> {
        let known = KINDS.iter().find(|(kind, ..)| *kind == self.kind).map_or(&[][..], |(.., flags)| flags);
        let bits = (0..8).map(|bit| 1_u8 << bit).filter(|bit| self.has(*bit));
        bits.map(|bit| match known.iter().find(|(flag, _)| *flag == bit) {
            Some((_, name)) => (*name).to_owned(),
            None => format!("{bit:#04x}"),
        })
        .collect()
    }
}
