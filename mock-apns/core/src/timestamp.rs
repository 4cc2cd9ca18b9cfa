//! Points in time. The core owns no clock: every call that needs one takes a [`Timestamp`].

use std::time::Duration;

/// Milliseconds since the Unix epoch, UTC: the unit of the `timestamp` key in an answer with status 410.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The point `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// The point `secs` seconds after the Unix epoch. What does not fit stays at the end of time: `iat` and
    /// `apns-expiration` come from outside and may be any number.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// This point moved forward by `by`, or the end of time.
    #[must_use]
    pub fn saturating_add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
    }

    /// This point moved back by `by`, or the epoch.
    #[must_use]
    pub fn saturating_sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl std::fmt::Display for Timestamp {
    /// The milliseconds.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_down_and_never_overflow() {
        assert_eq!(Timestamp::from_millis(1_999).as_secs(), 1);
        assert_eq!(Timestamp::from_secs(2), Timestamp::from_millis(2_000));
        assert_eq!(Timestamp::from_secs(u64::MAX).as_millis(), u64::MAX);
    }

    #[test]
    fn arithmetic_stops_at_both_ends_of_time() {
        let (early, late) = (Timestamp::from_secs(1), Timestamp::from_secs(5));
        assert_eq!(late.saturating_since(early), Duration::from_secs(4));
        assert_eq!(early.saturating_since(late), Duration::ZERO);
        assert_eq!(early.saturating_add(Duration::from_secs(4)), late);
        assert_eq!(late.saturating_add(Duration::MAX).as_millis(), u64::MAX);
        assert_eq!(late.saturating_sub(Duration::from_secs(4)), early);
        assert_eq!(late.saturating_sub(Duration::MAX).as_millis(), 0);
    }
}
