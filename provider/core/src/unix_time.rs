use std::time::Duration;

use crate::http_date;

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
///
/// This crate owns no clock: whoever calls says what time it is. APNs speaks seconds in requests
/// (`apns-expiration`, `iat`) and milliseconds in answers (the `timestamp` of a 410); one type with two named
/// views keeps them apart.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UnixTime {
    millis: u64,
}

impl UnixTime {
    /// The moment that many milliseconds after the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }

    /// The moment that many seconds after the epoch; what does not fit saturates (far beyond any calendar).
    pub const fn from_secs(secs: u64) -> Self {
        Self { millis: secs.saturating_mul(MILLIS_PER_SEC) }
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> u64 {
        self.millis
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.millis / MILLIS_PER_SEC
    }

    /// The moment of an HTTP date such as `Sun, 06 Nov 1994 08:49:37 GMT`, as the `date` field of an answer
    /// has it (RFC 9110 section 5.6.7).
    pub fn from_http_date(text: &str) -> Option<Self> {
        http_date::parse(text)
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.millis.saturating_sub(earlier.millis))
    }
}

const MILLIS_PER_SEC: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_milliseconds_are_two_views_of_one_moment() {
        assert_eq!(UnixTime::from_secs(7).as_millis(), 7_000);
        assert_eq!(UnixTime::from_millis(7_999).as_secs(), 7);
        assert_eq!(UnixTime::from_secs(u64::MAX).as_millis(), u64::MAX);
    }

    #[test]
    fn a_moment_that_is_not_later_is_zero_away() {
        let (early, late) = (UnixTime::from_secs(1), UnixTime::from_secs(3));
        assert_eq!(late.saturating_since(early), Duration::from_secs(2));
        assert_eq!(early.saturating_since(late), Duration::ZERO);
    }
}
