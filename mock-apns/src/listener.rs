//! Accepts connections on one address, whatever is spoken there.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

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
    connections::Listening,
    door::{self, Door},
    entrance::{Entering, Entrance, Refusal},
};

/// Time for a TLS handshake, or for the first request over plain HTTP.
pub(crate) const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Pause after the system refused a connection (no file descriptors, no memory), so that the loop does not
/// spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The same after others were told to give way, which takes them no longer.
const GIVE_WAY_PAUSE: Duration = Duration::from_millis(1);
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
    listening: Listening,
    entrance: Entrance,
}

/// A connection that was accepted and is not open yet.
#[derive(Debug)]
pub(crate) struct Accepted {
    tcp: TcpStream,
    peer: SocketAddr,
    entering: Entering,
    room: Arc<Semaphore>,
}

/// The place of a connection among those that may be open at once; dropped at its end.
#[derive(Debug)]
pub(crate) struct Place(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit);

impl Listener {
    /// Listens on `address`; what connects comes in by `entrance`.
    pub(crate) async fn bind(
        address: SocketAddr,
        listening: Listening,
        entrance: Entrance,
    ) -> Result<Self, StartError> {
        let bound = async {
            let tcp = TcpListener::bind(address).await?;
            Ok((tcp.local_addr()?, tcp))
        };
        match bound.await {
            Ok((address, tcp)) => Ok(Self { tcp, address, listening, entrance }),
            Err(source) => Err(StartError::Listen { address, what: listening.what(), source }),
        }
    }

    /// Where it listens; with the real port if port 0 was asked for.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts until `stop` changes, then lets connections say goodbye. No more than `connections_max` are open
    /// at once; more are closed. What comes in through a `door` may meet faults there.
    pub(crate) async fn run<S, Serving>(
        mut self,
        connections_max: usize,
        door: Option<Door>,
        serve: S,
        mut stop: Stop,
    ) where
        S: Fn(Accepted, Stop) -> Serving,
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
                accepted = self.tcp.accept() => accepted,
            };
            match accepted {
                Ok((tcp, peer)) => {
                    let entering = self.entrance.enter(self.listening);
                    let fault = door::accepting(door.as_ref(), peer).await;
                    let room = Arc::clone(&room);
                    let serving = |tcp| serve(Accepted { tcp, peer, entering, room }, stop.clone());
                    match fault {
                        None => drop(connections.spawn(serving(tcp))),
                        Some(Accepting::Delay { lasts }) => {
                            connections.spawn(door::later(lasts, stop.clone(), serving(tcp)));
                        }
                        Some(Accepting::Close) => drop(connections.spawn(door::close(tcp))),
                        Some(Accepting::Reset) => door::reset(tcp),
                        Some(Accepting::Refuse { lasts }) => {
                            self = tokio::select! {
                                _ = stop.changed() => break,
                                again = self.closed_for(lasts, tcp) => again,
                            };
                        }
                    }
                }
                Err(error) => self.pause(&error).await,
            }
        }
        let all_ended = async { while connections.join_next().await.is_some() {} };
        if timeout(STOP_MAX, all_ended).await.is_err() {
            debug!("connections were cut off at the stop");
        }
    }

    /// After the system has refused to accept a connection.
    async fn pause(&self, error: &io::Error) {
        self.entrance.refused(self.listening, Refusal::Accept);
        if self.entrance.make_room() {
            debug!(%error, "cannot accept a connection before others have given way");
            sleep(GIVE_WAY_PAUSE).await;
        } else {
            warn!(%error, "cannot accept a connection");
            sleep(ACCEPT_PAUSE).await;
        }
    }

    /// Nobody listens for so long, then it does again. `trigger`, with which that began, and connections that
    /// wait to be accepted are reset.
    async fn closed_for(self, lasts: Duration, trigger: TcpStream) -> Self {
        let Self { tcp, address, listening, entrance } = self;
        drop(tcp);
        let mut held = hold(address);
        door::reset(trigger);
        sleep(lasts).await;
        loop {
            match held.and_then(|socket| socket.listen(BACKLOG)) {
                Ok(tcp) => {
                    info!(target: "mock_apns::fault", %address, "listening again");
                    return Self { tcp, address, listening, entrance };
                }
                Err(error) => warn!(target: "mock_apns::fault", %address, %error, "cannot listen again yet"),
            }
            sleep(LISTEN_PAUSE).await;
            held = hold(address);
        }
    }
}

/// A socket that has the address and does not listen: until it does, who connects is refused, and nobody
/// takes the address.
fn hold(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?; // connections of this address may be open
    socket.bind(address)?;
    Ok(socket)
}

impl Accepted {
    /// Who has connected.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The TLS handshake. `None`: it came to nothing; the log says why, and it is counted.
    pub(crate) async fn handshake(
        self,
        choose: impl FnOnce(&ClientHello<'_>) -> Arc<ServerConfig>,
    ) -> Option<(TlsSocket, Place)> {
        self.shake(|tcp| TlsSocket::accept(tcp, choose)).await
    }

    /// What comes of a handshake that is done so. `None`: nothing; the log says why, and it is counted.
    pub(crate) async fn shake<T, Shaking>(
        self,
        shaking: impl FnOnce(TcpStream) -> Shaking,
    ) -> Option<(T, Place)>
    where
        Shaking: Future<Output = Result<T, WireError>>,
    {
        let Self { tcp, peer, mut entering, room } = self;
        let refusal = tokio::select! {
            // Boxed: a handshake needs kilobytes, which the connection after it would keep as part of its task.
            shaken = timeout(HANDSHAKE_MAX, Box::pin(shaking(tcp))) => match shaken {
                Ok(Ok(done)) => match room.try_acquire_owned() {
                    Ok(place) => return Some((done, Place(place))),
                    Err(_) => Refusal::Full,
                },
                Ok(Err(WireError::ClosedInHandshake)) => Refusal::Closed,
                Ok(Err(error)) => {
                    info!(%peer, %error, "connection refused in the TLS handshake");
                    entering.refused(Refusal::Tls);
                    return None;
                }
                Err(_) => Refusal::Timeout,
            },
            () = entering.gives_way() => Refusal::GaveWay,
        };
        log_refusal(peer, refusal);
        entering.refused(refusal);
        None
    }

    /// The connection as it is, for what is not spoken over TLS: it is open once `Entering` is dropped. `None`: there are too many.
    pub(crate) fn without_tls(self) -> Option<(TcpStream, Entering, Place)> {
        let Self { tcp, peer, entering, room } = self;
        if let Ok(place) = room.try_acquire_owned() {
            return Some((tcp, entering, Place(place)));
        }
        log_refusal(peer, Refusal::Full);
        entering.refused(Refusal::Full);
        None
    }
}

fn log_refusal(peer: SocketAddr, why: Refusal) {
    match why {
        Refusal::Timeout => info!(%peer, "connection closed: no TLS handshake within {HANDSHAKE_MAX:?}"),
        Refusal::Full => warn!(%peer, "connection closed: as many are open as there may be"),
        // Port checks, ours among them, connect and say nothing; and those that give way are many.
        why => debug!(%peer, why = why.as_str(), "connection closed before it was open"),
    }
}

/// A panic in a connection is a bug of ours: it is told, and the others go on.
fn log_end(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        error!(%error, "a connection ended in a bug of mock-apns; please report it");
    }
}
