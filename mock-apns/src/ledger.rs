//! What connections make the double hold in memory: one account each, and a limit for all together.
//!
//! A request that never ends, an answer that nobody reads: each is small, and a connection may have a thousand. Honest providers hold
//! next to nothing, since a request is answered as soon as it is whole. So nothing is asked of anyone until all together hold
//! too much; then those end which hold more than an equal share, and the small ones go on.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// Bytes that the connections of providers may hold together before the largest end; twice that is never held. A thousand requests of
/// the largest size under way on forty connections are less.
pub(crate) const HELD_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Bytes by which an account is wrong at most: most batches change next to nothing.
const STEP_BYTES: u64 = 4 * 1024;

/// What all connections hold; a handle, cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Ledger(Arc<Totals>);

#[derive(Debug)]
struct Totals {
    max: u64,
    held: AtomicU64,
    accounts: AtomicU64,
}

/// What one connection holds, until it is dropped.
#[derive(Debug)]
pub(crate) struct Account {
    totals: Arc<Totals>,
    held: u64,
}

impl Ledger {
    pub(crate) fn new(max: u64) -> Self {
        Self(Arc::new(Totals { max, held: AtomicU64::new(0), accounts: AtomicU64::new(0) }))
    }

    /// The account of one more connection.
    pub(crate) fn open(&self) -> Account {
        self.0.accounts.fetch_add(1, Relaxed);
        Account { totals: Arc::clone(&self.0), held: 0 }
    }

    /// Bytes that all hold together.
    pub(crate) fn held(&self) -> u64 {
        self.0.held.load(Relaxed)
    }
}

impl Account {
    /// The connection holds so many bytes now. `false`: all hold too much, and this one more than its share.
    pub(crate) fn hold(&mut self, bytes: u64) -> bool {
        let Totals { max, held, accounts } = &*self.totals;
        if bytes.abs_diff(self.held) >= STEP_BYTES {
            held.fetch_add(bytes, Relaxed);
            held.fetch_sub(self.held, Relaxed);
            self.held = bytes;
        }
        held.load(Relaxed) <= *max || self.held <= max / accounts.load(Relaxed).max(1)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.totals.held.fetch_sub(self.held, Relaxed);
        self.totals.accounts.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u64 = 1024;

    #[test]
    fn who_holds_more_than_a_share_ends_when_all_hold_too_much() {
        let ledger = Ledger::new(100 * KIB);
        let [mut large, mut small] = [ledger.open(), ledger.open()];
        assert!(large.hold(90 * KIB) && small.hold(10 * KIB), "as much as there may be");
        assert!(small.hold(20 * KIB), "less than half of it");
        assert!(!large.hold(90 * KIB));
        drop(large);
        assert_eq!(ledger.held(), 20 * KIB);
        assert!(small.hold(90 * KIB));
        drop(small);
        assert_eq!(ledger.held(), 0);
    }

    #[test]
    fn what_is_held_never_exceeds_twice_the_limit() {
        let ledger = Ledger::new(100 * KIB);
        let mut all: Vec<Account> = Vec::new();
        for _ in 0..50 {
            all.push(ledger.open());
            for bytes in (0..200).step_by(4) {
                all.retain_mut(|account| account.hold(bytes * KIB));
                assert!(ledger.held() <= 200 * KIB, "{}", ledger.held());
            }
            assert!(all.iter_mut().all(|account| account.hold(0)));
        }
    }
}
