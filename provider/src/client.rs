use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use apns_provider_core::{ApnsId, DeviceToken, NotSent, Notification, Outcome, Push};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use crate::{
    BuildError, Credential, Endpoint,
    driver::{Driver, Job},
    tls,
};

/// Pushes that wait to be sent. One more makes `send` wait: memory is bounded, and the caller feels how fast
/// APNs is.
const QUEUE_MAX: usize = 4096;

/// Sends pushes to one address as one team. Cheap to clone; clones share the connection. When the last one is
/// dropped, pushes under way are finished and the connection is closed.
#[derive(Clone, Debug)]
pub struct Client {
    jobs: mpsc::Sender<Job>,
    timeout: Duration,
    counters: Arc<Counters>,
}

/// What a client has done so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections opened.
    pub connections_opened: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections_opened: AtomicU64,
}

/// How a client is made.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    endpoint: Endpoint,
    credential: Option<Credential>,
    ca_pem: Option<Vec<u8>>,
    timeout: Duration,
}

impl Client {
    /// Begins a client that sends to `endpoint`.
    pub fn builder(endpoint: Endpoint) -> ClientBuilder {
        ClientBuilder { endpoint, credential: None, ca_pem: None, timeout: DEFAULT_TIMEOUT }
    }

    /// Sends a notification to one device, under a fresh apns-id. Pass an `Arc` to share one notification
    /// among many devices.
    pub async fn send(
        &self,
        notification: impl Into<Arc<Notification>>,
        device_token: DeviceToken,
    ) -> Outcome {
        self.send_push(Push::new(notification, device_token, ApnsId::from_random(rand::random()))).await
    }

    /// Sends a push whose apns-id the caller has drawn, as for one that is sent again.
    pub async fn send_push(&self, push: Push) -> Outcome {
        let (reply, outcome) = oneshot::channel();
        let job = Job { push, deadline: Instant::now() + self.timeout, reply };
        if self.jobs.send(job).await.is_err() {
            return driver_gone();
        }
        outcome.await.unwrap_or_else(|_| driver_gone())
    }

    /// What the client has done so far.
    pub fn stats(&self) -> Stats {
        Stats { connections_opened: self.counters.connections_opened.load(Ordering::Relaxed) }
    }
}

impl ClientBuilder {
    /// Who sends.
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }

    /// Trusts the certificates in this PEM text and no others: a simulated service's CA, or a company's.
    pub fn ca_pem(mut self, pem: &[u8]) -> Self {
        self.ca_pem = Some(pem.to_vec());
        self
    }

    /// How long a push may take from `send` to its outcome, waiting for its turn included; 30 seconds unless
    /// set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Makes the client. It connects when there is something to send. Call it in a tokio runtime: the client
    /// runs a task there.
    pub fn build(self) -> Result<Client, BuildError> {
        let credential = self.credential.ok_or(BuildError::NoCredential)?;
        let tls = tls::client_config(&credential, self.ca_pem.as_deref())?;
        let (jobs, queue) = mpsc::channel(QUEUE_MAX);
        let counters = Arc::new(Counters::default());
        let driver = Driver::new(self.endpoint, &credential, tls, queue, Arc::clone(&counters));
        tokio::spawn(driver.run());
        Ok(Client { jobs, timeout: self.timeout, counters })
    }
}

/// The driver ends before its clients only if its runtime ends or it has a bug.
fn driver_gone() -> Outcome {
    Outcome::NotSent(NotSent::NoConnection { why: "the client's task has ended".into() })
}

/// Apple names no time; pushes that were answered at all were answered within seconds.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
