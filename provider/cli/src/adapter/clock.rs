use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use apns_provider::{Clock, SystemClock};
use apns_provider_core::UnixTime;

/// The machine's clock, moved to where the suite wants it; it goes on from there.
#[derive(Clone, Debug, Default)]
pub(super) struct SetClock {
    ahead_ms: Arc<AtomicI64>,
}

impl SetClock {
    pub(super) fn set(&self, now: UnixTime) {
        let ahead = now.as_millis().cast_signed().wrapping_sub(SystemClock.now().as_millis().cast_signed());
        self.ahead_ms.store(ahead, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> UnixTime {
        let ahead = self.ahead_ms.load(Ordering::Relaxed);
        UnixTime::from_millis(SystemClock.now().as_millis().saturating_add_signed(ahead))
    }
}
