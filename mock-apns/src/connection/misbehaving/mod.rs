//! What a connection does on the wire when faults have fired. What is to be done was decided by the service; when the
//! machine's clock says so, it is done.

mod broken;
mod replies;

use std::time::{Duration, Instant};

use apns_http2::{CommandError, Connection as Http2, ErrorCode, Settings, StreamId};
use mock_apns_core::fault::{
    Action, ChangeSettings, CloseHow, Deed, FaultName, GoAway, LastStream, Stall, Then, WithheldWindow,
};

use replies::Replies;

/// How often it is looked whether the client of a connection that reads nothing has gone.
const GONE_CHECK: Duration = Duration::from_secs(1);

/// What faults have made of one connection.
#[derive(Debug, Default)]
pub(super) struct Misbehaving {
    replies: Replies,
    reads: Stalled,
    writes: Stalled,
    /// The second of two GOAWAYs, and when it is due.
    goaway: Option<(Instant, LastGoAway)>,
    /// It ends once no stream is open.
    drains: bool,
    idle: Option<Idle>,
    withholds: bool,
}

/// What is to be done next with a connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    GoOn,
    /// It ends, in this way, for this fault.
    End(CloseHow, FaultName),
    /// Its client was idle for too long: GOAWAY `IdleTimeout`, for this fault.
    TimeOut(FaultName),
}

#[derive(Clone, Copy, Debug, Default)]
enum Stalled {
    #[default]
    No,
    Until(Instant),
    Forever,
}

#[derive(Debug)]
struct LastGoAway {
    fault: FaultName,
    last: StreamId,
    goaway: GoAway,
}

#[derive(Debug)]
struct Idle {
    fault: FaultName,
    after: Duration,
    /// When a byte came last.
    since: Instant,
}

impl Misbehaving {
    /// A fault has fired at a request on `stream`, or at the connection.
    pub(super) fn carry_out(
        &mut self,
        now: Instant,
        http2: &mut Http2,
        stream: Option<StreamId>,
        fault: &FaultName,
        deed: Deed,
    ) -> Result<Fate, CommandError> {
        match (deed, stream) {
            (Deed::Reply(reply), Some(stream)) => {
                self.replies.add(now, http2, stream, fault, *reply);
                Ok(Fate::GoOn)
            }
            (Deed::Connection(action), stream) => self.act(now, http2, stream, fault, *action),
            _ => Ok(Fate::GoOn),
        }
    }

    fn act(
        &mut self,
        now: Instant,
        http2: &mut Http2,
        stream: Option<StreamId>,
        fault: &FaultName,
        action: Action,
    ) -> Result<Fate, CommandError> {
        match action {
            Action::GoAway(goaway) => return self.go_away(now, http2, stream, fault, goaway),
            Action::Close(close) => return Ok(Fate::End(close.how, fault.clone())),
            Action::Stall(stall) => self.stall(now, &stall),
            Action::WithholdWindow(it) => {
                self.withholds = true;
                http2.withhold_windows(it.of != WithheldWindow::Streams, it.of != WithheldWindow::Connection);
            }
            Action::ChangeSettings(changes) => http2.settings(settings(&changes))?,
            Action::SendPings(pings) => {
                (0..pings.count).try_for_each(|number| http2.ping(u64::from(number).to_be_bytes()))?;
            }
            Action::IgnorePings(_) => http2.set_answer_pings(false),
            Action::IdleTimeout(it) => {
                self.idle = Some(Idle { fault: fault.clone(), after: it.after, since: now });
            }
            Action::BrokenFrame(frame) => broken::send(http2, stream, frame.kind)?,
            _ => {} // the others are about a request, or happen before there is a connection
        }
        Ok(Fate::GoOn)
    }

    fn stall(&mut self, now: Instant, stall: &Stall) {
        let stalled = stall.lasts.map_or(Stalled::Forever, |lasts| Stalled::Until(now + lasts));
        if stall.reads {
            self.reads = stalled;
        }
        if stall.writes {
            self.writes = stalled;
        }
    }

