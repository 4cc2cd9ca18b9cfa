//! The way in: connections that are not open yet, of all listeners, and those that never were.
//!
//! A client that connects and says nothing costs a descriptor. An honest one is through in milliseconds; so there is room for a
//! limited number at once, and when it is full, the one that has taken longest gives way to whoever comes. Neither a hundred thousand
//! that stay silent nor a process without descriptors lock honest clients out.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::connections::Listening;

/// Connections that may be on their way in at once, on all listeners together. Each takes a few kilobytes, and 70 at most, if it sends
/// the longest handshake message that TLS reads. Even at 20,000 newcomers a second each has a tenth of a second.
pub(crate) const ENTERING_MAX: usize = 2_048;
/// Of those on their way in, one in so many gives way when the process has no descriptor left: one by one would let the queue of those
/// to be accepted overflow.
const EVICTED_PART: usize = 8;

/// The way into one double; a handle, cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entrance(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Those on their way in by the order in which they came. What is sent or dropped there tells one to give way.
    entering: BTreeMap<u64, oneshot::Sender<()>>,
    came: u64,
    refused: [[u64; Refusal::ALL.len()]; Listening::ALL.len()],
}

/// Why a connection came to nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    Closed,
    Tls,
    Timeout,
    GaveWay,
    Full,
    Accept,
}

/// One connection on its way in, until it is dropped.
#[derive(Debug)]
pub(crate) struct Entering {
    entrance: Entrance,
    listening: Listening,
    number: u64,
    give_way: oneshot::Receiver<()>,
}

/// Says that a connection is through.
#[derive(Debug)]
pub(crate) struct Pass {
    entrance: Entrance,
    number: u64,
}

impl Entrance {
    /// A connection was accepted. If there are too many, the oldest that is not through gives way.
    pub(crate) fn enter(&self, listening: Listening) -> Entering {
        let (sender, give_way) = oneshot::channel();
        let mut state = self.state();
        if state.entering.len() >= ENTERING_MAX {
            state.entering.pop_first(); // dropping its sender tells it
        }
        let number = state.came;
        state.came += 1;
        state.entering.insert(number, sender);
        Entering { entrance: self.clone(), listening, number, give_way }
    }

    /// The oldest give way, so that the process has descriptors again. `false`: there are none.
    pub(crate) fn make_room(&self) -> bool {
        let mut state = self.state();
        let evicted = state.entering.len().div_ceil(EVICTED_PART);
        for _ in 0..evicted {
            state.entering.pop_first();
        }
        evicted > 0
    }

    /// A connection came to nothing.
    pub(crate) fn refused(&self, listening: Listening, why: Refusal) {
        self.state().refused[listening as usize][why as usize] += 1;
    }

    /// How many connections came to nothing.
    pub(crate) fn refusals(&self, listening: Listening, why: Refusal) -> u64 {
        self.state().refused[listening as usize][why as usize]
    }

    /// How many are on their way in.
    pub(crate) fn entering(&self) -> usize {
        self.state().entering.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner) // numbers, good at any moment
    }
}

impl Entering {
    /// Returns when it has to give way.
    pub(crate) async fn gives_way(&mut self) {
        let _ = (&mut self.give_way).await; // an error is a dropped sender, which says it
    }

    /// What says that it is through, from wherever that is known.
    pub(crate) fn pass(&self) -> Pass {
        Pass { entrance: self.entrance.clone(), number: self.number }
    }

    /// It came to nothing.
    pub(crate) fn refused(self, why: Refusal) {
        self.entrance.refused(self.listening, why);
    }
}

impl Drop for Entering {
    fn drop(&mut self) {
        self.pass().through();
    }
}

impl Pass {
    /// The connection is open.
    pub(crate) fn through(&self) {
        self.entrance.state().entering.remove(&self.number);
    }
}

impl Refusal {
    pub(crate) const ALL: &'static [Self] =
        &[Self::Closed, Self::Tls, Self::Timeout, Self::GaveWay, Self::Full, Self::Accept];

    /// Its name, in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::GaveWay => "gave_way",
            Self::Full => "full",
            Self::Accept => "accept",
        }
    }

    /// What it says, in a few words, for readers of the document.
    #[cfg(test)]
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Closed => "the client has closed it before it was open: port checks do",
            Self::Tls => {
                "the TLS handshake failed: not TLS, a certificate that is not trusted, nothing in common"
            }
            Self::Timeout => "no handshake, or over plain HTTP no request, within ten seconds",
            Self::GaveWay => {
                "too many were on their way in, or there were no descriptors: the slowest was closed"
            }
            Self::Full => "as many connections are open as there may be",
            Self::Accept => "the system refused to accept it: no descriptors, no memory",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gave_way(entering: &mut Entering) -> bool {
        entering.give_way.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn the_document_has_every_cause() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/limits.md");
        let document = std::fs::read_to_string(path).unwrap();
        let row = |why: &Refusal| format!("| `{}` | {} |\n", why.as_str(), why.meaning());
        let rows: String = Refusal::ALL.iter().map(row).collect();
        assert!(document.contains(&rows), "docs/limits.md lacks these rows:\n{rows}");
        assert!(document.contains(&format!("| {ENTERING_MAX}, and 10 seconds |")));
    }

    #[test]
    fn the_oldest_that_is_not_through_gives_way_to_the_newcomer() {
        let entrance = Entrance::default();
        let mut all: Vec<_> = (0..ENTERING_MAX).map(|_| entrance.enter(Listening::Sandbox)).collect();
        drop(all.remove(0)); // through
        let mut newcomers = [entrance.enter(Listening::Devices), entrance.enter(Listening::Sandbox)];
        assert_eq!(entrance.entering(), ENTERING_MAX);
        assert_eq!(all.iter_mut().map(gave_way).collect::<Vec<_>>()[..2], [true, false]);
        assert!(newcomers.iter_mut().all(|it| !gave_way(it)));
        drop(all);
        assert_eq!(entrance.entering(), 2);
    }

    #[test]
    fn room_is_made_by_the_oldest() {
        let entrance = Entrance::default();
        assert!(!entrance.make_room());
        let mut all: Vec<_> = (0..=EVICTED_PART).map(|_| entrance.enter(Listening::Control)).collect();
        assert!(entrance.make_room());
        let evicted: Vec<bool> = all.iter_mut().map(gave_way).collect();
        assert_eq!(evicted.iter().position(|it| !it), Some(2), "{evicted:?}");
    }

    #[test]
    fn what_came_to_nothing_is_counted_by_listener_and_cause() {
        let entrance = Entrance::default();
        entrance.enter(Listening::Devices).refused(Refusal::Tls);
        let of =
            |listening| Refusal::ALL.iter().map(|why| entrance.refusals(listening, *why)).collect::<Vec<_>>();
        assert_eq!(of(Listening::Devices), [0, 1, 0, 0, 0, 0]);
        assert_eq!(of(Listening::Sandbox), [0; 6]);
        assert_eq!(entrance.entering(), 0);
    }
}
