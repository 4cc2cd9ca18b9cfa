//! Everything that has to survive: who may call, which devices there are, what is to be sent, and what became of it.
//!
//! ```text
//!   submit ──▶ plans ──▶ shards ──▶ outcomes ──▶ dead letters
//!      │         ▲         ▲            │
//!      └─────────┴─────────┴── signals  └──▶ counters, devices
//! ```
//!
//! | module | what |
//! |---|---|
//! | `tenants`, `api_keys`, `apps`, `templates`, `audit` | what is set up, by whom |
//! | `devices` | registering, finding, removing, walking through them |
//! | `intake` | taking notifications, many requests in one transaction |
//! | `allowances` | what was taken of the rates of apps, users and devices |
//! | `plans` | audiences becoming shards, step by step |
//! | `shards` | claiming, renewing, giving back |
//! | `outcomes`, `dead_letters` | what became of recipients |
//! | `notifications`, `queues`, `housekeeping` | looking, pausing, cancelling, forgetting |
//! | `webhooks` | whom to tell of it, and what they were not told yet |
//! | `signals` | that there may be something to do |
//!
//! A [`Store`] is on SQLite or on PostgreSQL, and nobody has to know on which. What it is asked is told with the time: it has no clock.
//!
//! What is changed is durable when the call returns, as far as [`Durability`] says. A call that is dropped while it waits may have been
//! carried out or not.

mod allowances;
mod api_keys;
mod apps;
mod audit;
mod batcher;
mod campaigns;
mod collapsing;
mod database;
mod dead_letters;
mod devices;
mod error;
mod housekeeping;
mod intake;
mod leased;
mod notifications;
mod numbers;
mod outcomes;
mod page;
mod planned;
mod plans;
mod postgres;
mod queues;
mod recent;
mod schema;
mod settings;
mod shards;
mod signals;
mod sql;
mod sqlite;
mod stored;
mod templates;
mod tenants;
mod times;
mod tokens;
mod webhooks;

use std::sync::Arc;

use apns_provider_server_core::worker::{Entry, Fate, Rest, ShardKey, Source, Stop, TokenFinding, Waiting};
use tokio::task::AbortHandle;

pub use api_keys::{ApiKey, ApiKeyId, NewApiKey};
pub use apps::{App, Credential, Put, Terms};
pub use audit::{AuditId, StoredAuditEntry};
pub use campaigns::Cancelled;
pub use dead_letters::{DeadLetter, DeadLetterId};
pub use devices::{RegisteredDevice, RemovedDevice};
pub use error::StoreError;
pub use housekeeping::{Retention, Swept};
pub use intake::{Idempotency, NewNotification, Submission, Submitted};
pub use notifications::{Counts, NotificationState, State};
pub use outcomes::{Outcomes, Recorded, RecordedOutcome};
pub use page::PAGE_MAX;
pub use plans::{ClaimedPlan, Found, StepStored};
pub use queues::{LaneState, QueueState};
pub use recent::Recent;
pub use settings::{Durability, Place, StoreSettings};
pub use shards::{ClaimRequest, Claimed, ClaimedShard, CurrentDevice, Owner, Variants};
pub use signals::{Signal, Signals};
pub use templates::StoredTemplate;
pub use tenants::Tenant;
pub use webhooks::{
    ClaimedDeliveries, ClaimedDelivery, DeliveryId, DeliveryRequest, NewWebhook, WAITING_MAX, Webhook,
    WebhookId,
};

use database::Database;
use devices::Registrations;
use intake::Intakes;
use leased::Leased;
use signals::Bell;
use sql::{Connection, Statement, values};

/// The store. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    database: Arc<Database>,
    intakes: Intakes,
    registrations: Registrations,
    leased: Leased,
    bell: Bell,
    /// Hears what other processes tell.
    listener: Option<AbortHandle>,
}

impl Store {
    /// Opens the database, or makes it, and brings it to this version. A database of a newer version is refused.
    pub async fn open(settings: &StoreSettings) -> Result<Self, StoreError> {
        let database = Arc::new(Database::open(settings).await?);
        let bell = Bell::new();
        let listener = database.listen(&bell).await?;
        let intakes = Intakes::start(Arc::clone(&database));
        let registrations = Registrations::start(Arc::clone(&database));
        let leased = Leased::default();
        Ok(Self { inner: Arc::new(Inner { database, intakes, registrations, leased, bell, listener }) })
    }

    /// Asks the database for something small: whether it is there.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.reader().await?.one(&IS_THERE, values![]).await.map(drop)
    }

    /// What may have changed, from now on.
    pub fn signals(&self) -> Signals {
        self.inner.bell.listen()
    }

    /// Writes what is queued, and closes the database. What is asked of it, or of any clone of it, afterwards fails.
    pub async fn close(&self) {
        if let Some(listener) = &self.inner.listener {
            listener.abort();
        }
        self.inner.database.close().await;
    }

    fn database(&self) -> &Database {
        &self.inner.database
    }

    async fn reader(&self) -> Result<Connection, StoreError> {
        self.database().reader().await
    }

    /// Tells everybody. What is told is never relied upon, so that a failure is none.
    async fn tell(&self, signal: Signal) {
        self.inner.bell.ring(signal);
        if let Err(error) = self.database().tell_others(signal).await {
            tracing::debug!(%error, ?signal, "other processes were not told");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}

static IS_THERE: Statement = Statement::new("SELECT version FROM schema_version");
