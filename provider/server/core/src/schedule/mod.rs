//! When a notification is sent: at once, at a moment, or at a time of day where the recipient is.
//!
//! # The recipient's local time
//!
//! "At nine in the morning" is another moment in each time zone: the recipients are split by it when they are planned. Where that time
//! of day does not exist, because the clocks go forward over it, it is as much later as they go forward: 02:30 is 03:30. Where it exists
//! twice, because they go back, it is the first. Both are what RFC 5545 section 3.3.5 says of calendars.
//!
//! Where the time was over already when the notification was handed in, [`IfPassed`] says what happens. A server that was not running
//! at the time sends late, unless the message has expired.

mod local_time;
mod request;
mod time_zone;

use apns_provider_core::UnixTime;
use serde::{Deserialize, Serialize};

pub use local_time::{InvalidLocalTime, LocalTime};
pub use request::{IfPassed, NOT_BEFORE_DAYS_MAX, ScheduleRequest};
pub use time_zone::{TimeZoneName, UnknownTimeZone};

/// When a notification is sent.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Not before this moment, in milliseconds since 1970.
    At(u64),
    /// When it is this time where the recipient is.
    LocalTime {
        /// Which time.
        at: LocalTime,
        /// Where those are of whom nobody knows it.
        fallback: TimeZoneName,
        /// What happens where it was over when the notification was handed in.
        if_passed: IfPassed,
    },
    /// At once.
    #[default]
    Now,
}

/// When a recipient gets it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Start {
    /// Not before this moment.
    At(UnixTime),
    /// Not at all: the time was over there.
    Skipped,
}

impl Schedule {
    /// When a recipient in this time zone gets it; `handed_in` is when the notification was. It does not depend on when it is asked.
    pub fn start(&self, handed_in: UnixTime, zone: Option<&TimeZoneName>) -> Start {
        match self {
            Self::Now => Start::At(handed_in),
            Self::At(millis) => Start::At(UnixTime::from_millis(*millis).max(handed_in)),
            Self::LocalTime { at, fallback, if_passed } => {
                let zone = zone.unwrap_or(fallback);
                let start = at.in_zone(zone);
                if start >= handed_in {
                    return Start::At(start);
                }
                match if_passed {
                    IfPassed::NextDay => Start::At(at.on_a_day_after(handed_in, zone)),
                    IfPassed::Send => Start::At(handed_in),
                    IfPassed::Skip => Start::Skipped,
                }
            }
        }
    }

    /// The earliest moment at which anybody gets it.
    pub fn earliest(&self, handed_in: UnixTime) -> UnixTime {
        match self {
            Self::Now => handed_in,
            Self::At(millis) => UnixTime::from_millis(*millis).max(handed_in),
            Self::LocalTime { at, .. } => at.earliest().max(handed_in),
        }
    }

    /// When to begin to plan it: a little before it starts, so that the first push of a large audience is on time, and late enough that
    /// whoever registers meanwhile is among them.
    pub fn plan_at(&self, handed_in: UnixTime) -> UnixTime {
        let earliest = self.earliest(handed_in).as_millis();
        UnixTime::from_millis(earliest.saturating_sub(PLANNED_AHEAD_MS)).max(handed_in)
    }

    /// Whether recipients differ in when they get it.
    pub fn depends_on_zone(&self) -> bool {
        matches!(self, Self::LocalTime { .. })
    }
}

/// A million recipients are planned in less.
const PLANNED_AHEAD_MS: u64 = 5 * 60 * 1000;

#[cfg(test)]
mod tests;
