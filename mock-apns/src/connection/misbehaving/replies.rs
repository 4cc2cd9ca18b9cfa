//! Answers that come late, slowly, in another order, or in pieces.

use std::time::{Duration, Instant};

use apns_http2::{CommandError, Connection as Http2, ErrorCode, Framing, StreamId, hpack::Field};
use bytes::Bytes;
use mock_apns_core::fault::{FaultName, Head, Reply, ReplyEnd, Wait};

use super::broken::send_dead_answer;

/// Ten pieces a second are smooth enough for whoever watches, and few enough for thousands of streams.
const PIECES_PER_SECOND: u32 = 10;

/// The answers of one connection that are under way by a fault.
#[derive(Debug, Default)]
pub(super) struct Replies {
    /// In the order in which they came.
    pending: Vec<Pending>,
}

#[derive(Debug)]
struct Pending {
    stream: StreamId,
    fault: FaultName,
    reply: Reply,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// For something else than time, or for nothing.
    Waiting,
    /// The fields are due.
    Head(Instant),
    /// The body is due, from this byte on.
    Body(Instant, usize),
}

/// Whether an answer is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Progress {
    Pending,
    Done,
}

impl Replies {
    /// Answers the request on `stream`, now or later.
    pub(super) fn add(
        &mut self,
        now: Instant,
        http2: &mut Http2,
        stream: StreamId,
        fault: &FaultName,
        reply: Reply,
    ) {
        let stage = match reply.wait {
            Wait::For(wait) => Stage::Head(now + wait),
            _ => Stage::Waiting,
        };
        let others = match reply.wait {
            Wait::ForOthers(count) => Some(count),
            _ => None,
        };
        self.pending.push(Pending { stream, fault: fault.clone(), reply, stage });
        if let Some(count) = others {
            self.release(now, http2, fault, count);
        }
        self.on_time(now, http2);
    }

    /// Lets the answers of a fault go, last first, if so many wait.
    fn release(&mut self, now: Instant, http2: &mut Http2, fault: &FaultName, count: u32) {
        let waits = |it: &Pending| {
            it.fault == *fault && matches!(it.reply.wait, Wait::ForOthers(_)) && it.is_waiting()
        };
        if self.pending.iter().filter(|it| waits(it)).count() < count as usize {
            return;
        }
        for it in self.pending.iter_mut().rev().filter(|it| waits(it)) {
            it.stage = Stage::Head(now);
            it.advance(now, http2);
        }
    }

    /// The client has given up on a stream.
    pub(super) fn on_reset(&mut self, http2: &mut Http2, stream: StreamId) {
        let Some(at) = self.pending.iter().position(|it| it.stream == stream) else { return };
        let it = self.pending.remove(at);
        if it.reply.wait == Wait::UntilReset {
            // A connection that is over has nothing to answer.
            let _ = send_dead_answer(http2, stream, &it.reply.head, &it.reply.body);
        }
    }

    /// Goes on with all whose time has come.
    pub(super) fn on_time(&mut self, now: Instant, http2: &mut Http2) {
        self.pending.retain_mut(|it| it.advance(now, http2) == Progress::Pending);
    }

    /// When the first of them goes on.
    pub(super) fn due_at(&self) -> Option<Instant> {
        self.pending.iter().filter_map(Pending::due_at).min()
    }
}

impl Pending {
    fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Waiting)
    }

    fn due_at(&self) -> Option<Instant> {
        match self.stage {
            Stage::Waiting => None,
            Stage::Head(at) | Stage::Body(at, _) => Some(at),
        }
    }

    /// Sends what is due. One that cannot be sent is done: the client has reset its stream, or the connection is over.
    fn advance(&mut self, now: Instant, http2: &mut Http2) -> Progress {
        self.try_advance(now, http2).unwrap_or(Progress::Done)
    }

    fn try_advance(&mut self, now: Instant, http2: &mut Http2) -> Result<Progress, CommandError> {
        loop {
            match self.stage {
                Stage::Head(at) if at <= now => {
                    if self.send_head(http2)? == Progress::Done {
                        return Ok(Progress::Done);
                    }
                    self.stage = Stage::Body(now + self.reply.body_delay, 0);
                }
                Stage::Body(at, sent) if at <= now => match self.send_piece(now, http2, sent)? {
                    Some(stage) => self.stage = stage,
                    None => return Ok(Progress::Done),
                },
                _ => return Ok(Progress::Pending),
            }
        }
    }

    /// The interim answers and the fields.
    fn send_head(&self, http2: &mut Http2) -> Result<Progress, CommandError> {
        let Reply { interim, head, body, end, padding, field_block_bytes, .. } = &self.reply;
        if let ReplyEnd::ResetAtOnce(code) = end {
            http2.reset(self.stream, ErrorCode(code.number()))?;
            return Ok(Progress::Done);
        }
        // For all that follows on the stream.
        http2.set_framing(self.stream, Framing { padding: *padding, block_bytes: *field_block_bytes })?;
        for status in interim {
            let status = status.to_string();
            http2.send_headers(self.stream, &[Field::incremental(b":status", status.as_bytes())], false)?;
        }
        let is_all = body.is_empty() && *end == ReplyEnd::Last;
        http2.send_headers(self.stream, &fields(head), is_all)?;
        Ok(if is_all { Progress::Done } else { Progress::Pending })
    }

    /// The next piece of the body, and behind the last its end. What comes then, if anything does.
    fn send_piece(
        &self,
        now: Instant,
        http2: &mut Http2,
        sent: usize,
    ) -> Result<Option<Stage>, CommandError> {
        let Reply { body, bytes_per_second, frame_bytes, end, .. } = &self.reply;
        let piece = bytes_per_second.map_or(usize::MAX, |rate| rate.div_ceil(PIECES_PER_SECOND) as usize);
        let to = sent.saturating_add(piece).min(body.len());
        let is_last = to == body.len();
        let frame = frame_bytes.map_or(usize::MAX, |bytes| bytes as usize);
        let mut frames = body[sent..to].chunks(frame).peekable();
        while let Some(data) = frames.next() {
            let ends = is_last && frames.peek().is_none() && *end == ReplyEnd::Last;
            http2.send_data(self.stream, Bytes::copy_from_slice(data), ends)?;
        }
        if !is_last {
            let rate = u64::from(bytes_per_second.unwrap_or(u32::MAX));
            let pause = Duration::from_micros((to - sent) as u64 * 1_000_000 / rate);
            return Ok(Some(Stage::Body(now + pause, to)));
        }
        match end {
            ReplyEnd::EmptyData => http2.send_data(self.stream, Bytes::new(), true)?,
            ReplyEnd::Trailers(trailers) => http2.send_headers(self.stream, &fields(trailers), true)?,
            ReplyEnd::Reset(code) => http2.reset(self.stream, ErrorCode(code.number()))?,
            _ => {}
        }
        Ok(None)
    }
}

fn fields(head: &[Head]) -> Vec<Field<'_>> {
    head.iter()
        .map(|Head { name, value }| match &**name {
            ":status" | "content-type" | "mock-apns-fault" => {
                Field::incremental(name.as_bytes(), value.as_bytes())
            }
            _ => Field::literal(name.as_bytes(), value.as_bytes()),
        })
        .collect()
}
