//! A team's clock: it follows the machine's, or stands where a test has set it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Timestamp;

/// What a team's time is. Everything that ages follows it: provider tokens, the 20-minute window for changing them,
/// certificates, expirations, storage, the timestamps of 410, throttles and rate limits.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Clock {
    /// It runs with the machine's clock, ahead of it by as much as it was advanced.
    Machine {
        /// How far ahead.
        ahead: Duration,
    },
    /// It stands still until it is set or advanced.
    Manual {
        /// Where it stands.
        now: Timestamp,
    },
}

impl Clock {
    /// The team's time when it is `machine` on the machine.
    pub fn now(self, machine: Timestamp) -> Timestamp {
        match self {
            Self::Machine { ahead } => machine.saturating_add(ahead),
            Self::Manual { now } => now,
        }
    }

    /// When the machine's clock will show the point at which the team's time is `at`; `None`: never by itself.
    pub(crate) fn machine_time_of(self, at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Machine { ahead } => Some(at.saturating_sub(ahead)),
            Self::Manual { .. } => None,
        }
    }
}

impl Default for Clock {
    /// The machine's time.
    fn default() -> Self {
        Self::Machine { ahead: Duration::ZERO }
    }
}

/// A clock could not be set.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum ClockError {
    /// It would go backwards.
    #[error(
        "the team's clock shows {now} and cannot go back to {asked} (milliseconds since 1970): what has aged stays \
         aged. Set a later time, or use a new team"
    )]
    Backwards {
        /// What it shows.
        now: Timestamp,
        /// What was asked for.
        asked: Timestamp,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_clock_that_follows_the_machine_may_be_ahead_of_it() {
        let machine = Timestamp::from_secs(1_000);
        assert_eq!(Clock::default().now(machine), machine);
        let ahead = Clock::Machine { ahead: HOUR };
        assert_eq!(ahead.now(machine), Timestamp::from_secs(4_600));
        assert_eq!(ahead.machine_time_of(Timestamp::from_secs(4_600)), Some(machine));
    }

    #[test]
    fn a_manual_clock_does_not_care_what_the_machine_shows() {
        let clock = Clock::Manual { now: Timestamp::from_secs(5) };
        assert_eq!(clock.now(Timestamp::from_secs(1_000)), Timestamp::from_secs(5));
        assert_eq!(clock.machine_time_of(Timestamp::from_secs(6)), None);
    }
}
