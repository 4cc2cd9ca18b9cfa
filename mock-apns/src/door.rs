//! Faults at the door of the provider API, which strike before there is a connection: while it is accepted,
//! and in its TLS handshake.

use std::{io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use apns_wire::{Hello, TlsSocket};
use mock_apns_core::{
    Environment, Named as _,
    fault::{Accepting, FaultName, Handshake},
};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};
use tracing::{error, info};

use crate::{
    clock,
    listener::{Accepted, Place, Stop},
    shared::Shared,
    tls::{FlawedTlsError, ServerTls},
};

/// How long a client that finds the door closed gets to close its side too.
const LINGER: Duration = Duration::from_secs(1);
/// Refuses all protocols that a client offers (RFC 7301, 3.2).
const NO_APPLICATION_PROTOCOL: u8 = 120;

/// The door of one environment's provider API.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    pub(crate) environment: Environment,
    pub(crate) shared: Shared,
}

/// What goes wrong with a TCP connection that was accepted, if anything does. Without a door nothing does.
pub(crate) async fn accepting(door: Option<&Door>, peer: SocketAddr) -> Option<Accepting> {
    let door = door?;
    let struck = door.shared.batch().service().accepting(clock::now(), door.environment);
    door.told(peer, struck).await
}

impl Door {
    /// What goes wrong with the handshake of a client that has said hello, if anything does.
    async fn shaking_hands(&self, peer: SocketAddr) -> Option<Handshake> {
        let struck = self.shared.batch().service().shaking_hands(clock::now(), self.environment);
        self.told(peer, struck).await
    }

    /// Returns once it is kept that the fault has fired. If that fails, it does not happen: nothing is
    /// answered any more.
    async fn told<T>(&self, peer: SocketAddr, struck: Option<(FaultName, T)>) -> Option<T> {
        let (fault, it) = struck?;
        info!(target: "mock_apns::fault", %peer, environment = self.environment.name(), %fault, "fault");
        self.shared.kept().await.is_ok().then_some(it)
    }
}

/// Closes a connection with FIN. What its client says is read, because closing with unread bytes would send
/// RST.
pub(crate) async fn close(mut tcp: TcpStream) {
    let closing = async {
        tcp.shutdown().await?;
        let mut ignored = [0; 1024];
        while tcp.read(&mut ignored).await? > 0 {}
        Ok::<(), io::Error>(())
    };
    // Both a timeout and an error mean that the client did not care to close.
    let _ = timeout(LINGER, closing).await;
}

/// Closes a connection with RST.
pub(crate) fn reset(tcp: TcpStream) {
    let _ = tcp.set_zero_linger(); // fails on a socket that is gone already
    drop(tcp);
}

/// Serves a connection after so long, unless the double stops before that.
pub(crate) async fn later(lasts: Duration, mut stop: Stop, serving: impl Future<Output = ()>) {
    tokio::select! {
        _ = stop.changed() => {}
        () = sleep(lasts) => serving.await,
    }
}

/// How a handshake went that did not fail.
#[expect(clippy::large_enum_variant, reason = "it is taken apart as soon as it is there")]
enum Shaken {
    Hands(TlsSocket),
    /// A fault has ended it.
    Refused,
    /// A fault never lets it end, unless the client does.
    Stalled(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// A provider's TLS handshake, with whatever goes wrong in it. `None`: there is no connection, and the log
/// says why.
///
/// One that stalls has no limit of its own: it ends when the client goes or the double stops.
pub(crate) async fn handshake(
    accepted: Accepted,
    door: Door,
    tls: ServerTls,
    mut stop: Stop,
) -> Option<(TlsSocket, Place)> {
    let peer = accepted.peer();
    let shaking = async |tcp| {
        let hello = Hello::read(tcp).await?;
        let fault = door.shaking_hands(peer).await;
        match answer(&hello, fault.as_ref(), &tls) {
            Answer::Config(config) => hello.accept(config).await.map(Shaken::Hands),
            Answer::Alert(alert) => {
                hello.refuse(alert).await;
                Ok(Shaken::Refused)
            }
            Answer::Nothing => Ok(Shaken::Stalled(Box::pin(hello.ignore()))),
        }
    };
    let (shaken, place) = accepted.shake(shaking).await?;
    match shaken {
        Shaken::Hands(socket) => return Some((socket, place)),
        Shaken::Refused => {}
        Shaken::Stalled(client_is_gone) => {
            tokio::select! {
                _ = stop.changed() => {}
                () = client_is_gone => {}
            }
        }
    }
    None
}

/// What is said to a hello.
enum Answer {
    Config(Arc<ServerConfig>),
    Alert(u8),
    Nothing,
}

fn answer(hello: &Hello, fault: Option<&Handshake>, tls: &ServerTls) -> Answer {
    let hello = hello.client_hello();
    let flawed = match fault {
        None => return Answer::Config(tls.choose(&hello)),
        Some(Handshake::Stall) => return Answer::Nothing,
        Some(Handshake::Alert(alert)) => return Answer::Alert(alert.number()),
        // Who offers nothing cannot be refused.
        Some(Handshake::AlpnRefused) if hello.alpn().is_none() => return Answer::Config(tls.choose(&hello)),
        Some(Handshake::AlpnRefused) => return Answer::Alert(NO_APPLICATION_PROTOCOL),
        Some(Handshake::Certificate(shown)) => tls.choose_showing(*shown, &hello),
        Some(Handshake::Tls12) => tls.choose_tls12(&hello),
        Some(Handshake::Http11) => tls.choose_http11(&hello),
    };
    flawed.map_or_else(|error| internal_error(&error), Answer::Config)
}

/// What a server says that cannot go on (RFC 8446, 6.2).
fn internal_error(error: &FlawedTlsError) -> Answer {
    const INTERNAL_ERROR: u8 = 80;
    error!(%error, "a fault could not be carried out");
    Answer::Alert(INTERNAL_ERROR)
}
