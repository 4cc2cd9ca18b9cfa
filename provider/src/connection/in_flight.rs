use std::time::Duration;

use apns_http2::StreamId;
use apns_provider_core::{Answer, ErrorBody, Outcome, UnixTime};
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
    /// When the last dated answer was given.
    date: Option<UnixTime>,
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
        Self {
            by_stream: FxHashMap::default(),
            ended: Vec::new(),
            earliest: Duration::MAX,
            answers: 0,
            date: None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_stream.is_empty()
    }

    /// Answers so far.
    pub(super) fn answers(&self) -> u64 {
        self.answers
    }

    /// When the last dated answer since the last call was given.
    pub(super) fn take_date(&mut self) -> Option<UnixTime> {
        self.date.take()
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
            self.end_answered(stream, answer);
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
            self.end_answered(stream, answer);
        }
    }

    /// The push on `stream` ends so, unless the fields of its answer have come: then it is answered, and nobody will know the body
    /// (RFC 9113 section 8.1).
    pub(super) fn end(&mut self, stream: StreamId, outcome: Outcome) {
        let Some(Sent { job, partial }) = self.by_stream.remove(&stream) else { return };
        match partial {
            Some(partial) => self.conclude(job, stream, partial.answer),
            None => self.ended.push((job, outcome)),
        }
    }

    /// The pushes on streams above `last` end without an answer, in the order in which they were sent.
    pub(super) fn end_above(&mut self, last: StreamId, outcome: impl Fn() -> Outcome) {
        self.end_those(|stream| stream > last, outcome);
    }

    /// The pushes on the stream `first` and above it end without an answer, in the order in which they were sent.
    pub(super) fn end_from(&mut self, first: StreamId, outcome: impl Fn() -> Outcome) {
        self.end_those(|stream| stream >= first, outcome);
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

    fn end_those(&mut self, is_one: impl Fn(StreamId) -> bool, outcome: impl Fn() -> Outcome) {
        let mut those: Vec<StreamId> = self.by_stream.keys().copied().filter(|id| is_one(*id)).collect();
        those.sort_unstable();
        for stream in those {
            self.end(stream, outcome());
        }
    }

    fn end_answered(&mut self, stream: StreamId, answer: Answer) {
        if let Some(Sent { job, .. }) = self.by_stream.remove(&stream) {
            self.conclude(job, stream, answer);
        }
    }

    fn conclude(&mut self, job: Job, stream: StreamId, answer: Answer) {
        let apns_id = *job.outgoing().id();
        if !answer.is_for(apns_id) {
            warn!(%stream, "the answer names another apns-id than the push on its stream");
        }
        self.answers += 1;
        self.date = answer.date().or(self.date);
        self.ended.push((job, Outcome::from_answer(answer, apns_id)));
    }
}
