use std::{fmt, sync::Arc};

use thiserror::Error;

/// Pushes with the same `apns-collapse-id` are shown to the user as one; the newest replaces the others.
///
/// One to 64 bytes (Apple, "Sending notification requests to APNs"). Printable ASCII, since it travels as a
/// header value (RFC 9110 section 5.5).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CollapseId {
    text: Arc<str>,
}

impl CollapseId {
    /// The longest, in bytes.
    pub const BYTES_MAX: usize = 64;

    /// Reads a collapse ID.
    pub fn parse(text: &str) -> Result<Self, InvalidCollapseId> {
        if text.is_empty() {
            return Err(InvalidCollapseId::Empty);
        }
        if text.len() > Self::BYTES_MAX {
            return Err(InvalidCollapseId::TooLong { len: text.len() });
        }
        let printable = |byte: u8| (b' '..=b'~').contains(&byte);
        let padded = text.starts_with(' ') || text.ends_with(' ');
        match text.bytes().position(|byte| !printable(byte)) {
            Some(at) => Err(InvalidCollapseId::Character { at }),
            None if padded => Err(InvalidCollapseId::Padded),
            None => Ok(Self { text: text.into() }),
        }
    }

    /// The collapse ID as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for CollapseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text is no collapse ID.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum InvalidCollapseId {
    /// A character is not printable ASCII.
    #[error("apns-collapse-id has a byte at offset {at} that is not printable ASCII; hash or encode the ID")]
    Character {
        /// Offset of the byte.
        at: usize,
    },
    /// There is nothing.
    #[error("apns-collapse-id is empty; leave it out instead")]
    Empty,
    /// It begins or ends with a space, which HTTP/2 forbids in a header value (RFC 9113 section 8.2.1).
    #[error("apns-collapse-id begins or ends with a space; trim it")]
    Padded,
    /// It has more than 64 bytes.
    #[error("apns-collapse-id has {len} bytes, at most 64 are allowed; hash the ID")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_64_bytes() {
        assert_eq!(CollapseId::parse(&"x".repeat(64)).unwrap().as_str().len(), 64);
        assert_eq!(CollapseId::parse(&"x".repeat(65)), Err(InvalidCollapseId::TooLong { len: 65 }));
        // 33 characters, 66 bytes.
        assert_eq!(CollapseId::parse(&"é".repeat(33)), Err(InvalidCollapseId::TooLong { len: 66 }));
    }

    #[test]
    fn what_a_header_value_cannot_hold_is_refused() {
        assert_eq!(CollapseId::parse(""), Err(InvalidCollapseId::Empty));
        assert_eq!(CollapseId::parse("score\n2"), Err(InvalidCollapseId::Character { at: 5 }));
        assert_eq!(CollapseId::parse("tor é"), Err(InvalidCollapseId::Character { at: 4 }));
        assert_eq!(CollapseId::parse("game 7 "), Err(InvalidCollapseId::Padded));
        assert!(CollapseId::parse("game 7").is_ok());
    }
}
