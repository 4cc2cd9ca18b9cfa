use std::collections::VecDeque;

use apns_http2::StreamId;
use apns_provider_core::{Answer, ErrorBody, Outcome};
use rustc_hash::FxHashMap;
use tokio::time::Instant;
use tracing::warn;

use crate::driver::Job;

/// Deadlines of answered pushes that may be kept before they are cleared out.
const DEADLINES_SPARE: usize = 4096;

/// The pushes that were sent and have no outcome yet, by stream.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    by_stream: FxHashMap<StreamId, Sent>,
    /// In the order of their deadlines, since all pushes of a client have the same time. Streams that are
    /// answered stay until they come to the front.
    deadlines: VecDeque<(Instant, StreamId)>,
    last_status: Option<u16>,
}

#[derive(Debug)]
struct Sent {
    job: Job,
    /// The fields of an answer whose body is still to come. Most have none; the map stays small.
    partial: Option<Box<PartialAnswer>>,
}

#[derive(Debug)]
struct PartialAnswer {
    answer: Answer,
    body: Vec<u8>,
}

impl InFlight {
    pub(super) fn is_empty(&self) -> bool {
        self.by_stream.is_empty()
    }

    pub(super) fn insert(&mut self, stream: StreamId, job: Job) {
        self.forget_answered();
        self.deadlines.push_back((job.deadline, stream));
        self.by_stream.insert(stream, Sent { job, partial: None });
    }

    /// The fields of the answer have come.
    pub(super) fn answer(&mut self, stream: StreamId, answer: Answer, end_stream: bool) {
        if end_stream {
            self.conclude(stream, answer);
        } else if let Some(sent) = self.by_stream.get_mut(&stream) {
            sent.partial = Some(Box::new(PartialAnswer { answer, body: Vec::new() }));
        }
    }

    /// A part of the answer's body has come.
    pub(super) fn body(&mut self, stream: StreamId, data: &[u8], end_stream: bool) {
        let Some(Sent { partial, .. }) = self.by_stream.get_mut(&stream) else { return };
        let Some(PartialAnswer { body, .. }) = partial.as_deref_mut() else { return };
        let room = ErrorBody::BYTES_MAX.saturating_sub(body.len());
        body.extend_from_slice(&data[..data.len().min(room)]);
        if end_stream && let Some(partial) = partial.take() {
            let PartialAnswer { mut answer, body } = *partial;
            answer.read_body(&body);
            self.conclude(stream, answer);
        }
    }

    /// The push on `stream` ends without an answer.
    pub(super) fn finish(&mut self, stream: StreamId, outcome: Outcome) {
        if let Some(sent) = self.by_stream.remove(&stream) {
            sent.job.finish(outcome);
        }
    }

    /// The pushes on streams above `last` end without an answer.
    pub(super) fn finish_above(&mut self, last: StreamId, outcome: impl Fn() -> Outcome) {
        let above: Vec<StreamId> =
            self.deadlines.iter().map(|(_, stream)| *stream).filter(|id| *id > last).collect();
        for stream in above {
            self.finish(stream, outcome());
        }
    }

    /// All that are left end without an answer.
    pub(super) fn finish_all(&mut self, outcome: impl Fn() -> Outcome) {
        self.finish_above(StreamId::CONNECTION, outcome);
    }

    /// A push whose deadline is over.
    pub(super) fn next_expired(&mut self, now: Instant) -> Option<StreamId> {
        self.forget_answered();
        self.deadlines.front().filter(|(deadline, _)| *deadline <= now).map(|(_, stream)| *stream)
    }

    /// The status of the last answer since the last call.
    pub(super) fn take_last_status(&mut self) -> Option<u16> {
        self.last_status.take()
    }

    fn conclude(&mut self, stream: StreamId, answer: Answer) {
        let Some(Sent { job, .. }) = self.by_stream.remove(&stream) else { return };
        let apns_id = *job.push.apns_id();
        if !answer.is_for(apns_id) {
            warn!(%stream, "the answer names another apns-id than the push on its stream");
        }
        self.last_status = Some(answer.status());
        job.finish(Outcome::from_answer(answer, apns_id));
    }

    fn forget_answered(&mut self) {
        while self.deadlines.front().is_some_and(|(_, stream)| !self.by_stream.contains_key(stream)) {
            self.deadlines.pop_front();
        }
        // One push that is never answered would keep all behind it here until its deadline.
        if self.deadlines.len() > DEADLINES_SPARE + 2 * self.by_stream.len() {
            self.deadlines.retain(|(_, stream)| self.by_stream.contains_key(stream));
        }
    }
}
