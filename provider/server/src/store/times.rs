use std::time::Duration;

use apns_provider_core::UnixTime;

/// So much later.
pub(super) fn later(time: UnixTime, by: Duration) -> UnixTime {
    let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    UnixTime::from_millis(time.as_millis().saturating_add(by))
}

/// So much earlier.
pub(super) fn earlier(time: UnixTime, by: Duration) -> UnixTime {
    let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    UnixTime::from_millis(time.as_millis().saturating_sub(by))
}
