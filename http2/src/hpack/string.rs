//! String literals (RFC 7541 5.2).

use super::{HpackError, huffman, integer};

/// When the encoder applies the Huffman code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Huffman {
    /// Never: a plain string is the cheaper one for both ends.
    #[default]
    Never,
    /// When it saves octets.
    Shorter,
}

/// The longest name or value that is decoded, in octets, before and after Huffman decoding.
///
/// Far above any field of APNs (a token is at most a few hundred octets, a JWT at most 4096), and above what a caller
/// would allow for a whole header list. It bounds the memory that one string can claim.
pub const STRING_LEN_MAX: usize = 65_536;

/// A string as it stands in a header block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StringLiteral<'a> {
    Plain(&'a [u8]),
    HuffmanCoded(&'a [u8]),
}

/// Takes a string from the front of `input`.
///
/// Fails with [`HpackError::Truncated`], [`HpackError::IntegerOverflow`] or [`HpackError::StringTooLong`].
#[inline]
pub(super) fn decode<'a>(input: &mut &'a [u8]) -> Result<StringLiteral<'a>, HpackError> {
    let huffman_coded = input.first().is_some_and(|first| first & HUFFMAN_FLAG != 0);
    let len = integer::decode(input, LENGTH_PREFIX_BITS)? as usize;
    check_len(len)?;
    let (octets, rest) = input.split_at_checked(len).ok_or(HpackError::Truncated)?;
    *input = rest;
    Ok(if huffman_coded { StringLiteral::HuffmanCoded(octets) } else { StringLiteral::Plain(octets) })
}

/// Replaces the contents of `out` by what the Huffman-coded `coded` stands for.
///
/// Fails as [`huffman::decode`] does, or with [`HpackError::StringTooLong`].
pub(super) fn expand(coded: &[u8], out: &mut Vec<u8>) -> Result<(), HpackError> {
    out.clear();
    huffman::decode(coded, out)?;
    check_len(out.len())
}

/// Appends `octets` as a string literal to `out`.
#[inline]
pub(super) fn encode(octets: &[u8], huffman: Huffman, out: &mut Vec<u8>) {
    if huffman == Huffman::Shorter {
        let coded_len = huffman::encoded_len(octets);
        if coded_len < octets.len() {
            integer::encode(coded_len, LENGTH_PREFIX_BITS, HUFFMAN_FLAG, out);
            huffman::encode(octets, out);
            return;
        }
    }
    integer::encode(octets.len(), LENGTH_PREFIX_BITS, 0, out);
    out.extend_from_slice(octets);
}

fn check_len(len: usize) -> Result<(), HpackError> {
    if len > STRING_LEN_MAX { Err(HpackError::StringTooLong { len }) } else { Ok(()) }
}

/// The bit above the length: the string is Huffman-coded.
const HUFFMAN_FLAG: u8 = 0x80;
const LENGTH_PREFIX_BITS: u32 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huffman_is_used_only_where_it_saves_octets() {
        let mut out = Vec::new();
        encode(b"307", Huffman::Shorter, &mut out);
        assert_eq!(out, b"\x03307", "three octets either way");
        out.clear();
        encode(b"302", Huffman::Shorter, &mut out);
        assert_eq!(out, [0x82, 0x64, 0x02]);
        out.clear();
        encode(b"302", Huffman::Never, &mut out);
        assert_eq!(out, b"\x03302");
    }

    #[test]
    fn the_longest_string_passes_and_one_more_octet_does_not() {
        for (len, fits) in [(STRING_LEN_MAX, true), (STRING_LEN_MAX + 1, false)] {
            let text = vec![b'0'; len];
            let mut plain = Vec::new();
            encode(&text, Huffman::Never, &mut plain);
            assert_eq!(decode(&mut &plain[..]).is_ok(), fits, "{len} octets");

            let mut coded = Vec::new();
            huffman::encode(&text, &mut coded);
            let expanded = expand(&coded, &mut Vec::new());
            let expected = if fits { Ok(()) } else { Err(HpackError::StringTooLong { len }) };
            assert_eq!(expanded, expected);
        }
    }

    #[test]
    fn a_length_past_the_end_is_truncated() {
        assert_eq!(decode(&mut &b"\x04abc"[..]), Err(HpackError::Truncated));
        assert_eq!(decode(&mut &b""[..]), Err(HpackError::Truncated));
        assert_eq!(decode(&mut &b"\x03abc"[..]), Ok(StringLiteral::Plain(b"abc")));
    }
}
