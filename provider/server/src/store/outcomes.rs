//! What became of recipients.

use apns_provider_core::{DeviceToken, UnixTime};
use apns_provider_server_core::{
    ids::{AppId, DeviceId, NotificationId},
    outcome::FinalOutcome,
};

use super::{Entry, Owner, RemovedDevice, ShardKey, Store, StoreError, TokenFinding};

/// What has become of recipients, and of their tokens: a worker's batch.
#[derive(Clone, Copy, Debug)]
pub struct Outcomes<'a> {
    /// Whose batch it is.
    pub owner: Owner,
    /// What has become of recipients: each is in it once.
    pub entries: &'a [Entry],
    /// Devices to remove, each if its registration still is the one named.
    pub dead_tokens: &'a [TokenFinding],
    /// Devices whose token may be of the other environment: noted with them.
    pub suspects: &'a [TokenFinding],
    /// Now.
    pub now: UnixTime,
}

/// What was stored of a batch.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Recorded {
    /// Outcomes that were stored. The others were there before, or are of shards that are not there any more.
    pub stored: u64,
    /// Devices that were removed.
    pub removed: Vec<RemovedDevice>,
    /// Notifications that have an outcome for each recipient with this.
    pub finished: Vec<NotificationId>,
}

/// The outcome of one recipient.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecordedOutcome {
    /// Of which shard.
    pub shard: ShardKey,
    /// Which recipient of it.
    pub position: u16,
    /// Its device, if it was one.
    pub device: Option<DeviceId>,
    /// Its token when it was planned.
    pub token: DeviceToken,
    /// What became of it.
    pub outcome: FinalOutcome,
    /// When.
    pub at: UnixTime,
}

impl Store {
    /// Stores a batch in one transaction: outcomes, unless there is one already; who waits, while the shard is the owner's; counters; dead
    /// letters; dead tokens. A shard whose recipients all have an outcome is closed. It may be handed over again: nothing counts twice.
    pub async fn record(&self, outcomes: Outcomes<'_>) -> Result<Recorded, StoreError> {
        todo!()
    }

    /// Outcomes of an app's notification, in the order of shards and positions, behind this one.
    pub async fn outcomes(
        &self,
        app: AppId,
        notification: NotificationId,
        after: Option<(u32, u16)>,
        limit: usize,
    ) -> Result<Vec<RecordedOutcome>, StoreError> {
        todo!()
    }

    /// The latest outcomes of an app's device from `since` to `until`, the latest first; at most a page.
    pub async fn outcomes_of_device(
        &self,
        app: AppId,
        device: DeviceId,
        since: UnixTime,
        until: UnixTime,
        limit: usize,
    ) -> Result<Vec<RecordedOutcome>, StoreError> {
        todo!()
    }
}
