//! One connection: opens a stream for each push as far as APNs allows, and tells each push its outcome.

mod answers;
mod in_flight;

use std::{
    collections::VecDeque,
    io,
    time::{Duration, Instant as Monotonic},
};

use apns_http2::{
    CommandError, Config, Connection as Http2, ErrorCode, Event, Section, StreamId,
    hpack::{Field, Index},
};
use apns_provider_core::{Ambiguity, ErrorBody, Indexing, NotSent, Outcome, Push, Reason};
use apns_wire::{Received, TlsSocket, WireError};
use tokio::{
    task::yield_now,
    time::{Instant, MissedTickBehavior, interval},
};
use tracing::debug;

use crate::{
    Endpoint,
    connect::wire_failure,
    driver::{Driver, Job},
};
use answers::AnswerFields;
use in_flight::InFlight;

/// How often deadlines are looked at while pushes are under way: an outcome may be that much late.
const DEADLINE_EVERY: Duration = Duration::from_millis(100);
/// Fields of a request at most; `Push::request_fields` gives eight to eleven.
const REQUEST_FIELDS_MAX: usize = 12;

/// Bytes of requests that are written together: four TLS records. Fewer cost system calls, more cost memory.
const BATCH_BYTES: usize = 64 * 1024;

/// A connection after its TLS handshake.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: TlsSocket,
    http2: Http2,
    endpoint: Endpoint,
    authority: String,
    opened_at: Monotonic,
    /// Whether APNs knows who we are: a certificate says so at once, a provider token with the first push
    /// that it signs.
    authenticated: bool,
    /// Whether any push was answered.
    answered: bool,
    going_away: Option<GoingAway>,
    answers: AnswerFields,
    in_flight: InFlight,
}

/// A GOAWAY has come.
#[derive(Debug)]
struct GoingAway {
    /// What its debug data gave as its reason.
    reason: Option<Reason>,
}

/// How opening streams ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Batch {
    /// There is enough to write; after that, more may be opened.
    Full,
    /// Nothing waits, or no more may be opened.
    Done,
}

/// What a turn of the loop waited for.
enum Wake {
    Socket(io::Result<()>),
    Pushes(bool),
    Deadlines,
}

impl Connection {
    pub(crate) fn new(socket: TlsSocket, endpoint: Endpoint, by_token: bool) -> Self {
        Self {
            socket,
            http2: Http2::client(Config::default()),
            authority: endpoint.authority(),
            endpoint,
            opened_at: Monotonic::now(),
            authenticated: !by_token,
            answered: false,
            going_away: None,
            answers: AnswerFields::default(),
            in_flight: InFlight::default(),
        }
    }

    /// Serves the driver's pushes until the connection ends or no client is left. `Err` if it ended before it
    /// answered anything: another one would not do better.
    pub(crate) async fn run(mut self, driver: &mut Driver) -> Result<(), NotSent> {
        let ended = self.serve(driver).await;
        if let Err(error) = &ended {
            debug!(%error, "connection lost");
        }
        self.in_flight.finish_all(|| Outcome::Ambiguous(Ambiguity::ConnectionLost));
        match (self.answered, ended, self.going_away) {
            (true, ..) | (_, Ok(()), None) => Ok(()),
            (false, _, Some(GoingAway { reason })) => Err(NotSent::BeyondGoaway { reason }),
            (false, Err(error), None) => Err(wire_failure(&self.endpoint, &error)),
        }
    }

    async fn serve(&mut self, driver: &mut Driver) -> Result<(), WireError> {
        let mut deadlines = interval(DEADLINE_EVERY);
        deadlines.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut clients_left = true;
        loop {
            driver.take_ready_pushes();
            while self.open_streams(driver) == Batch::Full {
                self.transmit()?;
                driver.take_ready_pushes();
            }
            let idle = self.in_flight.is_empty();
            let unwanted = !clients_left && driver.waiting().is_empty();
            if idle && (unwanted || self.going_away.is_some()) {
                return self.say_goodbye();
            }
            self.transmit()?;

            let busy = !idle || !driver.waiting().is_empty();
            let wake = tokio::select! {
                ready = self.socket.ready() => Wake::Socket(ready),
                left = driver.take_pushes(), if clients_left && self.going_away.is_none() => Wake::Pushes(left),
                _ = deadlines.tick(), if busy => Wake::Deadlines,
            };
            match wake {
                Wake::Socket(ready) => {
                    ready?;
                    if self.receive()? == Received::End {
                        return Err(WireError::Io(io::ErrorKind::ConnectionAborted.into()));
                    }
                }
                Wake::Pushes(left) => {
                    clients_left = left;
                    // Lets the tasks that were woken together hand in theirs too, so that they share a write.
                    yield_now().await;
                }
                Wake::Deadlines => self.expire(driver.waiting()),
            }
        }
    }

