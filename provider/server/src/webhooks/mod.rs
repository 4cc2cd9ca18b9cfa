//! What happens is told to those who want to be told: events that the store has become requests to webhooks.
//!
//! ```text
//!   store ──claim──▶ sender ──▶ post: sign, resolve, check, send ──▶ a receiver
//!     ▲                                  │
//!     └── done, later, given up ◀── core's rules
//! ```
//!
//! What is decided is decided by [`webhook`](apns_provider_server_core::webhook) and [`ssrf`](apns_provider_server_core::ssrf). An event
//! is delivered at least once: it leaves the store when its receiver has answered.
//!
//! | module | what |
//! |---|---|
//! | `sender` | the task that claims what is due |
//! | `post` | one request |
//! | `resolver` | which addresses a name may lead to |
//! | `telemetry` | what is counted |

mod post;
mod resolver;
mod sender;
mod telemetry;

use std::{sync::Arc, time::Duration};

use apns_provider::{Clock, SystemClock};
use apns_provider_server_core::{ssrf::Policy, tuning::Tuning};
use thiserror::Error;
use tokio::{
    sync::{Mutex, watch},
    task::{AbortHandle, JoinHandle},
    time::Instant,
};

use crate::{
    secrets::Vault,
    store::{Owner, Store},
};
pub(crate) use telemetry::{count_dropped, waiting};

use sender::Sender;

/// How webhooks are told.
#[derive(Clone, Debug)]
pub struct DeliverySettings {
    /// Who this process is, to the store: a number that no other has.
    pub owner: Owner,
    /// Where webhooks may go.
    pub policy: Policy,
    /// How long a delivery is this process'. Longer than one takes.
    pub lease: Duration,
    /// How often it is looked for something to deliver of which nobody has told.
    pub look_every: Duration,
    /// What says what the date is.
    pub clock: Arc<dyn Clock>,
}

impl DeliverySettings {
    /// The usual ones, with this policy, under a number that is drawn.
    pub fn new(policy: Policy) -> Self {
        Self {
            owner: Owner(rand::random()),
            policy,
            lease: LEASE,
            look_every: LOOK_EVERY,
            clock: Arc::new(SystemClock),
        }
    }
}

/// What tells webhooks cannot be made.
#[derive(Debug, Error)]
#[error("the client for webhooks cannot be made: {0}")]
pub struct NoClient(#[from] reqwest::Error);

/// What tells webhooks. It runs until it is [stopped](Self::stop); one that is dropped ends as a killed process does: what was under way
/// is delivered again when its lease is over, by whoever looks then.
#[derive(Debug)]
pub struct Deliveries {
    stop: watch::Sender<Option<Instant>>,
    handle: AbortHandle,
    task: Mutex<JoinHandle<()>>,
}

impl Deliveries {
    /// Starts it on the runtime that this is called on.
    ///
    /// # Errors
    /// The client cannot be made of what this machine has.
    pub fn start(
        store: Store,
        vault: Arc<Vault>,
        tuning: watch::Receiver<Tuning>,
        settings: DeliverySettings,
    ) -> Result<Self, NoClient> {
        let (stop, stopped) = watch::channel(None);
        let sender = Sender::new(store, vault, tuning, settings)?;
        let task = tokio::spawn(sender.run(stopped));
        Ok(Self { stop, handle: task.abort_handle(), task: Mutex::new(task) })
    }

    /// Whether it has ended although nobody has stopped it: a mistake of this program, which the log tells.
    pub fn has_failed(&self) -> bool {
        self.stop.borrow().is_none() && self.handle.is_finished()
    }

    /// Claims nothing more, waits until then for what is under way, and gives the rest back.
    pub async fn stop(&self, by: Instant) {
        self.stop.send_replace(Some(by));
        let mut task = self.task.lock().await;
        if !task.is_finished() {
            // One that has panicked has stopped; one that hangs at the store leaves leases behind.
            let _ = tokio::time::timeout_at(by + STORE_PATIENCE, &mut *task).await;
        }
    }
}

impl Drop for Deliveries {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

/// What a delivery takes at most, and what the store takes afterwards, with much to spare.
const LEASE: Duration = Duration::from_mins(1);
/// Who is told by another process that the store lost the signal of waits no longer.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long the store may take for what is given back.
const STORE_PATIENCE: Duration = Duration::from_secs(2);
