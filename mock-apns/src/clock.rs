//! The machine's clock, which the core must not read.

use std::time::{SystemTime, UNIX_EPOCH};

use mock_apns_core::Timestamp;

/// The time now. A machine whose clock is set before 1970 counts as at 1970.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(since_epoch.as_millis() as u64)
}
