//! The machine's clock: the core is told what time it is.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use apns_provider_core::UnixTime;
use tokio::time::Instant;

/// Says what the date is: for provider tokens, expirations and HTTP dates. Pauses and deadlines are measured by a steady clock that
/// nobody can set.
///
/// ```
/// use apns_provider::{Clock, core::UnixTime};
///
/// /// It is always 2001-09-09T01:46:40Z.
/// #[derive(Debug)]
/// struct Stopped;
///
/// impl Clock for Stopped {
///     fn now(&self) -> UnixTime {
///         UnixTime::from_secs(1_000_000_000)
///     }
/// }
/// ```
pub trait Clock: fmt::Debug + Send + Sync {
    /// What the date is. Is called for each push; do not take long.
    fn now(&self) -> UnixTime;
}

/// The machine's clock. Before 1970 it is 1970.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixTime::from_millis(since_epoch.as_millis() as u64)
    }
}

/// What the machine's clock says, for commands.
pub(crate) fn now() -> UnixTime {
    SystemClock.now()
}

/// So long after a moment of the steady clock, or, where that is further away than it can tell, in thirty years.
pub(crate) fn after(moment: Instant, length: Duration) -> Instant {
    moment.checked_add(length).unwrap_or_else(|| moment + DISTANT)
}

/// Thirty years: what is further away does not come.
const DISTANT: Duration = Duration::from_hours(30 * 365 * 24);
