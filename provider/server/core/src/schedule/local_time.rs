use std::fmt;

use apns_provider_core::UnixTime;
use jiff::{
    Timestamp, ToSpan as _,
    civil::DateTime,
    tz::{Offset, TimeZone},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::TimeZoneName;

/// A date and a time of day, wherever that is: `2027-03-28T09:00`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct LocalTime(DateTime);

/// The text is no local time.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("it is no local time; write a date and a time of day without a zone, such as 2027-03-28T09:00")]
pub struct InvalidLocalTime;

impl LocalTime {
    /// Reads `YYYY-MM-DDThh:mm`, with seconds or without, from 1970 on.
    pub fn parse(text: &str) -> Result<Self, InvalidLocalTime> {
        let is_plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'T');
        let has_length = matches!(text.len(), 16 | 19);
        if !has_length || !text.bytes().all(is_plain) {
            return Err(InvalidLocalTime);
        }
        let time: DateTime = text.parse().map_err(|_| InvalidLocalTime)?;
        // Years that have no moment in some zone are no plans of anybody's.
        if (1970..=9990).contains(&time.year()) { Ok(Self(time)) } else { Err(InvalidLocalTime) }
    }

    /// The moment at which it is this time there. See the [module](super) for what happens when the clocks change.
    pub fn in_zone(self, zone: &TimeZoneName) -> UnixTime {
        self.by_rules(&zone.rules())
    }

    /// The first moment after `after` at which it is this time of day there, on whatever day.
    pub(super) fn on_a_day_after(self, after: UnixTime, zone: &TimeZoneName) -> UnixTime {
        let rules = zone.rules();
        let today = rules.to_datetime(timestamp(after)).date();
        let on = |days: i64| {
            let day = today.checked_add(days.days()).unwrap_or(today);
            Self(day.to_datetime(self.0.time())).by_rules(&rules)
        };
        // Two days on there is one, even where a day was left out of the calendar.
        (0..=DAYS_TRIED).map(on).find(|moment| *moment >= after).unwrap_or(after)
    }

    /// The first moment at which it is this time anywhere.
    pub fn earliest(self) -> UnixTime {
        self.by_rules(&TimeZone::fixed(Offset::constant(EARLIEST_OFFSET_HOURS)))
    }

    /// The last moment at which it is this time anywhere.
    pub fn latest(self) -> UnixTime {
        self.by_rules(&TimeZone::fixed(Offset::constant(LATEST_OFFSET_HOURS)))
    }

    fn by_rules(self, rules: &TimeZone) -> UnixTime {
        let moment = rules.to_ambiguous_timestamp(self.0).compatible();
        let millis = moment.map_or(0, Timestamp::as_millisecond);
        UnixTime::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

pub(super) fn timestamp(moment: UnixTime) -> Timestamp {
    let millis = i64::try_from(moment.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<LocalTime> for String {
    fn from(time: LocalTime) -> Self {
        time.to_string()
    }
}

impl TryFrom<String> for LocalTime {
    type Error = InvalidLocalTime;

    fn try_from(text: String) -> Result<Self, InvalidLocalTime> {
        Self::parse(&text)
    }
}

/// Kiritimati is 14 hours ahead of UTC, and nobody is further.
const EARLIEST_OFFSET_HOURS: i8 = 14;
/// Baker Island is 12 hours behind UTC, and nobody is further.
const LATEST_OFFSET_HOURS: i8 = -12;
const DAYS_TRIED: i64 = 3;
