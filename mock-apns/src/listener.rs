//! Accepts connections on one address, whatever is spoken there.

use std::{io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use apns_wire::{TlsSocket, WireError};
use mock_apns_core::fault::Accepting;
use rustls::{ServerConfig, server::ClientHello};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::{JoinError, JoinSet},
    time::{sleep, timeout},
};
use tracing::{debug, error, info, warn};

use crate::{
    StartError,
    door::{self, Door},
};

/// Time for a TLS handshake. A client that stalls in it holds a socket and nothing else.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Pause after the system refused a connection (no file descriptors, no memory), so that the loop does not
/// spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Pause before it is tried again to listen on an address that somebody else has taken meanwhile.
const LISTEN_PAUSE: Duration = Duration::from_millis(500);
/// Connections that the kernel holds until they are accepted: as many as `TcpListener::bind` asks for.
const BACKLOG: u32 = 1024;
/// Time that connections get to end when the double stops.
const STOP_MAX: Duration = Duration::from_secs(5);

/// Tells a connection that the double stops: the value changes, or its sender is gone.
pub(crate) type Stop = watch::Receiver<bool>;

/// One address that is listened on.
#[derive(Debug)]
pub(crate) struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Listens on `address`; `what` names it in the error.
    pub(crate) async fn bind(address: SocketAddr, what: &'static str) -> Result<Self, StartError> {
        let bound = async {
            let tcp = TcpListener::bind(address).await?;
            Ok((tcp.local_addr()?, tcp))
        };
        match bound.await {
            Ok((address, tcp)) => Ok(Self { tcp, address }),
            Err(source) => Err(StartError::Listen { address, what, source }),
        }
    }

    /// Where it listens; with the real port if port 0 was asked for.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The socket itself, for a server that accepts by itself.
    pub(crate) fn into_tcp(self) -> TcpListener {
        self.tcp
    }

    /// Accepts until `stop` changes, then lets connections say goodbye. No more than `connections_max` are
    /// open at once, handshakes included; more wait in the kernel's queue. What comes in through a `door` may
    /// meet faults there.
    pub(crate) async fn run<S, Serving>(
        mut self,
        connections_max: usize,
        door: Option<Door>,
        serve: S,
        mut stop: Stop,
    ) where
        S: Fn(TcpStream, SocketAddr, Stop) -> Serving,
        Serving: Future<Output = ()> + Send + 'static,
    {
        let mut connections = JoinSet::new();
        let room = Arc::new(Semaphore::new(connections_max));
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
                    let fault = door::accepting(door.as_ref(), peer).await;
                    // Boxed, because a future that another one was given is stored in it twice.
                    let serving = |tcp| Box::pin(serve(tcp, peer, stop.clone()));
                    match fault {
                        None => connections.spawn(in_place(place, serving(tcp))),
                        Some(Accepting::Delay { lasts }) => {
                            let serving = door::later(lasts, stop.clone(), serving(tcp));
                            connections.spawn(in_place(place, serving))
                        }
                        Some(Accepting::Close) => connections.spawn(in_place(place, door::close(tcp))),
                        Some(Accepting::Reset) => {
                            door::reset(tcp);
                            continue;
                        }
                        Some(Accepting::Refuse { lasts }) => {
                            self = tokio::select! {
                                _ = stop.changed() => break,
                                again = self.closed_for(lasts, tcp) => again,
                            };
                            continue;
                        }
                    };
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

    /// Nobody listens for so long, then it does again. `tcp`, with which that began, and connections that
    /// wait to be accepted are reset.
    async fn closed_for(self, lasts: Duration, tcp: TcpStream) -> Self {
        let Self { tcp: listening, address } = self;
        drop(listening);
        let mut held = hold(address);
        door::reset(tcp);
        sleep(lasts).await;
        loop {
            match held.and_then(|socket| socket.listen(BACKLOG)) {
                Ok(tcp) => {
                    info!(target: "mock_apns::fault", %address, "listening again");
                    return Self { tcp, address };
                }
                Err(error) => warn!(target: "mock_apns::fault", %address, %error, "cannot listen again yet"),
            }
            sleep(LISTEN_PAUSE).await;
            held = hold(address);
        }
    }

    async fn accept(
        &self,
        room: &Arc<Semaphore>,
    ) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let place = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
        let (tcp, peer) = self.tcp.accept().await?;
        Ok((tcp, peer, place))
    }
}

/// Serves a connection, which has a place among all until then.
async fn in_place(place: OwnedSemaphorePermit, serving: impl Future<Output = ()>) {
    serving.await;
    drop(place);
}

/// A socket that has the address and does not listen: until it does, who connects is refused, and nobody
/// takes the address.
fn hold(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?; // connections of this address may be open
    socket.bind(address)?;
    Ok(socket)
}

/// A connection's TLS handshake. `None`: it failed, and the log says why.
pub(crate) async fn handshake(
    tcp: TcpStream,
    peer: SocketAddr,
    choose: impl FnOnce(&ClientHello<'_>) -> Arc<ServerConfig>,
) -> Option<TlsSocket> {
    in_handshake_time(peer, Box::pin(TlsSocket::accept(tcp, choose))).await
}

/// What comes of a connection's handshake within its time. `None`: it failed, and the log says why.
///
/// Boxed: a handshake needs kilobytes, which the connection after it would keep as part of its task.
pub(crate) async fn in_handshake_time<T>(
    peer: SocketAddr,
    shaking: Pin<Box<impl Future<Output = Result<T, WireError>>>>,
) -> Option<T> {
    match timeout(HANDSHAKE_MAX, shaking).await {
        Ok(Ok(done)) => return Some(done),
        // Port checks, ours among them, connect and say nothing.
        Ok(Err(WireError::ClosedInHandshake)) => debug!(%peer, "connection closed before TLS"),
        Ok(Err(error)) => info!(%peer, %error, "connection refused in the TLS handshake"),
        Err(_) => info!(%peer, "connection closed: no TLS handshake within {HANDSHAKE_MAX:?}"),
    }
    None
}

/// A panic in a connection is a bug of ours: it is told, and the others go on.
fn log_end(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        error!(%error, "a connection ended in a bug of mock-apns; please report it");
    }
}
