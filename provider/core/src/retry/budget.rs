//! How many retries all pushes of a client may make together.

use std::time::Duration;

/// Retries in proportion to traffic: while APNs is in trouble, a client adds a tenth to its load at most, and not five times as
/// much. A few a second are always there, so that a client that sends little can retry at all. Times are those of any one steady
/// clock: a machine whose date is set gets no retries by it.
///
/// ```
/// use std::time::Duration;
/// use apns_provider_core::RetryBudget;
///
/// let now = Duration::ZERO;
/// let mut budget = RetryBudget::new(now);
/// assert!((0..10).all(|_| budget.spend(now)), "the reserve");
/// assert!(!budget.spend(now));
/// for _ in 0..10 {
///     budget.earn();
/// }
/// assert!(budget.spend(now), "one for ten pushes");
/// ```
#[derive(Clone, Debug)]
pub struct RetryBudget {
    /// In tenths of a retry.
    tenths: u64,
    refilled_at: Duration,
}

/// A retry for ten pushes.
const RETRY_TENTHS: u64 = 10;
/// What is there at once: as much as ten seconds of a client that sends little.
const RESERVE_TENTHS: u64 = 10 * RETRY_TENTHS;
/// A retry a second for clients that send little.
const TENTHS_PER_SEC: u64 = RETRY_TENTHS;
/// What can be saved up: a burst of a thousand retries.
const SAVED_TENTHS_MAX: u64 = 1000 * RETRY_TENTHS;

impl RetryBudget {
    /// The reserve, and nothing saved.
    pub fn new(now: Duration) -> Self {
        Self { tenths: RESERVE_TENTHS, refilled_at: now }
    }

    /// A push was sent for the first time.
    pub fn earn(&mut self) {
        self.tenths = (self.tenths + 1).min(SAVED_TENTHS_MAX);
    }

    /// A retry was answered, and not by asking for another one: what it took is there again, and as much once more. When APNs is well
    /// again, what has gathered meanwhile is retried ever faster, and not once a second; while more than half of the retries fail, it is
    /// not.
    pub fn repay(&mut self) {
        self.tenths = (self.tenths + 2 * RETRY_TENTHS).min(SAVED_TENTHS_MAX);
    }

    /// Takes one retry. `false`: there is none left.
    pub fn spend(&mut self, now: Duration) -> bool {
        self.refill(now);
        match self.tenths.checked_sub(RETRY_TENTHS) {
            Some(left) => {
                self.tenths = left;
                true
            }
            None => false,
        }
    }

    /// The reserve fills up by itself, and no further.
    fn refill(&mut self, now: Duration) {
        let secs = now.saturating_sub(self.refilled_at).as_secs();
        if secs == 0 {
            return;
        }
        if self.tenths < RESERVE_TENTHS {
            self.tenths = self.tenths.saturating_add(secs.saturating_mul(TENTHS_PER_SEC)).min(RESERVE_TENTHS);
        }
        self.refilled_at = self.refilled_at.saturating_add(Duration::from_secs(secs)); // the rest of a second counts next time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_seconds_are_not_lost() {
        let mut budget = RetryBudget::new(Duration::ZERO);
        while budget.spend(Duration::ZERO) {}
        let spent = [1900, 3800].map(|millis| {
            let now = Duration::from_millis(millis);
            std::iter::repeat_with(|| budget.spend(now)).take_while(|spent| *spent).count()
        });
        assert_eq!(spent, [1, 2], "3.8 seconds are three");
    }

    #[test]
    fn c53_in_steady_failure_retries_are_a_tenth_of_the_traffic_and_a_few() {
        let mut budget = RetryBudget::new(Duration::ZERO);
        let mut retries = 0;
        for second in 0..60 {
            for _ in 0..1000 {
                budget.earn();
                retries += u64::from(budget.spend(Duration::from_secs(second)));
            }
        }
        assert!((6000..6100).contains(&retries), "{retries} of 60,000");
    }

    #[test]
    fn what_has_gathered_is_retried_faster_and_faster_when_it_is_answered() {
        let mut budget = RetryBudget::new(Duration::ZERO);
        let retried = [0; 5].map(|_| {
            let retried =
                std::iter::repeat_with(|| budget.spend(Duration::ZERO)).take_while(|spent| *spent).count();
            (0..retried).for_each(|_| budget.repay());
            retried
        });
        assert_eq!(retried, [10, 20, 40, 80, 160]);
    }

    #[test]
    fn who_sends_little_may_retry_once_a_second() {
        let mut budget = RetryBudget::new(Duration::ZERO);
        let spent = |budget: &mut RetryBudget, second| {
            (0..100).take_while(|_| budget.spend(Duration::from_secs(second))).count()
        };
        assert_eq!((spent(&mut budget, 0), spent(&mut budget, 3), spent(&mut budget, 86_400)), (10, 3, 10));
    }
}