    fn go_away(
        &mut self,
        now: Instant,
        http2: &mut Http2,
        stream: Option<StreamId>,
        fault: &FaultName,
        goaway: GoAway,
    ) -> Result<Fate, CommandError> {
        let newest = http2.last_peer_stream();
        let last = match goaway.last_stream {
            LastStream::Newest => newest,
            LastStream::Before => {
                StreamId::new(stream.map_or_else(|| newest.get(), |it| it.get().saturating_sub(2)))
            }
            LastStream::Zero => StreamId::CONNECTION,
            LastStream::Number(number) => StreamId::new(number),
        };
        match goaway.graceful {
            Some(wait) => {
                http2.goaway(StreamId::new(STREAM_MAX), code(&goaway), &goaway.debug_data())?;
                self.goaway = Some((now + wait, LastGoAway { fault: fault.clone(), last, goaway }));
                Ok(Fate::GoOn)
            }
            None => self.send_last_goaway(http2, LastGoAway { fault: fault.clone(), last, goaway }),
        }
    }

    fn send_last_goaway(&mut self, http2: &mut Http2, it: LastGoAway) -> Result<Fate, CommandError> {
        let LastGoAway { fault, last, goaway } = it;
        // After a graceful one, requests have come in the meantime.
        let last = if goaway.graceful.is_some() && goaway.last_stream == LastStream::Newest {
            http2.last_peer_stream()
        } else {
            last
        };
        http2.goaway(last, code(&goaway), &goaway.debug_data())?;
        match goaway.then {
            Then::Stay => Ok(Fate::GoOn),
            Then::Drain => {
                self.drains = true;
                Ok(Fate::GoOn)
            }
            Then::Close => {
                http2.goaway(last, code(&goaway), &[])?;
                Ok(Fate::End(CloseHow::CloseNotify, fault))
            }
        }
    }

    /// The client has reset a stream.
    pub(super) fn on_reset(&mut self, http2: &mut Http2, stream: StreamId) {
        self.replies.on_reset(http2, stream);
    }

    /// A byte has come.
    pub(super) fn on_bytes(&mut self, now: Instant) {
        if let Some(idle) = &mut self.idle {
            idle.since = now;
        }
    }

    /// Does what is due.
    pub(super) fn on_time(&mut self, now: Instant, http2: &mut Http2) -> Result<Fate, CommandError> {
        self.reads.on_time(now);
        self.writes.on_time(now);
        self.replies.on_time(now, http2);
        if let Some((_, goaway)) = self.goaway.take_if(|(at, _)| *at <= now) {
            return self.send_last_goaway(http2, goaway);
        }
        match &self.idle {
            Some(idle) if idle.since + idle.after <= now => Ok(Fate::TimeOut(idle.fault.clone())),
            _ => Ok(Fate::GoOn),
        }
    }

    /// When [`on_time`](Self::on_time) is to be called next.
    pub(super) fn due_at(&self, now: Instant) -> Option<Instant> {
        let goaway = self.goaway.as_ref().map(|(at, _)| *at);
        let idle = self.idle.as_ref().map(|idle| idle.since + idle.after);
        let gone = self.reads.is_on().then(|| now + GONE_CHECK);
        [goaway, idle, gone, self.reads.ends_at(), self.writes.ends_at(), self.replies.due_at()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether it reads nothing.
    pub(super) fn reads_nothing(&self) -> bool {
        self.reads.is_on()
    }

    /// Whether it writes nothing.
    pub(super) fn writes_nothing(&self) -> bool {
        self.writes.is_on()
    }

    /// Whether it keeps its client from going on.
    pub(super) fn holds_up(&self) -> bool {
        self.withholds || self.reads_nothing() || self.writes_nothing()
    }

    /// Whether it was told to go, and all that was under way is done.
    pub(super) fn is_drained(&self, http2: &Http2) -> bool {
        self.drains && http2.open_streams() == 0
    }
}

impl Stalled {
    const fn is_on(self) -> bool {
        !matches!(self, Self::No)
    }

    const fn ends_at(self) -> Option<Instant> {
        match self {
            Self::Until(at) => Some(at),
            Self::No | Self::Forever => None,
        }
    }

    fn on_time(&mut self, now: Instant) {
        if self.ends_at().is_some_and(|at| at <= now) {
            *self = Self::No;
        }
    }
}

fn code(goaway: &GoAway) -> ErrorCode {
    ErrorCode(goaway.code().number())
}

fn settings(changes: &ChangeSettings) -> Settings {
    Settings {
        header_table_size: changes.header_table_size,
        max_concurrent_streams: changes.max_concurrent_streams,
        initial_window_size: changes.initial_window_size,
        max_frame_size: changes.max_frame_size,
        max_header_list_size: changes.max_header_list_size,
        ..Settings::default()
    }
}

/// The highest stream there is (RFC 9113, 5.1.1).
const STREAM_MAX: u32 = 0x7fff_ffff;
