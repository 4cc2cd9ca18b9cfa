use thiserror::Error;

use crate::unix_time::UnixTime;

/// How long APNs keeps a push that it cannot deliver at once, `apns-expiration`.
///
/// A notification without one leaves it to the service, which stores up to 30 days (Apple, "Viewing the
/// status of push notifications using Metrics and APNs").
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Expiration {
    /// Seconds since the epoch; 0 is to try once.
    secs: u64,
}

impl Expiration {
    /// Try once, store nothing: the header's value 0.
    pub const ONCE: Self = Self { secs: 0 };

    /// Until this many seconds since 1970 (UTC).
    pub const fn at_secs(secs: u64) -> Result<Self, InvalidExpiration> {
        match secs {
            0 => Err(InvalidExpiration::Zero),
            1..=SECS_MAX => Ok(Self { secs }),
            _ => Err(InvalidExpiration::TooFar { secs }),
        }
    }

    /// The header's value as a number: seconds since the epoch, or 0.
    pub const fn as_secs(self) -> u64 {
        self.secs
    }

    /// The first moment at which the push is worthless; one to be tried once has none.
    pub fn passes_at(self) -> Option<UnixTime> {
        (self != Self::ONCE).then(|| UnixTime::from_secs(self.secs + 1))
    }

    /// Whether the push is worthless at `now`. One to be tried once never is: it has no moment.
    pub fn has_passed(self, now: UnixTime) -> bool {
        self.passes_at().is_some_and(|passes_at| now >= passes_at)
    }
}

/// Why a number is no moment to expire at.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum InvalidExpiration {
    /// It lies after the year 2286.
    #[error("apns-expiration {secs} lies after the year 2286; pass seconds since 1970, not milliseconds")]
    TooFar {
        /// What was given.
        secs: u64,
    },
    /// Zero is no moment.
    #[error("apns-expiration 0 means `try once`; use Expiration::ONCE for it")]
    Zero,
}

/// The last second with ten digits, 2286-11-20. What is later is a count of milliseconds: 30 days is the most
/// APNs stores.
pub(crate) const SECS_MAX: u64 = 9_999_999_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_passes_and_trying_once_does_not() {
        let expiration = Expiration::at_secs(1_700_000_000).unwrap();
        assert_eq!(expiration.as_secs(), 1_700_000_000);
        assert!(!expiration.has_passed(UnixTime::from_millis(1_700_000_000_999)));
        assert!(expiration.has_passed(UnixTime::from_secs(1_700_000_001)));
        assert_eq!(Expiration::ONCE.as_secs(), 0);
        assert!(!Expiration::ONCE.has_passed(UnixTime::from_secs(1_700_000_000)));
    }

    #[test]
    fn milliseconds_and_zero_are_refused() {
        let millis = 1_700_000_000_000;
        assert_eq!(Expiration::at_secs(millis), Err(InvalidExpiration::TooFar { secs: millis }));
        assert_eq!(Expiration::at_secs(0), Err(InvalidExpiration::Zero));
    }
}
