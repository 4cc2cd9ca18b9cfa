use std::sync::Arc;

use super::{Connector, Proxy, Resolve, SystemResolver};
use crate::{BuildError, ClientBuilder, Endpoint};

/// How the connections of a client get to the server.
#[derive(Debug)]
pub(crate) struct Way {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) proxy: Option<Proxy>,
    /// What is wrong with the environment's proxy; told by `build`.
    invalid: Option<BuildError>,
}

/// The way to the server.
impl ClientBuilder {
    /// Asks this for the server's addresses, for each connection anew; unless set, the
    /// [system](SystemResolver).
    pub fn resolver(mut self, resolver: impl Resolve + 'static) -> Self {
        self.way.set_resolver(resolver);
        self
    }

    /// Goes through this proxy. Nothing is dialled or resolved but the proxy: it finds the server.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.way.set_proxy(proxy);
        self
    }

    /// Goes through the proxy that the environment has for the server, if it has one: see
    /// [`Proxy::from_env`]. If what it has is no proxy, [`build`](Self::build) says so.
    pub fn proxy_from_env(mut self) -> Self {
        self.way.set_proxy_from_env(&self.endpoint);
        self
    }
}

impl Way {
    pub(crate) fn set_resolver(&mut self, resolver: impl Resolve + 'static) {
        self.resolver = Arc::new(resolver);
    }

    pub(crate) fn set_proxy(&mut self, proxy: Proxy) {
        (self.proxy, self.invalid) = (Some(proxy), None);
    }

    pub(crate) fn set_proxy_from_env(&mut self, endpoint: &Endpoint) {
        (self.proxy, self.invalid) = match Proxy::from_env(endpoint) {
            Ok(proxy) => (proxy, None),
            Err(error) => (None, Some(error)),
        };
    }

    pub(crate) fn connector(self, endpoint: Endpoint) -> Result<Connector, BuildError> {
        match self.invalid {
            Some(error) => Err(error),
            None => Ok(Connector::new(endpoint, self)),
        }
    }
}

impl Default for Way {
    /// The system's resolver, and no proxy.
    fn default() -> Self {
        Self { resolver: Arc::new(SystemResolver), proxy: None, invalid: None }
    }
}
