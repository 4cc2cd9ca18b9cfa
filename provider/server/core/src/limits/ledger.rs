use std::collections::{BTreeMap, BTreeSet};

use apns_provider_core::UnixTime;

use super::{Allowance, Rate};

/// What was taken of the rates of many, as a store keeps it: what is known is put in, what is asked is decided one after the other, and
/// what has changed is to be stored in the same transaction.
#[derive(Clone, Debug)]
pub struct Ledger<K, T> {
    known: BTreeMap<K, Paid<T>>,
    changed: BTreeSet<K>,
}

/// What is remembered of one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Paid<T> {
    /// Until when it is paid for.
    pub until: UnixTime,
    /// Who has taken last, if that is of interest.
    pub by: Option<T>,
}

/// There may be no more now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Over {
    /// Which of those that were asked for: the one that has to wait longest.
    pub which: usize,
    /// When to come back.
    pub retry_after: std::time::Duration,
}

impl<K, T> Default for Ledger<K, T> {
    fn default() -> Self {
        Self { known: BTreeMap::new(), changed: BTreeSet::new() }
    }
}

impl<K: Copy + Ord, T: Copy + Eq> Ledger<K, T> {
    /// What the store knows of this one.
    pub fn put(&mut self, key: K, paid: Paid<T>) {
        self.known.insert(key, paid);
    }

    /// Takes so many of each, or nothing of any.
    pub fn take(&mut self, now: UnixTime, asked: &[(K, Rate, u32)], by: Option<T>) -> Result<(), Over> {
        let mut taken = BTreeMap::new();
        let mut over: Option<Over> = None;
        for (which, (key, rate, count)) in asked.iter().enumerate() {
            let before = taken.get(key).copied().or_else(|| self.known.get(key).map(|paid| paid.until));
            match rate.take(now, before, *count) {
                Allowance::Taken { paid_until } => {
                    taken.insert(*key, paid_until);
                }
                Allowance::Refused { retry_after } => {
                    if over.is_none_or(|over| over.retry_after < retry_after) {
                        over = Some(Over { which, retry_after });
                    }
                }
            }
        }
        if let Some(over) = over {
            return Err(over);
        }
        for (key, until) in taken {
            self.known.insert(key, Paid { until, by });
            self.changed.insert(key);
        }
        Ok(())
    }

    /// Takes one of each for this one, unless it was the last to take: then it has paid. Who was told to send and did not, since its
    /// process died, does not wait once more.
    pub fn take_once(&mut self, now: UnixTime, asked: &[(K, Rate, u32)], by: T) -> Result<(), Over> {
        let has_paid = |key: &K| self.known.get(key).is_some_and(|paid| paid.by == Some(by));
        if asked.iter().all(|(key, ..)| has_paid(key)) {
            return Ok(());
        }
        self.take(now, asked, Some(by))
    }

    /// What is to be stored.
    pub fn changed(&self) -> impl Iterator<Item = (K, Paid<T>)> {
        self.changed.iter().filter_map(|key| Some((*key, *self.known.get(key)?)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn rate(count: u32) -> Rate {
        Rate::new(count, Duration::from_secs(10)).unwrap()
    }

    #[test]
    fn c76_all_is_taken_or_nothing_and_who_waits_longest_is_named() {
        let mut ledger = Ledger::<u8, ()>::default();
        let both = [(1, rate(10), 1), (2, rate(1), 1)];
        assert_eq!(ledger.take(NOW, &both, None), Ok(()));
        let over = Over { which: 1, retry_after: Duration::from_secs(10) };
        assert_eq!(ledger.take(NOW, &both, None), Err(over));
        let until = UnixTime::from_secs(NOW.as_secs() + 1);
        let first = ledger.changed().next().unwrap();
        assert_eq!(first, (1, Paid { until, by: None }), "what was refused has cost nothing");
        assert!(ledger.take(NOW, &[(3, rate(1), 1), (3, rate(1), 1)], None).is_err(), "twice in one request");
    }

    #[test]
    fn c76_who_has_paid_last_does_not_pay_again() {
        let mut ledger = Ledger::default();
        ledger.put(1, Paid { until: UnixTime::from_secs(NOW.as_secs() + 10), by: Some('a') });
        let asked = [(1, rate(1), 1)];
        assert_eq!(ledger.take_once(NOW, &asked, 'a'), Ok(()));
        assert_eq!(ledger.changed().count(), 0);
        assert!(ledger.take_once(NOW, &asked, 'b').is_err());
        let later = UnixTime::from_secs(NOW.as_secs() + 10);
        assert_eq!(ledger.take_once(later, &asked, 'b'), Ok(()));
        assert!(ledger.take_once(later, &asked, 'a').is_err());
    }
}
