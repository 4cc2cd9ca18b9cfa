//! Channel management: a connection of its own, to a host and a port of its own, one request at a time.
//!
//! | module | what |
//! |---|---|
//! | `builder` | how a [`Channels`] is made |
//! | `exchange` | one connection, and one request with its answer on it |

mod builder;
mod exchange;

use std::{sync::Arc, time::Duration};

use apns_provider_core::{
    AcceptedChannelAnswer, Advice, ApnsId, BundleId, Channel, ChannelError, ChannelId, ChannelRejection,
    ChannelRequest, MessageStoragePolicy, NotSent,
};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, timeout_at},
};
use tracing::{debug, warn};

use crate::{Endpoint, clock, connect::Connector, engine::Identity};
pub use builder::ChannelsBuilder;
use exchange::Exchange;

/// Creates, reads, deletes and lists the broadcast channels of one app in one environment. Cheap to clone; clones share a connection,
/// which never carries pushes.
///
/// ```no_run
/// # async fn example(credential: apns_provider::Credential) -> Result<(), Box<dyn std::error::Error>> {
/// use apns_provider::core::{BundleId, MessageStoragePolicy};
/// use apns_provider::{Channels, Endpoint};
///
/// let app = BundleId::parse("com.example.football")?;
/// let channels = Channels::builder(Endpoint::channels_sandbox(), app).credential(credential).build()?;
/// let channel = channels.create(MessageStoragePolicy::MostRecentMessageStored).await?;
/// assert!(channels.list().await?.contains(&channel.id));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Channels {
    shared: Arc<Shared>,
}

/// All clones.
#[derive(Debug)]
struct Shared {
    connector: Connector,
    identity: Identity,
    bundle_id: BundleId,
    timeout: Duration,
    /// The connection of the last request, if it may carry another one.
    kept: Mutex<Option<Box<Exchange>>>,
}

impl Channels {
    /// Begins one that asks `endpoint`, such as [`Endpoint::channels_production`], for the channels of this app.
    pub fn builder(endpoint: Endpoint, bundle_id: BundleId) -> ChannelsBuilder {
        ChannelsBuilder::new(endpoint, bundle_id)
    }

    /// Creates a channel; an app may have 10,000 in each environment.
    ///
    /// # Errors
    /// [`ChannelError`]. If nobody knows whether it was created, [list](Self::list) the channels.
    pub async fn create(&self, storage: MessageStoragePolicy) -> Result<Channel, ChannelError> {
        let request = ChannelRequest::create(&self.shared.bundle_id, storage, fresh_id());
        self.shared.ask(&request).await?.created(storage)
    }

    /// How a channel was created.
    ///
    /// # Errors
    /// [`ChannelError`]; there is no such channel if its reason is
    /// [`ChannelNotRegistered`](apns_provider_core::Reason::ChannelNotRegistered).
    pub async fn read(&self, id: ChannelId) -> Result<Channel, ChannelError> {
        let request = ChannelRequest::read(&self.shared.bundle_id, id.clone(), fresh_id());
        self.shared.ask(&request).await?.read(id)
    }

    /// Deletes a channel. Broadcasts that are on their way may still arrive.
    ///
    /// # Errors
    /// [`ChannelError`]. If nobody knows whether it was deleted, delete it again.
    pub async fn delete(&self, id: ChannelId) -> Result<(), ChannelError> {
        let request = ChannelRequest::delete(&self.shared.bundle_id, id, fresh_id());
        self.shared.ask(&request).await.map(drop)
    }

    /// The IDs of all channels of the app.
    ///
    /// # Errors
    /// [`ChannelError`].
    pub async fn list(&self) -> Result<Vec<ChannelId>, ChannelError> {
        let request = ChannelRequest::list(&self.shared.bundle_id, fresh_id());
        self.shared.ask(&request).await?.listed()
    }
}

impl Shared {
    /// Sends the request when those before it are answered, and waits for its answer. It is not sent again unless it certainly was not
    /// looked at: that might create a second channel.
    async fn ask(&self, request: &ChannelRequest) -> Result<AcceptedChannelAnswer, ChannelError> {
        let deadline = clock::after(Instant::now(), self.timeout);
        let mut kept = self.turn(deadline).await?;
        if let Some(exchange) = kept.take()
            && let Some(exchange) = exchange.if_fit().await
        {
            match self.ask_on(exchange, request, deadline, &mut kept).await {
                // The server has left a connection that was idle; any other may take it.
                Err(ChannelError::NotSent(why)) if why != NotSent::OutOfTime => debug!(%why, "asking anew"),
                answer => return answer,
            }
        }
        let exchange = Exchange::open(&self.connector, &self.identity, deadline).await?;
        self.ask_on(exchange, request, deadline, &mut kept).await
    }

    /// Asks on this connection, and keeps it if it may carry another request.
    async fn ask_on(
        &self,
        mut exchange: Box<Exchange>,
        request: &ChannelRequest,
        deadline: Instant,
        kept: &mut Option<Box<Exchange>>,
    ) -> Result<AcceptedChannelAnswer, ChannelError> {
        let token = self.identity.provider_token(clock::now());
        let answer = exchange.ask(request, self.connector.endpoint(), token.as_ref(), deadline).await?;
        let answer = answer.check(*request.request_id());
        match &answer {
            Err(ChannelError::Rejected(ChannelRejection { advice: Advice::RenewProviderToken, .. })) => {
                // This connection may go on refusing also a new token.
                self.identity.token_expired(clock::now());
            }
            Err(ChannelError::OtherRequest { sent, answered }) => {
                warn!(%sent, %answered, "the answer names another apns-request-id than the request");
            }
            _ => *kept = Some(exchange),
        }
        answer
    }

    async fn turn(&self, deadline: Instant) -> Result<MutexGuard<'_, Option<Box<Exchange>>>, ChannelError> {
        timeout_at(deadline, self.kept.lock()).await.map_err(|_| ChannelError::NotSent(NotSent::OutOfTime))
    }
}

fn fresh_id() -> ApnsId {
    ApnsId::from_random(rand::random())
}
