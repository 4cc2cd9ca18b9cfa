//! The name of a fault.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// The name of a fault: in the journal, in the field `mock-apns-fault` of an answer, and as the label of a metric. A letter or
/// digit, then letters, digits, `.`, `_` and `-`, up to 64 in all.
///
/// ```
/// use mock_apns_core::fault::FaultName;
///
/// assert_eq!(FaultName::parse("two-percent-503")?.as_str(), "two-percent-503");
/// assert!(FaultName::parse("two percent").is_err());
/// # Ok::<(), mock_apns_core::fault::FaultNameError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FaultName(Box<str>);

impl FaultName {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, FaultNameError> {
        let is_allowed = |(at, byte): (usize, u8)| {
            byte.is_ascii_alphanumeric() || (at > 0 && matches!(byte, b'.' | b'_' | b'-'))
        };
        if (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().enumerate().all(is_allowed) {
            Ok(Self(text.into()))
        } else {
            Err(FaultNameError(text.chars().take(NAME_BYTES_MAX).collect()))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text is not the name of a fault.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error(
    "{0:?} is not a name for a fault: it takes 1 to {NAME_BYTES_MAX} letters, digits, '.', '_' and '-', beginning with a letter or digit"
)]
pub struct FaultNameError(String);

/// The name that the journal has for an answer of a transcript which the service would not have given: nobody else's.
pub(crate) const REPLAY: &str = "replay";

/// It stands in a field of each answer that the fault has changed.
const NAME_BYTES_MAX: usize = 64;

impl fmt::Display for FaultName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for FaultName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for FaultName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_into_a_header_and_a_label() {
        for good in ["503", "a", "Shutdown_after.500-pushes", &"x".repeat(64)] {
            assert_eq!(FaultName::parse(good).unwrap().to_string(), good);
        }
        for bad in ["", "-a", ".a", "a b", "a\"", "ä", "a\r\nb: c", &"x".repeat(65)] {
            let error = FaultName::parse(bad).unwrap_err().to_string();
            assert!(error.contains("1 to 64 letters"), "{error}");
        }
    }
}
