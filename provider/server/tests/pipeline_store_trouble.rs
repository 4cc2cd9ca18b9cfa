//! A store that is slow, or fails: nothing is lost, nothing is doubled, and memory is bounded.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

mod databases;
mod pipeline_support;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use apns_provider::Clock;
use apns_provider_core::UnixTime;
use apns_provider_server::{
    pipeline::Queue,
    store::{ClaimRequest, Claimed, Credential, Outcomes, Owner, Recorded, Signal, Store, StoreError},
};
use apns_provider_server_core::{
    ids::AppId,
    outcome::Ending,
    shard::Positions,
    webhook::News,
    worker::{Rest, ShardKey, Source},
};
use databases::Database;
use futures::stream::BoxStream;
use pipeline_support::{Scene, to_all};

/// Recipients of a campaign.
const MANY: usize = 10_000;
const DRAIN: Duration = Duration::from_secs(10);

/// A store with troubles.
#[derive(Clone)]
struct Troubled {
    store: Store,
    troubles: Arc<Troubles>,
}

#[derive(Default)]
struct Troubles {
    /// So long it takes until outcomes are stored.
    record_takes: Duration,
    /// Of so many calls one fails before it does anything, and one after it has done it.
    fails_each: u64,
    calls: AtomicU64,
}

impl Troubled {
    /// Whether a call fails: before, or after it was done.
    fn fails(&self) -> (bool, bool) {
        let call = self.troubles.calls.fetch_add(1, Ordering::Relaxed);
        match self.troubles.fails_each {
            0 => (false, false),
            each => (call % each == 1, call % each == each / 2 + 1),
        }
    }

    async fn call<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let failure = || Err(StoreError::Behind("a test says so".into()));
        match self.fails() {
            (true, _) => failure(),
            (_, true) => {
                call.await?;
                failure()
            }
            _ => call.await,
        }
    }
}

impl Queue for Troubled {
    async fn claim_shards(&self, request: ClaimRequest) -> Result<Claimed, StoreError> {
        self.store.claim_shards(request).await // what fails after it was done is free when the lease runs out
    }

    async fn renew_shards(
        &self,
        owner: Owner,
        shards: &[ShardKey],
        lease: Duration,
        now: UnixTime,
    ) -> Result<Vec<ShardKey>, StoreError> {
        self.call(self.store.renew_shards(owner, shards, lease, now)).await
    }

    async fn release_shards(
        &self,
        owner: Owner,
        shards: &[(ShardKey, Rest)],
        now: UnixTime,
    ) -> Result<(), StoreError> {
        self.store.release_shards(owner, shards, now).await
    }

    async fn start_recipients(
        &self,
        owner: Owner,
        shard: ShardKey,
        positions: Positions,
    ) -> Result<bool, StoreError> {
        self.store.start_recipients(owner, shard, positions).await
    }

    async fn record(&self, outcomes: Outcomes<'_>) -> Result<Recorded, StoreError> {
        tokio::time::sleep(self.troubles.record_takes).await;
        self.call(self.store.record(outcomes)).await
    }

    async fn credential(&self, source: Source) -> Result<Option<Credential>, StoreError> {
        self.call(self.store.credential(source)).await
    }

    async fn tell_webhooks(&self, app: AppId, news: News, now: UnixTime) -> Result<(), StoreError> {
        self.call(self.store.tell_webhooks(app, news, now)).await
    }

    async fn plan_next(&self, owner: Owner, clock: &dyn Clock) -> Result<bool, StoreError> {
        self.call(Queue::plan_next(&self.store, owner, clock)).await
    }

    fn signals(&self) -> BoxStream<'static, Signal> {
        Queue::signals(&self.store)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_now_and_then_loses_and_doubles_nothing() {
    let scene = Scene::on(Database::sqlite()).await;
    scene.register_all(&scene.tokens("phone", MANY)).await;
    let troubles = Arc::new(Troubles { fails_each: 5, ..Troubles::default() });
    let queue = Troubled { store: scene.store.clone(), troubles };
    let pipeline = scene.pipeline_on(queue, scene.settings());
    let id = scene.submit(to_all()).await;
    scene.finished(id).await;
    assert_eq!(scene.endings(id).await, BTreeMap::from([(Ending::Accepted, MANY)]));
    let taken = scene.taken();
    assert_eq!((taken.len(), taken.values().max()), (MANY, Some(&1)));
    assert!(pipeline.status().counts.store_failures > 0);
    pipeline.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_store_slows_sending_and_what_waits_in_memory_is_bounded() {
    let scene = Scene::on(Database::sqlite()).await;
    scene.register_all(&scene.tokens("phone", MANY)).await;
    let troubles = Arc::new(Troubles { record_takes: Duration::from_millis(100), ..Troubles::default() });
    let queue = Troubled { store: scene.store.clone(), troubles };
    let mut settings = scene.settings();
    settings.tuning.in_engine = 400;
    settings.worker.unsaved_max = 1_000;
    settings.worker.batch_max = 200;
    settings.worker.claimed_max = 2_000;
    let pipeline = scene.pipeline_on(queue, settings);
    let id = scene.submit(to_all()).await;
    let state = scene
        .until(id, |state| {
            let worker = pipeline.status().worker;
            let in_engine: usize = worker.in_engine.iter().sum();
            assert!(worker.unsaved + in_engine <= 1_000, "{worker:?}");
            assert!(worker.to_send.iter().sum::<usize>() <= 3_000, "{worker:?}");
            state.counts.planned > 0 && state.counts.unended == 0
        })
        .await;
    assert_eq!(state.counts.of(Ending::Accepted), MANY as u64);
    assert!(pipeline.stop(DRAIN).await);
}
