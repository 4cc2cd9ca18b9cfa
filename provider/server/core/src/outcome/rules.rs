//! How often a push is tried here, and how long it waits in between.

use std::time::Duration;

use apns_provider_core::AmbiguousPushes;
use thiserror::Error;

/// How often a push is tried, and how long it waits in between, after the engine has done its own short retries: what the engine
/// tries within half a minute is one attempt here.
///
/// By default 20 attempts, with pauses that begin at 5 seconds (20 for one device that gets too much), double, and end at 15 minutes:
/// three hours in all. What APNs has not looked at is no attempt: its shard goes back into the queue, up to 300 times with the same
/// pauses, which is three days of a broken key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RetryRules {
    attempts_max: u8,
    rounds_max: u16,
    first_pause: Duration,
    longest_pause: Duration,
    ambiguous_pushes: AmbiguousPushes,
}

/// Rules that could never work.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum InvalidRetryRules {
    /// There is no attempt.
    #[error("a push takes one attempt at least")]
    NoAttempts,
    /// The pauses cannot grow.
    #[error(
        "pauses grow from at least {PAUSE_MIN:?} to at most {PAUSE_MAX:?}: from {first:?} to {longest:?} they do not"
    )]
    Pauses {
        /// The first pause.
        first: Duration,
        /// The longest.
        longest: Duration,
    },
}

impl RetryRules {
    /// `attempts_max` attempts, the first among them, with pauses that double from `first_pause` to `longest_pause`.
    pub fn new(
        attempts_max: u8,
        first_pause: Duration,
        longest_pause: Duration,
    ) -> Result<Self, InvalidRetryRules> {
        if attempts_max == 0 {
            return Err(InvalidRetryRules::NoAttempts);
        }
        if first_pause < PAUSE_MIN || longest_pause < first_pause || longest_pause > PAUSE_MAX {
            return Err(InvalidRetryRules::Pauses { first: first_pause, longest: longest_pause });
        }
        Ok(Self { attempts_max, first_pause, longest_pause, ..Self::default() })
    }

    /// What becomes of a push of which nobody knows whether it was processed. The engine has to be told the same.
    #[must_use]
    pub fn with_ambiguous_pushes(self, ambiguous_pushes: AmbiguousPushes) -> Self {
        Self { ambiguous_pushes, ..self }
    }

    /// What becomes of a push of which nobody knows whether it was processed.
    pub fn ambiguous_pushes(&self) -> AmbiguousPushes {
        self.ambiguous_pushes
    }

    /// How long a shard rests that goes back into the queue for the `rounds`-th time, counted from 0; nothing if that was often enough.
    pub fn rest(&self, rounds: u16, random: u32) -> Option<Duration> {
        (rounds < self.rounds_max).then(|| self.pause(self.first_pause, rounds.into(), random))
    }

    pub(super) fn attempts_max(&self) -> u8 {
        self.attempts_max
    }

    /// The pause after so many attempts.
    pub(crate) fn pause_after(&self, attempts: u8, random: u32) -> Duration {
        self.pause(self.first_pause, u32::from(attempts).saturating_sub(1), random)
    }

    /// The pause after so many attempts for a device that gets too much.
    pub(super) fn pause_of_device(&self, attempts: u8, random: u32) -> Duration {
        let first = self.first_pause.max(DEVICE_PAUSE);
        self.pause(first, u32::from(attempts).saturating_sub(1), random)
    }

    /// The pause behind so many others: half of it is certain, and the other half random, so that what failed together comes back in
    /// pieces.
    fn pause(&self, first: Duration, before: u32, random: u32) -> Duration {
        let factor = 1_u32.checked_shl(before).unwrap_or(u32::MAX);
        let whole = first.saturating_mul(factor).min(self.longest_pause.max(first));
        whole.mul_f64(0.5 + f64::from(random) / f64::from(u32::MAX) / 2.0)
    }
}

impl Default for RetryRules {
    fn default() -> Self {
        Self {
            attempts_max: ATTEMPTS_MAX,
            rounds_max: ROUNDS_MAX,
            first_pause: FIRST_PAUSE,
            longest_pause: LONGEST_PAUSE,
            ambiguous_pushes: AmbiguousPushes::default(),
        }
    }
}

/// With the usual pauses three hours: longer than any outage of APNs that was not in the news.
const ATTEMPTS_MAX: u8 = 20;
/// With the usual pauses three days: somebody who was away for a weekend finds the queue as it was.
const ROUNDS_MAX: u16 = 300;
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// Apple asks to come back "later"; in what was seen of outages a quarter of an hour was soon enough.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);
/// APNs was seen to take one push in 20 to 25 seconds for a device that gets too much.
const DEVICE_PAUSE: Duration = Duration::from_secs(20);
/// Shorter ones are the engine's.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// Longer ones are a schedule.
const PAUSE_MAX: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let rules = RetryRules::default();
        let secs: Vec<u64> =
            (1..=9).map(|attempts| rules.pause_after(attempts, u32::MAX).as_secs()).collect();
        assert_eq!(secs, [5, 10, 20, 40, 80, 160, 320, 640, 900]);
        assert_eq!(rules.pause_after(200, 0), Duration::from_secs(450), "half of it is random");
        assert_eq!(rules.pause_of_device(1, u32::MAX), Duration::from_secs(20));
    }

    #[test]
    fn a_shard_goes_back_for_three_days_and_then_no_more() {
        let rules = RetryRules::default();
        let rests: Duration = (0..).map_while(|rounds| rules.rest(rounds, u32::MAX)).sum();
        assert!(rests > Duration::from_hours(72) && rests < Duration::from_hours(76), "{rests:?}");
    }

    #[test]
    fn rules_that_could_never_work_are_refused() {
        let second = Duration::from_secs(1);
        assert_eq!(RetryRules::new(0, second, second), Err(InvalidRetryRules::NoAttempts));
        for (first, longest) in
            [(second / 2, second), (second * 2, second), (second, Duration::from_hours(25))]
        {
            assert_eq!(RetryRules::new(1, first, longest), Err(InvalidRetryRules::Pauses { first, longest }));
        }
        assert_eq!(RetryRules::new(20, second * 5, Duration::from_mins(15)), Ok(RetryRules::default()));
    }
}
