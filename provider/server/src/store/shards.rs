//! Claiming shards, and giving them back.

use std::{sync::Arc, time::Duration};

use apns_provider_core::{BundleId, UnixTime};
use apns_provider_server_core::{
    ids::RegistrationNumber,
    lanes::Lane,
    message::{Composed, Deadline},
    notification::Delivery,
    shard::{Positions, Shard},
};

use super::{Rest, ShardKey, Source, Store, StoreError, Waiting};

/// Who works: one process, by a number that it draws when it starts.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Owner(pub i64);

/// What is to be claimed.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// By whom.
    pub owner: Owner,
    /// Of which lane.
    pub lane: Lane,
    /// Until they have so many recipients: the last one may go beyond.
    pub recipients: usize,
    /// So many shards at most.
    pub shards: usize,
    /// None of these.
    pub except: Vec<Source>,
    /// For how long.
    pub lease: Duration,
    /// Now.
    pub now: UnixTime,
}

/// What was claimed.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// The shards, leased to the owner.
    pub shards: Vec<ClaimedShard>,
    /// When the next one of the lane is due, of those that may be claimed; if there is one, and it is not due yet.
    pub next_at: Option<UnixTime>,
}

/// A shard, with everything that is to be known to send it.
#[derive(Clone, Debug)]
pub struct ClaimedShard {
    /// Which.
    pub key: ShardKey,
    /// Whose pushes they are.
    pub source: Source,
    /// The app's bundle ID.
    pub bundle_id: BundleId,
    /// How urgent they are.
    pub lane: Lane,
    /// To whom.
    pub recipients: Shard,
    /// What they get. Shards of one notification that were claimed together share it.
    pub message: Arc<Composed>,
    /// Until when it is of use.
    pub deadline: Deadline,
    /// Whether a push of which nobody knows whether it was processed is sent again.
    pub delivery: Delivery,
    /// Whether it is for the devices' users, and not for whoever has the devices.
    pub is_for_users: bool,
    /// How often it has gone back.
    pub rounds: u16,
    /// Those that have an outcome.
    pub done: Positions,
    /// Those that were marked before they were sent.
    pub started: Positions,
    /// Those that were tried before.
    pub waiting: Vec<Waiting>,
    /// Those for whose device a later notification with the same collapse ID has started.
    pub replaced: Positions,
    /// Those whose device has been registered again since, with what it is now, and those whose device is gone.
    pub changed: Vec<(u16, Option<CurrentDevice>)>,
}

/// A device as it is now: what [`Standing`](apns_provider_server_core::device::Standing) is decided by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CurrentDevice {
    /// Its token, as bytes.
    pub token: Vec<u8>,
    /// The registration with which its user became its user.
    pub user_since: RegistrationNumber,
}

impl Store {
    /// Leases shards of a lane that are due, those that have been due longest first, a share to each app and campaign. None that is paused
    /// or cancelled, and of a campaign with a pace no more than that.
    pub async fn claim_shards(&self, request: ClaimRequest) -> Result<Claimed, StoreError> {
        todo!()
    }

    /// Renews leases. Returns those that are not this owner's any more.
    pub async fn renew_shards(
        &self,
        owner: Owner,
        shards: &[ShardKey],
        lease: Duration,
        now: UnixTime,
    ) -> Result<Vec<ShardKey>, StoreError> {
        todo!()
    }

    /// Gives shards back. What is not this owner's any more is let alone.
    pub async fn release_shards(
        &self,
        owner: Owner,
        shards: &[(ShardKey, Rest)],
        now: UnixTime,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// Marks recipients as sent, before they are, and forgets that they waited. `false`: the shard is not this owner's any more, and nothing
    /// was marked.
    pub async fn start_recipients(
        &self,
        owner: Owner,
        shard: ShardKey,
        positions: Positions,
    ) -> Result<bool, StoreError> {
        todo!()
    }
}
