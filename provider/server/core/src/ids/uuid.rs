//! 16 bytes in the form 8-4-4-4-12.

/// The canonical text.
pub(super) fn write(bytes: [u8; 16]) -> [u8; TEXT_LEN] {
    let mut text = [b'-'; TEXT_LEN];
    for (at, byte) in BYTES_AT.into_iter().zip(bytes) {
        text[at] = HEX_DIGITS[usize::from(byte >> 4)];
        text[at + 1] = HEX_DIGITS[usize::from(byte & 0x0f)];
    }
    text
}

/// The bytes of a text in canonical form, in either case.
pub(super) fn read(text: &str) -> Option<[u8; 16]> {
    let text: &[u8; TEXT_LEN] = text.as_bytes().try_into().ok()?;
    if HYPHENS_AT.iter().any(|at| text[*at] != b'-') {
        return None;
    }
    let digit = |at: usize| char::from(text[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = [0; 16];
    for (byte, at) in bytes.iter_mut().zip(BYTES_AT) {
        *byte = digit(at)? << 4 | digit(at + 1)?;
    }
    Some(bytes)
}

pub(super) const TEXT_LEN: usize = 36;
const HYPHENS_AT: [usize; 4] = [8, 13, 18, 23];
/// Where each byte's two digits begin.
const BYTES_AT: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const HEX_DIGITS: [u8; 16] = *b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let bytes: [u8; 16] = std::array::from_fn(|at| (at * 17) as u8);
        let text = String::from_utf8(write(bytes).to_vec()).unwrap();
        assert_eq!(text, "00112233-4455-6677-8899-aabbccddeeff");
        assert_eq!(read(&text), Some(bytes));
        assert_eq!(read(&text.to_uppercase()), Some(bytes));
    }

    #[test]
    fn other_forms_are_none() {
        for text in [
            "",
            "00112233445566778899aabbccddeeff",
            "00112233-4455-6677-8899-aabbccddeefg",
            "é".repeat(18).as_str(),
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
