use std::fmt;
use std::time::Duration;

use crate::{Now, UnixTime};

/// How far the machine's clock is from the server's, by more than [`ServerClock::TOLERANCE`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClockSkew {
    /// The machine's clock is so much ahead: provider tokens are issued in the server's future.
    Ahead(Duration),
    /// The machine's clock is so much behind: provider tokens are that much older than the machine thinks.
    Behind(Duration),
}

impl fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ahead(by) => write!(f, "{} ahead of the server's", told(*by)),
            Self::Behind(by) => write!(f, "{} behind the server's", told(*by)),
        }
    }
}

/// In seconds, or the largest unit of which there are ten.
fn told(by: Duration) -> String {
    match by.as_secs() {
        secs @ 0..600 => format!("{secs} s"),
        secs @ 600..36_000 => format!("{} min", secs / 60),
        secs => format!("{} h", secs / 3_600),
    }
}

/// What time it is where the answers come from, learned from their `date` (RFC 9110 section 6.6.1).
///
/// ```text
///   date of an answer ──▶ server's time - steady clock, at least     an answer takes time, so the
///                         the greatest of the last two terms    ◀──  truth is never before any of them
/// ```
///
/// The steady clock carries it on, so that a machine whose date steps to and fro does not disturb it; and it is not ahead of a server
/// that dates its answers right, because every answer was dated before it came. A date that lies minutes ahead is believed until the
/// next one says otherwise: no answer travels for minutes.
///
/// On most machines the steady clock stands still while the machine sleeps: from waking up until the next dated answer, the server's
/// time is taken for as much earlier as the sleep took. So a corrected provider token may be too old then, but never of the future;
/// APNs refuses it with an answer that is dated. Believing a calendar that runs ahead instead would believe one that was set wrong.
#[derive(Clone, Debug, Default)]
pub struct ServerClock {
    /// Milliseconds from the steady clock's zero to the epoch, at the server, as far as is known; of this term and the one before.
    offsets: [Option<u64>; 2],
    term_began: Duration,
}

impl ServerClock {
    /// Differences up to this are nobody's business: dates have whole seconds, answers take their time, and ten times as much is
    /// left between the age of a provider token and what APNs takes.
    pub const TOLERANCE: Duration = Duration::from_mins(1);

    /// An answer that came `now` was dated so.
    pub fn note(&mut self, now: Now, date: UnixTime) {
        let since = now.elapsed.saturating_sub(self.term_began);
        if since >= TERM {
            let before = self.offsets[0].filter(|_| since < 2 * TERM);
            self.offsets = [None, before];
            self.term_began = now.elapsed;
        }
        let offset = date.as_millis().saturating_sub(millis(now.elapsed));
        let late = self.greatest_offset().map_or(0, |greatest| greatest.saturating_sub(offset));
        if late > millis(LATE_MAX) {
            // It was not under way for so long: it is the earlier answer that was misdated.
            self.offsets = [Some(offset), None];
        }
        self.offsets[0] = self.offsets[0].max(Some(offset));
    }

    /// How wrong the machine's clock is; nothing if it is right within the tolerance, or no answer was dated.
    pub fn skew(&self, now: Now) -> Option<ClockSkew> {
        let server = self.time(now)?;
        let (ahead, behind) = (now.date.saturating_since(server), server.saturating_since(now.date));
        if ahead > Self::TOLERANCE {
            Some(ClockSkew::Ahead(ahead))
        } else if behind > Self::TOLERANCE {
            Some(ClockSkew::Behind(behind))
        } else {
            None
        }
    }

    /// The machine's date if it is right within the tolerance or nothing else is known, and the server's if it is wrong. Never
    /// further ahead of the server than the tolerance, once an answer was dated right.
    pub fn corrected(&self, now: Now) -> UnixTime {
        match (self.skew(now), self.time(now)) {
            (Some(_), Some(server)) => server,
            _ => now.date,
        }
    }

    /// The server's time, or a little before it.
    fn time(&self, now: Now) -> Option<UnixTime> {
        let offset = self.greatest_offset()?;
        Some(UnixTime::from_millis(offset.saturating_add(millis(now.elapsed))))
    }

    fn greatest_offset(&self) -> Option<u64> {
        self.offsets.into_iter().flatten().max()
    }
}

/// The first dated answer after this begins a new term. What was learned counts to the end of the term after its own, or of its own if
/// nothing was dated for twice this: steady clocks drift, servers' dates are mended. While no answer comes, nothing is forgotten.
const TERM: Duration = Duration::from_mins(10);
/// How much later than it was dated an answer may be read. Answers are dated when they set out and are here within seconds: this
/// is far beyond that, so that slow ones disturb nothing, and short enough to tell a wrong date.
const LATE_MAX: Duration = Duration::from_mins(5);

