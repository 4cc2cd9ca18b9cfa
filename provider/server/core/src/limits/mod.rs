//! How much of something there may be, and when to come back for more.

mod ledger;
mod limiter;
mod queue;
mod rate;
mod settings;

pub use ledger::{Ledger, Over, Paid};
pub use limiter::Limiter;
pub use queue::{QUEUED_OF_APP_MAX, QUEUED_OF_TENANT_MAX, QueueBounds, QueueDepth, Queued};
pub use rate::{Allowance, InvalidRate, Rate};
pub use settings::{AppLimits, AppSettings, RateRequest, TenantLimits, TenantSettings};

use std::time::Duration;

use apns_provider_core::PushType;

use crate::{
    ids::UserId,
    problem::{Code, Problem},
};

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
    /// Notifications handed in for one user.
    User,
}

/// How often there may be pushes of an app.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rates {
    /// Pushes handed in for the app.
    pub pushes: Option<Rate>,
    /// Notifications handed in for one user.
    pub pushes_per_user: Option<Rate>,
    /// Pushes to one device.
    pub pushes_per_device: Option<Rate>,
    /// Background pushes to one device.
    pub background_per_device: Option<Rate>,
}

impl Limited {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::App, Self::BackgroundOfDevice, Self::Device, Self::Tenant, Self::User];

    /// The number it is stored by, which does not change.
    pub const fn number(self) -> u8 {
        match self {
            Self::App => 1,
            Self::User => 2,
            Self::Device => 3,
            Self::BackgroundOfDevice => 4,
            Self::Tenant => 5,
        }
    }

    /// What has this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.number() == number)
    }

    /// The answer to whoever asks for more than there may be; if it is for a user, for which.
    pub fn problem(self, rate: Rate, retry_after: Duration, user: Option<&UserId>) -> Problem {
        let what = match self {
            Self::App => "pushes of this app",
            Self::BackgroundOfDevice => "background pushes to one device",
            Self::Device => "pushes to one device",
            Self::Tenant => "requests of this tenant",
            Self::User => "notifications to one user",
        };
        let (count, within) = (rate.burst(), rate.within());
        let user = user.map(|user| format!(" to {}", user.as_str())).unwrap_or_default();
        let message = format!("there may be {count} {what} within {within:?}, and there were{user}");
        Problem::new(Code::RateLimited, message).with_retry_after(retry_after)
    }
}

impl Rates {
    /// Those that a push of this type to a device has to keep.
    pub fn of_device(&self, push_type: PushType) -> Vec<(Limited, Rate)> {
        let is_background = push_type == PushType::Background;
        let background = self.background_per_device.filter(|_| is_background);
        let of = |limited, rate: Option<Rate>| rate.map(|rate| (limited, rate));
        [of(Limited::Device, self.pushes_per_device), of(Limited::BackgroundOfDevice, background)]
            .into_iter()
            .flatten()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c76_who_is_refused_learns_what_is_limited_and_when_to_come_back() {
        let rate = Rate::new(10, Duration::from_mins(1)).unwrap();
        let ada = UserId::parse("ada").unwrap();
        let problem = Limited::User.problem(rate, Duration::from_millis(5500), Some(&ada));
        assert_eq!(
            problem.message(),
            "there may be 10 notifications to one user within 60s, and there were to ada"
        );
        assert_eq!((problem.code(), problem.retry_after_secs()), (Code::RateLimited, Some(6)));
    }

    #[test]
    fn only_background_pushes_keep_the_rate_of_background_pushes() {
        let rate = Rate::new(1, Duration::from_mins(20)).unwrap();
        let rates =
            Rates { pushes_per_device: Some(rate), background_per_device: Some(rate), ..Rates::default() };
        let of = |push_type| rates.of_device(push_type).into_iter().map(|(limited, _)| limited);
        assert_eq!(of(PushType::Alert).collect::<Vec<_>>(), [Limited::Device]);
        let both = [Limited::Device, Limited::BackgroundOfDevice];
        assert_eq!(of(PushType::Background).collect::<Vec<_>>(), both);
        assert!(Rates::default().of_device(PushType::Background).is_empty());
    }

    #[test]
    fn numbers_are_unique() {
        for limited in Limited::ALL {
            assert_eq!(Limited::from_number(limited.number()), Some(limited));
        }
    }
}
