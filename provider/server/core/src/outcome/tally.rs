use std::ops::AddAssign;

use serde::Serialize;

use super::Ending;

/// How many recipients ended how: what a batch of outcomes adds to its notification's counters, in the same transaction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    by_ending: [u64; Ending::ALL.len()],
    dead_letters: u64,
}

impl Tally {
    /// One more.
    pub fn add(&mut self, ending: Ending, is_dead_letter: bool) {
        self.by_ending[place(ending)] += 1;
        self.dead_letters += u64::from(is_dead_letter);
    }

    /// How many ended so.
    pub fn of(&self, ending: Ending) -> u64 {
        self.by_ending[place(ending)]
    }

    /// How many of them are dead letters.
    pub fn dead_letters(&self) -> u64 {
        self.dead_letters
    }

    /// How many ended.
    pub fn total(&self) -> u64 {
        self.by_ending.iter().sum()
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        for (mine, theirs) in self.by_ending.iter_mut().zip(other.by_ending) {
            *mine += theirs;
        }
        self.dead_letters += other.dead_letters;
    }
}

impl Serialize for Tally {
    /// An object with a number for each ending.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Ending::ALL.into_iter().map(|ending| (ending.as_str(), self.of(ending))))
    }
}

/// Endings are numbered from 1 without a gap.
fn place(ending: Ending) -> usize {
    usize::from(ending.number()) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_counts_by_ending() {
        let mut tally = Tally::default();
        for ending in Ending::ALL {
            tally.add(ending, ending == Ending::Undeliverable);
        }
        tally.add(Ending::Accepted, false);
        let mut all = tally;
        all += tally;
        assert_eq!((all.of(Ending::Accepted), all.of(Ending::Skipped)), (4, 2));
        assert_eq!((all.total(), all.dead_letters()), (18, 2));
        let json = serde_json::to_value(tally).unwrap();
        assert_eq!((&json["accepted"], &json["undeliverable"]), (&2.into(), &1.into()));
    }
}
