//! A token bucket: so many at once, and one more for each span.

use std::time::Duration;

use crate::Timestamp;

/// A token bucket. Its state is one point in time (the generic cell rate algorithm): when it will be full again. So
/// nothing has to be done while time passes, and a device pays eight bytes for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Bucket {
    /// How many it holds. 0: no limit.
    pub(crate) burst: u32,
    /// How long it takes to refill by one.
    pub(crate) refill: Duration,
}

impl Bucket {
    /// When there is one to take: `now`, or later.
    pub(crate) fn next_at(self, full_at: Timestamp, now: Timestamp) -> Timestamp {
        if self.burst == 0 {
            return now;
        }
        full_at.saturating_sub(self.refill.saturating_mul(self.burst - 1)).max(now)
    }

    /// The state once one was taken.
    pub(crate) fn take(self, full_at: Timestamp, now: Timestamp) -> Timestamp {
        if self.burst == 0 { full_at } else { full_at.max(now).saturating_add(self.refill) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + millis)
    }

    /// How many can be taken at that point.
    fn takes(bucket: Bucket, full_at: &mut Timestamp, now: Timestamp) -> usize {
        let take = || {
            let free = bucket.next_at(*full_at, now) == now;
            free.then(|| *full_at = bucket.take(*full_at, now))
        };
        std::iter::from_fn(take).take(100).count()
    }

    #[test]
    fn a_full_bucket_gives_its_burst_and_then_one_for_each_span() {
        let bucket = Bucket { burst: 3, refill: SECOND };
        let mut full_at = Timestamp::default();
        assert_eq!(takes(bucket, &mut full_at, at(0)), 3);
        assert_eq!(bucket.next_at(full_at, at(400)), at(1_000));
        assert_eq!(takes(bucket, &mut full_at, at(999)), 0);
        assert_eq!(takes(bucket, &mut full_at, at(1_000)), 1);
        assert_eq!(takes(bucket, &mut full_at, at(3_500)), 2);
        assert_eq!(takes(bucket, &mut full_at, at(1_000_000)), 3);
    }

    #[test]
    fn a_bucket_of_none_is_no_limit() {
        let bucket = Bucket { burst: 0, refill: SECOND };
        assert_eq!(takes(bucket, &mut Timestamp::default(), at(0)), 100);
    }
}
