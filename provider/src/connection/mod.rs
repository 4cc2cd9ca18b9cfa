//! One connection: takes pushes from the dispatcher as far as APNs allows, and tells it how each one ended.

mod answers;
mod events;
mod exchange;
mod in_flight;
mod request;

use std::{io, pin::Pin, sync::Arc, time::Duration};

use apns_http2::{Connection as Http2, ErrorCode, Event, StreamId};
use apns_provider_core::{Ambiguity, ConnectionId, KeepAlive, NotSent, Outcome, Pulse};
use apns_wire::{Received, TlsSocket, WireError};
use tokio::{
    task::yield_now,
    time::{Sleep, sleep_until},
};
use tracing::debug;

use crate::{
    connect::{Connected, wire_failure},
    engine::{End, Engine, Identity, Job, Signals},
    telemetry::{self, Ended},
    transmit::transmit,
};
pub(crate) use answers::AnswerFields;
use events::GoingAway;
use exchange::Turn;
use in_flight::InFlight;
pub(crate) use request::open;

/// How often deadlines are looked at while pushes are under way: an outcome may be that much late.
const DEADLINE_EVERY: Duration = Duration::from_millis(100);
/// What our PINGs carry.
const PING: [u8; 8] = *b"provider";

/// Makes a connection and serves it until its end.
pub(crate) async fn run(engine: Arc<Engine>, id: ConnectionId, signals: Arc<Signals>) {
    let identity = engine.identity();
    let connect = engine.connector.connect(Arc::clone(&identity.tls), engine.patience);
    let connected = tokio::select! {
        connected = connect => connected,
        () = signals.ended() => Err(NotSent::Closed),
    };
    match connected {
        Ok(connected) => {
            engine.telemetry.connection_opened();
            engine.with(|dispatcher, now| dispatcher.opened(now, id));
            let Connected { socket, address: _in_use } = connected;
            let connection = Connection::new(socket, &engine, id, identity);
            let why = connection.run(&engine, &signals).await;
            engine.with(|dispatcher, now| dispatcher.closed(now, id, why.as_ref()));
        }
        Err(why) => {
            engine.telemetry.connection_failed();
            engine.with(|dispatcher, now| dispatcher.open_failed(now, id, &why));
        }
    }
    engine.forget(id);
}

/// A connection after its TLS handshake.
#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    socket: TlsSocket,
    http2: Http2,
    identity: Arc<Identity>,
    authority: String,
    began: Duration,
    going_away: Option<GoingAway>,
    answers: AnswerFields,
    in_flight: InFlight,
    /// Pushes that were taken and are not sent yet; empty between turns.
    taken: Vec<Job>,
    keep_alive: KeepAlive,
    /// When a PING was sent that has not been acknowledged.
    pinged_at: Option<Duration>,
    /// Streams that we gave up since the last answer.
    given_up: u32,
    /// The first stream whose request may not have been written, and how many bytes had been when it was opened.
    unwritten: Option<(StreamId, u64)>,
    timer: Pin<Box<Sleep>>,
    timer_at: Duration,
}

/// What a turn of the loop waited for.
enum Wake {
    Socket(io::Result<()>),
    Signal,
    Timer,
}

impl Connection {
    fn new(socket: TlsSocket, engine: &Engine, id: ConnectionId, identity: Arc<Identity>) -> Self {
        let began = engine.elapsed();
        Self {
            id,
            socket,
            http2: Http2::client(engine.http2),
            identity,
            authority: engine.connector.endpoint().authority(),
            began,
            going_away: None,
            answers: AnswerFields::default(),
            in_flight: InFlight::new(),
            taken: Vec::new(),
            keep_alive: KeepAlive::new(engine.keep_alive, began),
            pinged_at: None,
            given_up: 0,
            unwritten: None,
            timer: Box::pin(sleep_until(engine.instant(began))),
            timer_at: began,
        }
    }

    /// Serves until the end. Gives the reason if it ended before it answered anything.
    async fn run(mut self, engine: &Arc<Engine>, signals: &Signals) -> Option<NotSent> {
        let ended = self.serve(engine, signals).await;
        if let Err(error) = &ended {
            debug!(%error, "connection lost");
            // A write that failed says nothing of what the server said before: that may lie in the socket.
            let _ = self.receive(engine);
        }
        self.end_unwritten();
        self.in_flight.end_all(|| Outcome::Ambiguous(Ambiguity::ConnectionLost));
        self.report(engine);
        telemetry::connection_ended(match (&ended, &self.going_away) {
            (_, Some(_)) => Ended::Goaway,
            (Err(_), None) => Ended::Lost,
            (Ok(()), None) => Ended::Drained,
        });
        let has_answered = self.in_flight.answers() > 0;
        if has_answered {
            return None;
        }
        match (ended, self.going_away) {
            // Others would go the same way. After any other GOAWAY those that it concerned know, and others go elsewhere.
            (_, Some(GoingAway { reason, .. })) => {
                Some(NotSent::BeyondGoaway { reason }).filter(NotSent::needs_mending)
            }
            (Err(error), None) => Some(wire_failure(engine.connector.endpoint(), &error)),
            (Ok(()), None) => None,
        }
    }

