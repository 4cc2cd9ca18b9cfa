use std::time::Duration;

use apns_provider_core::UnixTime;
use thiserror::Error;

/// So many within so long: at once, or spread.
///
/// What was taken is remembered as one moment, until when it is paid for (GCRA, ATM Forum TM 4.1): a column in the store, or a
/// number in memory.
///
/// ```
/// use std::time::Duration;
/// use apns_provider_core::UnixTime;
/// use apns_provider_server_core::limits::{Allowance, Rate};
///
/// // Two background pushes to a device within 40 minutes: one in 20.
/// let rate = Rate::new(2, Duration::from_mins(40))?;
/// let now = UnixTime::from_secs(1_700_000_000);
/// let Allowance::Taken { paid_until } = rate.take(now, None, 1) else { panic!() };
/// let Allowance::Taken { paid_until } = rate.take(now, Some(paid_until), 1) else { panic!() };
/// assert_eq!(rate.take(now, Some(paid_until), 1), Allowance::Refused { retry_after: Duration::from_mins(20) });
/// # Ok::<(), apns_provider_server_core::limits::InvalidRate>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    burst: u32,
    within: Duration,
}

/// Whether there may be more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Allowance {
    /// Not now.
    Refused {
        /// When to come back.
        retry_after: Duration,
    },
    /// It is taken.
    Taken {
        /// Until when it is paid for: what to remember.
        paid_until: UnixTime,
    },
}

/// A rate that could never work.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a rate is 1 to {COUNT_MAX} within 1 ms to 30 days, and not {count} within {within:?}")]
pub struct InvalidRate {
    /// How many.
    pub count: u32,
    /// Within how long.
    pub within: Duration,
}

impl Rate {
    /// `count` within this time.
    pub fn new(count: u32, within: Duration) -> Result<Self, InvalidRate> {
        let fits = (1..=COUNT_MAX).contains(&count) && within >= WITHIN_MIN && within <= WITHIN_MAX;
        if fits { Ok(Self { burst: count, within }) } else { Err(InvalidRate { count, within }) }
    }

    /// How many there may be at once.
    pub fn burst(self) -> u32 {
        self.burst
    }

    /// Within how long there may be so many.
    pub fn within(self) -> Duration {
        self.within
    }

    /// Takes so many, if there may be so many now. More than there may ever be at once are taken as all of them.
    pub fn take(self, now: UnixTime, paid_until: Option<UnixTime>, count: u32) -> Allowance {
        let now = nanos(now);
        let full = self.within.as_nanos();
        // What is further ahead than can be was remembered by a clock that has been set back since.
        let paid = paid_until.map_or(now, |it| nanos(it).clamp(now, now + full));
        let cost = full * u128::from(count.min(self.burst)) / u128::from(self.burst);
        let over = (paid + cost).saturating_sub(now + full);
        if over > 0 {
            return Allowance::Refused { retry_after: duration(over) };
        }
        Allowance::Taken { paid_until: UnixTime::from_millis(millis(paid + cost)) }
    }
}

fn nanos(moment: UnixTime) -> u128 {
    u128::from(moment.as_millis()) * NANOS_PER_MILLI
}

/// Rounded up: nobody gets more by asking often.
fn millis(nanos: u128) -> u64 {
    u64::try_from(nanos.div_ceil(NANOS_PER_MILLI)).unwrap_or(u64::MAX)
}

fn duration(nanos: u128) -> Duration {
    Duration::from_millis(millis(nanos))
}

const NANOS_PER_MILLI: u128 = 1_000_000;
const COUNT_MAX: u32 = 10_000_000;
const WITHIN_MIN: Duration = Duration::from_millis(1);
const WITHIN_MAX: Duration = Duration::from_hours(30 * 24);

#[cfg(test)]
mod tests {
    use proptest::{collection, prelude::*};

    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn later(millis: u64) -> UnixTime {
        UnixTime::from_millis(NOW.as_millis() + millis)
    }

    fn rate(count: u32, secs: u64) -> Rate {
        Rate::new(count, Duration::from_secs(secs)).unwrap()
    }

    #[test]
    fn what_is_not_used_is_there_later_and_never_more() {
        let rate = rate(10, 10);
        let mut paid = None;
        let mut taken = |now, count| match rate.take(now, paid, count) {
            Allowance::Taken { paid_until } => {
                paid = Some(paid_until);
                None
            }
            Allowance::Refused { retry_after } => Some(retry_after),
        };
        assert_eq!(taken(NOW, 10), None);
        assert_eq!(taken(NOW, 1), Some(Duration::from_secs(1)));
        assert_eq!(taken(later(3000), 4), Some(Duration::from_secs(1)));
        assert_eq!(taken(later(3000), 3), None);
        assert_eq!(taken(later(1_000_000), 10), None);
        assert_eq!(taken(later(1_000_000), 1), Some(Duration::from_secs(1)), "no more than ten at once");
    }

    #[test]
    fn more_than_there_may_ever_be_is_taken_as_all() {
        assert!(matches!(rate(10, 10).take(NOW, None, 5000), Allowance::Taken { .. }));
        let Allowance::Taken { paid_until } = rate(10, 10).take(NOW, None, 5000) else { panic!() };
        assert_eq!(paid_until, later(10_000));
    }

    #[test]
    fn a_clock_that_was_set_back_lets_nobody_wait_longer_than_once_around() {
        let refused = rate(10, 10).take(NOW, Some(later(86_400_000)), 1);
        assert_eq!(refused, Allowance::Refused { retry_after: Duration::from_secs(1) });
    }

    #[test]
    fn rates_that_could_never_work_are_refused() {
        for (count, within) in
            [(0, Duration::from_secs(1)), (1, Duration::ZERO), (1, Duration::from_hours(24 * 31))]
        {
            assert_eq!(Rate::new(count, within), Err(InvalidRate { count, within }));
        }
    }

    proptest! {
        #[test]
        fn within_any_time_there_is_no_more_than_twice_what_may_be_and_who_comes_back_gets_it(
            burst in 1..50_u32, secs in 1..100_u64, steps in collection::vec((0..5000_u64, 1..10_u32), 1..100),
        ) {
            let rate = rate(burst, secs);
            let (mut at, mut paid, mut taken) = (0, None, Vec::new());
            for (wait, count) in steps {
                at += wait;
                match rate.take(later(at), paid, count) {
                    Allowance::Taken { paid_until } => {
                        paid = Some(paid_until);
                        taken.push((at, count.min(burst)));
                    }
                    Allowance::Refused { retry_after } => {
                        let again = later(at + u64::try_from(retry_after.as_millis()).unwrap());
                        let is_taken = matches!(rate.take(again, paid, count), Allowance::Taken { .. });
                        prop_assert!(is_taken);
                    }
                }
            }
            for (begin, _) in &taken {
                let within = taken.iter().filter(|(at, _)| at >= begin && at - begin < secs * 1000);
                prop_assert!(within.map(|(_, count)| count).sum::<u32>() <= 2 * burst);
            }
        }
    }
}
