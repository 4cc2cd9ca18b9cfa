//! What is expected of the pushes of a team: how many of a kind there must be, and whether there are.
//!
//! ```text
//!   Expectation: filter, after, times ──▶ Tally ──▶ Decision: Holds, Open, Fails
//!   the team's journal ──────────────────▶ │ goes on from a cursor: it looks at each entry once
//!                                          └──▶ what was found, or what came nearest
//! ```

use std::{
    fmt,
    ops::{Bound, RangeBounds},
};

use thiserror::Error;

use crate::{
    Filter, NearMiss, Pushes, Team,
    journal::{finds_push, first_behind},
};

/// How many pushes there must be that a filter finds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expectation {
    /// Which pushes are meant.
    pub filter: Filter,
    /// A cursor: only those that come after it; `None`: also the oldest.
    pub after: Option<u64>,
    /// How many there must be.
    pub times: Times,
}

/// How often something is expected. It displays in words, such as `at least 1`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Times {
    min: usize,
    /// `None`: any number. Never below `min`.
    max: Option<usize>,
}

/// No number of times is enough and not too many.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("at least {min} and at most {max} cannot both be")]
pub struct TimesError {
    min: usize,
    max: usize,
}

/// What is known of an expectation so far. They are ordered: of several expectations the greatest counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Decision {
    /// There are as many as there must be, so far.
    Holds,
    /// There are too few, so far.
    Open,
    /// There are too many, and that does not change.
    Fails,
}

/// An expectation with what was found so far. It can be asked again and again while the journal grows.
#[derive(Clone, Debug)]
pub struct Tally {
    expectation: Expectation,
    found: usize,
    /// The cursor of the last entry that was looked at.
    seen: Option<u64>,
    /// The same, while nothing was found: up to here there is nothing to list.
    fruitless: Option<u64>,
}

impl Times {
    /// At least `min` and at most `max`; `None`: any number from `min` on.
    pub fn new(min: usize, max: Option<usize>) -> Result<Self, TimesError> {
        match max {
            Some(max) if max < min => Err(TimesError { min, max }),
            _ => Ok(Self { min, max }),
        }
    }

    /// As many or more.
    pub const fn at_least(min: usize) -> Self {
        Self { min, max: None }
    }

    /// As many as one of the numbers of a range; `..0`, with no number below it, is none at all.
    pub fn of(range: &impl RangeBounds<usize>) -> Result<Self, TimesError> {
        let min = match range.start_bound() {
            Bound::Included(min) => *min,
            Bound::Excluded(min) => min.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let max = match range.end_bound() {
            Bound::Included(max) => Some(*max),
            Bound::Excluded(max) => Some(max.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        Self::new(min, max)
    }

    /// What is known when so many were found.
    fn decide(self, found: usize) -> Decision {
        if self.max.is_some_and(|max| found > max) {
            Decision::Fails
        } else if found < self.min {
            Decision::Open
        } else {
            Decision::Holds
        }
    }

    /// How many are enough to know: more of them change nothing.
    fn decisive(self) -> usize {
        self.max.map_or(self.min, |max| max.saturating_add(1))
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (_, Some(0)) => f.write_str("none"),
            (0, Some(max)) => write!(f, "at most {max}"),
            (min, None) => write!(f, "at least {min}"),
            (min, Some(max)) if min == max => write!(f, "exactly {min}"),
            (min, Some(max)) => write!(f, "{min} to {max}"),
        }
    }
}

impl Tally {
    /// Nothing was looked at yet.
    pub fn new(expectation: Expectation) -> Self {
        let after = expectation.after;
        Self { expectation, found: 0, seen: after, fruitless: after }
    }

    /// What is expected.
    pub fn expectation(&self) -> &Expectation {
        &self.expectation
    }

    /// How many were found so far. A push that the journal has dropped since counts all the same.
    pub fn found(&self) -> usize {
        self.found
    }

    /// Looks at what is new, up to where nothing more can change the decision: how many there are altogether is told by
    /// [`count`](Self::count). It is meant to be given the same team each time.
    pub fn decide(&mut self, team: &Team) -> Decision {
        self.go_on(team, self.expectation.times.decisive())
    }

    /// Looks at all that is new.
    pub fn count(&mut self, team: &Team) -> Decision {
        self.go_on(team, usize::MAX)
    }

    /// The first pushes that are meant, at most `limit`: as [`Team::pushes`] lists them, but it does not look again where
    /// there was nothing.
    pub fn pushes<'a>(&self, team: &'a Team, limit: usize) -> Pushes<'a> {
        let Expectation { filter, after, .. } = &self.expectation;
        let evicted = team.oldest_cursor().saturating_sub(first_behind(*after));
        Pushes { evicted, ..team.pushes(filter, self.fruitless, limit) }
    }