fn millis(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TokenSource;
    use crate::provider_token::generated_key;
    use proptest::prelude::*;

    const TRUTH: u64 = 1_700_000_000;
    const TEN_MINUTES: i64 = 600;

    /// So many seconds after the beginning, with a clock that is wrong by so many.
    fn at(secs: u64, wrong_by: i64) -> Now {
        let date = UnixTime::from_secs((TRUTH + secs).checked_add_signed(wrong_by).unwrap());
        Now { elapsed: Duration::from_secs(secs), date }
    }

    fn truth(secs: u64) -> UnixTime {
        UnixTime::from_secs(TRUTH + secs)
    }

    #[test]
    fn without_a_dated_answer_the_machine_is_trusted() {
        let clock = ServerClock::default();
        assert_eq!(
            (clock.skew(at(5, TEN_MINUTES)), clock.corrected(at(5, TEN_MINUTES))),
            (None, at(5, TEN_MINUTES).date)
        );
    }

    #[test]
    fn c23_a_clock_that_is_ten_minutes_wrong_is_told_and_corrected() {
        for (wrong_by, skew) in [
            (TEN_MINUTES, Some(ClockSkew::Ahead(Duration::from_mins(10)))),
            (-TEN_MINUTES, Some(ClockSkew::Behind(Duration::from_mins(10)))),
            (60, None),
            (-60, None),
        ] {
            let mut clock = ServerClock::default();
            clock.note(at(5, wrong_by), truth(5));
            assert_eq!(clock.skew(at(9, wrong_by)), skew);
            let expected = if skew.is_some() { truth(9) } else { at(9, wrong_by).date };
            assert_eq!(clock.corrected(at(9, wrong_by)), expected);
        }
        for (secs, told) in [(90, "90 s"), (7_260, "121 min"), (90_000, "25 h")] {
            let skew = ClockSkew::Behind(Duration::from_secs(secs));
            assert_eq!(skew.to_string(), format!("{told} behind the server's"));
        }
    }

    #[test]
    fn answers_that_took_long_count_less_than_one_that_came_at_once() {
        let mut clock = ServerClock::default();
        for (secs, took) in [(100, 70), (101, 0), (102, 90)] {
            clock.note(at(secs, 0), truth(secs - took));
        }
        assert_eq!(clock.skew(at(103, 0)), None);
    }

    #[test]
    fn a_date_far_ahead_is_forgotten_when_the_next_answer_contradicts_it() {
        let day = 86_400;
        let mut clock = ServerClock::default();
        clock.note(at(1, 0), truth(1 + day));
        assert_eq!(clock.skew(at(1, 0)), Some(ClockSkew::Behind(Duration::from_hours(24))));
        clock.note(at(2, 0), truth(2));
        assert_eq!(clock.skew(at(2, 0)), None);
        // Also if it was told in the term before.
        clock.note(at(3, 0), truth(3 + day));
        clock.note(at(12 * 60, 0), truth(12 * 60 + day));
        clock.note(at(12 * 60 + 1, 0), truth(12 * 60 + 1));
        assert_eq!(clock.skew(at(12 * 60 + 1, 0)), None);
    }

    #[test]
    fn an_answer_that_took_four_minutes_is_slow_and_not_a_contradiction() {
        let mut clock = ServerClock::default();
        clock.note(at(300, 0), truth(300));
        clock.note(at(301, 0), truth(301 - 240));
        assert_eq!(clock.skew(at(302, 0)), None);
    }

    #[test]
    fn after_a_sleep_that_the_steady_clock_missed_the_next_answer_sets_it_right() {
        let mut clock = ServerClock::default();
        clock.note(at(1, 0), truth(1));
        let slept = 2 * 60 * 60;
        let awake = Now { elapsed: Duration::from_secs(2), date: truth(2 + slept) };
        assert_eq!(clock.corrected(awake), truth(2), "too early, and never too late");
        clock.note(awake, truth(2 + slept));
        assert_eq!((clock.skew(awake), clock.corrected(awake)), (None, awake.date));
    }

    #[test]
    fn a_clock_that_steps_back_after_an_answer_is_seen_through() {
        let mut clock = ServerClock::default();
        clock.note(at(1, 0), truth(1));
        assert_eq!(clock.skew(at(2, -TEN_MINUTES)), Some(ClockSkew::Behind(Duration::from_mins(10))));
        assert_eq!(clock.corrected(at(2, -TEN_MINUTES)), truth(2));
        assert_eq!(clock.corrected(at(3, 0)), truth(3), "and again when it is right");
    }

    #[test]
    fn a_date_that_nobody_confirms_is_forgotten() {
        let mut clock = ServerClock::default();
        clock.note(at(1, 0), truth(200));
        assert!(clock.skew(at(2, 0)).is_some());
        for minute in 1..=21 {
            clock.note(at(minute * 60, 0), truth(minute * 60));
        }
        assert_eq!(clock.skew(at(21 * 60, 0)), None);
    }

    /// By hours, or by so little that it is the machine's date that is used.
    fn wrong() -> impl Strategy<Value = i64> {
        prop_oneof![-7_200..7_200_i64, -60..=60_i64]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// However the clock steps and however long answers take, and whether one has just come or not: once one was dated, no token
        /// is issued in the server's future by more than the tolerance, and none is issued before the one before it.
        #[test]
        fn c23_however_the_clock_steps_iat_never_decreases_and_is_never_in_the_future(
            steps in prop::collection::vec((1..400_u64, wrong(), prop::option::weighted(0.7, 0..=120_u64)), 1..60),
        ) {
            let (mut clock, mut source) = (ServerClock::default(), TokenSource::new(generated_key(1)));
            clock.note(at(0, 0), truth(0));
            let (mut secs, mut last) = (0, UnixTime::from_secs(0));
            for (after, wrong_by, took) in steps {
                secs += after;
                let now = at(secs, wrong_by);
                if let Some(took) = took {
                    clock.note(now, UnixTime::from_secs(TRUTH + secs - took));
                }
                let issued_at = source.token(clock.corrected(now)).unwrap().issued_at();
                prop_assert!(issued_at >= last);
                prop_assert!(issued_at.as_secs() <= TRUTH + secs + 60);
                last = issued_at;
            }
        }
    }
}
