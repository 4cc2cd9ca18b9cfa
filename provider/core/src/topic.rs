use std::{fmt, sync::Arc};

use thiserror::Error;

use crate::push_type::PushType;

/// An app's bundle ID, such as `com.example.app`: letters, digits, `-` and `.` (Apple, `CFBundleIdentifier`).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct BundleId {
    text: Box<str>,
}

impl BundleId {
    /// The longest accepted, in bytes. Apple publishes no limit for APNs; this one is far above what App
    /// Store Connect takes and far below APNs' header list limit of 8000.
    pub const BYTES_MAX: usize = 255;

    /// Reads a bundle ID.
    pub fn parse(text: &str) -> Result<Self, InvalidBundleId> {
        check(text)?;
        Ok(Self { text: text.into() })
    }

    /// The topic of pushes of this type to this app.
    pub(crate) fn into_topic(self, push_type: PushType) -> Topic {
        Topic { text: (String::from(self.text) + push_type.topic_suffix()).into() }
    }

    /// The bundle ID as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for BundleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a push is about, `apns-topic`: the bundle ID, followed by the suffix of the push type.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Topic {
    /// Shared by the notifications to it.
    text: Arc<str>,
}

impl Topic {
    /// The topic of pushes of this type to this app.
    pub fn of(bundle_id: &BundleId, push_type: PushType) -> Self {
        bundle_id.clone().into_topic(push_type)
    }

    /// Reads a whole topic, suffix included. That it fits a push type is checked where both are known.
    pub fn parse(text: &str) -> Result<Self, InvalidBundleId> {
        check(text)?;
        Ok(Self { text: text.into() })
    }

    /// The topic as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text is no bundle ID and no topic.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum InvalidBundleId {
    /// A character other than a letter, a digit, `-` or `.`.
    #[error("bundle ID has the character {character:?}; only ASCII letters, digits, `-` and `.` are allowed")]
    Character {
        /// The first character that is not allowed.
        character: char,
    },
    /// There is nothing.
    #[error("bundle ID is empty; pass the app's bundle ID, such as com.example.app")]
    Empty,
    /// It is longer than [`BundleId::BYTES_MAX`].
    #[error("bundle ID has {len} bytes, at most 255 are allowed")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
}

fn check(text: &str) -> Result<(), InvalidBundleId> {
    if text.is_empty() {
        return Err(InvalidBundleId::Empty);
    }
    let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.');
    if let Some(character) = text.chars().find(|character| !allowed(*character)) {
        return Err(InvalidBundleId::Character { character });
    }
    if text.len() > BundleId::BYTES_MAX {
        return Err(InvalidBundleId::TooLong { len: text.len() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_the_bundle_id_and_the_suffix_of_the_type() {
        let app = BundleId::parse("com.example.My-App2").unwrap();
        assert_eq!(Topic::of(&app, PushType::Alert).as_str(), "com.example.My-App2");
        assert_eq!(Topic::of(&app, PushType::Voip).as_str(), "com.example.My-App2.voip");
    }

    #[test]
    fn what_could_not_be_a_bundle_id_is_refused() {
        assert_eq!(BundleId::parse(""), Err(InvalidBundleId::Empty));
        assert_eq!(BundleId::parse("com.example app"), Err(InvalidBundleId::Character { character: ' ' }));
        assert_eq!(
            BundleId::parse("com.example\r\nx: y"),
            Err(InvalidBundleId::Character { character: '\r' })
        );
        assert_eq!(BundleId::parse(&"a".repeat(256)), Err(InvalidBundleId::TooLong { len: 256 }));
        assert!(BundleId::parse(&"a".repeat(255)).is_ok());
    }
}
