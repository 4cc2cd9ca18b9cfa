//! What is worked on, as the worker calls it.

use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    device::Environment,
    ids::{AppId, DeviceId, NotificationId, RegistrationNumber},
    outcome::{FinalOutcome, Wait},
};

/// Which shard: of all notifications there is one.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ShardKey {
    /// Of which notification.
    pub notification: NotificationId,
    /// Its number within it.
    pub number: u32,
}

/// Where pushes come from and go to: an app in an environment. Each has a client of its own.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Source {
    /// Which app.
    pub app: AppId,
    /// Which environment.
    pub environment: Environment,
}

/// What somebody has cancelled or paused. What is in the engine goes on in any case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stop {
    /// What is not sent yet ends as cancelled.
    Cancel(NotificationId),
    /// What is not sent yet goes back, and the store hands none of the app out until it is resumed.
    PauseApp(AppId),
    /// The same of one campaign.
    PauseCampaign(NotificationId),
}

/// A recipient that was tried before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Waiting {
    /// Which.
    pub position: u16,
    /// How often it was tried.
    pub attempts: u8,
    /// When to try again.
    pub until: UnixTime,
    /// Whether it was sent once and not answered.
    pub maybe_twice: bool,
}

/// What becomes of a shard that is given back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rest {
    /// All of its recipients have an outcome: it is never claimed again.
    Done,
    /// It may be claimed again.
    Until {
        /// Not before this.
        not_before: UnixTime,
        /// How often it has gone back now.
        rounds: u16,
    },
}

/// What has become of one recipient.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// In which shard.
    pub shard: ShardKey,
    /// Which.
    pub position: u16,
    /// What has become of it.
    pub fate: Fate,
}

/// What has become of a recipient.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fate {
    /// That was it. Stored unless it has an outcome already: the first counts. It waits no more, and is not marked any more.
    Final(FinalOutcome),
    /// It waits. Stored only while the shard is leased to this worker, and it is not marked as sent any more.
    Wait(Wait),
}

/// What an answer says of a device's token, as it was registered when the push was planned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TokenFinding {
    /// Whose app it is.
    pub source: Source,
    /// Which device.
    pub device: DeviceId,
    /// Which of its registrations: a later one is not meant.
    pub number: RegistrationNumber,
}
