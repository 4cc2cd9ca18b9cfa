//! A task that plans what is due: audiences become shards.

use std::{sync::Arc, time::Duration};

use apns_provider::Clock;
use futures::StreamExt as _;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use super::queue::Queue;
use crate::store::{Owner, Signal, StepStored, Store, StoreError};

/// Plans until it is stopped. A plan that is cut off goes on where it was, here or elsewhere.
pub(super) async fn run<Q: Queue>(
    queue: Q,
    owner: Owner,
    clock: Arc<dyn Clock>,
    mut stopped: watch::Receiver<Option<Instant>>,
) {
    let planning = async {
        let mut signals = queue.signals();
        loop {
            let look_at = match queue.plan_next(owner, &*clock).await {
                Ok(true) => continue,
                Ok(false) => Instant::now() + POLL,
                Err(error) => {
                    tracing::warn!(%error, "nothing can be planned");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            // Until somebody says that there is something to plan, or it is time to look.
            let told = async {
                while let Some(signal) = signals.next().await {
                    if matches!(signal, Signal::Plan | Signal::Anything) {
                        return;
                    }
                }
                std::future::pending::<()>().await; // nobody tells any more
            };
            let _ = timeout_at(look_at, told).await;
        }
    };
    tokio::select! {
        () = planning => {}
        _ = stopped.wait_for(Option::is_some) => {}
    }
}

/// Plans one notification, step by step, each stored before the next one. It is a transaction for each step: what is between two is
/// lost when the process dies, and nothing of it was stored.
pub(super) async fn plan_next(store: &Store, owner: Owner, clock: &dyn Clock) -> Result<bool, StoreError> {
    let Some(claimed) = store.claim_plan(owner, LEASE, clock.now()).await? else { return Ok(false) };
    let plan = claimed.plan();
    let mut progress = claimed.progress;
    while !progress.is_complete() {
        let found = store.find_candidates(claimed.app, &plan, &progress).await?;
        let shards = plan.step(&mut progress, &found.candidates());
        let id = claimed.notification;
        match store.store_step(owner, id, shards, progress, LEASE, clock.now()).await? {
            StepStored::Lost => break,
            StepStored::Stored => {}
        }
    }
    Ok(true)
}

/// How long a plan is this process': a step takes much less.
const LEASE: Duration = Duration::from_secs(30);
/// How often it is looked for something to plan of which nobody has told, since it has become due.
const POLL: Duration = Duration::from_millis(500);
/// After the store has failed.
const PAUSE: Duration = Duration::from_secs(1);
