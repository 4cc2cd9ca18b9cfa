use std::fmt;

use thiserror::Error;

use super::SHARD_RECIPIENTS;

/// Some of a shard's positions: one bit for each.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Positions {
    words: [u64; WORDS],
}

/// The bytes are no set of positions.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error(
    "a set of positions has {len} bytes, or a position beyond {SHARD_RECIPIENTS}; the store is damaged, or of a newer version"
)]
pub struct DamagedPositions {
    /// How many bytes there are.
    pub len: usize,
}

impl Positions {
    /// None.
    pub const NONE: Self = Self { words: [0; WORDS] };

    /// Adds one. `false`: it was there, or no shard has such a position.
    pub fn insert(&mut self, position: u16) -> bool {
        let Some((word, bit)) = place(position) else { return false };
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        is_new
    }

    /// Takes one out. `false`: it was not there.
    pub fn remove(&mut self, position: u16) -> bool {
        let was_there = self.contains(position);
        if let Some((word, bit)) = place(position) {
            self.words[word] &= !bit;
        }
        was_there
    }

    /// Whether it is among them.
    pub fn contains(&self, position: u16) -> bool {
        place(position).is_some_and(|(word, bit)| self.words[word] & bit != 0)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// The bytes to store: as many as there is something in.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
        bytes
    }

    /// Reads what was stored.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DamagedPositions> {
        let damaged = DamagedPositions { len: bytes.len() };
        let mut words = [0; WORDS];
        for (at, byte) in bytes.iter().enumerate() {
            *words.get_mut(at / 8).ok_or(damaged)? |= u64::from(*byte) << (at % 8 * 8);
        }
        let positions = Self { words };
        if positions.iter().any(|position| usize::from(position) >= SHARD_RECIPIENTS) {
            return Err(damaged);
        }
        Ok(positions)
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = u16> {
        self.words.into_iter().zip(0_u16..).flat_map(|(word, at)| Bits(word).map(move |bit| at * 64 + bit))
    }
}

impl FromIterator<u16> for Positions {
    fn from_iter<I: IntoIterator<Item = u16>>(positions: I) -> Self {
        let mut all = Self::NONE;
        for position in positions {
            all.insert(position);
        }
        all
    }
}

impl fmt::Debug for Positions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

fn place(position: u16) -> Option<(usize, u64)> {
    let position = usize::from(position);
    (position < SHARD_RECIPIENTS).then_some((position / 64, 1 << (position % 64)))
}

/// The places of the bits that are set.
struct Bits(u64);

impl Iterator for Bits {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        let bit = self.0.trailing_zeros();
        if self.0 == 0 {
            return None;
        }
        self.0 &= self.0 - 1;
        Some(bit as u16)
    }
}

const WORDS: usize = SHARD_RECIPIENTS.div_ceil(64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_there_once() {
        let mut positions = Positions::NONE;
        assert!(positions.insert(0) && positions.insert(999) && !positions.insert(0));
        assert!(!positions.insert(1000), "no shard has it");
        assert_eq!((positions.len(), positions.iter().collect::<Vec<_>>()), (2, vec![0, 999]));
        assert!(positions.remove(0) && !positions.remove(0) && !positions.contains(0));
    }

    #[test]
    fn what_is_stored_is_read_again() {
        for positions in [vec![], vec![0], vec![7, 8, 64, 999], (0..1000).collect()] {
            let set: Positions = positions.iter().copied().collect();
            assert_eq!(Positions::from_bytes(&set.to_bytes()), Ok(set));
        }
        assert_eq!(Positions::from_iter([3]).to_bytes(), [8]);
    }

    #[test]
    fn damage_is_told() {
        assert_eq!(Positions::from_bytes(&[0; 200]), Err(DamagedPositions { len: 200 }));
        assert_eq!(Positions::from_bytes(&[0xff; 126]), Err(DamagedPositions { len: 126 }));
    }
}
