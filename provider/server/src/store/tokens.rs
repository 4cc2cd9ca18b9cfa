//! Device tokens as they are stored: bytes, half as long as their hexadecimal form.

use apns_provider_core::DeviceToken;

/// The bytes of a token.
pub(super) fn token_bytes(token: &DeviceToken) -> Vec<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8; // it has nothing but digits
    token.as_str().as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_digits_are_the_same_token() {
        let token = DeviceToken::from_hex("00fc13adff785122").unwrap();
        assert_eq!(token_bytes(&token), [0x00, 0xfc, 0x13, 0xad, 0xff, 0x78, 0x51, 0x22]);
        assert_eq!(DeviceToken::from_bytes(&token_bytes(&token)), Ok(token));
    }
}
