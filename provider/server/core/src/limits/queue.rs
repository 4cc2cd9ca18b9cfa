use std::time::Duration;

use crate::problem::{Code, Problem};

/// Recipients that may be queued in a lane for one app, unless it says otherwise: a campaign of millions, and others beside it.
pub const QUEUED_OF_APP_MAX: u64 = 10_000_000;
/// Recipients that may be queued in a lane for one tenant, unless it says otherwise.
pub const QUEUED_OF_TENANT_MAX: u64 = 50_000_000;

/// How many recipients without an outcome may be in a lane: what is queued in the others does not count, so that a campaign does not keep
/// sign-in codes out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct QueueBounds {
    /// For one app.
    pub app: u64,
    /// For all apps of a tenant.
    pub tenant: u64,
}

/// How full a lane is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct QueueDepth {
    /// Of the app.
    pub app: Queued,
    /// Of all apps of its tenant.
    pub tenant: Queued,
}

/// How many are queued, and how fast they become fewer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Queued {
    /// Recipients without an outcome.
    pub recipients: u64,
    /// How many were finished in a second, on average lately.
    pub finished_per_second: u64,
}

impl Default for QueueBounds {
    fn default() -> Self {
        Self { app: QUEUED_OF_APP_MAX, tenant: QUEUED_OF_TENANT_MAX }
    }
}

impl QueueBounds {
    /// Whether so many recipients may be added. What alone is more than may be queued is taken by an empty queue: it would never be
    /// taken otherwise.
    pub fn admit(&self, depth: QueueDepth, adding: u64) -> Result<(), Problem> {
        let is_full = |Queued { recipients, .. }: Queued, most: u64| {
            recipients > 0 && recipients.saturating_add(adding) > most
        };
        let (whose, queued, most) = if is_full(depth.app, self.app) {
            ("app", depth.app, self.app)
        } else if is_full(depth.tenant, self.tenant) {
            ("tenant", depth.tenant, self.tenant)
        } else {
            return Ok(());
        };
        let recipients = queued.recipients;
        let over = recipients.saturating_add(adding).saturating_sub(most).min(recipients);
        let message = format!(
            "the {whose} has {recipients} recipients queued in this lane, and {most} may be; these are {adding} more"
        );
        Err(Problem::new(Code::QueueFull, message).with_retry_after(queued.time_for(over)))
    }
}

impl Queued {
    /// How long it takes until so many are finished, as it goes now: not so short that everybody is back at once, not so long that
    /// nobody comes back.
    fn time_for(self, recipients: u64) -> Duration {
        let secs = recipients.div_ceil(self.finished_per_second.max(1));
        Duration::from_secs(secs).clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX)
    }
}

const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);
const RETRY_AFTER_MAX: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: QueueBounds = QueueBounds { app: 100, tenant: 150 };

    fn depth(app: u64, tenant: u64) -> QueueDepth {
        let queued = |recipients, finished_per_second| Queued { recipients, finished_per_second };
        QueueDepth { app: queued(app, 10), tenant: queued(tenant, 20) }
    }

    #[test]
    fn c68_a_full_queue_is_said_with_when_to_come_back() {
        assert_eq!(BOUNDS.admit(depth(90, 90), 10), Ok(()));
        let problem = BOUNDS.admit(depth(90, 90), 45).unwrap_err();
        assert_eq!((problem.code().status(), problem.retry_after_secs()), (429, Some(4)));
        assert_eq!(
            problem.message(),
            "the app has 90 recipients queued in this lane, and 100 may be; these are 45 more"
        );
        let problem = BOUNDS.admit(depth(10, 150), 1).unwrap_err();
        assert!(problem.message().starts_with("the tenant has 150"), "{problem}");
    }

    #[test]
    fn what_is_more_than_may_be_is_taken_by_an_empty_queue() {
        assert_eq!(BOUNDS.admit(depth(0, 0), 1000), Ok(()));
        assert!(BOUNDS.admit(depth(1, 1), 1000).is_err());
    }

    #[test]
    fn nobody_is_sent_away_for_hours() {
        let app = |recipients| Queued { recipients, finished_per_second: 0 };
        let stuck = QueueDepth { app: app(100), ..depth(100, 100) };
        assert_eq!(BOUNDS.admit(stuck, u64::MAX).unwrap_err().retry_after_secs(), Some(100));
        let stuck = QueueDepth { app: app(1_000_000), ..stuck };
        assert_eq!(BOUNDS.admit(stuck, 1).unwrap_err().retry_after_secs(), Some(300));
    }
}
