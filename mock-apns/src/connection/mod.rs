//! One connection of a provider: bytes → HTTP/2 → the service, under its lock for one batch → bytes.

mod answer;
mod faults;
mod frames;
mod guarding;
mod misbehaving;
mod requests;
mod watch;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use apns_http2::{Config, Connection as Http2, ErrorCode, Event, Section, Settings, StreamId};
use apns_wire::{Received, TlsSocket, WireError};
use mock_apns_core::{Answer, ConnectionId, Effect, Environment, Opened, Reason, fault::CloseHow};
use tracing::{debug, info};

use crate::{
    clock,
    closing::{close, cut},
    connections::{About, Because, End, Id, Tls, Traffic, Until},
    door::{Door, handshake},
    ledger::Account,
    listener::{Accepted, Stop},
    metrics::Scope,
    shared::{Batch, Era, Shared},
    tls::ServerTls,
    wiretap::{Tapped, Wiretap},
};
use frames::Frames;
use misbehaving::Misbehaving;
use requests::Requests;
use watch::{GREETING_MAX, Watch};
pub(crate) use watch::{Offence, PATIENCE};

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
    opened_at: Instant,
    traffic: Traffic,
    /// What it makes the double hold.
    account: Account,
    watch: Watch,
    /// When it is looked at next; `None`: it is idle.
    look_at: Option<Instant>,
    /// For what it was cut off.
    offence: Option<Offence>,
    /// Why it ends, once something other than its peer has ended it.
    end: Option<End>,
    /// How it ends.
    how: CloseHow,
    /// Whether bytes wait that the peer does not take.
    is_unsent: bool,
    /// What faults have made of it.
    misbehaving: Option<Box<Misbehaving>>,
    /// What an answer's body is written into.
    body: Vec<u8>,
    /// Reads along, while that is wanted.
    frames: Option<Box<Frames>>,
    /// Is told every byte.
    tapped: Option<Tapped>,
}

/// What a connection of a provider is to.
#[derive(Clone, Debug)]
pub(crate) struct Serve {
    pub(crate) environment: Environment,
    pub(crate) tls: ServerTls,
    pub(crate) shared: Shared,
    /// How long a peer may keep the double waiting.
    pub(crate) patience: Duration,
    /// Who reads along.
    pub(crate) wiretap: Option<Arc<dyn Wiretap>>,
}

