//! The last long Huffman-coded values, with what they decode to.

use super::{HpackError, string};

/// Decodes long values, and remembers the last two.
///
/// A provider sends one JWT thousands of times, and most HTTP/2 libraries Huffman-code it each time: comparing 200
/// octets is twenty times cheaper than decoding them. Two are kept, and the one used longer ago gives way: a request may
/// have a second long value, a device token in its path, that is new each time and would evict a single one.
#[derive(Default)]
pub(super) struct Memo {
    slots: [Slot; 2],
    /// Which slot was used last.
    recent: usize,
}

#[derive(Default)]
struct Slot {
    coded: Vec<u8>,
    decoded: Vec<u8>,
}

impl Memo {
    /// Whether values of `coded_len` octets are worth remembering.
    pub(super) const fn remembers(coded_len: usize) -> bool {
        CODED_LEN_MIN <= coded_len && coded_len <= CODED_LEN_MAX
    }

    /// What `coded` stands for. Its length is one that [`Self::remembers`].
    ///
    /// Fails as [`string::expand`] does.
    pub(super) fn decode(&mut self, coded: &[u8]) -> Result<&[u8], HpackError> {
        if self.slots[self.recent].coded != coded {
            self.recent = 1 - self.recent;
            let slot = &mut self.slots[self.recent];
            if slot.coded != coded {
                // Empty until all went well: an error must not be remembered as half a value.
                slot.coded.clear();
                string::expand(coded, &mut slot.decoded)?;
                slot.coded.extend_from_slice(coded);
            }
        }
        Ok(&self.slots[self.recent].decoded)
    }
}

/// Shorter values decode in the time it takes to look them up, in octets.
const CODED_LEN_MIN: usize = 64;

/// Longer ones are not kept, in octets: it bounds what an idle connection holds. APNs takes no longer JWT.
const CODED_LEN_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::super::huffman;
    use super::*;

    fn coded(plain: &str) -> Vec<u8> {
        let mut out = Vec::new();
        huffman::encode(plain.as_bytes(), &mut out);
        out
    }

    #[test]
    fn a_value_that_repeats_survives_one_that_changes() {
        let mut memo = Memo::default();
        let token = coded(&"t".repeat(200));
        assert_eq!(memo.decode(&token).unwrap(), "t".repeat(200).as_bytes());
        for path in ["a", "b", "c"] {
            let path = path.repeat(160);
            assert_eq!(memo.decode(&coded(&path)).unwrap(), path.as_bytes());
            assert!(memo.slots.iter().any(|slot| slot.coded == token), "the token is still there");
            assert_eq!(memo.decode(&token).unwrap(), "t".repeat(200).as_bytes());
        }
    }

    #[test]
    fn an_error_is_an_error_again_and_leaves_nothing_behind() {
        let mut memo = Memo::default();
        let good = coded(&"g".repeat(100));
        memo.decode(&good).unwrap();
        let mut bad = coded(&"x".repeat(100));
        bad.extend_from_slice(&[0xff; 8]);
        for _ in 0..3 {
            assert_eq!(memo.decode(&bad), Err(HpackError::HuffmanEos));
        }
        assert_eq!(memo.decode(&good).unwrap(), "g".repeat(100).as_bytes());
    }
}
