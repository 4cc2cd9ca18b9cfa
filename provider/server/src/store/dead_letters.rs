use apns_provider_core::{DeviceToken, UnixTime};
use apns_provider_server_core::{
    device::{Environment, Kind},
    ids::{AppId, DeviceId},
    outcome::Why,
};

use super::{ShardKey, Store, StoreError};

/// A recipient that is a dead letter.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct DeadLetterId {
    /// Of which shard.
    pub shard: ShardKey,
    /// Which recipient of it.
    pub position: u16,
}

/// A recipient that somebody should look at, until it is sent again or forgotten. What it was to get is its notification's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeadLetter {
    /// Which.
    pub id: DeadLetterId,
    /// Where its token works.
    pub environment: Environment,
    /// What its token was issued for.
    pub kind: Kind,
    /// Its token when it was planned.
    pub token: DeviceToken,
    /// Its device, if it was one.
    pub device: Option<DeviceId>,
    /// The HTTP status of the last answer; 0 if there was none.
    pub status: u16,
    /// Why it ended so.
    pub why: Option<Why>,
    /// When.
    pub at: UnixTime,
}

impl Store {
    /// An app's dead letters in the order in which their notifications were handed in, behind this one.
    pub async fn dead_letters(
        &self,
        app: AppId,
        after: Option<DeadLetterId>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        todo!()
    }

    /// How many dead letters an app has.
    pub async fn count_dead_letters(&self, app: AppId) -> Result<u64, StoreError> {
        todo!()
    }

    /// Forgets dead letters. Returns how many there were. Those that are sent again are taken by [`Store::submit`].
    pub async fn remove_dead_letters(&self, app: AppId, ids: &[DeadLetterId]) -> Result<u64, StoreError> {
        todo!()
    }
}
