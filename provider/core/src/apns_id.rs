use std::fmt;

use thiserror::Error;

/// The identity of one push, `apns-id`, or of one request about channels, `apns-request-id`: a UUID in its canonical lower-case form.
///
/// It stays the same over every attempt of a push (checklist C-45), and APNs echoes it in the answer.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ApnsId {
    /// ASCII: hexadecimal digits and hyphens. Kept as text since that is what goes on the wire, each time.
    text: [u8; TEXT_LEN],
}

impl ApnsId {
    /// Makes an ID of 16 random bytes, which the caller draws: a version 4 UUID (RFC 9562 section 5.4).
    pub fn from_random(random: [u8; 16]) -> Self {
        let mut bytes = random;
        bytes[6] = (bytes[6] & 0x0f) | 0x40; // version 4
        bytes[8] = (bytes[8] & 0x3f) | 0x80; // the variant of RFC 9562
        let mut text = [b'-'; TEXT_LEN];
        for (at, byte) in BYTES_AT.into_iter().zip(bytes) {
            text[at] = HEX_DIGITS[usize::from(byte >> 4)];
            text[at + 1] = HEX_DIGITS[usize::from(byte & 0x0f)];
        }
        Self { text }
    }

    /// The ID in a header field, if there is a well-formed one.
    pub(crate) fn from_wire(value: &[u8]) -> Option<Self> {
        Self::from_bytes(value).ok()
    }

    /// Reads the form 8-4-4-4-12. Upper case is accepted, since APNs itself writes it; any version is.
    pub fn parse(text: &str) -> Result<Self, InvalidApnsId> {
        Self::from_bytes(text.as_bytes())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidApnsId> {
        let mut text: [u8; TEXT_LEN] = bytes.try_into().map_err(|_| InvalidApnsId { len: bytes.len() })?;
        let digits = text.iter().filter(|byte| byte.is_ascii_hexdigit()).count();
        let hyphens = HYPHENS.iter().filter(|at| text[**at] == b'-').count();
        if hyphens < HYPHENS.len() || digits + hyphens < TEXT_LEN {
            return Err(InvalidApnsId { len: TEXT_LEN });
        }
        text.make_ascii_lowercase();
        Ok(Self { text })
    }

    /// The canonical text, 36 characters.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.text).expect("only hexadecimal digits and hyphens are ever written to it")
    }

    /// The canonical text as the bytes of a header value.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }
}

impl fmt::Debug for ApnsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApnsId({self})")
    }
}

impl fmt::Display for ApnsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is no UUID in canonical form.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("apns-id is no UUID ({len} bytes); write 36 characters as 8-4-4-4-12 hexadecimal digits")]
pub struct InvalidApnsId {
    /// Length of the text in bytes.
    pub len: usize,
}

const TEXT_LEN: usize = 36;
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
/// Where each byte's two digits begin.
const BYTES_AT: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const HEX_DIGITS: [u8; 16] = *b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bytes_become_a_version_4_uuid() {
        let id = ApnsId::from_random([0xff; 16]);
        assert_eq!(id.as_str(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let id = ApnsId::from_random([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        assert_eq!(id.as_str(), "00010203-0405-4607-8809-0a0b0c0d0e0f");
        assert_eq!(ApnsId::parse(id.as_str()), Ok(id));
    }

    #[test]
    fn the_upper_case_of_apns_is_the_same_id() {
        let id = ApnsId::parse("07C0F2E2-7CE0-71EC-D0D6-E7089220F778").unwrap();
        assert_eq!(id.as_str(), "07c0f2e2-7ce0-71ec-d0d6-e7089220f778");
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "07c0f2e27ce071ecd0d6e7089220f778",
            "{07c0f2e2-7ce0-71ec-d0d6-e7089220f77}",
            "07c0f2e2-7ce0-71ec-d0d6-e7089220f77g",
            "07c0f2e2+7ce0-71ec-d0d6-e7089220f778",
            "07c0f2e2-7ce0-71ec-d0d6-e7089220f77é",
        ] {
            assert!(ApnsId::parse(text).is_err(), "{text}");
        }
    }
}
