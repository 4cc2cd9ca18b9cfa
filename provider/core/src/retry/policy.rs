//! How often, and how long in between.

use std::time::Duration;

use thiserror::Error;

/// How often a push is tried, how long the pauses are, and what becomes of one of which nobody knows whether it was processed.
///
/// By default: five attempts; pauses that begin at a second, double, and end at 15 minutes, of which a random half is waited at
/// least; an ambiguous push is sent again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RetryPolicy {
    attempts_max: u32,
    first_pause: Duration,
    longest_pause: Duration,
    ambiguous_pushes: AmbiguousPushes,
}

/// What becomes of a push of which nobody knows whether it was processed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AmbiguousPushes {
    /// It is sent again with the same apns-id: at least once. A device may show it twice.
    #[default]
    SendAgain,
    /// It is reported: at most once. It may never arrive.
    Report,
}

/// A policy that could never work.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum InvalidRetryPolicy {
    /// There is no attempt.
    #[error("a push takes one attempt at least")]
    NoAttempts,
    /// The pauses cannot grow.
    #[error("pauses grow from more than nothing: from {first:?} to {longest:?} they do not")]
    Pauses {
        /// The first pause.
        first: Duration,
        /// The longest.
        longest: Duration,
    },
}

impl RetryPolicy {
    /// `attempts_max` attempts at most, the first among them, with pauses that double from `first_pause` to `longest_pause`.
    pub fn new(
        attempts_max: u32,
        first_pause: Duration,
        longest_pause: Duration,
    ) -> Result<Self, InvalidRetryPolicy> {
        if attempts_max == 0 {
            return Err(InvalidRetryPolicy::NoAttempts);
        }
        if first_pause.is_zero() || longest_pause < first_pause {
            return Err(InvalidRetryPolicy::Pauses { first: first_pause, longest: longest_pause });
        }
        Ok(Self { attempts_max, first_pause, longest_pause, ambiguous_pushes: AmbiguousPushes::default() })
    }

    /// One attempt, whatever becomes of it: for whoever has a queue that decides.
    pub fn never() -> Self {
        Self { attempts_max: 1, ..Self::default() }
    }

    /// What becomes of a push of which nobody knows whether it was processed.
    #[must_use]
    pub fn with_ambiguous_pushes(self, ambiguous_pushes: AmbiguousPushes) -> Self {
        Self { ambiguous_pushes, ..self }
    }

    pub(super) fn attempts_max(&self) -> u32 {
        self.attempts_max
    }

    pub(super) fn ambiguous_pushes(&self) -> AmbiguousPushes {
        self.ambiguous_pushes
    }

    /// The pause behind so many others: half of it is certain, and the other half random.
    pub(super) fn pause(&self, before: u32, random: u32) -> Duration {
        let factor = 1_u32.checked_shl(before).unwrap_or(u32::MAX);
        let whole = self.first_pause.saturating_mul(factor).min(self.longest_pause);
        whole.mul_f64(0.5 + f64::from(random) / f64::from(u32::MAX) / 2.0)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: ATTEMPTS_MAX,
            first_pause: FIRST_PAUSE,
            longest_pause: LONGEST_PAUSE,
            ambiguous_pushes: AmbiguousPushes::default(),
        }
    }
}

/// With the usual pauses half a minute: whoever waits for an outcome is still there.
const ATTEMPTS_MAX: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Apple asks to come back "later"; in what was seen of outages a quarter of an hour was soon enough.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);
