//! A team at a point in time: what can be done to it, and to its clock.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::{Beginning, Team, TeamIndex};
use crate::{
    Clock, ClockError, Effect, Notification, Record, TeamId, Timestamp,
    delivery::{Timer, TimerId},
    device::DeviceIndex,
    fault::Faults,
    journal::{Cause, Compact, DeviceChange, Status},
    providers::Providers,
    recording::{Recorder, TeamCall},
    totals::Totals,
};

/// A team at a point in time. Everything that was due until then has happened.
///
/// Its operations may bring about effects on connections: the shell carries them out, as always. They are the only way to
/// change a team that a service has.
#[derive(Debug)]
pub struct TeamAt<'a> {
    pub(crate) team: &'a mut Team,
    /// The machine's time, which the team's may be ahead of.
    pub(super) machine: Timestamp,
    /// The team's time.
    pub(crate) now: Timestamp,
    pub(super) index: TeamIndex,
    pub(crate) around: Around<'a>,
}

/// What of the service is needed for what is done to a team.
#[derive(Debug)]
pub(crate) struct Around<'a> {
    pub(crate) beginning: Beginning<'a>,
    pub(crate) providers: &'a mut Providers,
    pub(crate) effects: &'a mut VecDeque<Effect>,
    /// The machine's time at which the service wants to be woken, at the latest.
    pub(crate) wake_at: &'a mut Option<Timestamp>,
    /// The teams whose journals have grown.
    pub(crate) changed: &'a mut VecDeque<TeamId>,
    /// Where it is written down what somebody outside does; `None`: it is not.
    pub(crate) recorder: Option<&'a mut Recorder>,
    pub(crate) totals: &'a mut Totals,
    /// Faults for everyone, which a scenario of the team may add to.
    pub(crate) everyones_faults: &'a mut Faults,
}

impl<'a> TeamAt<'a> {
    pub(crate) fn new(machine: Timestamp, index: TeamIndex, team: &'a mut Team, around: Around<'a>) -> Self {
        let now = team.now(machine);
        let mut at = Self { team, machine, now, index, around };
        if at.catch_up(now)
            && let Some(recorder) = &mut at.around.recorder
        {
            recorder.look(machine, at.team.id);
        }
        at
    }

    /// The team.
    pub fn team(&self) -> &Team {
        self.team
    }

    /// The team's time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Sets the clock, which then stands still, and returns what that brought about: what was due until then has happened,
    /// each thing at its time.
    ///
    /// A clock that was set does not go on by itself: [`follow_machine`](Self::follow_machine) lets it go.
    pub fn set_clock(&mut self, asked: Timestamp) -> Result<Vec<Record<'_>>, ClockError> {
        if asked < self.now {
            return Err(ClockError::Backwards { now: self.now, asked });
        }
        self.record(|| TeamCall::SetClock(asked));
        let cursor = self.team.next_cursor();
        self.catch_up(asked);
        self.change_clock(Clock::Manual { now: asked });
        Ok(self.team.journal(cursor).collect())
    }

    /// Advances the clock, and returns what that brought about: what was due until then has happened, each thing at its
    /// time. A clock that follows the machine's goes on following it, so much further ahead.
    pub fn advance_clock(&mut self, by: Duration) -> Vec<Record<'_>> {
        self.record(|| TeamCall::AdvanceClock(by));
        let cursor = self.team.next_cursor();
        let until = self.now.saturating_add(by);
        self.catch_up(until);
        self.change_clock(match self.team.clock {
            Clock::Machine { ahead } => Clock::Machine { ahead: ahead.saturating_add(by) },
            Clock::Manual { .. } => Clock::Manual { now: until },
        });
        self.team.journal(cursor).collect()
    }

    /// Lets the clock follow the machine's from where it stands. It never goes backwards: one that was behind jumps to
    /// the machine's time, one that was ahead stays ahead.
    pub fn follow_machine(&mut self) {
        self.record(|| TeamCall::FollowMachine);
        self.catch_up(self.machine.max(self.now));
        let ahead = self.now.saturating_since(self.machine);
        self.change_clock(Clock::Machine { ahead });
    }

    /// Writes down what somebody outside does, if that was asked for: the first thing that each public method does which
    /// changes something.
    pub(super) fn record(&mut self, call: impl FnOnce() -> TeamCall) {
        if let Some(recorder) = &mut self.around.recorder {
            recorder.record_in_team(self.machine, self.team.id, call());
        }
    }

    fn change_clock(&mut self, clock: Clock) {
        self.team.clock = clock;
        self.log(Compact::Clock(clock));
        self.wake_for_first_timer();
    }

    /// Lets everything happen that is due until `until`, each at its time. `false`: that changes nothing.
    pub(super) fn catch_up(&mut self, until: Timestamp) -> bool {
        let mut changes = self.team.latest != until;
        loop {
            let is_first = |at: &Timestamp, others: &[Option<Timestamp>]| {
                *at <= until && others.iter().flatten().all(|other| at <= other)
            };
            let (event, fault, timer) =
                (self.team.script.due_at(), self.team.faults.due_at(), self.team.timers.first());
            if let Some(at) = event.filter(|at| is_first(at, &[fault, timer])) {
                self.go_to(at);
                self.happen();
            } else if let Some(at) = fault.filter(|at| is_first(at, &[timer])) {
                self.go_to(at);
                self.strike_on_time();
            } else if let Some((at, timer)) = self.team.timers.take_due(until) {
                self.go_to(at);
                self.fire(timer);
            } else {
                break;
            }
            changes = true;
        }
        self.now = until;
        self.team.latest = until;
        changes
    }

    fn go_to(&mut self, at: Timestamp) {
        self.now = at.max(self.team.latest);
        self.team.latest = self.now;
    }

    pub(crate) fn set_timer(&mut self, at: Timestamp, timer: Timer) -> TimerId {
        let id = self.team.timers.set(at, timer);
        self.wake_for_first_timer();
        id
    }

    pub(crate) fn wake_for_first_timer(&mut self) {
        self.wake(self.team.wake_at());
    }

    pub(super) fn wake_for_everyones_faults(&mut self) {
        self.wake(self.around.everyones_faults.due_at());
    }

    fn wake(&mut self, due: Option<Timestamp>) {
        if let Some(due) = due {
            *self.around.wake_at = Some(self.around.wake_at.map_or(due, |wake_at| wake_at.min(due)));
        }
    }

    /// What the machine's clock showed when the team's showed [`now`](Self::now): what is due is often noticed later.
    pub(super) fn machine_then(&self) -> Timestamp {
        match self.team.clock {
            Clock::Machine { ahead } => self.machine.min(self.now.saturating_sub(ahead)),
            Clock::Manual { .. } => self.machine,
        }
    }

    pub(crate) fn log(&mut self, event: Compact) {
        if let Compact::Notification { status, .. } = &event {
            self.around.totals.statuses.count(*status);
        }
        let oldest = self.team.oldest_cursor();
        self.team.journal.add(self.team.settings.journal_entries, self.now, event);
        self.around.totals.journal_evictions += self.team.oldest_cursor() - oldest;
        if !std::mem::replace(&mut self.team.is_changed, true) {
            self.around.changed.push_back(self.team.id);
        }
    }

    pub(crate) fn log_status(
        &mut self,
        notification: &Arc<Notification>,
        status: Status,
        cause: Option<Cause>,
    ) {
        self.log(Compact::Notification { notification: Arc::clone(notification), status, cause });
    }

    pub(crate) fn log_device(&mut self, device: DeviceIndex, change: DeviceChange) {
        self.log(Compact::Device { device, change: Box::new(change) });
    }
}
