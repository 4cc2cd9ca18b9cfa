use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use apns_provider_core::{
    ApnsId, AttemptEnd, Attempts, DeviceToken, Next, NotSent, Notification, Outcome, Push, RetryBudget,
    RetryPolicy, UnixTime,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep},
};

use crate::{
    BuildError, Credential, Endpoint, clock,
    connect::Way,
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
    retry: RetryPolicy,
    budget: Arc<Mutex<RetryBudget>>,
    counters: Arc<Counters>,
}

/// What a client has done so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections opened.
    pub connections_opened: u64,
    /// Attempts beyond the first of their pushes.
    pub retries: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections_opened: AtomicU64,
    retries: AtomicU64,
}

/// How a client is made.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    pub(crate) endpoint: Endpoint,
    pub(crate) way: Way,
    credential: Option<Credential>,
    ca_pem: Option<Vec<u8>>,
    timeout: Duration,
    retry: RetryPolicy,
}

impl Client {
    /// Begins a client that sends to `endpoint`.
    pub fn builder(endpoint: Endpoint) -> ClientBuilder {
        let (timeout, retry) = (DEFAULT_TIMEOUT, RetryPolicy::default());
        ClientBuilder { endpoint, way: Way::default(), credential: None, ca_pem: None, timeout, retry }
    }

    /// Sends a notification to one device, under a fresh apns-id, again if need be: what is returned is the outcome of the last
    /// attempt. Pass an `Arc` to share one notification
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
        let deadline = Instant::now() + self.timeout;
        let mut attempts = Attempts::default();
        self.budget().earn();
        loop {
            let outcome = self.attempt(push.clone(), deadline).await;
            match self.next(&mut attempts, &outcome, &push, deadline) {
                Some(after) => sleep(after).await,
                None => return outcome,
            }
            self.counters.retries.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How long to wait for another attempt, if there is to be one.
    fn next(
        &self,
        attempts: &mut Attempts,
        outcome: &Outcome,
        push: &Push,
        deadline: Instant,
    ) -> Option<Duration> {
        if matches!(outcome, Outcome::Accepted(_)) {
            return None;
        }
        let now = clock::now();
        let left = deadline.saturating_duration_since(Instant::now());
        let end = AttemptEnd {
            now,
            deadline: UnixTime::from_millis(now.as_millis().saturating_add(left.as_millis() as u64)),
            expiration: push.notification().expiration(),
            random: rand::random(),
        };
        match attempts.next(outcome, end, &self.retry) {
            Next::Again { after, is_budgeted } if !is_budgeted || self.budget().spend(now) => Some(after),
            _ => None,
        }
    }

    fn budget(&self) -> MutexGuard<'_, RetryBudget> {
        // Whoever panicked has left a number behind that is as good as any.
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn attempt(&self, push: Push, deadline: Instant) -> Outcome {
        let (reply, outcome) = oneshot::channel();
        let job = Job { push, deadline, reply };
        if self.jobs.send(job).await.is_err() {
            return driver_gone();
        }
        outcome.await.unwrap_or_else(|_| driver_gone())
    }

    /// What the client has done so far.
    pub fn stats(&self) -> Stats {
        Stats {
            connections_opened: self.counters.connections_opened.load(Ordering::Relaxed),
            retries: self.counters.retries.load(Ordering::Relaxed),
        }
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

    /// How often a push is tried, with which pauses; unless set, [`RetryPolicy::default`]. All pushes of a client share one
    /// [`RetryBudget`]: when most of them fail, most fail at once.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Makes the client. It connects when there is something to send. Call it in a tokio runtime: the client
    /// runs a task there.
    pub fn build(self) -> Result<Client, BuildError> {
        let credential = self.credential.ok_or(BuildError::NoCredential)?;
        let tls = tls::client_config(&credential, self.ca_pem.as_deref())?;
        let (jobs, queue) = mpsc::channel(QUEUE_MAX);
        let counters = Arc::new(Counters::default());
        let connector = self.way.connector(self.endpoint.clone(), tls)?;
        credential.warn_of_expiry(clock::now());
        let driver = Driver::new(self.endpoint, &credential, connector, queue, Arc::clone(&counters));
        tokio::spawn(driver.run());
        let budget = Arc::new(Mutex::new(RetryBudget::new(clock::now())));
        Ok(Client { jobs, timeout: self.timeout, retry: self.retry, budget, counters })
    }
}

/// The driver ends before its clients only if its runtime ends or it has a bug.
fn driver_gone() -> Outcome {
    Outcome::NotSent(NotSent::NoConnection { why: "the client's task has ended".into() })
}

/// Apple names no time; pushes that were answered at all were answered within seconds.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
