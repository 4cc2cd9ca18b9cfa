//! One connection of a provider: bytes → HTTP/2 → the service, under its lock for one batch → bytes.

mod answer;
mod requests;

use std::{net::SocketAddr, time::Instant};

use apns_http2::{Config, Connection as Http2, ErrorCode, Event, Section, Settings, StreamId};
use apns_wire::{Received, TlsSocket, WireError};
use mock_apns_core::{Answer, ConnectionId, Effect, Environment, Opened, Reason};
use tokio::{net::TcpStream, sync::watch};
use tracing::{debug, info};

use crate::{
    clock,
    closing::close,
    listener::{Stop, handshake},
    shared::{Batch, Era, Shared},
    tls::ServerTls,
};
use requests::Requests;

/// Providers' connections open at once on one listener. Each needs a file descriptor, and systems allow a
/// process far fewer than clients may want.
pub(crate) const CONNECTIONS_MAX: usize = 10_000;

/// A provider's connection after its handshake.
struct Connection {
    id: ConnectionId,
    socket: TlsSocket,
    http2: Http2,
    requests: Requests,
    shared: Shared,
    era: Era,
    /// Tells when the era ends.
    eras: watch::Receiver<Era>,
    opened_at: Instant,
    /// What an answer's body is written into.
    body: Vec<u8>,
}

/// One connection of a provider from its handshake to its end.
pub(crate) async fn serve(
    tcp: TcpStream,
    peer: SocketAddr,
    environment: Environment,
    tls: ServerTls,
    shared: Shared,
    stop: Stop,
) {
    let Some(socket) = handshake(tcp, peer, |hello| tls.choose(hello)).await else { return };
    let (connection, next) = {
        let rustls::Connection::Server(tls) = socket.tls() else { return };
        let server_name = tls.server_name().map(str::to_owned);
        let certificate = tls.peer_certificates().and_then(|chain| chain.first()).map(|leaf| leaf.to_vec());
        let opened =
            Opened { environment, server_name: server_name.as_deref(), certificate: certificate.as_deref() };
        Connection::open(socket, &shared, opened)
    };
    connection.serve(next, stop).await;
}

/// Whether a connection goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Next {
    Continue,
    Close,
}

impl Connection {
    /// Tells the service of the connection, and takes what it says to that: its first SETTINGS, and GOAWAY for
    /// a bad certificate.
    fn open(socket: TlsSocket, shared: &Shared, opened: Opened<'_>) -> (Self, Next) {
        let mut batch = shared.batch();
        let eras = batch.era();
        let era = *eras.borrow();
        let id = batch.service().connected(clock::now(), opened);
        let streams = batch.service().initial_max_concurrent_streams(id);
        let settings = Settings { max_concurrent_streams: Some(streams), ..Settings::APPLE };
        let mut connection = Self {
            id,
            socket,
            http2: Http2::server(Config { settings, ..Config::default() }),
            requests: Requests::new(),
            shared: shared.clone(),
            era,
            eras,
            opened_at: Instant::now(),
            body: Vec::new(),
        };
        let next = connection.carry_out(&mut batch);
        (connection, next)
    }

    /// Serves until the peer or the service ends the connection, or `stop` changes.
    async fn serve(mut self, next: Next, mut stop: Stop) {
        let ended = self.run(next, &mut stop).await;
        if let Some(mut batch) = self.shared.batch_in(self.era) {
            batch.service().disconnected(clock::now(), self.id);
        }
        match ended {
            Ok(()) => close(&mut self.socket).await,
            Err(error) => debug!(connection = %self.id, %error, "connection lost"),
        }
    }

    async fn run(&mut self, mut next: Next, stop: &mut Stop) -> Result<(), WireError> {
        loop {
            if let Err(error) = self.shared.kept().await {
                debug!(connection = %self.id, %error, "closed without its answers");
                return Ok(());
            }
            self.transmit()?;
            if next == Next::Close {
                return Ok(());
            }
            let is_over = tokio::select! {
                ready = Self::ready(&self.socket) => {
                    ready?;
                    false
                }
                // A sender that is gone means that the double was dropped.
                _ = stop.changed() => true,
                _ = self.eras.changed() => true,
            };
            if is_over {
                self.go_away("Shutdown");
                next = Next::Close;
                continue;
            }
            let elapsed = self.opened_at.elapsed();
            let http2 = &mut self.http2;
            let received = self.socket.read(|bytes| http2.recv(elapsed, bytes))?;
            next = self.handle();
            if received == Received::End {
                next = Next::Close;
            }
        }
    }

