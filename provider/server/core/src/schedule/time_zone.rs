use std::fmt;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The name of a time zone that the database knows, such as `Europe/Zurich`, in the database's own spelling.
///
/// The database is part of the program: what a machine has installed decides nothing, and every process of a server knows the same.
///
/// ```
/// use apns_provider_server_core::schedule::TimeZoneName;
///
/// assert_eq!(TimeZoneName::parse("europe/zurich")?.as_str(), "Europe/Zurich");
/// assert!(TimeZoneName::parse("Europe/Atlantis").is_err());
/// # Ok::<(), apns_provider_server_core::schedule::UnknownTimeZone>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct TimeZoneName(Box<str>);

/// The text is the name of no time zone.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("it is the name of no time zone; write one of the IANA database, such as `Europe/Zurich` or `UTC`")]
pub struct UnknownTimeZone;

impl TimeZoneName {
    /// Reads a name, in any case.
    pub fn parse(text: &str) -> Result<Self, UnknownTimeZone> {
        if text.len() > BYTES_MAX {
            return Err(UnknownTimeZone);
        }
        let zone = TimeZoneDatabase::bundled().get(text).map_err(|_| UnknownTimeZone)?;
        let name = zone.iana_name().filter(|_| !zone.is_unknown()).ok_or(UnknownTimeZone)?;
        Ok(Self(name.into()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its rules. One that an older program stored, and that this one's database has no more, is UTC.
    pub(super) fn rules(&self) -> TimeZone {
        TimeZoneDatabase::bundled().get(&self.0).unwrap_or(TimeZone::UTC)
    }
}

impl fmt::Display for TimeZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<TimeZoneName> for String {
    fn from(name: TimeZoneName) -> Self {
        name.0.into()
    }
}

impl TryFrom<String> for TimeZoneName {
    type Error = UnknownTimeZone;

    fn try_from(text: String) -> Result<Self, UnknownTimeZone> {
        Self::parse(&text)
    }
}

/// Longer than any name of the database, whose longest has 32.
const BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_reports_is_known() {
        for name in
            ["Europe/Zurich", "America/Argentina/Buenos_Aires", "Asia/Kolkata", "UTC", "GMT", "US/Pacific"]
        {
            assert_eq!(TimeZoneName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for text in
            ["", "Etc/Unknown", "Mars/Olympus", "+02:00", "CET-1CEST", "../etc/passwd", &"A".repeat(1000)]
        {
            assert_eq!(TimeZoneName::parse(text), Err(UnknownTimeZone), "{text}");
        }
    }
}
