//! How much a pipeline takes on, and where it sends.

use std::sync::Arc;

use apns_provider::{
    Clock, Endpoint, SystemClock,
    core::{DispatchPolicy, KeepAlivePolicy},
};
use apns_provider_server_core::{device::Environment, tuning::Tuning, worker::WorkerConfig};

use crate::{store::Owner, telemetry::Traces};

/// How much a pipeline takes on, how patient it is, and where it sends.
#[derive(Clone, Debug)]
pub struct PipelineSettings {
    /// Who this process is, to the store: a number that no other has.
    pub owner: Owner,
    /// How much, how patient. What can be tuned of it is in `tuning`.
    pub worker: WorkerConfig,
    /// What it begins with of what can be turned while it runs.
    pub tuning: Tuning,
    /// Where pushes go.
    pub services: Services,
    /// How carefully connections are used. How many there are is in `tuning`.
    pub dispatch: DispatchPolicy,
    /// When a silent connection is asked whether it is still there.
    pub keep_alive: KeepAlivePolicy,
    /// What makes a span of each push, if anything does.
    pub traces: Option<Traces>,
    /// What says what the date is.
    pub clock: Arc<dyn Clock>,
}

/// Where pushes go.
#[derive(Clone, Debug)]
pub struct Services {
    /// To devices with production tokens.
    pub production: Endpoint,
    /// To those with tokens of the sandbox.
    pub sandbox: Endpoint,
    /// Certificates to trust instead of the machine's, as PEM: a simulated service's.
    pub ca_pem: Option<Arc<[u8]>>,
}

impl Default for PipelineSettings {
    /// Apple's services, under a number that is drawn.
    fn default() -> Self {
        Self {
            owner: Owner(rand::random()),
            worker: WorkerConfig::default(),
            tuning: Tuning::default(),
            services: Services::default(),
            dispatch: DispatchPolicy::default(),
            keep_alive: KeepAlivePolicy::default(),
            traces: None,
            clock: Arc::new(SystemClock),
        }
    }
}

impl Default for Services {
    /// Apple's.
    fn default() -> Self {
        Self { production: Endpoint::production(), sandbox: Endpoint::sandbox(), ca_pem: None }
    }
}

impl Services {
    /// Where pushes to this environment go.
    pub fn endpoint(&self, environment: Environment) -> &Endpoint {
        match environment {
            Environment::Production => &self.production,
            Environment::Sandbox => &self.sandbox,
        }
    }
}
