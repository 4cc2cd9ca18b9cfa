//! From when to when a certificate counts. The present is an argument: nothing here reads a clock.

use rustls_pki_types::UnixTime;
use time::{Duration, OffsetDateTime};

use crate::Error;

/// The two dates of a certificate (RFC 5280 section 4.1.2.5), both ones that a certificate can express.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Validity {
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
}

impl Validity {
    /// In force at `now`, from [`BACKDATE`] before it, for `lifetime` in all.
    pub(crate) fn current(now: UnixTime, lifetime: Duration) -> Result<Self, Error> {
        Self::new(now, -BACKDATE, lifetime)
    }

    /// Over since [`MARGIN`] before `now`, after a leaf's usual life.
    pub(crate) fn expired(now: UnixTime) -> Result<Self, Error> {
        Self::new(now, -(MARGIN + LEAF_LIFETIME), LEAF_LIFETIME)
    }

    /// In force only from [`MARGIN`] after `now`.
    pub(crate) fn not_yet(now: UnixTime) -> Result<Self, Error> {
        Self::new(now, MARGIN, LEAF_LIFETIME)
    }

    fn new(now: UnixTime, offset: Duration, lifetime: Duration) -> Result<Self, Error> {
        let seconds = now.as_secs();
        let dates = || {
            let now = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
            let not_before = now.checked_add(offset)?;
            Some(Self { not_before, not_after: not_before.checked_add(lifetime)? })
        };
        dates().ok_or(Error::DateOutOfRange { seconds })
    }
}

/// How long a leaf counts. Apple's push certificates live 13 months; clients refuse a server certificate that
/// lives longer than 398 days, and Apple advises 397 at most (Apple support HT211025).
pub(crate) const LEAF_LIFETIME: Duration = Duration::days(396);

/// How long an authority counts: longer than any stored one will be kept.
pub(crate) const AUTHORITY_LIFETIME: Duration = Duration::days(20 * 365);

/// How long before `now` a certificate begins, so that a machine whose clock is behind accepts it too.
const BACKDATE: Duration = Duration::days(1);

/// How far outside its dates an expired or early certificate is, so that no time zone or skew makes it good.
const MARGIN: Duration = Duration::days(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds))
    }

    #[test]
    fn now_lies_inside_or_outside_as_the_name_says() {
        let now = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let current = Validity::current(at(1_700_000_000), LEAF_LIFETIME).unwrap();
        assert!(current.not_before < now && now < current.not_after);
        assert!(Validity::expired(at(1_700_000_000)).unwrap().not_after < now);
        assert!(Validity::not_yet(at(1_700_000_000)).unwrap().not_before > now);
    }

    #[test]
    fn a_time_that_no_certificate_can_express_is_an_error() {
        assert!(Validity::current(at(0), LEAF_LIFETIME).is_ok());
        for seconds in [253_402_300_799, u64::MAX] {
            let error = Validity::current(at(seconds), LEAF_LIFETIME).unwrap_err();
            assert_eq!(error, Error::DateOutOfRange { seconds });
        }
    }
}