    /// The pushes that come nearest to what is meant, as [`Team::near_misses`] tells them.
    pub fn near_misses<'a>(&self, team: &'a Team, count: usize) -> Vec<NearMiss<'a>> {
        team.near_misses(&self.expectation.filter, self.expectation.after, count)
    }

    fn go_on(&mut self, team: &Team, enough: usize) -> Decision {
        for record in team.journal(first_behind(self.seen)) {
            if self.found >= enough {
                break;
            }
            self.found += usize::from(finds_push(&self.expectation.filter, &record));
            self.seen = Some(record.cursor);
            if self.found == 0 {
                self.fruitless = self.seen;
            }
        }
        self.expectation.times.decide(self.found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Settings,
        bench::{Bench, certificate},
    };

    #[test]
    fn times_are_told_in_words() {
        for (times, words) in [
            (Times::of(&(1..)), "at least 1"),
            (Times::of(&(1..=1)), "exactly 1"),
            (Times::of(&(0..1)), "none"),
            (Times::of(&(..0)), "none"),
            (Times::of(&(..=2)), "at most 2"),
            (Times::of(&(1..3)), "1 to 2"),
            (Times::of(&(Bound::Excluded(1), Bound::Unbounded)), "at least 2"),
            (Times::of(&..), "at least 0"),
        ] {
            assert_eq!(times.unwrap().to_string(), words);
        }
    }

    #[test]
    fn a_range_without_a_number_is_refused() {
        #[expect(clippy::reversed_empty_ranges, reason = "which is what is refused")]
        for error in [Times::of(&(3..=2)), Times::of(&(3..3)), Times::new(3, Some(2))] {
            assert_eq!(error.unwrap_err().to_string(), "at least 3 and at most 2 cannot both be");
        }
        assert_eq!(Times::new(2, Some(2)), Times::of(&(2..=2)));
    }

    /// What is decided at first, and with each push that comes.
    fn decisions(times: Times) -> [Decision; 4] {
        let mut bench = Bench::new();
        let filter = Filter::parse("type:alert").unwrap();
        let mut tally = Tally::new(Expectation { filter, after: None, times });
        let mut all = tally.clone();
        [false, true, true, true].map(|comes| {
            if comes {
                bench.answer(&bench.push());
                bench.answer(&bench.push().with("apns-push-type", "background").with("apns-priority", "5"));
            }
            let decision = tally.decide(bench.team_at().team());
            assert_eq!(decision, all.count(bench.team_at().team()));
            decision
        })
    }

    #[test]
    fn too_few_may_become_enough_and_enough_too_many() {
        use Decision::{Fails, Holds, Open};
        assert_eq!(decisions(Times::at_least(0)), [Holds, Holds, Holds, Holds]);
        assert_eq!(decisions(Times::at_least(2)), [Open, Open, Holds, Holds]);
        assert_eq!(decisions(Times::new(1, Some(2)).unwrap()), [Open, Holds, Holds, Fails]);
        assert_eq!(decisions(Times::new(0, Some(0)).unwrap()), [Holds, Fails, Fails, Fails]);
        assert_eq!([Fails, Holds, Open].into_iter().max(), Some(Fails));
        assert_eq!([Open, Holds].into_iter().max(), Some(Open));
    }

    #[test]
    fn nothing_is_looked_at_that_decides_nothing_and_all_of_it_is_counted() {
        let mut bench = Bench::new();
        for _ in 0..5 {
            bench.answer(&bench.push());
        }
        let expectation = Expectation { filter: Filter::default(), after: None, times: Times::at_least(2) };
        let mut tally = Tally::new(expectation.clone());
        for _ in 0..2 {
            assert_eq!((tally.decide(bench.team_at().team()), tally.found()), (Decision::Holds, 2));
        }
        assert_eq!((tally.count(bench.team_at().team()), tally.found()), (Decision::Holds, 5));
        assert_eq!(tally.expectation(), &expectation);
    }

    #[test]
    fn a_push_counts_once_and_only_behind_the_cursor() {
        let mut bench = Bench::new();
        bench.answer(&bench.push());
        let after = bench.team_at().team().next_cursor() - 1;
        bench.answer(&bench.push()); // received and delivered: two entries
        let mut tally = Tally::new(Expectation {
            filter: Filter::default(),
            after: Some(after),
            times: Times::at_least(1),
        });
        tally.count(bench.team_at().team());
        assert_eq!(tally.found(), 1);
        tally.count(bench.team_at().team());
        assert_eq!(tally.found(), 1);
        let team = bench.team_at();
        let near =
            Tally::new(Expectation { filter: Filter::parse("type:mdm").unwrap(), ..tally.expectation });
        let cursors: Vec<u64> = near.near_misses(team.team(), 9).iter().map(|it| it.record.cursor).collect();
        assert!(cursors.len() == 1 && cursors[0] > after, "{cursors:?}");
    }

    /// However much came before it, and whatever the journal has dropped.
    #[test]
    fn what_is_listed_is_what_the_team_lists() {
        let mut settings = Settings::default();
        settings.set("journal-entries", "12").unwrap();
        let mut bench = Bench::with_settings(settings);
        bench.connect_with(&certificate("universal"));
        let filter = Filter::parse("type:background").unwrap();
        let times = Times::at_least(1);
        let tally = |after| Tally::new(Expectation { filter: filter.clone(), after, times });
        let mut tallies = [None, Some(0), Some(3)].map(tally);
        for number in 0..12 {
            let push_type = if number % 4 == 3 { "background" } else { "alert" };
            bench.answer(&bench.push().with("apns-push-type", push_type).with("apns-priority", "5"));
            let team = bench.team_at();
            for tally in &mut tallies {
                tally.decide(team.team());
                let after = tally.expectation().after;
                for limit in [1, 9] {
                    let told = |page: Pushes<'_>| serde_json::to_value(page).unwrap();
                    let (own, of_team) =
                        (tally.pushes(team.team(), limit), team.team().pushes(&filter, after, limit));
                    assert_eq!(told(own), told(of_team), "{number} {after:?} {limit}");
                }
            }
        }
        assert!(tallies.iter().all(|tally| tally.fruitless > tally.expectation.after));
        assert!(bench.team_at().team().evicted() > 3);
    }
}
