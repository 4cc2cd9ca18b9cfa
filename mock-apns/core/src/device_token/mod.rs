//! Device tokens: what they look like, what they stand for, and whether they still lead somewhere.

mod identity;

use std::{borrow::Borrow, fmt};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Timestamp;
pub(crate) use identity::{BLOCK, TokenIdentity, TokenKey, TokenLength};

/// A device token: opaque bytes of any length up to [`DEVICE_TOKEN_BYTES_MAX`]. Apple says not to hard-code a
/// length; 32 bytes are usual, 80 were seen for Live Activities.
/// Source: Apple, "Registering your app with APNs", archived "Binary Provider API".
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DeviceToken(Box<[u8]>);

impl DeviceToken {
    /// A token of these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DeviceTokenError> {
        match bytes.len() {
            0 => Err(DeviceTokenError::Empty),
            1..=DEVICE_TOKEN_BYTES_MAX => Ok(Self(bytes.into())),
            _ => Err(DeviceTokenError::TooLong),
        }
    }

    /// Reads hexadecimal digits of either case: the form of a token in a path.
    pub fn from_hex(text: &[u8]) -> Result<Self, DeviceTokenError> {
        TokenBytes::from_hex(text).map(|token| Self(token.as_slice().into()))
    }

    /// The token's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<[u8]> for DeviceToken {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceToken({self})")
    }
}

/// Some bytes or a text are not a device token.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum DeviceTokenError {
    /// There is nothing.
    #[error("the device token is empty")]
    Empty,
    /// An odd number of digits.
    #[error("the device token has an odd number of hexadecimal digits")]
    OddLength,
    /// More than [`DEVICE_TOKEN_BYTES_MAX`] bytes.
    #[error("the device token is longer than {DEVICE_TOKEN_BYTES_MAX} bytes")]
    TooLong,
    /// Something else than hexadecimal digits.
    #[error("the device token has a character that is no hexadecimal digit")]
    NotHex,
}

/// Whether a device token still leads to its app.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TokenStatus {
    /// It does.
    Active,
    /// The app is gone from the device, or registered anew: 410 `Unregistered`.
    Unregistered {
        /// When the service learned of it: the answer's `timestamp`.
        since: Timestamp,
    },
    /// The token ran out, as that of an ended Live Activity: 410 `ExpiredToken`.
    Expired {
        /// When the service learned of it: the answer's `timestamp`.
        since: Timestamp,
    },
}

/// A decoded token on the stack, for a look-up without allocation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenBytes {
    bytes: [u8; DEVICE_TOKEN_BYTES_MAX],
    len: usize,
}

impl TokenBytes {
    pub(crate) fn from_hex(text: &[u8]) -> Result<Self, DeviceTokenError> {
        let (pairs, rest) = text.as_chunks::<2>();
        if text.is_empty() {
            return Err(DeviceTokenError::Empty);
        }
        if !rest.is_empty() {
            return Err(DeviceTokenError::OddLength);
        }
        if pairs.len() > DEVICE_TOKEN_BYTES_MAX {
            return Err(DeviceTokenError::TooLong);
        }
        let mut token = Self { bytes: [0; DEVICE_TOKEN_BYTES_MAX], len: pairs.len() };
        // One test at the end instead of one for each digit: this runs for every push.
        let mut seen = 0;
        for (byte, [high, low]) in token.bytes.iter_mut().zip(pairs) {
            let (high, low) = (HEX_VALUES[usize::from(*high)], HEX_VALUES[usize::from(*low)]);
            seen |= high | low;
            *byte = high << 4 | low & 0x0f;
        }
        if seen & NOT_A_DIGIT == 0 { Ok(token) } else { Err(DeviceTokenError::NotHex) }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Longest device token in bytes. Source: Apple, archived "Binary Provider API"; WWDC 2015 session 720.
pub const DEVICE_TOKEN_BYTES_MAX: usize = 100;

/// Marks a byte in [`HEX_VALUES`] that is no hexadecimal digit.
const NOT_A_DIGIT: u8 = 0x80;

/// By ASCII code: the value of a hexadecimal digit.
const HEX_VALUES: [u8; 256] = {
    let mut values = [NOT_A_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        values[b"0123456789abcdef"[digit] as usize] = digit as u8;
        values[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_case_names_the_same_token() {
        let token = DeviceToken::from_hex(b"00FFa5").unwrap();
        assert_eq!(token.as_bytes(), [0x00, 0xff, 0xa5]);
        assert_eq!(token.to_string(), "00ffa5");
        assert_eq!(DeviceToken::from_bytes(&[0x00, 0xff, 0xa5]).unwrap(), token);
    }

    #[test]
    fn every_byte_survives_the_round_trip() {
        for byte in 0..=255u8 {
            let token = DeviceToken::from_bytes(&[byte]).unwrap();
            assert_eq!(DeviceToken::from_hex(token.to_string().as_bytes()).unwrap(), token);
        }
    }

    #[test]
    fn lengths_from_one_byte_to_a_hundred_are_tokens() {
        assert!(DeviceToken::from_hex(b"aa").is_ok());
        assert!(DeviceToken::from_hex(&[b'a'; 200]).is_ok());
        assert_eq!(DeviceToken::from_hex(&[b'a'; 202]), Err(DeviceTokenError::TooLong));
        assert_eq!(DeviceToken::from_bytes(&[0; 101]), Err(DeviceTokenError::TooLong));
        assert_eq!(DeviceToken::from_hex(b""), Err(DeviceTokenError::Empty));
        assert_eq!(DeviceToken::from_bytes(b""), Err(DeviceTokenError::Empty));
        assert_eq!(DeviceToken::from_hex(b"aaa"), Err(DeviceTokenError::OddLength));
    }

    #[test]
    fn a_character_that_is_no_digit_is_found_wherever_it_stands() {
        for text in [&b"g0"[..], b"0g", b"aa/a", b"a a0", b"aa:0", b"aa@0", b"aa`0", b"\xff\xff"] {
            assert_eq!(DeviceToken::from_hex(text), Err(DeviceTokenError::NotHex));
        }
    }
}
