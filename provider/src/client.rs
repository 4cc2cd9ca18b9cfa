use std::{sync::Arc, time::Duration};

use apns_http2::StreamId;
use apns_provider_core::{
    ApnsId, DeviceToken, DispatchPolicy, DispatchStatus, Dispatcher, KeepAlivePolicy, NotSent, Notification,
    Outcome, Push, Rejection, RetryPolicy,
};
use futures::{Stream, StreamExt as _};
use tokio::sync::Semaphore;

use crate::{
    BuildError, Credential, Endpoint, clock,
    connect::Way,
    engine::{Engine, Identity, InvalidTokenHook, Setup},
    tls,
};

/// Sends pushes to one address as one team. Cheap to clone; clones share the connections. When the last one is
/// dropped, pushes under way are finished and the connections are closed.
#[derive(Clone, Debug)]
pub struct Client {
    handle: Arc<Handle>,
    ca_pem: Option<Arc<[u8]>>,
    in_hand_max: usize,
}

/// All clones of a client.
#[derive(Debug)]
struct Handle(Arc<Engine>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.with(Dispatcher::close);
    }
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
    dispatch: DispatchPolicy,
    keep_alive: KeepAlivePolicy,
    first_stream: u32,
    in_hand_max: usize,
    on_invalid_token: Option<InvalidTokenHook>,
}

impl Client {
    /// Begins a client that sends to `endpoint`.
    pub fn builder(endpoint: Endpoint) -> ClientBuilder {
        ClientBuilder {
            endpoint,
            way: Way::default(),
            credential: None,
            ca_pem: None,
            timeout: DEFAULT_TIMEOUT,
            retry: RetryPolicy::default(),
            dispatch: DispatchPolicy::default(),
            keep_alive: KeepAlivePolicy::default(),
            first_stream: StreamId::FIRST.get(),
            in_hand_max: IN_HAND_MAX,
            on_invalid_token: None,
        }
    }

    /// Sends a notification to one device, under a fresh apns-id, again if need be: what is returned is the outcome of the push as a
    /// whole. Pass an `Arc` to share one notification among many devices.
    pub async fn send(
        &self,
        notification: impl Into<Arc<Notification>>,
        device_token: DeviceToken,
    ) -> Outcome {
        self.send_push(Push::new(notification, device_token, ApnsId::from_random(rand::random()))).await
    }

    /// Sends a push whose apns-id the caller has drawn, as for one that is sent again.
    ///
    /// Waits while the client has as many pushes in hand as it may. A push goes on even if nobody waits for it any more.
    pub async fn send_push(&self, push: Push) -> Outcome {
        self.handle.0.send(push).await.unwrap_or_else(engine_gone)
    }

    /// Sends many pushes, as many at once as the client may have in hand, and gives each one with its outcome as soon as it is
    /// known: not in the order in which they were handed in.
    pub fn send_all(
        &self,
        pushes: impl Stream<Item = Push> + Send,
    ) -> impl Stream<Item = (Push, Outcome)> + Send {
        let client = self.clone();
        let at_once = self.in_hand_max;
        pushes
            .map(move |push| {
                let client = client.clone();
                async move {
                    let outcome = client.send_push(push.clone()).await;
                    (push, outcome)
                }
            })
            .buffer_unordered(at_once)
    }

    /// Opens connections before there is anything to send, up to the most that the client may have; one after the other, as Apple
    /// wants it.
    pub fn prewarm(&self, connections: usize) {
        self.handle.0.with(|dispatcher, now| dispatcher.prewarm(now, connections));
    }

    /// Sends as somebody else from now on: what is under way is finished on the old connections, the rest goes out on new ones, and no
    /// push fails for it.
    ///
    /// # Errors
    /// Those of [`ClientBuilder::build`] that are about credentials; the client goes on as it was.
    pub fn rotate(&self, credential: &Credential) -> Result<(), BuildError> {
        self.handle.0.rotate(identity(credential, self.ca_pem.as_deref())?);
        Ok(())
    }

