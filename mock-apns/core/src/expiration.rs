//! How long APNs keeps trying.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The `apns-expiration` of a push. Source: Apple, "Sending notification requests to APNs".
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expiration {
    /// The header is absent: kept for as long as APNs keeps anything.
    #[default]
    Unstated,
    /// `0`: one attempt, never stored.
    Once,
    /// Stored and tried until then. A past point is no error: the push expires at once.
    At(Timestamp),
}

impl Expiration {
    /// Reads a header value: Unix seconds, digits only.
    pub fn parse(value: &[u8]) -> Option<Self> {
        if value.is_empty() {
            return None;
        }
        let mut seconds: u64 = 0;
        for byte in value {
            let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
            seconds = seconds.checked_mul(10)?.checked_add(digit)?;
        }
        Some(if seconds == 0 { Self::Once } else { Self::At(Timestamp::from_secs(seconds)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_past_or_future_are_points_in_time() {
        assert_eq!(Expiration::parse(b"0"), Some(Expiration::Once));
        assert_eq!(Expiration::parse(b"1"), Some(Expiration::At(Timestamp::from_secs(1))));
        assert_eq!(
            Expiration::parse(b"1900000000"),
            Some(Expiration::At(Timestamp::from_secs(1_900_000_000)))
        );
    }

    #[test]
    fn anything_but_digits_is_not() {
        for value in [&b""[..], b"-1", b"+1", b"1.5", b"1e3", b" 1", b"tomorrow", b"99999999999999999999"] {
            assert_eq!(Expiration::parse(value), None, "{}", String::from_utf8_lossy(value));
        }
    }
}
