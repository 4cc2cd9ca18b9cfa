mod builder;

use std::{sync::Arc, time::Duration};

use apns_provider_core::{
    ApnsId, Broadcast, ClockSkew, DeviceToken, DispatchStatus, Dispatcher, NotSent, Notification, Outcome,
    Outgoing, Push,
};
use futures::{Stream, StreamExt as _};
use tracing::{Instrument as _, Span, debug_span, field::Empty};

pub use builder::ClientBuilder;
pub(crate) use builder::{DEFAULT_TIMEOUT, identity};

use crate::{BuildError, Clock, Credential, Endpoint, engine::Engine};

/// Sends pushes to one address as one team. Cheap to clone; clones share the connections. When the last one is
/// dropped, pushes under way are finished and the connections are closed.
///
/// # A campaign
///
/// One notification for many devices: its payload is written once and shared, outcomes come as they are known, and at the end nothing is left behind.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// # use apns_provider::{Client, Credential, Endpoint, core::{AlertNotification, ApnsId, BundleId, DeviceToken, Outcome, Push}};
/// # let mock = mock_apns::MockApns::start().await?;
/// # let team = mock.ready_made();
/// # let ca = mock.certificates().authority().root_pem(apns_certs::Purpose::Server);
/// # let credential = |key: usize| {
/// #     let key = &team.keys[key];
/// #     Credential::from_p8(key.key.to_p8().as_bytes(), key.key_id, team.team_id)
/// # };
/// # let builder =
/// #     Client::builder(Endpoint::custom("localhost", mock.sandbox().port())?).credential(credential(0)?).ca_pem(ca.as_bytes());
/// # let hello = AlertNotification::new(BundleId::parse(team.bundle_id)?).alert("Hello").build()?;
/// # let device_token = DeviceToken::from_hex(&team.device_tokens[0].token)?;
/// use std::{pin::pin, sync::Arc, time::Duration};
/// use futures::{StreamExt as _, stream};
///
/// let client = builder.build()?;
/// client.prewarm(2); // one now, the other a second later, as Apple wants it
///
/// let hello = Arc::new(hello);
/// let device_tokens = vec![device_token; 100];
/// let pushes = device_tokens
///     .into_iter()
///     .map(|device_token| Push::new(Arc::clone(&hello), device_token, ApnsId::from_random(rand::random())));
///
/// let mut outcomes = pin!(client.send_all(stream::iter(pushes)));
/// while let Some((push, outcome)) = outcomes.next().await {
///     assert!(matches!(outcome, Outcome::Accepted(_)), "{push:?}: {outcome:?}");
/// }
///
/// assert_eq!((client.stats().waiting, client.stats().under_way), (0, 0));
/// assert!(client.drain(Duration::from_secs(10)).await, "all were answered");
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    handle: Arc<Handle>,
    ca_pem: Option<Arc<[u8]>>,
    clock: Arc<dyn Clock>,
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

impl Client {
    /// Begins a client that sends to `endpoint`.
    pub fn builder(endpoint: Endpoint) -> ClientBuilder {
        ClientBuilder::new(endpoint)
    }

    /// Sends a notification to one device, under a fresh apns-id, again if need be: what is returned is the outcome of the push as a
    /// whole. Pass an `Arc` to share one notification among many devices.
    pub fn send(
        &self,
        notification: impl Into<Arc<Notification>>,
        device_token: DeviceToken,
    ) -> impl Future<Output = Outcome> + Send {
        self.send_push(Push::new(notification, device_token, ApnsId::from_random(rand::random())))
    }