    /// Opens a stream for each waiting push, as far as SETTINGS, windows and the socket allow.
    fn open_streams(&mut self, driver: &mut Driver) -> Batch {
        if driver.waiting().is_empty() || !self.may_open() {
            return Batch::Done;
        }
        let token = driver.provider_token();
        let now = Instant::now();
        while self.may_open() {
            if self.http2.poll_transmit().is_some_and(|bytes| bytes.len() >= BATCH_BYTES) {
                return Batch::Full;
            }
            let Some(job) = driver.waiting().pop_front() else { return Batch::Done };
            if job.deadline <= now {
                job.finish(Outcome::NotSent(NotSent::OutOfTime));
                continue;
            }
            let payload = job.push.notification().payload();
            // A body that does not fit would hold its stream open half sent; with nothing under way it has to
            // go anyhow.
            if payload.len() > self.http2.send_window() && !self.in_flight.is_empty() {
                driver.waiting().push_front(job);
                return Batch::Done;
            }
            let fields = job.push.request_fields(&self.authority, token.as_ref());
            match open(&mut self.http2, fields, &job.push) {
                Ok(stream) => self.in_flight.insert(stream, job),
                Err(CommandError::FieldSectionTooLarge { size, limit }) => {
                    job.finish(Outcome::NotSent(NotSent::FieldsTooLarge { bytes: size, limit }));
                }
                Err(error) => {
                    debug!(%error, "no stream opened");
                    driver.waiting().push_front(job);
                    return Batch::Done;
                }
            }
        }
        Batch::Done
    }

    /// Whether one more stream may be opened. Before the first SETTINGS no limit is known, and until APNs
    /// knows us it takes one push at a time (Apple, "Sending notification requests to APNs").
    fn may_open(&self) -> bool {
        self.http2.has_peer_settings()
            && self.http2.openable_streams() > 0
            && (self.authenticated || self.in_flight.is_empty())
            && !self.socket.is_congested()
    }

    fn transmit(&mut self) -> Result<(), WireError> {
        while let Some(bytes) = self.http2.poll_transmit() {
            let len = bytes.len();
            self.socket.write(bytes)?;
            self.http2.transmitted(len);
        }
        self.socket.flush().map(drop)
    }

    fn receive(&mut self) -> Result<Received, WireError> {
        let elapsed = self.opened_at.elapsed();
        let http2 = &mut self.http2;
        let received = self.socket.read(|bytes| http2.recv(elapsed, bytes))?;
        loop {
            match self.http2.poll_event(&mut self.answers) {
                Ok(None) => return Ok(received),
                Ok(Some(event)) => {
                    handle(event, &mut self.answers, &mut self.in_flight, &mut self.going_away);
                }
                Err(error) => {
                    self.transmit()?; // the GOAWAY that says what the server did wrong
                    return Err(WireError::Io(io::Error::new(io::ErrorKind::InvalidData, error)));
                }
            }
            if let Some(status) = self.in_flight.take_last_status() {
                self.answered = true;
                self.authenticated |= status != FORBIDDEN;
            }
        }
    }

    /// Gives up on what is past its deadline.
    fn expire(&mut self, waiting: &mut VecDeque<Job>) {
        let now = Instant::now();
        while waiting.front().is_some_and(|job| job.deadline <= now) {
            let Some(job) = waiting.pop_front() else { return };
            job.finish(Outcome::NotSent(NotSent::OutOfTime));
        }
        while let Some(stream) = self.in_flight.next_expired(now) {
            // An answer that comes later finds its stream reset and is ignored.
            if let Err(error) = self.http2.reset(stream, ErrorCode::CANCEL) {
                debug!(%error, %stream, "not reset");
            }
            self.in_flight.finish(stream, Outcome::Ambiguous(Ambiguity::NoAnswer));
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

/// 403: the credential was not accepted, so APNs still does not know us.
const FORBIDDEN: u16 = 403;

/// Sends the request of one push.
fn open<'a>(
    http2: &mut Http2,
    request: impl Iterator<Item = apns_provider_core::Field<'a>>,
    push: &Push,
) -> Result<StreamId, CommandError> {
    let mut fields = [Field::literal(b"", b""); REQUEST_FIELDS_MAX];
    let mut count = 0;
    for (slot, field) in fields.iter_mut().zip(request) {
        let index = match field.indexing {
            Indexing::Incremental => Index::Incremental,
            Indexing::Literal => Index::Literal,
            Indexing::Never => Index::Never,
        };
        *slot = Field { name: field.name.as_bytes(), value: field.value, index };
        count += 1;
    }
    let stream = http2.open(&fields[..count], false)?;
    http2.send_data(stream, push.notification().payload().clone(), true)?;
    Ok(stream)
}

fn handle(
    event: Event<'_>,
    answers: &mut AnswerFields,
    in_flight: &mut InFlight,
    going_away: &mut Option<GoingAway>,
) {
    match event {
        Event::Headers { stream, section: Section::Response, end_stream } => {
            if let Some(answer) = answers.take() {
                in_flight.answer(stream, answer, end_stream);
            }
        }
        Event::Headers { stream, section: Section::Trailers, .. } => in_flight.body(stream, &[], true),
        Event::Data { stream, data, end_stream } => in_flight.body(stream, data, end_stream),
        Event::Reset { stream, code: ErrorCode::REFUSED_STREAM, violation: None } => {
            in_flight.finish(stream, Outcome::NotSent(NotSent::StreamRefused));
        }
        Event::Reset { stream, code, .. } => {
            in_flight.finish(stream, Outcome::Ambiguous(Ambiguity::StreamReset { code: code.0 }));
        }
        Event::GoAway { last_stream, code, debug } => {
            let reason = ErrorBody::parse(debug).reason;
            debug!(%last_stream, %code, ?reason, "GOAWAY");
            // A second GOAWAY usually has no reason; the first one's is the one to tell.
            let reason = reason.or_else(|| going_away.take()?.reason);
            *going_away = Some(GoingAway { reason: reason.clone() });
            in_flight.finish_above(last_stream, || {
                Outcome::NotSent(NotSent::BeyondGoaway { reason: reason.clone() })
            });
        }
        _ => {}
    }
}
