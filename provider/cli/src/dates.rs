use std::time::Duration;

use apns_provider_core::UnixTime;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A moment for a person, in UTC to the second: `2023-11-14T22:13:20Z`. What no calendar has is told as
/// seconds.
pub(super) fn date(moment: UnixTime) -> String {
    i64::try_from(moment.as_secs())
        .ok()
        .and_then(|secs| OffsetDateTime::from_unix_timestamp(secs).ok())
        .and_then(|date| date.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{} s after 1970", moment.as_secs()))
}

/// A length of time for a person, in its two largest units.
pub(super) fn span(length: Duration) -> String {
    let secs = length.as_secs();
    match secs {
        0..60 => format!("{secs} s"),
        60..3_600 => format!("{} min {} s", secs / 60, secs % 60),
        3_600..86_400 => format!("{} h {} min", secs / 3_600, secs / 60 % 60),
        _ => format!("{} d {} h", secs / 86_400, secs / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_lengths_are_told_as_people_do() {
        assert_eq!(date(UnixTime::from_secs(1_700_000_000)), "2023-11-14T22:13:20Z");
        assert_eq!(date(UnixTime::from_secs(u64::MAX)), "18446744073709551 s after 1970");
        for (secs, told) in [(7, "7 s"), (61, "1 min 1 s"), (7_260, "2 h 1 min"), (90_000, "1 d 1 h")] {
            assert_eq!(span(Duration::from_secs(secs)), told);
        }
    }
}
