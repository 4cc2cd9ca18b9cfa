use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use thiserror::Error;

/// A broadcast channel, as APNs named it when it was created: base64 of random bytes, whose number is not fixed
/// (Apple, "Sending channel management requests to APNs").
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct ChannelId {
    text: Box<str>,
}

impl ChannelId {
    /// The longest accepted, in bytes. Apple publishes no limit; its example has 20, and 10,000 of this length fit in the longest list
    /// that is read ([`ChannelAnswer::BODY_BYTES_MAX`](crate::ChannelAnswer::BODY_BYTES_MAX)).
    pub const BYTES_MAX: usize = 400;

    /// Reads a channel ID: standard base64 with its padding, not empty and not longer than [`BYTES_MAX`](Self::BYTES_MAX).
    pub fn parse(text: &str) -> Result<Self, InvalidChannelId> {
        if text.is_empty() {
            return Err(InvalidChannelId::Empty);
        }
        if text.len() > Self::BYTES_MAX {
            return Err(InvalidChannelId::TooLong { len: text.len() });
        }
        match BASE64_STANDARD.decode(text) {
            Ok(_) => Ok(Self { text: text.into() }),
            Err(error) => Err(InvalidChannelId::NotBase64 { why: error.to_string() }),
        }
    }

    /// The channel ID as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text is no channel ID.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum InvalidChannelId {
    /// There is nothing.
    #[error("channel ID is empty; pass the apns-channel-id that creating the channel answered")]
    Empty,
    /// It is not base64.
    #[error("channel ID is not base64 ({why}); pass the apns-channel-id as it was answered")]
    NotBase64 {
        /// The decoder's words.
        why: String,
    },
    /// It is longer than [`ChannelId::BYTES_MAX`].
    #[error("channel ID has {len} bytes, at most {max} are allowed; pass the apns-channel-id as it was answered", max = ChannelId::BYTES_MAX)]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_id_is_base64_as_apns_wrote_it() {
        let text = "dHN0LXNyY2gtY2hubA==";
        assert_eq!(ChannelId::parse(text).unwrap().as_str(), text);
        assert_eq!(ChannelId::parse(""), Err(InvalidChannelId::Empty));
        for text in ["dHN0LXNyY2gtY2hubA", "dHN0_XNy", "a channel"] {
            let refused = ChannelId::parse(text);
            assert!(matches!(refused, Err(InvalidChannelId::NotBase64 { .. })), "{text}: {refused:?}");
        }
    }

    #[test]
    fn a_channel_id_has_400_bytes_at_most() {
        assert!(ChannelId::parse(&"a".repeat(400)).is_ok());
        assert!(10_000 * (ChannelId::BYTES_MAX + r#""","#.len()) <= crate::ChannelAnswer::BODY_BYTES_MAX);
        let refused = ChannelId::parse(&"a".repeat(404)).unwrap_err();
        assert_eq!(refused, InvalidChannelId::TooLong { len: 404 });
        assert!(refused.to_string().contains("404 bytes, at most 400"), "{refused}");
    }
}
