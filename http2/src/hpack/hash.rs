//! The hash by which the encoder finds names and fields.

/// A 32-bit hash of `bytes`: their length, the first eight and the last eight octets.
///
/// It reads ends only, because it runs on each field of each request and the values that differ (a device token, a
/// UUID, a signature) differ there. It narrows a search that ends in comparing the bytes: a collision costs that
/// comparison, so nobody gains by making one. It is `const` so that the static table is indexed at compile time.
#[inline]
pub(super) const fn hash(bytes: &[u8]) -> u32 {
    let (head, tail) = if let (Some(head), Some(tail)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
    } else if let (Some(head), Some(tail)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (u32::from_le_bytes(*head) as u64, u32::from_le_bytes(*tail) as u64)
    } else {
        match *bytes {
            [] => (0, 0),
            [a] => (a as u64, 0),
            [a, .., b] => (a as u64, b as u64 | (bytes[1] as u64) << 8),
        }
    };
    // Rotated, so that a string of eight octets, where head and tail are the same, does not cancel itself.
    mix(head ^ tail.rotate_left(25) ^ (bytes.len() as u64) << 56)
}

/// Multiplies by an odd constant and keeps the high half: it depends on every bit below it.
const fn mix(word: u64) -> u32 {
    (word.wrapping_mul(GOLDEN_RATIO) >> 32) as u32
}

/// 2⁶⁴ divided by the golden ratio, made odd: the usual multiplier of Fibonacci hashing.
const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn short_strings_and_those_that_differ_at_an_end_are_told_apart() {
        let mut strings: Vec<Vec<u8>> = vec![vec![]];
        for a in b'a'..=b'z' {
            strings.push(vec![a]);
            strings.push(vec![a, a]);
            strings.push(vec![b'-', a, b'-']);
            strings.push([&[a][..], &[b'-'; 40]].concat());
            strings.push([&[b'-'; 40], &[a][..]].concat());
        }
        let hashes: BTreeSet<u32> = strings.iter().map(|string| hash(string)).collect();
        assert_eq!(hashes.len(), strings.len());
    }
}
