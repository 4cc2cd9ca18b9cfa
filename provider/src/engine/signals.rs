use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

/// What a connection's task is told by others.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    wake: Notify,
    end: AtomicU8,
}

/// Whether a connection is to end.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum End {
    /// It goes on.
    No,
    /// As soon as nothing is under way.
    Drained,
    /// At once.
    Cut,
}

impl Signals {
    /// There is something to take.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    pub(super) fn drain(&self) {
        self.end_by(End::Drained);
    }

    pub(super) fn cut(&self) {
        self.end_by(End::Cut);
    }

    /// Waits for any of it. Can be dropped at any time.
    pub(crate) async fn notified(&self) {
        self.wake.notified().await;
    }

    /// Waits until it is to end. Can be dropped at any time.
    pub(crate) async fn ended(&self) {
        while self.end() == End::No {
            self.notified().await;
        }
    }

    pub(crate) fn end(&self) -> End {
        match self.end.load(Ordering::Acquire) {
            0 => End::No,
            1 => End::Drained,
            _ => End::Cut,
        }
    }

    fn end_by(&self, end: End) {
        self.end.fetch_max(end as u8, Ordering::AcqRel);
        self.wake.notify_one();
    }
}