    /// Takes no more pushes and waits until all that were handed in are finished, but no longer than `within`: then those that have not
    /// gone out end as [`NotSent::Closed`], and those that have are ambiguous. Says whether there were none of either.
    pub async fn drain(&self, within: Duration) -> bool {
        self.handle.0.drain(within).await
    }

    /// How things are.
    pub fn stats(&self) -> DispatchStatus {
        self.handle.0.status()
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
    /// [`RetryBudget`](apns_provider_core::RetryBudget): when most of them fail, most fail at once.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How many connections there are, and how carefully they are used; unless set, [`DispatchPolicy::default`].
    pub fn dispatch(mut self, policy: DispatchPolicy) -> Self {
        self.dispatch = policy;
        self
    }

    /// When a silent connection is asked whether it is still there; unless set, [`KeepAlivePolicy::default`].
    pub fn keep_alive(mut self, policy: KeepAlivePolicy) -> Self {
        self.keep_alive = policy;
        self
    }

    /// How many pushes may be in hand at once: waiting, under way, or pausing before they are sent again; 10,000 unless set. One more
    /// makes `send` wait: memory is bounded, and the caller feels how fast APNs is.
    pub fn in_hand_max(mut self, pushes: usize) -> Self {
        self.in_hand_max = pushes;
        self
    }

    /// Is called for each push that APNs refuses for its device token, dead or wrong, before its outcome is told. Do not take long:
    /// other pushes wait. Whether the token is to be removed is [`TokenHygiene`](apns_provider_core::TokenHygiene)'s to say.
    pub fn on_invalid_token(mut self, tell: impl Fn(&Push, &Rejection) + Send + Sync + 'static) -> Self {
        self.on_invalid_token = Some(InvalidTokenHook(Arc::new(tell)));
        self
    }

    /// The first stream of each connection: near the last one, 2³¹ - 1, to rehearse what happens when they run out.
    pub fn first_stream(mut self, stream: u32) -> Self {
        self.first_stream = stream;
        self
    }

    /// Makes the client. It connects when there is something to send. Call it in a tokio runtime: the client
    /// runs its tasks there.
    ///
    /// # Errors
    /// [`BuildError`]: what is missing or cannot be. Nothing was sent anywhere.
    pub fn build(self) -> Result<Client, BuildError> {
        let credential = self.credential.ok_or(BuildError::NoCredential)?;
        if self.in_hand_max == 0 || self.in_hand_max > Semaphore::MAX_PERMITS {
            return Err(BuildError::InHand(self.in_hand_max));
        }
        let first_stream = StreamId::new(self.first_stream);
        let identity = identity(&credential, self.ca_pem.as_deref())?;
        let setup = Setup {
            connector: self.way.connector(self.endpoint)?,
            dispatch: self.dispatch,
            retry: self.retry,
            keep_alive: self.keep_alive,
            http2: apns_http2::Config { first_stream, ..apns_http2::Config::default() },
            in_hand_max: self.in_hand_max,
            timeout: self.timeout,
            on_invalid_token: self.on_invalid_token,
        };
        Ok(Client {
            handle: Arc::new(Handle(Engine::start(setup, identity))),
            ca_pem: self.ca_pem.map(Into::into),
            in_hand_max: self.in_hand_max,
        })
    }
}

/// As whom to send, whom to trust.
fn identity(credential: &Credential, ca_pem: Option<&[u8]>) -> Result<Identity, BuildError> {
    let tls = tls::client_config(credential, ca_pem)?;
    credential.warn_of_expiry(clock::now());
    Ok(Identity::new(tls, credential))
}

/// The engine ends before its clients only if its runtime ends or it has a bug.
fn engine_gone() -> Outcome {
    Outcome::NotSent(NotSent::NoConnection { why: "the client's task has ended".into() })
}

/// Apple names no time; pushes that were answered at all were answered within seconds.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// As many as ten connections take at once; some kilobytes each.
const IN_HAND_MAX: usize = 10_000;
