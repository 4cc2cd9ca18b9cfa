//! The way to the server: from a host name to a connection on which TLS has agreed on `h2`.
//!
//! ```text
//!   host ──Resolve──▶ addresses ──Dialing──▶ TCP, one of them ──tunnel──▶ CONNECT ──▶ TLS, h2
//!                                                               (if there is a proxy)
//! ```
//!
//! | module | what |
//! |---|---|
//! | `options` | what [`ClientBuilder`](crate::ClientBuilder) can be told of the way |
//! | `resolve` | names to addresses, anew for each connection |
//! | `dial` | races for a TCP connection, in the order of `apns_provider_core::Dialing` |
//! | `in_use` | which addresses the client's open connections have |
//! | `proxy`, `proxy_variables` | what a proxy is, and what the environment says of one |
//! | `tunnel` | HTTP CONNECT |
//! | `error` | what can go wrong on the way, and what it means for a push |

mod dial;
mod error;
mod in_use;
mod options;
mod proxy;
mod proxy_variables;
mod resolve;
pub(crate) mod tunnel;

use std::{
    future::Future,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use apns_provider_core::{Dialing, NotSent};
use apns_wire::TlsSocket;
use rustls::ClientConfig;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tracing::debug;

use crate::{Endpoint, tls::ALPN_H2};
pub(crate) use error::wire_failure;
use error::{ConnectError, Step};
pub(crate) use in_use::AddressInUse;
use in_use::AddressesInUse;
pub(crate) use options::Way;
pub use proxy::{InvalidProxy, Proxy};
pub use resolve::{Resolve, Resolving, SystemResolver};

/// Time for DNS, TCP, proxy and TLS together.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Makes the connections of one client.
#[derive(Debug)]
pub(crate) struct Connector {
    endpoint: Endpoint,
    way: Way,
    in_use: Arc<AddressesInUse>,
    /// The number of the next connection.
    number: AtomicU64,
}

/// A connection on which TLS has agreed on `h2`.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) socket: TlsSocket,
    /// To be kept as long as the socket: others of the client's connections turn to other addresses
    /// meanwhile.
    pub(crate) address: AddressInUse,
}

impl Connector {
    pub(crate) fn new(endpoint: Endpoint, way: Way) -> Self {
        // System resolvers tend to give the same address first: not every process may begin with it.
        let number = AtomicU64::new(rand::random());
        Self { endpoint, way, in_use: Arc::default(), number }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// One more connection. Nobody waits for it longer than `patience`.
    pub(crate) async fn connect(
        &self,
        tls: Arc<ClientConfig>,
        patience: Duration,
    ) -> Result<Connected, NotSent> {
        self.open(tls, Instant::now() + patience.min(CONNECT_MAX)).await.map_err(|error| {
            debug!(endpoint = %self.endpoint, %error, "no connection");
            error.into_not_sent(&self.endpoint)
        })
    }

    async fn open(&self, tls: Arc<ClientConfig>, deadline: Instant) -> Result<Connected, ConnectError> {
        let (mut tcp, address) = self.tcp(deadline).await?;
        if let Some(proxy) = &self.way.proxy {
            let target = self.endpoint.host_and_port();
            within(deadline, Step::Proxy, async { Ok(tunnel::open(&mut tcp, proxy, &target).await?) })
                .await?;
        }
        let handshake = TlsSocket::connect(tcp, tls, self.endpoint.server_name());
        let socket = within(deadline, Step::Tls, async { Ok(handshake.await?) }).await?;
        if socket.tls().alpn_protocol() != Some(ALPN_H2) {
            return Err(ConnectError::NotHttp2);
        }
        Ok(Connected { socket, address })
    }

    /// A TCP connection with the server, or with the proxy if there is one. Then nothing else is asked for or
    /// dialled: the proxy knows the server's name, we may not (C-08).
    async fn tcp(&self, deadline: Instant) -> Result<(TcpStream, AddressInUse), ConnectError> {
        let (host, port) = match &self.way.proxy {
            Some(proxy) => (proxy.host(), proxy.port()),
            None => (self.endpoint.host(), self.endpoint.port()),
        };
        let addresses = within(deadline, Step::Resolve, self.addresses(host)).await?;
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let dialing = Dialing::new(&addresses, number, |address| self.in_use.count(address));
        let (tcp, address) = within(deadline, Step::Tcp, dial::dial(dialing, port)).await?;
        Ok((tcp, self.in_use.take(address)))
    }

    /// All addresses of a host. What was found before is never used again (C-03): whoever wants a cache has
    /// one in the resolver, which knows for how long an answer is good.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, ConnectError> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let found = self.way.resolver.resolve(host).await;
        let addresses = found
            .map_err(|error| ConnectError::Unresolved { host: host.to_owned(), why: error.to_string() })?;
        if addresses.is_empty() {
            return Err(ConnectError::NoAddress { host: host.to_owned() });
        }
        Ok(addresses)
    }
}

async fn within<T>(
    deadline: Instant,
    step: Step,
    work: impl Future<Output = Result<T, ConnectError>>,
) -> Result<T, ConnectError> {
    timeout_at(deadline, work).await.unwrap_or(Err(ConnectError::Late(step)))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    /// Every name has two addresses.
    #[derive(Debug)]
    struct Two;

    impl Resolve for Two {
        fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
            Box::pin(async { Ok([1, 2].map(|last| Ipv4Addr::new(127, 0, 0, last).into()).to_vec()) })
        }
    }

    fn connector(port: u16) -> Connector {
        let mut way = Way::default();
        way.resolver = Arc::new(Two);
        Connector::new(Endpoint::custom("localhost", port).unwrap(), way)
    }

    #[tokio::test]
    async fn c04_connections_that_are_open_keep_others_from_their_addresses() {
        let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = first.local_addr().unwrap().port();
        let _second = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
        let connector = connector(port);
        let deadline = Instant::now() + CONNECT_MAX;
        let connection = async || {
            let (tcp, in_use) = connector.tcp(deadline).await.unwrap();
            (tcp.peer_addr().unwrap().ip(), in_use)
        };
        let (kept, _in_use) = connection().await;
        // By their numbers alone, every other connection would go where the first one is.
        for number in 2..6 {
            assert_ne!(connection().await.0, kept, "connection {number}");
        }
    }
}
