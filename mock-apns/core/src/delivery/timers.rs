//! What is to happen by itself at some point of a team's time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Timestamp, device::DeviceIndex, snapshot::Problem};

/// Something that is due at a point in time. It is carried out before anything else that happens then or later, so
/// what a caller sees never depends on when it was carried out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Timer {
    /// What is stored for an installation expires.
    Expire { device: DeviceIndex, installation: usize },
    /// What is stored for an installation may be delivered, as far as its background pushes go.
    Release { device: DeviceIndex, installation: usize },
}

/// Names a timer: when it is due, and among equals the order in which they were set.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct TimerId(Timestamp, u64);

/// The timers of a team.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeMap<TimerId, Timer>,
    set: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Timestamp, timer: Timer) -> TimerId {
        let id = TimerId(at, self.set);
        self.set += 1;
        self.due.insert(id, timer);
        id
    }

    /// How many were set ever.
    pub(crate) fn set_ever(&self) -> u64 {
        self.set
    }

    /// None, where so many were set ever.
    pub(crate) fn after(set: u64) -> Self {
        Self { due: BTreeMap::new(), set }
    }

    /// Sets a timer that was set before.
    pub(crate) fn restore(&mut self, id: TimerId, timer: Timer) -> Result<(), Problem> {
        if id.1 >= self.set {
            return Err(Problem::NoSuch("timer", id.1));
        }
        match self.due.insert(id, timer) {
            Some(_) => Err(Problem::Twice("a timer")),
            None => Ok(()),
        }
    }

    pub(crate) fn cancel(&mut self, id: TimerId) {
        self.due.remove(&id);
    }

    /// When the first of them is due.
    pub(crate) fn first(&self) -> Option<Timestamp> {
        self.due.first_key_value().map(|(id, _)| id.0)
    }

    /// Takes the first of those that are due at `now`.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, Timer)> {
        if self.first()? > now {
            return None;
        }
        self.due.pop_first().map(|(id, timer)| (id.0, timer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_are_due_by_time_and_then_in_the_order_in_which_they_were_set() {
        let timer = |number| Timer::Expire { device: DeviceIndex(number), installation: 0 };
        let at = Timestamp::from_secs;
        let mut timers = Timers::default();
        timers.set(at(5), timer(1));
        let cancelled = timers.set(at(3), timer(2));
        timers.set(at(3), timer(3));
        timers.set(at(3), timer(4));
        timers.cancel(cancelled);
        assert_eq!(timers.first(), Some(at(3)));
        assert_eq!(timers.take_due(at(2)), None);
        let due: Vec<_> = std::iter::from_fn(|| timers.take_due(at(9))).collect();
        assert_eq!(due, [(at(3), timer(3)), (at(3), timer(4)), (at(5), timer(1))]);
    }
}
