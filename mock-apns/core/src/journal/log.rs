//! What happened, in order, as far back as there is room.

use std::{collections::VecDeque, ops::Range};

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// An event and when it happened.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry<E> {
    pub(crate) at: Timestamp,
    pub(crate) event: E,
}

/// The newest entries, as many as there is room for. Each has a cursor: its number, from 0, which is never used again.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log<E> {
    entries: VecDeque<Entry<E>>,
    /// The cursor of the entry that comes next; those of `entries` are the numbers before it.
    next: u64,
}

impl<E> Log<E> {
    pub(crate) fn new() -> Self {
        Self { entries: VecDeque::new(), next: 0 }
    }

    /// Adds an entry, and gives the oldest beyond `room` to `evicted`.
    pub(crate) fn add(&mut self, room: u32, at: Timestamp, event: E, mut evicted: impl FnMut(E)) {
        while self.entries.len() >= room as usize {
            self.entries.pop_front().into_iter().for_each(|entry| evicted(entry.event));
        }
        self.entries.push_back(Entry { at, event });
        self.next += 1;
    }

    /// The same entries in another form.
    pub(crate) fn try_map<F, X>(&self, mut form: impl FnMut(usize, &E) -> Result<F, X>) -> Result<Log<F>, X> {
        let entries = self.entries.iter().enumerate();
        let entries = entries.map(|(at, entry)| Ok(Entry { at: entry.at, event: form(at, &entry.event)? }));
        Ok(Log { entries: entries.collect::<Result<_, X>>()?, next: self.next })
    }

    /// Whether the cursors of the entries are numbers, and leave room for more.
    pub(crate) fn is_sound(&self) -> bool {
        (self.entries.len() as u64..=COUNT_MAX).contains(&self.next)
    }

    /// Drops every entry. The next has the cursor that it would have had.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// The cursors of the entries that are still there.
    pub(crate) fn cursors(&self) -> Range<u64> {
        self.next - self.entries.len() as u64..self.next
    }

    /// The entries from this cursor on that are still there, each with its cursor.
    pub(crate) fn since(&self, cursor: u64) -> impl DoubleEndedIterator<Item = (u64, &Entry<E>)> {
        let oldest = self.cursors().start;
        let skipped = cursor.saturating_sub(oldest).min(self.entries.len() as u64);
        self.entries
            .range(skipped as usize..)
            .enumerate()
            .map(move |(at, entry)| (oldest + skipped + at as u64, entry))
    }
}

/// The greatest count that is believed of a snapshot. A service that counts a million a second gets there after a hundred
/// years; and one that was told that it is there has as much room again, in numbers that are safe with all that reads JSON.
pub(crate) const COUNT_MAX: u64 = 1 << 52;

#[cfg(test)]
mod tests {
    use super::*;

    fn cursors(log: &Log<u64>, since: u64) -> Vec<u64> {
        log.since(since).map(|(cursor, _)| cursor).collect()
    }

    #[test]
    fn cursors_count_on_when_old_entries_are_dropped() {
        let (mut log, mut dropped) = (Log::new(), Vec::new());
        for number in 0..10 {
            log.add(4, Timestamp::from_secs(number), number, |event| dropped.push(event));
        }
        assert_eq!(cursors(&log, 0), [6, 7, 8, 9]);
        assert_eq!(cursors(&log, 8), [8, 9]);
        assert!(cursors(&log, 10).is_empty());
        assert!(cursors(&log, u64::MAX).is_empty());
        assert_eq!((log.cursors(), dropped), (6..10, vec![0, 1, 2, 3, 4, 5]));
    }

    #[test]
    fn less_room_drops_many_at_once() {
        let (mut log, mut dropped) = (Log::new(), 0);
        for (room, expected) in [(4, 0), (4, 0), (4, 0), (1, 3)] {
            log.add(room, Timestamp::default(), 0, |_| dropped += 1);
            assert_eq!(dropped, expected);
        }
        assert_eq!(cursors(&log, 0), [3]);
    }
}
