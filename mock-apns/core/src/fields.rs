//! Fields in one piece of memory, one behind the other: of each the length of its name, the length of its value, its name
//! and its value. A request is written down so as it comes in, and kept so by copying it.

use std::ops::Range;

/// Writes a field, and returns where its value lies.
pub(crate) fn write(to: &mut Vec<u8>, name: &[u8], value: &[u8]) -> Range<usize> {
    write_length(to, name.len());
    write_length(to, value.len());
    to.extend_from_slice(name);
    let start = to.len();
    to.extend_from_slice(value);
    start..to.len()
}

/// Every field as name and value, in order.
pub(crate) fn iter(mut written: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let (name, value) = (read_length(&mut written)?, read_length(&mut written)?);
        Some((written.split_off(..name)?, written.split_off(..value)?))
    })
}

/// Writes a length in groups of seven bits, the lowest first; all but the last have [`MORE`] (LEB128).
fn write_length(to: &mut Vec<u8>, mut length: usize) {
    while length >= usize::from(MORE) {
        to.push(length as u8 | MORE);
        length >>= GROUP_BITS;
    }
    to.push(length as u8);
}

/// Takes what [`write_length`] has written off the beginning.
fn read_length(from: &mut &[u8]) -> Option<usize> {
    let groups = from.iter().position(|byte| byte & MORE == 0)? + 1;
    let written = from.split_off(..groups)?;
    Some(written.iter().rev().fold(0, |length, byte| length << GROUP_BITS | usize::from(byte & !MORE)))
}

/// The bit of a byte behind which there is another of the same length.
const MORE: u8 = 0x80;

/// The bits of a length in one byte.
const GROUP_BITS: u32 = 7;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_length_is_read_as_it_was_written() {
        for length in [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152, usize::MAX] {
            let mut bytes = Vec::new();
            write_length(&mut bytes, length);
            let mut rest = &bytes[..];
            assert_eq!((read_length(&mut rest), rest), (Some(length), &b""[..]));
        }
    }

    #[test]
    fn what_is_cut_short_ends_early() {
        let mut bytes = Vec::new();
        write(&mut bytes, b"a", b"bc");
        write(&mut bytes, b"name", &[7; 300]);
        for length in 0..bytes.len() {
            let whole = usize::from(length >= 5);
            assert_eq!(iter(&bytes[..length]).count(), whole, "{length}");
        }
        assert_eq!(iter(&bytes).next(), Some((&b"a"[..], &b"bc"[..])));
    }

    proptest! {
        #[test]
        fn every_field_is_read_as_it_was_written(
            fields in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..200), prop::collection::vec(any::<u8>(), 0..300)), 0..20),
        ) {
            let mut bytes = Vec::new();
            for (name, value) in &fields {
                let at = write(&mut bytes, name, value);
                prop_assert_eq!(&bytes[at], value);
            }
            prop_assert!(iter(&bytes).eq(fields.iter().map(|(name, value)| (&name[..], &value[..]))));
        }
    }
}
