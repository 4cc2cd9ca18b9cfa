//! When a notification is sent, as its sender writes it.

use apns_provider_core::UnixTime;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LocalTime, Schedule, TimeZoneName};
use crate::problem::{Field, FieldErrors};

/// How far ahead a notification may be planned, in days: a year, and a little for whoever plans "next year".
pub const NOT_BEFORE_DAYS_MAX: u64 = 400;

/// When a notification is sent: `not-before` or `local-time`; neither is at once.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScheduleRequest {
    /// Not before this moment, with its offset from UTC: `2027-03-28T09:00:00Z`.
    pub not_before: Option<String>,
    /// When it is this time where the recipient is: `2027-03-28T09:00`, without an offset.
    pub local_time: Option<String>,
    /// Where those recipients are of whom nobody knows it; left out, UTC.
    pub fallback_time_zone: Option<String>,
    /// What happens where the local time is over already; left out, it is sent at once.
    pub if_passed: Option<IfPassed>,
}

/// What happens where a local time was over already when the notification was handed in.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum IfPassed {
    /// Sent the next time that it is that time of day there.
    NextDay,
    /// Sent at once.
    #[default]
    Send,
    /// Not sent there.
    Skip,
}

impl ScheduleRequest {
    /// Checks it, at `at` in the request, which was handed in now.
    pub fn check(self, at: Field<'_>, now: UnixTime, errors: &mut FieldErrors) -> Option<Schedule> {
        match (self.not_before, self.local_time) {
            (Some(_), Some(_)) => {
                errors.refuse(at.key("local-time"), "there is a not-before as well; give one of them");
                None
            }
            (not_before, None) => {
                for (key, is_there) in [
                    ("fallback-time-zone", self.fallback_time_zone.is_some()),
                    ("if-passed", self.if_passed.is_some()),
                ] {
                    if is_there {
                        errors.refuse(at.key(key), "it is about a local-time, and there is none");
                    }
                }
                let Some(text) = not_before else { return Some(Schedule::Now) };
                errors.keep(at.key("not-before"), not_before_of(&text, now)).map(Schedule::At)
            }
            (None, Some(text)) => {
                let local_time = errors.keep(at.key("local-time"), local_time_of(&text, now));
                let fallback = self.fallback_time_zone.as_deref().unwrap_or("UTC");
                let fallback = errors.keep(at.key("fallback-time-zone"), TimeZoneName::parse(fallback));
                let if_passed = self.if_passed.unwrap_or_default();
                Some(Schedule::LocalTime { at: local_time?, fallback: fallback?, if_passed })
            }
        }
    }
}

/// The milliseconds since 1970 of a moment. One that is over is now.
fn not_before_of(text: &str, now: UnixTime) -> Result<u64, String> {
    let timestamp: Timestamp = text.parse().map_err(|_| {
        "it is no moment; write one with its offset from UTC, such as 2027-03-28T09:00:00Z".to_owned()
    })?;
    let millis = u64::try_from(timestamp.as_millisecond()).unwrap_or(0);
    is_near(UnixTime::from_millis(millis), now)?;
    Ok(millis)
}

fn local_time_of(text: &str, now: UnixTime) -> Result<LocalTime, String> {
    let time = LocalTime::parse(text).map_err(|error| error.to_string())?;
    if time.latest() < now {
        return Err(format!("{time} is over everywhere"));
    }
    is_near(time.latest(), now)?;
    Ok(time)
}

fn is_near(moment: UnixTime, now: UnixTime) -> Result<(), String> {
    if moment.saturating_since(now).as_secs() > NOT_BEFORE_DAYS_MAX * 86_400 {
        return Err(format!(
            "it is more than {NOT_BEFORE_DAYS_MAX} days ahead; hand it in when it is nearer"
        ));
    }
    Ok(())
}
