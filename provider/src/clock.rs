//! The machine's clock: the core is told what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

use apns_provider_core::UnixTime;

/// Now. Before 1970 it is 1970.
pub(crate) fn now() -> UnixTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(since_epoch.as_millis() as u64)
}
