//! The pushes that are sent again later.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use super::job::Job;

/// Pushes with the time at which they may go out, the earliest first; those of one time in the order they came.
#[derive(Debug)]
pub(super) struct Pausing<T> {
    heap: BinaryHeap<Reverse<Pause<T>>>,
    came: u64,
}

#[derive(Debug)]
struct Pause<T> {
    until: Duration,
    order: u64,
    job: Box<Job<T>>,
}

impl<T> Pausing<T> {
    pub(super) fn new() -> Self {
        Self { heap: BinaryHeap::new(), came: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(super) fn push(&mut self, until: Duration, job: Box<Job<T>>) {
        self.came += 1;
        self.heap.push(Reverse(Pause { until, order: self.came, job }));
    }

    /// When the first one is over.
    pub(super) fn next(&self) -> Option<Duration> {
        self.heap.peek().map(|Reverse(pause)| pause.until)
    }

    /// Takes one whose pause is over.
    pub(super) fn pop_due(&mut self, now: Duration) -> Option<Box<Job<T>>> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(pause)| pause.job)
    }

    /// Takes out everything.
    pub(super) fn take_all(&mut self) -> Vec<Box<Job<T>>> {
        self.heap.drain().map(|Reverse(pause)| pause.job).collect()
    }
}

impl<T> Ord for Pause<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.until, self.order).cmp(&(other.until, other.order))
    }
}

impl<T> PartialOrd for Pause<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Eq for Pause<T> {}

impl<T> PartialEq for Pause<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
