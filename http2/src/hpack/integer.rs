//! Integers with a prefix (RFC 7541 5.1).

use super::HpackError;

/// Appends `value` to `out`; `pattern` fills the bits of the first octet above the prefix.
#[inline]
pub(super) fn encode(value: usize, prefix_bits: u32, pattern: u8, out: &mut Vec<u8>) {
    let prefix_max = prefix_max(prefix_bits);
    if value < prefix_max as usize {
        out.push(pattern | value as u8);
        return;
    }
    out.push(pattern | prefix_max as u8);
    encode_continuation(value - prefix_max as usize, out);
}

fn encode_continuation(mut rest: usize, out: &mut Vec<u8>) {
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Takes an integer from the front of `input`.
///
/// Fails with [`HpackError::Truncated`] or [`HpackError::IntegerOverflow`].
#[inline]
pub(super) fn decode(input: &mut &[u8], prefix_bits: u32) -> Result<u32, HpackError> {
    let prefix_max = prefix_max(prefix_bits);
    let prefix = u32::from(take_octet(input)?) & prefix_max;
    if prefix < prefix_max { Ok(prefix) } else { decode_continuation(input, prefix_max) }
}

fn decode_continuation(input: &mut &[u8], prefix_max: u32) -> Result<u32, HpackError> {
    let mut value = u64::from(prefix_max);
    for group in 0..CONTINUATION_OCTETS_MAX {
        let octet = take_octet(input)?;
        value += u64::from(octet & 0x7f) << (7 * group);
        if octet & 0x80 == 0 {
            return u32::try_from(value).map_err(|_| HpackError::IntegerOverflow);
        }
    }
    Err(HpackError::IntegerOverflow)
}

fn take_octet(input: &mut &[u8]) -> Result<u8, HpackError> {
    let (&octet, rest) = input.split_first().ok_or(HpackError::Truncated)?;
    *input = rest;
    Ok(octet)
}

/// The largest value of the prefix; it says that the integer goes on.
const fn prefix_max(prefix_bits: u32) -> u32 {
    (1 << prefix_bits) - 1
}

/// Octets after the first, of 7 bits each, that a 32-bit integer can need. A longer run, even of zeros, is refused: the
/// RFC asks for a limit on the length as well as on the value.
const CONTINUATION_OCTETS_MAX: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(value: usize, prefix_bits: u32) -> Vec<u8> {
        let mut out = Vec::new();
        encode(value, prefix_bits, 0, &mut out);
        out
    }

    /// RFC 7541 C.1.1, C.1.2 and C.1.3.
    #[test]
    fn examples_of_the_rfc() {
        for (value, prefix_bits, octets) in [
            (10, 5, &[0b01010][..]),
            (1337, 5, &[0b11111, 0b1001_1010, 0b0000_1010]),
            (42, 8, &[0b0010_1010]),
        ] {
            assert_eq!(encoded(value, prefix_bits), octets);
            assert_eq!(decode(&mut &octets[..], prefix_bits), Ok(value as u32));
        }
    }

    #[test]
    fn the_pattern_is_kept_and_ignored() {
        let mut out = Vec::new();
        encode(10, 5, 0b1010_0000, &mut out);
        assert_eq!(out, [0b1010_1010]);
        assert_eq!(decode(&mut &out[..], 5), Ok(10));
    }

    #[test]
    fn only_the_integer_is_taken() {
        let mut input = &[0x1f, 0x9a, 0x0a, 0xff][..];
        assert_eq!(decode(&mut input, 5), Ok(1337));
        assert_eq!(input, [0xff]);
    }

    #[test]
    fn the_largest_is_32_bits() {
        let octets = encoded(u32::MAX as usize, 7);
        assert_eq!(decode(&mut &octets[..], 7), Ok(u32::MAX));
        let octets = encoded(u32::MAX as usize + 1, 7);
        assert_eq!(decode(&mut &octets[..], 7), Err(HpackError::IntegerOverflow));
    }

    #[test]
    fn a_run_of_zero_groups_is_refused() {
        assert_eq!(decode(&mut &[0x7f, 0x80, 0x80, 0x80, 0x80, 0x00][..], 7), Ok(127));
        let endless = [0x7f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00];
        assert_eq!(decode(&mut &endless[..], 7), Err(HpackError::IntegerOverflow));
    }

    #[test]
    fn every_cut_is_truncated() {
        let octets = encoded(1 << 30, 4);
        for len in 0..octets.len() {
            assert_eq!(decode(&mut &octets[..len], 4), Err(HpackError::Truncated), "{len} octets");
        }
    }

    proptest! {
        #[test]
        fn any_value_comes_back(value: u32, prefix_bits in 1_u32..=8) {
            let octets = encoded(value as usize, prefix_bits);
            let mut input = &octets[..];
            prop_assert_eq!(decode(&mut input, prefix_bits), Ok(value));
            prop_assert!(input.is_empty());
        }
    }
}
