//! The identifiers that Apple puts into credentials, each read once into a type that cannot be wrong.

use std::fmt;

use crate::Error;

/// What a push is addressed to: a bundle identifier such as `com.example.app`, or one with a suffix
/// (`com.example.app.voip`), a pass type (`pass.…`), a website (`web.…`) or an MDM topic.
///
/// Letters, digits, hyphens and periods (Apple "CFBundleIdentifier"). Apple documents no greatest length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic(String);

impl Topic {
    /// Reads a topic; fails with [`Error::InvalidTopic`].
    pub fn new(topic: &str) -> Result<Self, Error> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        if topic.is_empty() || !topic.chars().all(allowed) {
            return Err(Error::InvalidTopic(topic.to_owned()));
        }
        Ok(Self(topic.to_owned()))
    }

    /// The topic as it is sent in `apns-topic`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This topic for another service of the same app, as in `com.example.app` and `.voip`.
    pub(crate) fn with_suffix(&self, suffix: &'static str) -> Self {
        Self(format!("{self}{suffix}"))
    }

    /// This topic as another kind of identifier, as in `pass.` and `com.example.app`.
    pub(crate) fn with_prefix(&self, prefix: &'static str) -> Self {
        Self(format!("{prefix}{self}"))
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A developer team: ten capital letters and digits (Apple "Establishing a token-based connection to APNs").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamId(String);

impl TeamId {
    /// Reads a team identifier; fails with [`Error::InvalidTeamId`].
    pub fn new(team_id: &str) -> Result<Self, Error> {
        if !is_ten_character_id(team_id) {
            return Err(Error::InvalidTeamId(team_id.to_owned()));
        }
        Ok(Self(team_id.to_owned()))
    }

    /// The identifier as it stands in a token's `iss` and a certificate's organizational unit.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An authentication key: ten capital letters and digits (Apple "Establishing a token-based connection to
/// APNs").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyId(String);

impl KeyId {
    /// Reads a key identifier; fails with [`Error::InvalidKeyId`].
    pub fn new(key_id: &str) -> Result<Self, Error> {
        if !is_ten_character_id(key_id) {
            return Err(Error::InvalidKeyId(key_id.to_owned()));
        }
        Ok(Self(key_id.to_owned()))
    }

    /// The identifier as it stands in a token's `kid`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A simulated device, as its certificate names it: 1 to 64 printable ASCII characters, the greatest common
/// name that X.509 allows (RFC 5280 appendix A.1, `ub-common-name`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceId(String);

impl DeviceId {
    /// Reads a device identifier; fails with [`Error::InvalidDeviceId`].
    pub fn new(device_id: &str) -> Result<Self, Error> {
        let printable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        if device_id.is_empty()
            || device_id.len() > COMMON_NAME_BYTES_MAX
            || !device_id.bytes().all(printable)
        {
            return Err(Error::InvalidDeviceId(device_id.to_owned()));
        }
        Ok(Self(device_id.to_owned()))
    }

    /// The identifier as it stands in the certificate's common name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_ten_character_id(id: &str) -> bool {
    id.len() == APPLE_ID_CHARACTERS
        && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// The length of a team or key identifier, in characters (Apple "Establishing a token-based connection to
/// APNs").
const APPLE_ID_CHARACTERS: usize = 10;

/// `ub-common-name`, in bytes (RFC 5280 appendix A.1).
const COMMON_NAME_BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_has_the_characters_of_a_bundle_identifier() {
        for topic in ["com.example.app", "pass.com.example-1", "com.apple.mgmt.External.0a-1b"] {
            assert_eq!(Topic::new(topic).unwrap().as_str(), topic);
        }
        for topic in ["", "com.example app", "com.example/app", "com.exämple", "a,b"] {
            assert_eq!(Topic::new(topic), Err(Error::InvalidTopic(topic.to_owned())));
        }
    }

    #[test]
    fn team_and_key_have_ten_capitals_and_digits() {
        assert_eq!(TeamId::new("DEF123GHIJ").unwrap().as_str(), "DEF123GHIJ");
        assert_eq!(KeyId::new("ABC123DEFG").unwrap().as_str(), "ABC123DEFG");
        for id in ["", "ABC123DEF", "ABC123DEFGH", "abc123defg", "ABC-23DEFG", "ÀBC123DEF"] {
            assert_eq!(TeamId::new(id), Err(Error::InvalidTeamId(id.to_owned())));
            assert_eq!(KeyId::new(id), Err(Error::InvalidKeyId(id.to_owned())));
        }
    }

    #[test]
    fn a_device_fits_a_common_name() {
        assert!(DeviceId::new(&"d".repeat(64)).is_ok());
        for id in [String::new(), "d".repeat(65), "a\nb".to_owned(), "é".to_owned()] {
            assert_eq!(DeviceId::new(&id), Err(Error::InvalidDeviceId(id)));
        }
    }
}
