use std::collections::BTreeMap;

use apns_provider_core::UnixTime;

use super::{Allowance, Rate};

/// What each of many has taken of its rate, in memory. It is bounded: of whoever may have all again nothing has to be remembered, and
/// when too many are left those that owe least are forgotten.
#[derive(Clone, Debug)]
pub struct Limiter<K> {
    paid_until: BTreeMap<K, UnixTime>,
    keys_max: usize,
}

impl<K: Clone + Ord> Limiter<K> {
    /// Nobody has taken anything. At most so many are remembered.
    pub fn new(keys_max: usize) -> Self {
        Self { paid_until: BTreeMap::new(), keys_max: keys_max.max(1) }
    }

    /// Takes so many for this one, if its rate allows so many now.
    pub fn take(&mut self, now: UnixTime, key: &K, rate: Rate, count: u32) -> Allowance {
        let allowance = rate.take(now, self.paid_until.get(key).copied(), count);
        if let Allowance::Taken { paid_until } = allowance {
            self.make_room(now, key);
            self.paid_until.insert(key.clone(), paid_until);
        }
        allowance
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.paid_until.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.paid_until.is_empty()
    }

    fn make_room(&mut self, now: UnixTime, key: &K) {
        if self.paid_until.len() < self.keys_max || self.paid_until.contains_key(key) {
            return;
        }
        self.paid_until.retain(|_, paid_until| *paid_until > now);
        if self.paid_until.len() < self.keys_max {
            return;
        }
        // Half of them at once, so that this is rare.
        let mut moments: Vec<UnixTime> = self.paid_until.values().copied().collect();
        let middle = moments.len() / 2;
        let (_, median, _) = moments.select_nth_unstable(middle);
        let median = *median;
        self.paid_until.retain(|_, paid_until| *paid_until > median);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn rate() -> Rate {
        Rate::new(2, Duration::from_secs(2)).unwrap()
    }

    #[test]
    fn each_has_its_own() {
        let mut limiter = Limiter::new(100);
        for key in [1, 2] {
            assert!(matches!(limiter.take(NOW, &key, rate(), 2), Allowance::Taken { .. }));
            assert!(matches!(limiter.take(NOW, &key, rate(), 1), Allowance::Refused { .. }));
        }
    }

    #[test]
    fn however_many_there_are_few_are_remembered_and_not_those_that_owe_nothing() {
        let mut limiter = Limiter::new(100);
        limiter.take(NOW, &0, rate(), 2);
        for key in 1..10_000 {
            limiter.take(NOW, &key, rate(), 1);
            assert!(limiter.len() <= 100);
        }
        assert!(
            matches!(limiter.take(NOW, &0, rate(), 1), Allowance::Refused { .. }),
            "who owes most is remembered"
        );
        let later = UnixTime::from_secs(NOW.as_secs() + 10);
        for key in 20_000..20_100 {
            limiter.take(later, &key, rate(), 1);
        }
        assert!(limiter.len() <= 100);
    }
}