    async fn serve(&mut self, engine: &Arc<Engine>, signals: &Signals) -> Result<(), WireError> {
        loop {
            while self.exchange(engine, signals) == Turn::More {
                self.transmit()?;
            }
            match signals.end() {
                End::Cut => return Ok(()),
                End::Drained if self.in_flight.is_empty() => return self.say_goodbye(),
                _ if self.going_away.is_some() && self.in_flight.is_empty() => return self.say_goodbye(),
                _ => self.transmit()?,
            }
            self.set_timer(engine);
            let wake = tokio::select! {
                ready = self.socket.ready() => Wake::Socket(ready),
                () = signals.notified() => Wake::Signal,
                () = &mut self.timer => Wake::Timer,
            };
            match wake {
                Wake::Socket(ready) => {
                    ready?;
                    self.receive(engine)?;
                }
                // Lets the tasks that were woken together hand in theirs too, so that they share a write.
                Wake::Signal => yield_now().await,
                Wake::Timer => self.look_at_time(engine)?,
            }
        }
    }

    fn transmit(&mut self) -> Result<(), WireError> {
        if transmit(&mut self.http2, &mut self.socket)? {
            self.unwritten = None;
        }
        Ok(())
    }

    /// What was handed to the socket and of which not one byte went out, certainly was not processed (C-40).
    fn end_unwritten(&mut self) {
        if let Some((first, sent)) = self.unwritten
            && self.socket.sent() == sent
        {
            self.in_flight.end_from(first, || Outcome::NotSent(NotSent::Unwritten));
        }
    }

    fn receive(&mut self, engine: &Engine) -> Result<(), WireError> {
        let now = engine.elapsed();
        let elapsed = now.saturating_sub(self.began);
        let (http2, keep_alive) = (&mut self.http2, &mut self.keep_alive);
        let received = self.socket.read(|bytes| {
            keep_alive.heard(now);
            http2.recv(elapsed, bytes);
        });
        // What came before the end counts, however the connection ended.
        let answers_before = self.in_flight.answers();
        loop {
            match self.http2.poll_event(&mut self.answers) {
                Ok(None) => break,
                Ok(Some(Event::PingAcknowledged { opaque: PING })) => {
                    if let Some(asked_at) = self.pinged_at.take() {
                        engine.telemetry.ping_answered(now.saturating_sub(asked_at));
                    }
                }
                Ok(Some(event)) => {
                    events::handle(event, &mut self.answers, &mut self.in_flight, &mut self.going_away);
                }
                Err(error) => {
                    self.transmit()?; // the GOAWAY that says what the server did wrong
                    return Err(WireError::Io(io::Error::new(io::ErrorKind::InvalidData, error)));
                }
            }
        }
        if self.in_flight.answers() > answers_before {
            self.given_up = 0;
        }
        match received? {
            Received::Open => Ok(()),
            Received::End => Err(WireError::Io(io::ErrorKind::ConnectionAborted.into())),
        }
    }

    /// Gives up what is past its deadline, and asks a silent server whether it is there.
    fn look_at_time(&mut self, engine: &Engine) -> Result<(), WireError> {
        let now = engine.elapsed();
        for stream in self.in_flight.expired(now) {
            // An answer that comes later finds its stream reset and is ignored. A server that answers nothing at all gets a few, and
            // then none: many would be an attack in its eyes (C-43).
            self.given_up += 1;
            if self.given_up <= engine.unanswered_max
                && let Err(error) = self.http2.reset(stream, ErrorCode::CANCEL)
            {
                debug!(%error, %stream, "not reset");
            }
            self.in_flight.end(stream, Outcome::Ambiguous(Ambiguity::NoAnswer));
        }
        match self.keep_alive.poll(now, self.awaits_answers()) {
            None => Ok(()),
            Some(Pulse::Ask) => {
                self.pinged_at = Some(now);
                if let Err(error) = self.http2.ping(PING) {
                    debug!(%error, "not asked");
                }
                Ok(())
            }
            Some(Pulse::Dead) => Err(WireError::Io(io::ErrorKind::TimedOut.into())),
        }
    }

    fn awaits_answers(&self) -> bool {
        !self.in_flight.is_empty() || !self.http2.has_peer_settings()
    }

    /// Comes back in time for deadlines and silence. A timer that is too early is left: it is cheaper to look in vain.
    fn set_timer(&mut self, engine: &Engine) {
        let now = engine.elapsed();
        let silence = self.keep_alive.next(self.awaits_answers());
        let at =
            if self.in_flight.is_empty() { silence } else { silence.min(now.saturating_add(DEADLINE_EVERY)) };
        if at < self.timer_at || self.timer_at <= now {
            self.timer_at = at;
            self.timer.as_mut().reset(engine.instant(at));
        }
    }

    /// Closes a connection on which nothing is under way.
    fn say_goodbye(&mut self) -> Result<(), WireError> {
        if let Err(error) = self.http2.goaway(StreamId::CONNECTION, ErrorCode::NO_ERROR, b"") {
            debug!(%error, "no GOAWAY sent");
        }
        self.transmit()?;
        self.socket.send_close_notify();
        self.socket.flush().map(drop)
    }
}
