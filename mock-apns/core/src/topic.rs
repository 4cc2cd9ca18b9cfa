//! What a push is addressed to: a bundle identifier, with a suffix for some push types.

use std::{borrow::Borrow, fmt, sync::Arc};

use thiserror::Error;

/// A well-formed `apns-topic` value. Source: Apple, "Sending notification requests to APNs".
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Topic<'a>(&'a str);

impl<'a> Topic<'a> {
    /// Reads a topic: labels of ASCII letters, digits, `-` and `_`, joined by dots, at most
    /// [`TOPIC_BYTES_MAX`] bytes. Apple allows letters, digits, hyphens and dots in a bundle identifier; underscores
    /// are seen in old macOS ones.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let is_label_byte = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_label = |label: &[u8]| !label.is_empty() && label.iter().all(is_label_byte);
        let well_formed = value.len() <= TOPIC_BYTES_MAX && value.split(|byte| *byte == b'.').all(is_label);
        if well_formed { std::str::from_utf8(value).ok().map(Self) } else { None }
    }

    /// The topic as text.
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

/// An app's bundle identifier, which is also its topic for pushes without a suffix. Cheap to clone.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct BundleId(Arc<str>);

impl BundleId {
    /// Reads a bundle identifier; its syntax is that of a [`Topic`].
    pub fn parse(text: &str) -> Result<Self, BundleIdError> {
        match Topic::parse(text.as_bytes()) {
            Some(topic) => Ok(Self(topic.as_str().into())),
            None => Err(BundleIdError { text: text.to_owned() }),
        }
    }

    /// The bundle identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for BundleId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BundleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BundleId({})", self.0)
    }
}

impl fmt::Display for BundleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text is not a bundle identifier.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error(
    "{text:?} is not a bundle ID: letters, digits, '-' and '_' in parts joined by dots, at most {TOPIC_BYTES_MAX} \
     bytes, such as \"com.example.app\""
)]
pub struct BundleIdError {
    text: String,
}

/// Longest topic, in bytes. Apple publishes no limit; a bundle identifier is limited to 155 characters in App Store
/// Connect, and the longest suffix is 24.
pub const TOPIC_BYTES_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_apple_issues_is_well_formed() {
        for topic in [
            "com.example.app",
            "com.example.app.voip-ptt",
            "com.apple.mgmt.External.1B2C3D4E-0000-4000-8000-000000000000",
            "pass.com.example.ticket",
            "App",
        ] {
            assert_eq!(Topic::parse(topic.as_bytes()).map(Topic::as_str), Some(topic));
        }
    }

    #[test]
    fn anything_else_is_not() {
        let long = "a".repeat(TOPIC_BYTES_MAX + 1);
        for topic in
            ["", ".", ".com", "com.", "com..app", "com.example app", "com/example", "com.exämple", &long]
        {
            assert_eq!(Topic::parse(topic.as_bytes()), None, "{topic}");
        }
        assert!(Topic::parse(&long.as_bytes()[1..]).is_some());
        assert_eq!(Topic::parse(b"com.\xff"), None);
    }

    #[test]
    fn a_bundle_id_error_names_the_text() {
        assert!(BundleId::parse("not a bundle").unwrap_err().to_string().contains("\"not a bundle\""));
    }
}
