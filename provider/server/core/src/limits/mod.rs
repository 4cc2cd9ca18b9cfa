//! How much of something there may be, and when to come back for more.

mod limiter;
mod queue;
mod rate;
mod request;

pub use limiter::Limiter;
pub use queue::{QUEUED_OF_APP_MAX, QUEUED_OF_TENANT_MAX, QueueBounds, QueueDepth};
pub use rate::{Allowance, InvalidRate, Rate};
pub use request::{Limits, LimitsRequest, RateRequest};

use std::time::Duration;

use crate::problem::{Code, Problem};

/// What a rate is of.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Limited {
    /// Pushes handed in for an app.
    App,
    /// Background pushes to one device: a push beyond waits, and one that replaces it by its collapse ID goes in its place.
    BackgroundOfDevice,
    /// Pushes to one device: a push beyond waits.
    Device,
    /// Requests of a tenant.
    Tenant,
    /// Pushes handed in for one user.
    User,
}

impl Limited {
    /// The answer to whoever asks for more than there may be.
    pub fn problem(self, rate: Rate, retry_after: Duration) -> Problem {
        let what = match self {
            Self::App => "pushes of this app",
            Self::BackgroundOfDevice => "background pushes to one device",
            Self::Device => "pushes to one device",
            Self::Tenant => "requests of this tenant",
            Self::User => "pushes to one user",
        };
        let (count, within) = (rate.burst(), rate.within());
        Problem::new(
            Code::RateLimited,
            format!("there may be {count} {what} within {within:?}, and there were"),
        )
        .with_retry_after(retry_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_refused_learns_what_is_limited_and_when_to_come_back() {
        let rate = Rate::new(10, Duration::from_mins(1)).unwrap();
        let problem = Limited::User.problem(rate, Duration::from_millis(5500));
        assert_eq!(problem.message(), "there may be 10 pushes to one user within 60s, and there were");
        assert_eq!((problem.code(), problem.retry_after_secs()), (Code::RateLimited, Some(6)));
    }
}