    /// Waits for the next thing to do. While the peer does not read its answers, no more requests are read.
    async fn ready(socket: &TlsSocket) -> std::io::Result<()> {
        if socket.is_congested() { socket.writable().await } else { socket.ready().await }
    }

    /// Handles all that was read, with the service locked once.
    fn handle(&mut self) -> Next {
        let now = clock::now();
        let shared = self.shared.clone();
        let Some(mut batch) = shared.batch_in(self.era) else {
            self.go_away("Shutdown");
            return Next::Close;
        };
        let id = self.id;
        loop {
            let event = match self.http2.poll_event(&mut self.requests) {
                Ok(Some(event)) => event,
                Ok(None) => return Next::Continue,
                Err(error) => {
                    info!(connection = %id, %error, "connection ended for a protocol error of the provider");
                    return Next::Close;
                }
            };
            match event {
                Event::Headers { section: Section::Request, end_stream: false, .. } => {
                    self.requests.expect_body();
                }
                Event::Headers { stream, section: Section::Request, .. } => {
                    batch.service().request(now, id, stream.get(), self.requests.without_body(), &[]);
                }
                Event::Headers { stream, end_stream, .. } => {
                    self.requests.data(stream, &[], end_stream, |fields, body| {
                        batch.service().request(now, id, stream.get(), fields, body);
                    });
                }
                Event::Data { stream, data, end_stream } => {
                    self.requests.data(stream, data, end_stream, |fields, body| {
                        batch.service().request(now, id, stream.get(), fields, body);
                    });
                }
                Event::Reset { stream, code, violation } => {
                    debug!(connection = %id, %stream, %code, ?violation, "stream reset");
                    self.requests.forget(stream);
                }
                event => debug!(connection = %id, ?event, "frame"),
            }
            if self.carry_out(&mut batch) == Next::Close {
                return Next::Close;
            }
        }
    }

    /// Does what the service decided. What is not about devices is about this connection: nothing else
    /// happened since the lock was taken.
    fn carry_out(&mut self, batch: &mut Batch<'_>) -> Next {
        let mut next = Next::Continue;
        batch.carry_out(|effect| {
            let done = match effect {
                Effect::Respond { stream, answer, .. } => {
                    log_answer(self.id, &answer);
                    answer::send(&mut self.http2, StreamId::new(stream), &answer, &mut self.body)
                }
                Effect::MaxConcurrentStreams { streams, .. } => self
                    .http2
                    .settings(Settings { max_concurrent_streams: Some(streams), ..Settings::default() }),
                Effect::GoAway { reason, .. } => {
                    info!(connection = %self.id, reason = reason.as_str(), "connection refused: GOAWAY");
                    self.go_away(reason.as_str());
                    next = Next::Close;
                    Ok(())
                }
                _ => Ok(()),
            };
            if let Err(error) = done {
                debug!(connection = %self.id, %error, "not sent"); // the provider reset the stream in the meantime
            }
        });
        next
    }

    /// GOAWAY with the reason as Apple sends it, then a second one with none (the trace of apns-facts 1.4 has
    /// both).
    fn go_away(&mut self, reason: &str) {
        let last_stream = self.http2.last_peer_stream();
        let debug = format!(r#"{{"reason":"{reason}"}}"#);
        for debug in [debug.as_bytes(), &[]] {
            if let Err(error) = self.http2.goaway(last_stream, ErrorCode::NO_ERROR, debug) {
                debug!(connection = %self.id, %error, "GOAWAY not sent");
            }
        }
    }

    /// Encrypts what HTTP/2 has to send, and sends what the socket takes.
    fn transmit(&mut self) -> Result<(), WireError> {
        loop {
            while let Some(bytes) = self.http2.poll_transmit().filter(|_| !self.socket.is_congested()) {
                let len = bytes.len();
                self.socket.write(bytes)?;
                self.http2.transmitted(len);
            }
            let all_sent = self.socket.flush()?;
            // What was held back for congestion has to go once the socket has taken the rest: nothing else would
            // wake this task for it.
            if !all_sent || self.http2.poll_transmit().is_none() {
                return Ok(());
            }
        }
    }
}

/// One line for each push, so that a terminal shows what a provider does.
fn log_answer(connection: ConnectionId, answer: &Answer) {
    let apns_id = answer.apns_id.as_str();
    match answer.reason.map(Reason::as_str) {
        None => info!(target: "mock_apns::push", %connection, status = answer.status, apns_id),
        Some(reason) => {
            let (rule, usually) = answer.rule.map(|rule| (rule.id, rule.usual_mistake)).unzip();
            info!(target: "mock_apns::push", %connection, status = answer.status, reason, apns_id, rule, usually);
        }
    }
}
