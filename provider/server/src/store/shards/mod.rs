//! Claiming shards, and giving them back.

mod charging;
mod claiming;
mod handing_over;
mod reading;
mod returning;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use apns_provider_core::{BundleId, UnixTime};
use apns_provider_server_core::{
    ids::RegistrationNumber,
    lanes::Lane,
    message::{Composed, Deadline},
    notification::Delivery,
    shard::{Positions, Shard},
};

use super::{
    Rest, ShardKey, Source, Store, StoreError, Waiting, leased::LeasedShard, settings::Weight, sql::Table,
    times::later,
};
use claiming::LeasedRow;
pub use handing_over::Variants;
use returning::Start;
pub(super) use returning::unmark;

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

/// A shard, with everything that is to be known to send it: [as a worker takes it](ClaimedShard::into_claim).
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
    /// Those whose device had too many of late, and when to look again.
    pub waits: Vec<(u16, UnixTime)>,
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
        let lease = (later(request.now, request.lease), request.now);
        let leased = self
            .database()
            .write(Weight::Progress, request.clone(), |request, it| Box::pin(claiming::claim(request, it)))
            .await?;
        let next_at = leased.next_at;
        if leased.rows.is_empty() {
            return Ok(Claimed { shards: Vec::new(), next_at });
        }
        let rows: BTreeMap<ShardKey, (i64, i64)> = leased
            .rows
            .iter()
            .map(|row| {
                (ShardKey { notification: row.notification, number: row.number }, (row.sequence, row.queue))
            })
            .collect();
        match self.read_leased(leased.rows, &request).await {
            Ok(shards) => {
                let kept = shards.iter().filter_map(|shard| {
                    let (sequence, queue) = *rows.get(&shard.key)?;
                    let recipients = shard.recipients.clone();
                    Some((shard.key, LeasedShard { sequence, queue, source: shard.source, recipients }))
                });
                self.inner.leased.keep(kept, lease.0, lease.1);
                Ok(Claimed { shards, next_at })
            }
            Err(error) => {
                // What nobody knows of is not to be waited for: they are not done, so that they are due at once.
                let back: Vec<_> = rows.keys().map(|key| (*key, Rest::Done)).collect();
                if let Err(error) = self.release_shards(request.owner, &back, request.now).await {
                    tracing::debug!(%error, "shards stay leased until their lease ends");
                }
                Err(error)
            }
        }
    }

    /// What is to be known of them; and of apps that say how often a device may have pushes, who has to wait.
    async fn read_leased(
        &self,
        rows: Vec<LeasedRow>,
        request: &ClaimRequest,
    ) -> Result<Vec<ClaimedShard>, StoreError> {
        let (mut shards, charges) = reading::read(rows, request, &mut self.reader().await?).await?;
        if charges.is_empty() {
            return Ok(shards);
        }
        let data = (charges, request.now);
        let waits = self
            .database()
            .write(Weight::Progress, data, |data, it| Box::pin(charging::charge(data, it)))
            .await?;
        for (at, waits) in waits {
            if let Some(shard) = shards.get_mut(at) {
                shard.waits = waits;
            }
        }
        Ok(shards)
    }

    /// Renews leases. Returns those that are not this owner's any more.
    pub async fn renew_shards(
        &self,
        owner: Owner,
        shards: &[ShardKey],
        lease: Duration,
        now: UnixTime,
    ) -> Result<Vec<ShardKey>, StoreError> {
        let until = later(now, lease);
        let found = self.inner.leased.find(shards.iter().copied(), async || self.reader().await).await?;
        let mut input = Table::new(2);
        for (key, shard) in &found {
            input.push([shard.sequence.into(), key.number.into()]);
        }
        let data = (owner, input, until);
        let renewed = self
            .database()
            .write(Weight::Progress, data, |data, it| Box::pin(returning::renew(data, it)))
            .await?;
        let renewed: BTreeSet<_> = renewed.into_iter().collect();
        let is_renewed = |key: &ShardKey| {
            found.get(key).is_some_and(|shard| renewed.contains(&(shard.sequence, key.number)))
        };
        let (kept, lost): (Vec<ShardKey>, Vec<ShardKey>) = shards.iter().partition(|key| is_renewed(key));
        self.inner.leased.renew(&kept, until);
        Ok(lost)
    }

    /// Gives shards back. What is not this owner's any more is let alone.
    pub async fn release_shards(
        &self,
        owner: Owner,
        shards: &[(ShardKey, Rest)],
        now: UnixTime,
    ) -> Result<(), StoreError> {
        let keys = shards.iter().map(|(key, _)| *key);
        let found = self.inner.leased.find(keys, async || self.reader().await).await?;
        let mut input = Table::new(4);
        for (key, rest) in shards {
            let Some(shard) = found.get(key) else { continue };
            let (due_at, rounds) = match rest {
                // If the store knows better, it is due at once.
                Rest::Done => (now, None),
                Rest::Until { not_before, rounds } => (*not_before, Some(*rounds)),
            };
            input.push([shard.sequence.into(), key.number.into(), due_at.into(), rounds.into()]);
        }
        let data = (owner, input);
        self.database()
            .write(Weight::Progress, data, |data, it| Box::pin(returning::release(data, it)))
            .await?;
        self.inner.leased.forget(shards.iter().map(|(key, _)| key));
        Ok(())
    }

    /// Marks recipients as sent, before they are, and forgets that they waited. `false`: the shard is not this owner's any more, and nothing
    /// was marked.
    pub async fn start_recipients(
        &self,
        owner: Owner,
        shard: ShardKey,
        positions: Positions,
    ) -> Result<bool, StoreError> {
        let found = self.inner.leased.find([shard].into_iter(), async || self.reader().await).await?;
        let Some(leased) = found.get(&shard) else { return Ok(false) };
        let start = Start { owner, sequence: leased.sequence, number: shard.number, positions };
        // What is sent once at most is promised not to be sent twice.
        self.database().write(Weight::Promise, start, |start, it| Box::pin(returning::start(start, it))).await
    }
}
