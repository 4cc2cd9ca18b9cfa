//! What is done now and then: ending what was cancelled, and forgetting what is old.

use std::time::Duration;

use apns_provider_core::UnixTime;

use super::{Store, StoreError};

/// How long things are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retention {
    /// Notifications after they are finished, with their outcomes and dead letters.
    pub notifications: Duration,
    /// Idempotency keys after they were used.
    pub idempotency_keys: Duration,
    /// Numbers by minute.
    pub recent: Duration,
    /// The audit log.
    pub audit: Duration,
}

/// What a step of housekeeping has done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Swept {
    /// Recipients that ended as cancelled.
    pub cancelled: u64,
    /// Rows that were forgotten.
    pub forgotten: u64,
    /// Whether there is more to do: ask again at once.
    pub is_more: bool,
}

impl Default for Retention {
    fn default() -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self { notifications: 7 * DAY, idempotency_keys: DAY, recent: 2 * DAY, audit: 365 * DAY }
    }
}

impl Store {
    /// A step of housekeeping, which takes a fraction of a second: ends recipients of cancelled notifications, and forgets what is old.
    pub async fn sweep(&self, retention: &Retention, now: UnixTime) -> Result<Swept, StoreError> {
        todo!()
    }
}
