//! How a pipeline is doing.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use apns_provider::Client;
use apns_provider_server_core::{device::Environment, readiness::Way, worker::WorkerStatus};

/// How a pipeline is doing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PipelineStatus {
    /// The worker.
    pub worker: WorkerStatus,
    /// Apps and environments that have a client.
    pub clients: usize,
    /// What has happened since the start.
    pub counts: Counts,
    drained: bool,
}

/// What has happened since the start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Shards that were claimed.
    pub claimed: u64,
    /// Pushes that were handed to a client.
    pub sent: u64,
    /// Pushes of which a client said what became of them.
    pub ended: u64,
    /// Outcomes that were stored.
    pub stored: u64,
    /// Campaigns that have an outcome for each recipient.
    pub finished: u64,
    /// Devices that were removed, since APNs says that their token is dead.
    pub removed: u64,
    /// Times that an app's tokens were invalid in numbers.
    pub too_many_invalid: u64,
    /// Times that an app was left alone, since something was in its way.
    pub troubled: u64,
    /// Recipients that were put back to be tried again.
    pub retries: u64,
    /// What the store was asked in vain.
    pub store_failures: u64,
}

impl PipelineStatus {
    /// Whether it was stopped, and all that the engine had was finished and stored.
    pub fn is_drained(&self) -> bool {
        self.drained
    }
}

impl Counts {
    pub(super) fn add(&mut self, more: Self) {
        self.claimed += more.claimed;
        self.sent += more.sent;
        self.ended += more.ended;
        self.stored += more.stored;
        self.finished += more.finished;
        self.removed += more.removed;
        self.too_many_invalid += more.too_many_invalid;
        self.troubled += more.troubled;
        self.retries += more.retries;
        self.store_failures += more.store_failures;
    }
}

/// What the shell tells, and others read.
#[derive(Debug, Default)]
pub(super) struct Shared {
    status: Mutex<PipelineStatus>,
    /// Those there are: how their connections are is asked when somebody wants to know.
    clients: Mutex<Vec<(Environment, Client)>>,
}

impl Shared {
    pub(super) fn get(&self) -> PipelineStatus {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) // numbers, which are never half written
    }

    pub(super) fn ways(&self) -> Vec<(Environment, Way)> {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.iter().map(|(environment, client)| (*environment, Way::of(&client.stats()))).collect()
    }

    pub(super) fn set_clients(&self, clients: Vec<(Environment, Client)>) {
        *self.clients.lock().unwrap_or_else(PoisonError::into_inner) = clients;
    }

    pub(super) fn set(&self, worker: WorkerStatus, clients: usize, counts: Counts, drained: bool) {
        let status = PipelineStatus { worker, clients, counts, drained };
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }
}

/// How long the store may take for what is asked of it last, when a pipeline stops.
pub(super) const STORE_PATIENCE: Duration = Duration::from_secs(2);
