use std::time::Duration;

use apns_http2::StreamId;
use apns_provider_core::{Answer, ErrorBody, Outcome};
use rustc_hash::FxHashMap;
use tracing::warn;

use crate::engine::Job;

/// The pushes that were sent and have no outcome yet, by stream, and those that have just got one.
#[derive(Debug)]
pub(super) struct InFlight {
    by_stream: FxHashMap<StreamId, Sent>,
    ended: Vec<(Job, Outcome)>,
    /// None of them has an earlier deadline.
    earliest: Duration,
    answers: u64,
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
    pub(super) fn new() -> Self {
        Self { by_stream: FxHashMap::default(), ended: Vec::new(), earliest: Duration::MAX, answers: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_stream.is_empty()
    }

    /// Answers so far.
    pub(super) fn answers(&self) -> u64 {
        self.answers
    }

    pub(super) fn insert(&mut self, stream: StreamId, job: Job) {
        self.earliest = self.earliest.min(job.deadline());
        self.by_stream.insert(stream, Sent { job, partial: None });
    }

    /// A push that did not go out ends so.
    pub(super) fn end_unsent(&mut self, job: Job, outcome: Outcome) {
        self.ended.push((job, outcome));
    }

    /// The pushes that have ended since the last call, in order.
    pub(super) fn ended(&mut self) -> &mut Vec<(Job, Outcome)> {
        &mut self.ended
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
    pub(super) fn end(&mut self, stream: StreamId, outcome: Outcome) {
        if let Some(sent) = self.by_stream.remove(&stream) {
            self.ended.push((sent.job, outcome));
        }
    }

    /// The pushes on streams above `last` end without an answer, in the order in which they were sent.
    pub(super) fn end_above(&mut self, last: StreamId, outcome: impl Fn() -> Outcome) {
        let mut above: Vec<StreamId> = self.by_stream.keys().copied().filter(|id| *id > last).collect();
        above.sort_unstable();
        for stream in above {
            self.end(stream, outcome());
        }
    }

    /// All that are left end without an answer.
    pub(super) fn end_all(&mut self, outcome: impl Fn() -> Outcome) {
        self.end_above(StreamId::CONNECTION, outcome);
    }

    /// The streams whose pushes are past their deadline.
    pub(super) fn expired(&mut self, now: Duration) -> Vec<StreamId> {
        if self.earliest > now {
            return Vec::new();
        }
        let is_expired = |sent: &Sent| sent.job.deadline() <= now;
        let expired =
            self.by_stream.iter().filter(|(_, sent)| is_expired(sent)).map(|(stream, _)| *stream).collect();
        let left = self.by_stream.values().filter(|sent| !is_expired(sent));
        self.earliest = left.map(|sent| sent.job.deadline()).min().unwrap_or(Duration::MAX);
        expired
    }

    fn conclude(&mut self, stream: StreamId, answer: Answer) {
        let Some(Sent { job, .. }) = self.by_stream.remove(&stream) else { return };
        let apns_id = *job.push().apns_id();
        if !answer.is_for(apns_id) {
            warn!(%stream, "the answer names another apns-id than the push on its stream");
        }
        self.answers += 1;
        self.ended.push((job, Outcome::from_answer(answer, apns_id)));
    }
}
