//! Cancelled, paused, drained: what is not sent yet is not sent.

use std::time::Duration;

use apns_provider_core::Now;

use super::{
    ClaimId, Draining, Effect, Fate, Source, Stop, Worker,
    active::{Phase, State},
    later,
};
use crate::outcome::{Cause, Ending, FinalOutcome, Wait, Why};

impl Worker {
    pub(super) fn stop(&mut self, now: Now, stop: Stop) {
        let ids = match stop {
            Stop::Cancel(notification) | Stop::PauseCampaign(notification) => {
                self.slots.ids(|active| active.shard.notification == notification)
            }
            Stop::PauseApp(app) => {
                let sources = &self.sources;
                self.slots.ids(|active| sources.source(active.source).app == app)
            }
        };
        for id in ids {
            if let Stop::Cancel(_) = stop {
                self.cancel_open(now, id);
            } else {
                self.wind_at_once(now, id);
            }
            self.release_if_quiet(id);
        }
    }

    /// What is not sent yet, or waits, ends as cancelled.
    pub(super) fn cancel_open(&mut self, now: Now, id: ClaimId) {
        let Some(active) = self.slots.get(id).filter(|active| active.phase != Phase::Lost) else { return };
        active.is_cancelled = true;
        for position in
            [active.all(State::Pending), active.all(State::Marked), active.all(State::Waiting)].concat()
        {
            let Some(active) = self.slots.get(id) else { return };
            let maybe_twice = active.extra(position).is_some_and(|extra| extra.maybe_twice);
            let outcome = FinalOutcome { maybe_twice, ..FinalOutcome::unanswered(Ending::Cancelled, None) };
            self.end(now, id, position, outcome);
        }
    }

    /// A shard goes back as it is.
    fn wind_at_once(&mut self, now: Now, id: ClaimId) {
        let Some(active) = self.slots.get(id) else { return };
        let rounds = active.rounds;
        self.wind(now, id, Duration::ZERO, rounds);
    }

    /// A shard goes back as soon as the engine is done with what it has, and rests so long.
    pub(super) fn wind(&mut self, now: Now, id: ClaimId, rest: Duration, rounds: u16) {
        let Some(active) = self.slots.get(id).filter(|active| active.phase == Phase::Sending) else { return };
        active.phase = Phase::Winding { not_before: later(now.date, rest), rounds };
        self.unmark(now, id);
    }

    /// What is marked and was not sent is not marked any more.
    pub(super) fn unmark(&mut self, now: Now, id: ClaimId) {
        let Some(active) = self.slots.get(id) else { return };
        let Phase::Winding { not_before, .. } = active.phase else { return };
        for position in active.all(State::Marked) {
            let Some(active) = self.slots.get(id) else { return };
            let extra = active.extra(position).cloned().unwrap_or_default();
            let wait = Wait {
                attempts: extra.attempts,
                until: not_before,
                why: Some(Why::Ours(Cause::Draining)),
                maybe_twice: extra.maybe_twice,
            };
            self.record(now, id, position, Fate::Wait(wait));
        }
    }

    pub(super) fn drain(&mut self, now: Now, by: Duration) {
        let by = self.draining.map_or(by, |draining| draining.by.min(by));
        self.draining = Some(Draining { by, is_over: false });
        for id in self.slots.ids(|_| true) {
            self.wind_at_once(now, id);
            self.release_if_quiet(id);
        }
    }

    pub(super) fn finish_draining(&mut self, now: Now) {
        let Some(draining) = &mut self.draining else { return };
        let is_asking = self.claiming.iter().any(super::Claiming::is_asking);
        let is_done = self.slots.len() == 0 && self.saving.is_empty() && !is_asking;
        if is_done || now.elapsed >= draining.by {
            draining.is_over = true;
            self.effects.push_back(Effect::Drained);
        }
    }

    pub(super) fn tune(&mut self, now: Now, in_engine_max: usize, pace: Option<u32>) {
        self.config.in_engine_max = in_engine_max.max(1);
        // Each of them has an outcome, sooner or later.
        self.config.unsaved_max = self.config.unsaved_max.max(in_engine_max);
        self.throttle.set(now.elapsed, pace);
        // What had too much in the engine may have little now.
        for id in self.slots.ids(|_| true) {
            self.queue(id);
        }
    }

    /// Somebody has mended what was in the way.
    pub(super) fn mended(&mut self, now: Now, source: Source) {
        let Some(state) = self.sources.find(source) else { return };
        state.held_until = Duration::ZERO;
        state.answered();
        for claiming in &mut self.claiming {
            claiming.wake(now.elapsed);
        }
    }
}
