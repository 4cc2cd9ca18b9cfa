//! The task that claims what is due, and has it delivered.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use apns_provider::Clock;
use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    audit::{Action, Actor, AuditEntry},
    tuning::Tuning,
    webhook::{Delivered, after},
};
use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use serde_json::json;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    DeliverySettings, NoClient,
    post::Post,
    telemetry::{self, Result as Counted},
};
use crate::{
    secrets::Vault,
    store::{ClaimedDelivery, DeliveryId, DeliveryRequest, Owner, Signal, Signals, Store, WebhookId},
};

/// What the task has.
#[derive(Debug)]
pub(super) struct Sender {
    store: Store,
    post: Post,
    tuning: watch::Receiver<Tuning>,
    settings: DeliverySettings,
    /// Those that are under way.
    under_way: BTreeMap<DeliveryId, WebhookId>,
    look_at: Instant,
    /// Whether something may be due for which there was no room.
    is_more: bool,
}

impl Sender {
    pub(super) fn new(
        store: Store,
        vault: Arc<Vault>,
        tuning: watch::Receiver<Tuning>,
        settings: DeliverySettings,
    ) -> Result<Self, NoClient> {
        let post = Post::new(vault, settings.policy.clone())?;
        let (under_way, look_at) = (BTreeMap::new(), Instant::now());
        Ok(Self { store, post, tuning, settings, under_way, look_at, is_more: false })
    }

    /// Delivers until it is stopped.
    pub(super) async fn run(mut self, mut stopped: watch::Receiver<Option<Instant>>) {
        let mut signals = self.store.signals();
        let mut deliveries: FuturesUnordered<BoxFuture<'static, DeliveryId>> = FuturesUnordered::new();
        let by = loop {
            if self.look_at <= Instant::now() {
                let claimed = self.claim().await;
                deliveries.extend(claimed.into_iter().map(|delivery| self.deliver(delivery)));
            }
            tokio::select! {
                Some(delivery) = deliveries.next() => {
                    self.under_way.remove(&delivery);
                    if self.is_more {
                        self.look_at = Instant::now();
                    }
                }
                () = told(&mut signals) => self.look_at = Instant::now(),
                () = sleep_until(self.look_at) => {}
                by = stopping(&mut stopped) => break by,
            }
        };
        let ended = async {
            while let Some(delivery) = deliveries.next().await {
                self.under_way.remove(&delivery);
            }
        };
        let _ = timeout_at(by, ended).await;
        drop(deliveries); // so that none ends between here and there
        self.give_back().await;
    }

    /// Leases what is due, as far as there is room, and says when to look again.
    async fn claim(&mut self) -> Vec<ClaimedDelivery> {
        let now = self.settings.clock.now();
        self.look_at = Instant::now() + self.settings.look_every;
        let places = usize::from(self.tuning.borrow().webhook_deliveries);
        let limit = places.saturating_sub(self.under_way.len());
        self.is_more = limit == 0;
        if limit == 0 {
            return Vec::new();
        }
        let mut under_way: BTreeMap<WebhookId, usize> = BTreeMap::new();
        for webhook in self.under_way.values() {
            *under_way.entry(*webhook).or_default() += 1;
        }
        let request = DeliveryRequest {
            owner: self.settings.owner,
            limit,
            each: (places / SHARES).max(1),
            under_way,
            lease: self.settings.lease,
            now,
        };
        match self.store.claim_deliveries(request).await {
            Ok(claimed) => {
                self.is_more = claimed.is_more;
                if let Some(next_at) = claimed.next_at {
                    let pause = Duration::from_millis(next_at.as_millis().saturating_sub(now.as_millis()));
                    self.look_at = self.look_at.min(Instant::now() + pause);
                }
                let taken = claimed.deliveries.iter().map(|it| (it.id, it.webhook.id));
                self.under_way.extend(taken);
                claimed.deliveries
            }
            Err(error) => {
                tracing::warn!(%error, "webhooks are not told: nothing can be claimed");
                Vec::new()
            }
        }
    }

    fn deliver(&self, delivery: ClaimedDelivery) -> BoxFuture<'static, DeliveryId> {
        let (store, post) = (self.store.clone(), self.post.clone());
        let (owner, clock) = (self.settings.owner, Arc::clone(&self.settings.clock));
        async move {
            let delivered = deliver(&post, &delivery, &*clock).await;
            end(&store, owner, &delivery, delivered, clock.now()).await;
            delivery.id
        }
        .boxed()
    }

    async fn give_back(self) {
        let left: Vec<DeliveryId> = self.under_way.into_keys().collect();
        let now = self.settings.clock.now();
        if let Err(error) = self.store.release_deliveries(self.settings.owner, &left, now).await {
            tracing::warn!(%error, count = left.len(), "deliveries could not be given back");
        }
    }
}

async fn deliver(post: &Post, delivery: &ClaimedDelivery, clock: &dyn Clock) -> Delivered {
    let answer = post.make(delivery, clock.now()).await;
    after(clock.now(), answer, delivery.attempts.into(), rand::random())
}

/// What cannot be stored is delivered again when the lease is over: its receiver knows it by its ID.
async fn end(store: &Store, owner: Owner, delivery: &ClaimedDelivery, delivered: Delivered, now: UnixTime) {
    let webhook = delivery.webhook.id.get();
    let counted = match delivered {
        Delivered::Done => Counted::Delivered,
        Delivered::Again { .. } => Counted::Failed,
        Delivered::GivenUp => {
            tracing::warn!(webhook, "an event is not delivered any more");
            Counted::GivenUp
        }
        Delivered::Disabled => {
            tracing::warn!(webhook, "a webhook is disabled: its receiver says that it is gone");
            Counted::GivenUp
        }
    };
    telemetry::count(counted);
    let stored = match store.end_delivery(owner, delivery.id, delivered).await {
        // Whoever wonders why it is silent finds it there.
        Ok(true) if delivered == Delivered::Disabled => {
            let (subject, detail) =
                (format!("webhook {webhook}"), json!({ "is-enabled": false, "status": 410 }));
            let entry = AuditEntry::new(now, Actor::Server, Action::WebhookChanged, &subject, detail);
            store.append_audit(Some(delivery.webhook.webhook.tenant), entry).await
        }
        stored => stored.map(drop),
    };
    if let Err(error) = stored {
        tracing::warn!(%error, webhook, "what came of a delivery could not be stored");
    }
}

/// Returns when there may be something to deliver.
async fn told(signals: &mut Signals) {
    while let Some(signal) = signals.next().await {
        if matches!(signal, Signal::Webhooks | Signal::Anything) {
            return;
        }
    }
    std::future::pending::<()>().await; // nobody tells any more
}

async fn stopping(stopped: &mut watch::Receiver<Option<Instant>>) -> Instant {
    let by = stopped.wait_for(Option::is_some).await.ok().map(|by| by.unwrap_or_else(Instant::now));
    match by {
        Some(by) => by,
        None => std::future::pending().await, // dropped: the task is about to be aborted
    }
}

/// One webhook has a quarter of the places at most.
const SHARES: usize = 4;
