//! The pushes that wait for a stream.

use std::{collections::VecDeque, time::Duration};

use super::job::Job;
use crate::Priority;

/// Pushes that wait, in lanes: those that the caller has called urgent go first, then by priority from 10 down, but of any nine one is of
/// a lane below, so that none starves.
/// What is to be sent again goes before all: it has waited.
#[derive(Debug)]
pub(super) struct Queue<T> {
    lanes: [VecDeque<Box<Job<T>>>; LANES],
    len: usize,
    /// Pushes taken from a lane in a row while the one below waited.
    ahead: [u32; LANES],
    /// No push in the queue has an earlier deadline or expiration.
    earliest: Duration,
}

const AGAIN: usize = 0;
const LANES: usize = 5;
/// Between two looks at the whole queue for what has become worthless: deadlines lie nanoseconds apart where many push at once, and
/// an outcome may be told that much late.
const LOOK_APART: Duration = Duration::from_millis(10);
/// Pushes of a lane for each of the one below.
const AHEAD_MAX: u32 = 8;

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        let lanes = std::array::from_fn(|_| VecDeque::new());
        Self { lanes, len: 0, ahead: [0; LANES], earliest: Duration::MAX }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A new push, at the end of its lane. `worthless_at` is when it expires or nobody waits for it any more. Whether it is the next.
    pub(super) fn push_back(&mut self, job: Box<Job<T>>, worthless_at: Duration) -> bool {
        self.note(worthless_at);
        let lane = lane_of(&job);
        self.lanes[lane].push_back(job);
        self.lanes[lane].len() == 1 && self.next_lane() == Some(lane)
    }

    /// A push whose time to be sent again has come.
    pub(super) fn push_again(&mut self, job: Box<Job<T>>, worthless_at: Duration) {
        self.note(worthless_at);
        self.lanes[AGAIN].push_back(job);
    }

    /// A push that was taken and did not go out.
    pub(super) fn give_back(&mut self, job: Box<Job<T>>, worthless_at: Duration) {
        self.note(worthless_at);
        self.lanes[AGAIN].push_front(job);
    }

    /// The one that is next.
    pub(super) fn peek(&self) -> Option<&Job<T>> {
        self.lanes[self.next_lane()?].front().map(Box::as_ref)
    }

    /// Takes it.
    pub(super) fn pop(&mut self) -> Option<Box<Job<T>>> {
        let lane = self.next_lane()?;
        for above in 0..lane {
            self.ahead[above] = 0;
        }
        if self.lanes[lane + 1..].iter().any(|below| !below.is_empty()) {
            self.ahead[lane] += 1;
        }
        self.len -= 1;
        self.lanes[lane].pop_front()
    }

    /// When to look for pushes that have become worthless: not too early, perhaps in vain.
    pub(super) fn earliest(&self) -> Option<Duration> {
        (!self.is_empty()).then_some(self.earliest)
    }

    /// Takes out what is worthless by now. `worthless_at` says when a push is.
    pub(super) fn take_worthless(
        &mut self,
        now: Duration,
        worthless_at: impl Fn(&Job<T>) -> Duration,
    ) -> Vec<Box<Job<T>>> {
        let mut worthless = Vec::new();
        let mut earliest = Duration::MAX;
        for lane in &mut self.lanes {
            for _ in 0..lane.len() {
                let Some(job) = lane.pop_front() else { break };
                let at = worthless_at(&job);
                if at <= now {
                    worthless.push(job);
                } else {
                    earliest = earliest.min(at);
                    lane.push_back(job);
                }
            }
        }
        self.len -= worthless.len();
        self.earliest = earliest.max(now.saturating_add(LOOK_APART));
        worthless
    }

    /// Takes out everything, in order.
    pub(super) fn take_all(&mut self) -> Vec<Box<Job<T>>> {
        self.len = 0;
        self.lanes.iter_mut().flat_map(|lane| lane.drain(..)).collect()
    }

    /// The first lane with pushes, unless it has been ahead for long enough.
    fn next_lane(&self) -> Option<usize> {
        let mut waiting = (0..LANES).filter(|lane| !self.lanes[*lane].is_empty());
        let first = waiting.next()?;
        let mut chosen = first;
        for below in waiting {
            if chosen == AGAIN || self.ahead[chosen] < AHEAD_MAX {
                break;
            }
            chosen = below;
        }
        Some(chosen)
    }

    fn note(&mut self, worthless_at: Duration) {
        self.earliest = if self.is_empty() { worthless_at } else { self.earliest.min(worthless_at) };
        self.len += 1;
    }
}

fn lane_of<T>(job: &Job<T>) -> usize {
    if job.outgoing.is_urgent() {
        return 1;
    }
    match job.outgoing.priority() {
        Priority::Immediate => 2,
        Priority::PowerConsiderate => 3,
        Priority::PowerFirst => 4,
    }
}
