//! What is asked of the store.

use std::time::Duration;

use apns_provider::Clock;
use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    ids::AppId,
    shard::Positions,
    webhook::News,
    worker::{Rest, ShardKey, Source},
};
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};

use super::planner;
use crate::store::{ClaimRequest, Claimed, Credential, Outcomes, Owner, Recorded, Signal, Store, StoreError};

/// What a pipeline asks of the store, and nothing else: a test can stand in for it, and be slow, or fail.
///
/// Each call means what the method of [`Store`] of the same name does.
pub trait Queue: Clone + Send + Sync + 'static {
    /// Leases shards.
    fn claim_shards(&self, request: ClaimRequest)
    -> impl Future<Output = Result<Claimed, StoreError>> + Send;

    /// Renews leases, and returns those that are lost.
    fn renew_shards(
        &self,
        owner: Owner,
        shards: &[ShardKey],
        lease: Duration,
        now: UnixTime,
    ) -> impl Future<Output = Result<Vec<ShardKey>, StoreError>> + Send;

    /// Gives shards back.
    fn release_shards(
        &self,
        owner: Owner,
        shards: &[(ShardKey, Rest)],
        now: UnixTime,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Marks recipients as sent, before they are.
    fn start_recipients(
        &self,
        owner: Owner,
        shard: ShardKey,
        positions: Positions,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Stores a batch.
    fn record(&self, outcomes: Outcomes<'_>) -> impl Future<Output = Result<Recorded, StoreError>> + Send;

    /// What an app authenticates with.
    fn credential(
        &self,
        source: Source,
    ) -> impl Future<Output = Result<Option<Credential>, StoreError>> + Send;

    /// Tells webhooks what happened to an app.
    fn tell_webhooks(
        &self,
        app: AppId,
        news: News,
        now: UnixTime,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Plans a notification that is due, from where its plan is to its end, and says whether there was one.
    fn plan_next(
        &self,
        owner: Owner,
        clock: &dyn Clock,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// What may have changed, from now on.
    fn signals(&self) -> BoxStream<'static, Signal>;
}

impl Queue for Store {
    async fn claim_shards(&self, request: ClaimRequest) -> Result<Claimed, StoreError> {
        self.claim_shards(request).await
    }

    async fn renew_shards(
        &self,
        owner: Owner,
        shards: &[ShardKey],
        lease: Duration,
        now: UnixTime,
    ) -> Result<Vec<ShardKey>, StoreError> {
        self.renew_shards(owner, shards, lease, now).await
    }

    async fn release_shards(
        &self,
        owner: Owner,
        shards: &[(ShardKey, Rest)],
        now: UnixTime,
    ) -> Result<(), StoreError> {
        self.release_shards(owner, shards, now).await
    }

    async fn start_recipients(
        &self,
        owner: Owner,
        shard: ShardKey,
        positions: Positions,
    ) -> Result<bool, StoreError> {
        self.start_recipients(owner, shard, positions).await
    }

    async fn record(&self, outcomes: Outcomes<'_>) -> Result<Recorded, StoreError> {
        self.record(outcomes).await
    }

    async fn credential(&self, source: Source) -> Result<Option<Credential>, StoreError> {
        self.credential(source).await
    }

    async fn tell_webhooks(&self, app: AppId, news: News, now: UnixTime) -> Result<(), StoreError> {
        self.tell_webhooks(app, news, now).await
    }

    async fn plan_next(&self, owner: Owner, clock: &dyn Clock) -> Result<bool, StoreError> {
        planner::plan_next(self, owner, clock).await
    }

    fn signals(&self) -> BoxStream<'static, Signal> {
        let next = |mut signals: crate::store::Signals| async { Some((signals.next().await?, signals)) };
        stream::unfold(self.signals(), next).boxed()
    }
}
