use std::fmt;

use thiserror::Error;

/// The address of one app on one device, as APNs issued it: opaque bytes, written in hexadecimal.
///
/// Their number is not fixed ("do not hard-code", Apple "Registering your app with APNs"): 32 bytes for most,
/// 80 seen for Live Activities, 100 the most Apple ever named. Kept in lower case, so that equal tokens are
/// equal values. `Debug` and `Display` show only the beginning, since a token in a log is a token lost;
/// [`as_str`](Self::as_str) shows all.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DeviceToken {
    /// `/3/device/<hex>`: kept as the request's `:path`, so that a push formats nothing.
    path: Box<str>,
}

impl DeviceToken {
    /// The longest token, in bytes (Apple, "Binary Provider API"; WWDC15 session 720).
    pub const BYTES_MAX: usize = 100;

    /// Reads the hexadecimal form; upper case is accepted.
    pub fn from_hex(hex: &str) -> Result<Self, InvalidDeviceToken> {
        if hex.is_empty() {
            return Err(InvalidDeviceToken::Empty);
        }
        if let Some(at) = hex.bytes().position(|byte| !byte.is_ascii_hexdigit()) {
            return Err(InvalidDeviceToken::NotHex { at });
        }
        if !hex.len().is_multiple_of(2) {
            return Err(InvalidDeviceToken::OddLength { len: hex.len() });
        }
        if hex.len() > Self::BYTES_MAX * 2 {
            return Err(InvalidDeviceToken::TooLong { len: hex.len() });
        }
        let mut path = String::with_capacity(PATH_PREFIX.len() + hex.len());
        path.push_str(PATH_PREFIX);
        path.push_str(hex);
        path.make_ascii_lowercase();
        Ok(Self { path: path.into_boxed_str() })
    }

    /// Writes the bytes a device handed to its app in hexadecimal.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidDeviceToken> {
        let digit = |nibble: u8| char::from(HEX_DIGITS[usize::from(nibble)]);
        let hex: String = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect();
        Self::from_hex(&hex)
    }

    /// The whole token in lower-case hexadecimal.
    pub fn as_str(&self) -> &str {
        &self.path[PATH_PREFIX.len()..]
    }

    /// The `:path` of a push to this token: `/3/device/<hex>`.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn redacted(&self) -> &str {
        let hex = self.as_str();
        hex.get(..SHOWN_DIGITS).unwrap_or(hex)
    }
}

impl fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceToken({}…)", self.redacted())
    }
}

impl fmt::Display for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", self.redacted())
    }
}

/// Why a text is no device token. It never repeats the text.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum InvalidDeviceToken {
    /// There is nothing.
    #[error("device token is empty; pass the hexadecimal token the app received at registration")]
    Empty,
    /// A character is no hexadecimal digit.
    #[error("device token has a character that is no hexadecimal digit at offset {at}; pass plain hex")]
    NotHex {
        /// Offset of the character, in bytes.
        at: usize,
    },
    /// Half a byte is missing.
    #[error("device token has an odd number of hexadecimal digits ({len}); it was probably cut")]
    OddLength {
        /// Number of digits.
        len: usize,
    },
    /// There are more digits than any token has.
    #[error("device token has {len} hexadecimal digits, more than the longest token's 200")]
    TooLong {
        /// Number of digits.
        len: usize,
    },
}

const PATH_PREFIX: &str = "/3/device/";
const HEX_DIGITS: [u8; 16] = *b"0123456789abcdef";
/// Enough to find a token in a database, too few to push to it.
const SHOWN_DIGITS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_and_lower_case_are_the_same_token() {
        let token = DeviceToken::from_hex("00FC13ADFF785122").unwrap();
        assert_eq!(token.as_str(), "00fc13adff785122");
        assert_eq!(token, DeviceToken::from_hex("00fc13adff785122").unwrap());
        assert_eq!(token.path(), "/3/device/00fc13adff785122");
    }

    #[test]
    fn the_length_is_not_hard_coded() {
        for bytes in [1, 32, 80, 100] {
            assert_eq!(DeviceToken::from_bytes(&vec![0xa7; bytes]).unwrap().as_str(), "a7".repeat(bytes));
        }
        let too_long = DeviceToken::from_bytes(&[0; 101]);
        assert_eq!(too_long, Err(InvalidDeviceToken::TooLong { len: 202 }));
    }

    #[test]
    fn what_is_not_hex_is_refused_with_its_place() {
        assert_eq!(DeviceToken::from_hex(""), Err(InvalidDeviceToken::Empty));
        assert_eq!(DeviceToken::from_hex("abc"), Err(InvalidDeviceToken::OddLength { len: 3 }));
        assert_eq!(DeviceToken::from_hex("<00fc13ad>"), Err(InvalidDeviceToken::NotHex { at: 0 }));
        assert_eq!(DeviceToken::from_hex("00/../"), Err(InvalidDeviceToken::NotHex { at: 2 }));
        assert_eq!(DeviceToken::from_hex("00é0"), Err(InvalidDeviceToken::NotHex { at: 2 }));
    }

    #[test]
    fn logs_show_only_the_beginning() {
        let token = DeviceToken::from_hex(&"0123456789abcdef".repeat(4)).unwrap();
        assert_eq!(format!("{token}"), "01234567…");
        assert_eq!(format!("{token:?}"), "DeviceToken(01234567…)");
    }
}