    /// Sends a push whose apns-id the caller has drawn, as for one that is sent again.
    ///
    /// It is a `tracing` span at level DEBUG, `apns.push`, with its apns-id, topic, push type, the beginning of its device token, and how it
    /// ended.
    ///
    /// Waits while the client has as many pushes in hand as it may. A push goes on even if nobody waits for it any more.
    pub fn send_push(&self, push: Push) -> impl Future<Output = Outcome> + Send + use<> {
        let span = debug_span!(
            "apns.push",
            apns_id = %push.apns_id(),
            topic = %push.notification().topic(),
            push_type = %push.notification().push_type(),
            device_token = %push.device_token(),
            outcome = Empty,
        );
        let sent = Arc::clone(&self.handle.0).send(push.into());
        async move {
            let outcome = sent.await.unwrap_or_else(engine_gone);
            Span::current().record("outcome", outcome.name());
            outcome
        }
        .instrument(span)
    }

    /// Sends a broadcast to all who follow its channel, under a fresh apns-request-id, which the outcome has as its apns-id; again if need
    /// be. It goes to this client's address, and takes its turn among the pushes.
    pub async fn broadcast(&self, broadcast: impl Into<Arc<Broadcast>>) -> Outcome {
        let request_id = ApnsId::from_random(rand::random());
        let outgoing = Outgoing::Broadcast { broadcast: broadcast.into(), request_id };
        Arc::clone(&self.handle.0).send(outgoing).await.unwrap_or_else(engine_gone)
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
    /// ```
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # use apns_provider::{Client, Credential, Endpoint, core::{AlertNotification, ApnsId, BundleId, DeviceToken, Outcome, Push}};
    /// # let mock = mock_apns::MockApns::start().await?;
    /// # let team = mock.ready_made();
    /// # let ca = mock.certificates().authority().root_pem(apns_certs::Purpose::Server);
    /// # let credential = |key: usize| {
    /// #     let key = &team.keys[key];
    /// #     Credential::from_p8(key.key.to_p8().as_bytes(), key.key_id, team.team_id)
    /// # };
    /// # let builder =
    /// #     Client::builder(Endpoint::custom("localhost", mock.sandbox().port())?).credential(credential(0)?).ca_pem(ca.as_bytes());
    /// # let hello = AlertNotification::new(BundleId::parse(team.bundle_id)?).alert("Hello").build()?;
    /// # let device_token = DeviceToken::from_hex(&team.device_tokens[0].token)?;
    /// let client = builder.build()?;
    /// assert!(matches!(client.send(hello.clone(), device_token.clone()).await, Outcome::Accepted(_)));
    ///
    /// client.rotate(&credential(1)?)?; // another key of the team
    /// assert!(matches!(client.send(hello, device_token).await, Outcome::Accepted(_)));
    /// assert_eq!(client.stats().connections_opened, 2);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`ClientBuilder::build`] that are about credentials; the client goes on as it was.
    pub fn rotate(&self, credential: &Credential) -> Result<(), BuildError> {
        self.handle.0.rotate(identity(credential, self.ca_pem.as_deref(), &*self.clock)?);
        Ok(())
    }

    /// Takes no more pushes and waits until all that were handed in are finished, but no longer than `within`: then those that have not
    /// gone out end as [`NotSent::Closed`], and those that have are ambiguous. Says whether there were none of either.
    pub async fn drain(&self, within: Duration) -> bool {
        self.handle.0.drain(within).await
    }

    /// Takes no more pushes, ends those that have not gone out as [`NotSent::Closed`] at once, and waits for the answers to those that
    /// have, but no longer than `within`: then these are ambiguous. Says whether all were answered. For a program that ends and knows who
    /// sends the rest.
    pub async fn stop(&self, within: Duration) -> bool {
        self.handle.0.stop(within).await
    }

    /// How wrong the machine's clock is, by more than a minute, as far as APNs has dated its answers; nothing if it is right or
    /// nobody knows.
    pub fn clock_skew(&self) -> Option<ClockSkew> {
        self.handle.0.clock_skew()
    }

    /// How things are.
    pub fn stats(&self) -> DispatchStatus {
        self.handle.0.status()
    }
}

/// The engine ends before its clients only if its runtime ends or it has a bug.
fn engine_gone() -> Outcome {
    Outcome::NotSent(NotSent::NoConnection { why: "the client's task has ended".into() })
}
