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
    /// Reads a channel ID: standard base64 with its padding, not empty.
    pub fn parse(text: &str) -> Result<Self, InvalidChannelId> {
        if text.is_empty() {
            return Err(InvalidChannelId::Empty);
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
}
