//! Accepts providers' connections on one address.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use apns_wire::{TlsSocket, WireError};
use mock_apns_core::{Environment, Opened};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::{debug, info, warn};

use crate::{StartError, connection::Connection, shared::Shared, tls::ServerTls};

/// Time for a TLS handshake. A client that stalls in it holds a socket and nothing else.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Connections open at once on one listener, handshakes included; more wait in the kernel's queue. Each needs
/// a file descriptor, and systems allow a process far fewer than clients may want.
pub(crate) const CONNECTIONS_MAX: usize = 10_000;
/// Pause after the system refused a connection (no file descriptors, no memory), so that the loop does not
/// spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Time that connections get to end when the double stops.
const STOP_MAX: Duration = Duration::from_secs(5);

/// One address of the provider API.
#[derive(Debug)]
pub(crate) struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    environment: Environment,
    tls: ServerTls,
    shared: Shared,
}

impl Listener {
    pub(crate) async fn bind(
        address: SocketAddr,
        environment: Environment,
        tls: ServerTls,
        shared: Shared,
    ) -> Result<Self, StartError> {
        let bound = async {
            let tcp = TcpListener::bind(address).await?;
            Ok((tcp.local_addr()?, tcp))
        };
        match bound.await {
            Ok((address, tcp)) => Ok(Self { tcp, address, environment, tls, shared }),
            Err(source) => Err(StartError::Listen { address, environment, source }),
        }
    }

    /// Where it listens; with the real port if port 0 was asked for.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts until `stop` changes, then lets connections say goodbye.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut connections = JoinSet::new();
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let accepted = tokio::select! {
                // A sender that is gone means that the double was dropped.
                _ = stop.changed() => break,
                Some(ended) = connections.join_next() => {
                    log_end(ended);
                    continue;
                }
                accepted = self.accept(&room) => accepted,
            };
            match accepted {
                Ok((tcp, peer, place)) => {
                    let serve = serve(
                        tcp,
                        peer,
                        self.environment,
                        self.tls.clone(),
                        self.shared.clone(),
                        stop.clone(),
                    );
                    connections.spawn(async move {
                        serve.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        let all_ended = async { while connections.join_next().await.is_some() {} };
        if timeout(STOP_MAX, all_ended).await.is_err() {
            debug!("connections were cut off at the stop");
        }
    }

    async fn accept(
        &self,
        room: &Arc<Semaphore>,
    ) -> io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
        let place = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
        let (tcp, peer) = self.tcp.accept().await?;
        Ok((tcp, peer, place))
    }
}

/// One connection from its handshake to its end.
async fn serve(
    tcp: TcpStream,
    peer: SocketAddr,
    environment: Environment,
    tls: ServerTls,
    shared: Shared,
    stop: watch::Receiver<bool>,
) {
    let socket = match timeout(HANDSHAKE_MAX, TlsSocket::accept(tcp, |hello| tls.choose(hello))).await {
        Ok(Ok(socket)) => socket,
        // Port checks, ours among them, connect and say nothing.
        Ok(Err(WireError::ClosedInHandshake)) => return debug!(%peer, "connection closed before TLS"),
        Ok(Err(error)) => return info!(%peer, %error, "connection refused in the TLS handshake"),
        Err(_) => return info!(%peer, "connection closed: no TLS handshake within {HANDSHAKE_MAX:?}"),
    };
    let connection = {
        let rustls::Connection::Server(tls) = socket.tls() else { return };
        let server_name = tls.server_name().map(str::to_owned);
        let certificate = tls.peer_certificates().and_then(|chain| chain.first()).map(|leaf| leaf.to_vec());
        let opened =
            Opened { environment, server_name: server_name.as_deref(), certificate: certificate.as_deref() };
        Connection::open(socket, shared, opened)
    };
    connection.serve(stop).await;
}

/// A panic in a connection is a bug of ours: it is told, and the others go on.
fn log_end(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection ended in a bug of mock-apns; please report it");
    }
}
