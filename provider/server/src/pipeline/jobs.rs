//! What is asked of the store, each question in a task of its own, and what the worker is told of the answer.

use std::{sync::Arc, time::Duration};

use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    ids::AppId,
    lanes::Lane,
    outcome::{Cause, Why},
    shard::Positions,
    webhook::News,
    worker::{Batch, ClaimId, Entry, Fate, Input, Lease, Rest, ShardKey, Source},
};

use super::{clients::Loaded, queue::Queue, status::Counts};
use crate::store::{ClaimRequest, Outcomes, Owner, Recorded, StoreError, Variants};

/// A question is answered.
#[derive(Debug)]
pub(super) enum Done {
    /// A client's credential was looked up.
    Loaded { source: Source, loaded: Loaded },
    /// Nobody waits for it.
    Nothing,
    /// The worker is told.
    Told { input: Input, counts: Counts },
}

/// Who asks what.
#[derive(Clone, Debug)]
pub(super) struct Jobs<Q> {
    pub(super) queue: Q,
    pub(super) owner: Owner,
    pub(super) lease: Duration,
}

impl<Q: Queue> Jobs<Q> {
    pub(super) fn request(
        &self,
        lane: Lane,
        recipients: usize,
        shards: usize,
        except: Vec<Source>,
        now: UnixTime,
    ) -> ClaimRequest {
        ClaimRequest { owner: self.owner, lane, recipients, shards, except, lease: self.lease, now }
    }

    pub(super) async fn claim(self, request: ClaimRequest) -> Done {
        let lane = request.lane;
        match self.queue.claim_shards(request).await {
            Ok(claimed) => {
                let mut variants = Variants::default();
                let claims = claimed.shards.into_iter().map(|shard| shard.into_claim(&mut variants));
                let claims: Vec<_> = claims.collect();
                let counts = Counts { claimed: claims.len() as u64, ..Counts::default() };
                Done::Told { input: Input::Claimed { lane, claims, next_at: claimed.next_at }, counts }
            }
            Err(error) => failed("claim shards", &error, Input::ClaimFailed { lane }),
        }
    }

    pub(super) async fn record(self, batch: Arc<Batch>, now: UnixTime) -> Done {
        let outcomes = Outcomes {
            owner: self.owner,
            entries: batch.entries(),
            dead_tokens: batch.dead_tokens(),
            suspects: batch.suspects(),
            now,
        };
        match self.queue.record(outcomes).await {
            Ok(recorded) => {
                // What was marked and not sent waits as well, and what there is no budget for: nobody tried.
                let is_retry = |entry: &&Entry| match &entry.fate {
                    Fate::Wait(wait) => !matches!(wait.why, None | Some(Why::Ours(Cause::Draining))),
                    Fate::Final(_) => false,
                };
                let retries = batch.entries().iter().filter(is_retry).count() as u64;
                let counts = Counts { retries, ..counts_of(&recorded) };
                Done::Told { input: Input::Stored(batch.id()), counts }
            }
            Err(error) => failed("store outcomes", &error, Input::StoreFailed(batch.id())),
        }
    }

    pub(super) async fn renew(self, leases: Vec<Lease>, now: UnixTime) -> Done {
        let shards: Vec<ShardKey> = leases.iter().map(|lease| lease.shard).collect();
        match self.queue.renew_shards(self.owner, &shards, self.lease, now).await {
            Ok(lost) => {
                let lost = leases.iter().filter(|lease| lost.contains(&lease.shard));
                let input = Input::Renewed { lost: lost.map(|lease| lease.claim).collect() };
                Done::Told { input, counts: Counts::default() }
            }
            Err(error) => failed("renew leases", &error, Input::RenewFailed),
        }
    }

    pub(super) async fn start(self, claim: ClaimId, shard: ShardKey, positions: Positions) -> Done {
        match self.queue.start_recipients(self.owner, shard, positions).await {
            Ok(true) => Done::Told { input: Input::Started(claim), counts: Counts::default() },
            Ok(false) => Done::Told { input: Input::StartFailed(claim), counts: Counts::default() },
            Err(error) => failed("mark recipients", &error, Input::StartFailed(claim)),
        }
    }

    /// Who is not told by this is told of what it leads to: dead letters, or nothing.
    pub(super) async fn tell(self, app: AppId, news: News, now: UnixTime) -> Done {
        if let Err(error) = self.queue.tell_webhooks(app, news, now).await {
            tracing::warn!(%error, "webhooks are not told of an app's trouble");
        }
        Done::Nothing
    }

    /// What is not given back is free when its lease runs out.
    pub(super) async fn release(self, shards: Vec<(ShardKey, Rest)>, now: UnixTime) -> Done {
        if let Err(error) = self.queue.release_shards(self.owner, &shards, now).await {
            tracing::warn!(%error, shards = shards.len(), "shards could not be given back");
        }
        Done::Nothing
    }
}

fn failed(what: &str, error: &StoreError, input: Input) -> Done {
    tracing::warn!(%error, "the store did not {what}");
    Done::Told { input, counts: Counts { store_failures: 1, ..Counts::default() } }
}

fn counts_of(recorded: &Recorded) -> Counts {
    Counts {
        stored: recorded.stored,
        finished: recorded.finished.len() as u64,
        removed: recorded.removed.len() as u64,
        ..Counts::default()
    }
}
