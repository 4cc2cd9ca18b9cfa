//! One connection of a provider: bytes → HTTP/2 → the service, under its lock for one batch → bytes.

mod answer;
mod requests;

use std::time::{Duration, Instant};

use apns_http2::{Config, Connection as Http2, ErrorCode, Event, Section, Settings, StreamId};
use apns_wire::{Received, TlsSocket, WireError};
use mock_apns_core::{Answer, ConnectionId, Effect, Opened, Reason, Service};
use tokio::{sync::watch, time::timeout};
use tracing::{debug, info};

use crate::{clock, shared::Shared};
use requests::Requests;

/// How long a connection that is being closed waits for its peer to close too. Closing at once would make the
/// kernel drop what the peer has not read yet, the GOAWAY that says why above all.
const LINGER: Duration = Duration::from_secs(1);

/// A provider's connection after its handshake.
pub(crate) struct Connection {
    id: ConnectionId,
    socket: TlsSocket,
    http2: Http2,
    requests: Requests,
    shared: Shared,
    opened_at: Instant,
    /// What an answer's body is written into.
    body: Vec<u8>,
}

/// Whether a connection goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Next {
    Continue,
    Close,
}

impl Connection {
    /// Tells the service of the connection, and says what its first SETTINGS are to be.
    pub(crate) fn open(socket: TlsSocket, shared: Shared, opened: Opened<'_>) -> Self {
        let now = clock::now();
        let mut service = shared.service();
        let id = service.connected(now, opened);
        let streams = service.initial_max_concurrent_streams(id);
        drop(service);
        let settings = Settings { max_concurrent_streams: Some(streams), ..Settings::APPLE };
        Self {
            id,
            socket,
            http2: Http2::server(Config { settings, ..Config::default() }),
            requests: Requests::new(),
            shared,
            opened_at: Instant::now(),
            body: Vec::new(),
        }
    }

    /// Serves until the peer or the service ends the connection, or `stop` changes.
    pub(crate) async fn serve(mut self, mut stop: watch::Receiver<bool>) {
        let ended = self.run(&mut stop).await;
        let now = clock::now();
        self.shared.service().disconnected(now, self.id);
        match ended {
            Ok(()) => self.linger().await,
            Err(error) => debug!(connection = %self.id, %error, "connection lost"),
        }
    }

    async fn run(&mut self, stop: &mut watch::Receiver<bool>) -> Result<(), WireError> {
        // What the service had to say when the connection came: SETTINGS, and GOAWAY for a bad certificate.
        let shared = self.shared.clone();
        let mut next = self.carry_out(&mut shared.service());
        loop {
            self.transmit()?;
            if next == Next::Close {
                return Ok(());
            }
            tokio::select! {
                ready = self.ready() => ready?,
                // A sender that is gone means that the double was dropped.
                _ = stop.changed() => {
                    self.go_away("Shutdown");
                    next = Next::Close;
                    continue;
                }
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
    async fn ready(&self) -> std::io::Result<()> {
        if self.socket.is_congested() { self.socket.writable().await } else { self.socket.ready().await }
    }

    /// Handles all that was read, with the service locked once.
    fn handle(&mut self) -> Next {
        let now = clock::now();
        let shared = self.shared.clone();
        let mut service = shared.service();
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
                    service.request(now, id, stream.get(), self.requests.without_body(), &[]);
                }
                Event::Headers { stream, end_stream, .. } => {
                    self.requests.data(stream, &[], end_stream, |fields, body| {
                        service.request(now, id, stream.get(), fields, body);
                    });
                }
                Event::Data { stream, data, end_stream } => {
                    self.requests.data(stream, data, end_stream, |fields, body| {
                        service.request(now, id, stream.get(), fields, body);
                    });
                }
                Event::Reset { stream, code, violation } => {
                    debug!(connection = %id, %stream, %code, ?violation, "stream reset");
                    self.requests.forget(stream);
                }
                event => debug!(connection = %id, ?event, "frame"),
            }
            if self.carry_out(&mut service) == Next::Close {
                return Next::Close;
            }
        }
    }

    /// Does what the service decided. All of it is about this connection: nothing else happened since the
    /// lock was taken.
    fn carry_out(&mut self, service: &mut Service) -> Next {
        while let Some(effect) = service.poll_effect() {
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
                    return Next::Close;
                }
                _ => Ok(()),
            };
            if let Err(error) = done {
                debug!(connection = %self.id, %error, "not sent"); // the provider reset the stream in the meantime
            }
        }
        Next::Continue
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

    /// Closes so that the peer reads what was sent last.
    async fn linger(mut self) {
        let close = async {
            self.socket.close().await?;
            loop {
                self.socket.ready().await?;
                if self.socket.read(|_| {})? == Received::End {
                    return Ok::<(), WireError>(());
                }
            }
        };
        // Both a timeout and an error mean that the peer did not care to read on.
        let _ = timeout(LINGER, close).await;
    }
}

/// One line for each push, so that a terminal shows what a provider does.
fn log_answer(connection: ConnectionId, answer: &Answer) {
    let apns_id = answer.apns_id.as_str();
    match answer.reason.map(Reason::as_str) {
        None => info!(target: "mock_apns::push", %connection, status = answer.status, apns_id),
        Some(reason) => {
            let rule = answer.rule.map(|rule| rule.id);
            info!(target: "mock_apns::push", %connection, status = answer.status, reason, apns_id, rule);
        }
    }
}
