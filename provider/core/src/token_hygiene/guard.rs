//! How many device tokens were invalid of late.

use std::{collections::VecDeque, time::Duration};

use crate::UnixTime;

/// Parts of the window: what is older than it is forgotten a part at a time.
const PARTS: u64 = 60;

/// Counts results over a window that moves on. Its memory is bounded by the number of parts.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    part: Duration,
    /// Each with the number of its part of all time, in order.
    parts: VecDeque<(u64, Suspension)>,
}

/// How many device tokens were invalid within the window.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Suspension {
    /// Answers that spoke against their token: 410, and 400 `BadDeviceToken`.
    pub invalid: u64,
    /// Answers of any kind.
    pub results: u64,
}

impl Guard {
    pub(super) fn new(window: Duration) -> Self {
        Self { part: window / PARTS as u32, parts: VecDeque::new() }
    }

    pub(super) fn count(&mut self, now: UnixTime, is_invalid: bool) {
        let part = self.part_of(now);
        // When the clock has stepped back, the latest part goes on.
        if self.parts.back().is_none_or(|(last, _)| *last < part) {
            self.parts.push_back((part, Suspension::default()));
            self.forget(part);
        }
        if let Some((_, tally)) = self.parts.back_mut() {
            tally.results += 1;
            tally.invalid += u64::from(is_invalid);
        }
    }

    /// What there was within the window.
    pub(super) fn tally(&self, now: UnixTime) -> Suspension {
        let current = self.part_of(now);
        let within = self.parts.iter().filter(|(part, _)| part + PARTS >= current);
        within.fold(Suspension::default(), |sum, (_, it)| Suspension {
            invalid: sum.invalid + it.invalid,
            results: sum.results + it.results,
        })
    }

    fn forget(&mut self, current: u64) {
        while self.parts.front().is_some_and(|(part, _)| part + PARTS < current) {
            self.parts.pop_front();
        }
    }

    fn part_of(&self, now: UnixTime) -> u64 {
        now.as_millis() / (self.part.as_millis() as u64).max(1)
    }
}
