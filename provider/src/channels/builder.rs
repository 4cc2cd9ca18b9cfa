use std::{sync::Arc, time::Duration};

use apns_provider_core::BundleId;
use tokio::sync::Mutex;

use super::{Channels, Shared};
use crate::{
    BuildError, Credential, Endpoint, Proxy, Resolve, SystemClock,
    client::{DEFAULT_TIMEOUT, identity},
    connect::Way,
};

/// How a [`Channels`] is made.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ChannelsBuilder {
    endpoint: Endpoint,
    bundle_id: BundleId,
    way: Way,
    credential: Option<Credential>,
    ca_pem: Option<Vec<u8>>,
    timeout: Duration,
}

impl ChannelsBuilder {
    pub(super) fn new(endpoint: Endpoint, bundle_id: BundleId) -> Self {
        let timeout = DEFAULT_TIMEOUT;
        Self { endpoint, bundle_id, way: Way::default(), credential: None, ca_pem: None, timeout }
    }

    /// Who asks.
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }

    /// Trusts the certificates in this PEM text and no others: a simulated service's CA, or a company's.
    pub fn ca_pem(mut self, pem: &[u8]) -> Self {
        self.ca_pem = Some(pem.to_vec());
        self
    }

    /// How long a request may take, waiting for those before it and for a connection included; 30 seconds unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// As [`ClientBuilder::resolver`](crate::ClientBuilder::resolver).
    pub fn resolver(mut self, resolver: impl Resolve + 'static) -> Self {
        self.way.set_resolver(resolver);
        self
    }

    /// As [`ClientBuilder::proxy`](crate::ClientBuilder::proxy).
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.way.set_proxy(proxy);
        self
    }

    /// As [`ClientBuilder::proxy_from_env`](crate::ClientBuilder::proxy_from_env).
    pub fn proxy_from_env(mut self) -> Self {
        self.way.set_proxy_from_env(&self.endpoint);
        self
    }

    /// Makes it. It connects when there is something to ask.
    ///
    /// # Errors
    /// [`BuildError`]: what is missing or cannot be. Nothing was sent anywhere.
    pub fn build(self) -> Result<Channels, BuildError> {
        let credential = self.credential.ok_or(BuildError::NoCredential)?;
        let identity = identity(&credential, self.ca_pem.as_deref(), &SystemClock)?;
        let connector = self.way.connector(self.endpoint)?;
        let (bundle_id, timeout, kept) = (self.bundle_id, self.timeout, Mutex::new(None));
        Ok(Channels { shared: Arc::new(Shared { connector, identity, bundle_id, timeout, kept }) })
    }
}