/// One connection of a provider from its handshake to its end.
pub(crate) async fn serve(accepted: Accepted, to: Serve, stop: Stop) {
    let Serve { environment, tls, shared, patience, wiretap } = to;
    let peer = accepted.peer();
    let door = Door { environment, shared: shared.clone() };
    let Some((socket, _place)) = handshake(accepted, door, tls, stop.clone()).await else { return };
    let (mut connection, next, until) = {
        let tls = Tls::of(socket.tls());
        let server_name = tls.server_name.clone();
        let leaf = socket.tls().peer_certificates().and_then(|chain| chain.first());
        let certificate = leaf.map(|leaf| leaf.to_vec());
        let opened =
            Opened { environment, server_name: server_name.as_deref(), certificate: certificate.as_deref() };
        let listening = environment.into();
        let about = About { peer, listening, tls, opened_at: clock::now(), device: None };
        Connection::open(socket, &shared, opened, about, patience, stop)
    };
    connection.tapped =
        wiretap.map(|wiretap| Tapped::new(wiretap, connection.id.ordinal(), peer, environment));
    connection.serve(next, until).await;
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
    fn open(
        socket: TlsSocket,
        shared: &Shared,
        opened: Opened<'_>,
        about: About,
        patience: Duration,
        stop: Stop,
    ) -> (Self, Next, Until) {
        let mut batch = shared.batch();
        let id = batch.service().connected(about.opened_at, opened);
        let until = batch.connections().0.open(Id::Provider(id), about, stop);
        let is_logged = batch.connections().0.logs_frames(Id::Provider(id));
        let streams = batch.service().initial_max_concurrent_streams(id);
        let settings = Settings { max_concurrent_streams: Some(streams), ..Settings::APPLE };
        let opened_at = Instant::now();
        let mut connection = Self {
            id,
            socket,
            http2: Http2::server(Config { settings, ..Config::default() }),
            requests: Requests::new(),
            shared: shared.clone(),
            era: batch.era(),
            opened_at,
            traffic: Traffic::default(),
            account: shared.ledger().open(),
            watch: Watch::new(patience),
            look_at: Some(opened_at + GREETING_MAX),
            offence: None,
            end: None,
            how: CloseHow::default(),
            is_unsent: false,
            misbehaving: None,
            body: Vec::new(),
            frames: is_logged.then(|| Box::new(Frames::from_the_start(id))),
            tapped: None,
        };
        let next = connection.carry_out(&mut batch);
        (connection, next, until)
    }

    /// Serves until the peer or the service ends the connection, or `until` says so.
    async fn serve(mut self, next: Next, mut until: Until) {
        let ended = self.run(next, &mut until).await;
        self.disconnected(ended.as_ref().err());
        match ended {
            Ok(()) => match self.how {
                CloseHow::CloseNotify => close(&mut self.socket).await,
                CloseHow::Fin => cut(&mut self.socket).await,
                // Closing the socket, which dropping it does, then sends RST.
                CloseHow::Reset => drop(self.socket.tcp().set_zero_linger()),
            },
            Err(error) => debug!(connection = %self.id, %error, "connection lost"),
        }
    }

    /// Tells the service, and whoever asks later, that the connection is closed.
    fn disconnected(&mut self, error: Option<&WireError>) {
        self.traffic.streams = 0;
        let lost = error.map(|error| Because::Lost.with(error));
        let end = self.end.take().or(lost).unwrap_or_else(|| Because::Peer.into());
        let Some(mut batch) = self.shared.batch_in(self.era) else { return };
        if let Some(mut frames) = self.frames.take() {
            frames.end(self.opened_at.elapsed());
            frames.hand_over(&mut batch);
        }
        let (id, now) = (Id::Provider(self.id), clock::now());
        let (connections, service) = batch.connections();
        connections.note(id, self.traffic);
        connections.close(id, now, end, service);
        batch.service().disconnected(now, self.id);
        if let Some(offence) = self.offence {
            batch.metrics().cut_off(offence);
        }
    }

    async fn run(&mut self, mut next: Next, until: &mut Until) -> Result<(), WireError> {
        let nudge = until.nudge();
        loop {
            if let Err(error) = self.shared.kept().await {
                self.end = Some(Because::Shutdown.with(&error));
                return Ok(());
            }
            self.transmit()?;
            if next == Next::Close || self.is_drained() {
                return Ok(());
            }
            if !self.account.hold(self.held_bytes()) {
                next = self.cut_off(Offence::Memory);
                continue;
            }
            let (due, look_at) = (self.due_at(), self.look_at);
            tokio::select! {
                ready = self.ready() => ready?,
                () = nudge.notified() => {
                    next = self.follow_orders();
                    continue;
                }
                () = faults::at(due) => {
                    next = self.on_time();
                    continue;
                }
                () = faults::at(look_at) => {
                    next = self.look();
                    continue;
                }
                because = until.closing() => {
                    self.end = Some(because.into());
                    if let Some(mut batch) = self.shared.clone().batch_in(self.era) {
                        self.log_frames(self.opened_at.elapsed(), &mut batch); // it may be wanted since the last batch
                    }
                    self.go_away("Shutdown");
                    next = Next::Close;
                    continue;
                }
            }
            if self.misbehaving.as_ref().is_some_and(|it| it.reads_nothing()) {
                continue;
            }
            let elapsed = self.opened_at.elapsed();
            let (http2, traffic, frames) = (&mut self.http2, &mut self.traffic, &mut self.frames);
            let tapped = self.tapped.as_ref();
            let received = self.socket.read(|bytes| {
                traffic.bytes_in += bytes.len() as u64;
                http2.recv(elapsed, bytes);
                if let Some(frames) = frames {
                    frames.received(elapsed, bytes);
                }
                if let Some(tapped) = tapped {
                    tapped.received(bytes);
                }
            })?;
            next = self.handle(elapsed);
            if self.look_at.is_none() {
                self.look_at = Some(Instant::now() + self.watch.every());
            }
            if received == Received::End {
                next = Next::Close;
            }
        }
    }

    /// Waits for the next thing to do. While the peer does not read its answers, no more requests are read.
    async fn ready(&self) -> std::io::Result<()> {
        if let Some(it) = &self.misbehaving {
            match (it.reads_nothing(), it.writes_nothing()) {
                (true, false) if self.is_unsent => return self.socket.writable().await,
                (true, _) => std::future::pending().await,
                (false, true) => return self.socket.tcp().readable().await,
                (false, false) => {}
            }
        }
        if self.socket.is_congested() { self.socket.writable().await } else { self.socket.ready().await }
    }

    /// Handles all that was read, with the service locked once. `since` is when reading began.
    fn handle(&mut self, since: Duration) -> Next {
        let shared = self.shared.clone();
        let Some(mut batch) = shared.batch_in(self.era) else {
            self.go_away("Shutdown");
            return Next::Close;
        };
        self.log_frames(since, &mut batch);
        let answered = self.traffic.requests();
        if let Some(it) = &mut self.misbehaving {
            it.on_bytes(Instant::now());
        }
        self.requests.now(since);
        let next = self.handle_events(&mut batch);
        self.traffic.streams = self.http2.open_streams() as u64;
        batch.connections().0.note(Id::Provider(self.id), self.traffic);
        let took = self.opened_at.elapsed().saturating_sub(since);
        batch.metrics().handled(took, (self.traffic.requests() - answered) as u32); // no batch has billions
        next
    }

    /// Begins or ends to read along, as somebody has asked for in the meantime; and hands over what was read.
    fn log_frames(&mut self, elapsed: Duration, batch: &mut Batch<'_>) {
        let is_logged = batch.connections().0.logs_frames(Id::Provider(self.id));
        if is_logged != self.frames.is_some() {
            let from_here = || Box::new(Frames::from_here(self.id, &self.http2, elapsed));
            self.frames = is_logged.then(from_here);
        }
        if let Some(frames) = &mut self.frames {
            frames.hand_over(batch);
        }
    }

    fn handle_events(&mut self, batch: &mut Batch<'_>) -> Next {
        let now = clock::now();
        let id = self.id;
        loop {
            let event = match self.http2.poll_event(&mut self.requests) {
                Ok(Some(event)) => event,
                Ok(None) => return Next::Continue,
                Err(error) => {
                    info!(connection = %id, %error, "connection ended for a protocol error of the provider");
                    self.end = Some(Because::ProtocolError.with(&error));
                    batch.metrics().violated(error.violation, Scope::Connection);
                    return Next::Close;
                }
            };
            match event {
                Event::Headers { section: Section::Request, end_stream: false, .. } => {
                    self.requests.expect_body();
                    // A hundred bytes can make a request of 256 KiB, and a batch has hundreds.
                    if !self.account.hold(self.held_bytes()) {
                        return self.cut_off(Offence::Memory);
                    }
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
                    if let Some(it) = &mut self.misbehaving {
                        it.on_reset(&mut self.http2, stream);
                    }
                    if let Some(violation) = violation {
                        batch.metrics().violated(violation, Scope::Stream);
                    }
                }
                event => debug!(connection = %id, ?event, "frame"),
            }
            if self.carry_out(batch) == Next::Close {
                return Next::Close;
            }
        }
    }

    /// Does what the service decided. What is not about devices is about this connection: nothing else
    /// happened since the lock was taken.
    fn carry_out(&mut self, batch: &mut Batch<'_>) -> Next {
        let mut next = Next::Continue;
        batch.carry_out_for(Some(self.id), |effect| {
            let done = match effect {
                Effect::Respond { stream, answer, .. } => {
                    log_answer(self.id, &answer);
                    self.traffic.answered(answer.status);
                    answer::send(&mut self.http2, StreamId::new(stream), &answer, &mut self.body)
                }
                Effect::MaxConcurrentStreams { streams, .. } => self
                    .http2
                    .settings(Settings { max_concurrent_streams: Some(streams), ..Settings::default() }),
                Effect::GoAway { reason, .. } => {
                    info!(connection = %self.id, reason = reason.as_str(), "connection refused: GOAWAY");
                    self.end.get_or_insert_with(|| Because::SentAway.with(reason.as_str()));
                    self.go_away(reason.as_str());
                    next = Next::Close;
                    Ok(())
                }
                Effect::Fault { stream, fault, deed, .. } => {
                    if self.misbehave(stream, &fault, deed) == Next::Close {
                        next = Next::Close;
                    }
                    Ok(())
                }
                Effect::Close { .. } => {
                    next = Next::Close;
                    Ok(())
                }
                Effect::Throttled { how, .. } => {
                    self.end = Because::throttled(how);
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
        if self.misbehaving.as_ref().is_some_and(|it| it.writes_nothing()) {
            return Ok(());
        }
        loop {
            while let Some(bytes) = self.http2.poll_transmit().filter(|_| !self.socket.is_congested()) {
                let len = bytes.len();
                if let Some(frames) = &mut self.frames {
                    frames.sent(self.opened_at.elapsed(), bytes, &self.shared, self.era);
                }
                if let Some(tapped) = &self.tapped {
                    tapped.sent(bytes);
                }
                self.socket.write(bytes)?;
                self.http2.transmitted(len);
                self.traffic.bytes_out += len as u64;
            }
            let all_sent = self.socket.flush()?;
            self.is_unsent = !all_sent;
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
        None => info!(target: "mock_apns::push", %connection, status = answer.status, apns_id, "accepted"),
        Some(reason) => {
            let (rule, usually) = answer.rule.map(|rule| (rule.id, rule.usual_mistake)).unzip();
            info!(target: "mock_apns::push", %connection, status = answer.status, reason, apns_id, rule, usually, "refused");
        }
    }
}
