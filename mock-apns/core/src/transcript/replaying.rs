//! A transcript as it is gone through.

use std::{
    collections::{BTreeSet, VecDeque},
    hash::Hash,
};

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::{
    Replayed, TRANSCRIPT_LINES_MAX, Transcript,
    key::{RequestKey, Target},
    line::LineAt,
};
use crate::{
    ConnectionId, MessageId, ReceivedRequest,
    fault::{Moment, Strike},
    journal::COUNT_MAX,
    snapshot::Problem,
};

/// A transcript, and what of it was given again.
#[derive(Debug)]
pub(crate) struct Replaying {
    transcript: Transcript,
    /// Of each line, whether it was.
    given: Vec<bool>,
    requests: Places<RequestKey>,
    targets: Places<Target>,
    others: Places<LineAt>,
    /// No other answer is to have these.
    ids: FxHashSet<MessageId>,
    /// Connections that had been opened before it began: its first is the next.
    opened_before: u64,
    unknown: u64,
    /// Connections whose streams were raised because they were then.
    raised: BTreeSet<ConnectionId>,
}

/// How far a transcript is gone through.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct TranscriptProgress {
    /// How many answers it has, and things done to connections.
    pub lines: usize,
    /// How many of them were given again, or done again.
    pub replayed: usize,
    /// How many entries of the run's journal were gone before they were written down.
    pub missing: u64,
    /// How many requests came for which it has no answer, or no more: the service answered them itself.
    pub unknown_requests: u64,
}

/// The lines about something, those that were not given yet in front.
#[derive(Debug)]
struct Places<K>(FxHashMap<K, VecDeque<usize>>);

impl<K> Default for Places<K> {
    fn default() -> Self {
        Self(FxHashMap::default())
    }
}

impl<K: Eq + Hash> Places<K> {
    fn add(&mut self, key: K, line: usize) {
        self.0.entry(key).or_default().push_back(line);
    }

    /// The lines about this, those that were not given yet; `None`: there never was one.
    fn left(&mut self, key: &K, given: &[bool]) -> Option<&VecDeque<usize>> {
        let lines = self.0.get_mut(key)?;
        while lines.front().is_some_and(|line| given[*line]) {
            lines.pop_front();
        }
        Some(lines)
    }
}

impl Replaying {
    /// From its beginning, when so many connections were opened.
    pub(crate) fn new(transcript: Transcript, opened_before: u64) -> Self {
        let mut it = Self {
            given: vec![false; transcript.len()],
            requests: Places::default(),
            targets: Places::default(),
            others: Places::default(),
            ids: transcript.lines.iter().filter_map(|line| line.apns_id).collect(),
            opened_before,
            unknown: 0,
            raised: BTreeSet::new(),
            transcript,
        };
        for (place, line) in it.transcript.lines.iter().enumerate() {
            match line.at() {
                Some(LineAt::Request) => {
                    let key = RequestKey::of_line(line);
                    it.targets.add(key.target().clone(), place);
                    it.requests.add(key, place);
                }
                Some(at) => it.others.add(at, place),
                None => {} // a transcript has none: it was read with a check
            }
        }
        it
    }

    /// What was answered to this request: the first answer that was not given yet to the same. If no request was the same, the
    /// first to one for the same device: what a provider puts in its payloads may be another each time.
    pub(crate) fn answer(&mut self, request: &ReceivedRequest) -> Option<Replayed> {
        let key = RequestKey::of(request);
        let lines = match self.requests.left(&key, &self.given) {
            Some(lines) => Some(lines),
            None => self.targets.left(key.target(), &self.given),
        };
        let Some(&line) = lines.and_then(VecDeque::front) else {
            self.unknown += 1;
            return None;
        };
        self.given[line] = true;
        Some(self.transcript.lines[line].replayed())
    }

    /// Whether an answer in it has this `apns-id`.
    pub(crate) fn knows(&self, id: &MessageId) -> bool {
        self.ids.contains(id)
    }

    /// Whether the streams of this connection are still to be raised; they are now.
    pub(crate) fn raises(&mut self, id: ConnectionId) -> bool {
        self.raised.insert(id)
    }

    /// A connection is closed.
    pub(crate) fn disconnected(&mut self, id: ConnectionId) {
        self.raised.remove(&id);
    }

    /// What was done to this connection at this moment, when so many requests had come on it.
    pub(crate) fn at_connection(
        &mut self,
        moment: Moment,
        id: ConnectionId,
        requests: u64,
    ) -> Option<Strike> {
        let connection = id.ordinal().checked_sub(self.opened_before)?;
        self.strike(LineAt::Connection { moment, connection, requests })
    }

    /// What was done at the door, when so many connections were opened.
    pub(crate) fn at_door(&mut self, moment: Moment, opened: u64) -> Option<Strike> {
        self.strike(LineAt::Door { moment, opened: opened.checked_sub(self.opened_before)? })
    }

    fn strike(&mut self, at: LineAt) -> Option<Strike> {
        let line = *self.others.left(&at, &self.given)?.front()?;
        self.given[line] = true;
        self.transcript.lines[line].strike()
    }

    pub(crate) fn progress(&self) -> TranscriptProgress {
        TranscriptProgress {
            lines: self.given.len(),
            missing: self.transcript.missing(),
            replayed: self.given.iter().filter(|given| **given).count(),
            unknown_requests: self.unknown,
        }
    }
}

/// As it is written in a snapshot.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ReplayingForm {
    transcript: Transcript,
    /// The places of the lines that were given.
    given: Vec<usize>,
    opened_before: u64,
    unknown: u64,
    raised: BTreeSet<ConnectionId>,
}

impl Replaying {
    pub(crate) fn to_form(&self) -> ReplayingForm {
        let given = self.given.iter().enumerate().filter(|(_, given)| **given).map(|(place, _)| place);
        ReplayingForm {
            transcript: self.transcript.clone(),
            given: given.collect(),
            opened_before: self.opened_before,
            unknown: self.unknown,
            raised: self.raised.clone(),
        }
    }

    pub(crate) fn from_form(form: &ReplayingForm) -> Result<Self, Problem> {
        if form.opened_before.max(form.unknown) > COUNT_MAX || form.transcript.len() > TRANSCRIPT_LINES_MAX {
            return Err(Problem::TooMany);
        }
        if form.transcript.lines.iter().any(|line| !line.is_to_be_replayed() || line.check().is_err()) {
            return Err(Problem::Misplaced("a line that cannot be replayed"));
        }
        let mut it = Self::new(form.transcript.clone(), form.opened_before);
        for place in &form.given {
            let given = it.given.get_mut(*place).ok_or(Problem::NoSuch("line", *place as u64))?;
            *given = true;
        }
        it.unknown = form.unknown;
        it.raised.clone_from(&form.raised);
        Ok(it)
    }
}
