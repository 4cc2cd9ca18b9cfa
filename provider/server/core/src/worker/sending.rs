//! What goes to the engine, and in which order.

use std::sync::Arc;

use apns_provider_core::{Now, Push};

use super::{
    ClaimId, Effect, Fate, Ticket, Worker,
    active::{Phase, State},
    later, place,
};
use crate::{
    lanes::Lane,
    notification::Delivery,
    outcome::{Cause, Ending, FinalOutcome, Wait, Why},
    shard::Positions,
};

/// Pushes of one shard before it is the next one's turn: a shard of one does not wait for a shard of a thousand.
const TURN: usize = 64;
/// Recipients that are marked in the store at once, before they are sent.
const MARK_MAX: usize = 100;

impl Worker {
    /// Sends as much as there is room for: lane by lane, the most urgent first; within a lane shard by shard in turn.
    pub(super) fn send(&mut self, now: Now) {
        if self.is_draining() {
            return;
        }
        for lane in Lane::ALL {
            while let Some(id) = self.queues[place(lane)].front().copied() {
                let room = self
                    .room()
                    .left(lane, self.in_engine)
                    .min(self.unsaved_room())
                    .min(self.throttle.room(now.elapsed));
                if room == 0 {
                    break;
                }
                let goes_on = self.turn(now, id, room.min(TURN));
                self.queues[place(lane)].pop_front();
                if goes_on {
                    self.queues[place(lane)].push_back(id);
                } else if let Some(active) = self.slots.get(id) {
                    active.is_queued = false;
                }
                self.release_if_quiet(id);
            }
        }
        let is_more = self.queues.iter().any(|queue| !queue.is_empty());
        self.throttle.after_sending(now.elapsed, is_more);
    }

    /// How many more outcomes may be on their way to the store, those of pushes in the engine included.
    fn unsaved_room(&self) -> usize {
        let in_engine: usize = self.in_engine.iter().sum();
        self.config.unsaved_max.saturating_sub(in_engine + self.saving.unsaved())
    }

    /// Sends some of a shard, and says whether there is more to be sent now.
    fn turn(&mut self, now: Now, id: ClaimId, most: usize) -> bool {
        let margin = self.config.send_margin();
        let source_max = self.config.source_max();
        for _ in 0..most {
            let Some(active) = self.slots.get(id) else { return false };
            let has_lease = active.lease_until >= now.elapsed.saturating_add(margin);
            if active.phase != Phase::Sending || !has_lease {
                return false; // it is queued again when its lease is renewed
            }
            let source = self.sources.get(active.source);
            if source.in_engine >= source_max {
                source.parked += 1;
                return false; // it is queued again when the engine has answered
            }
            let sendable = match active.delivery {
                Delivery::AtLeastOnce => State::Pending,
                Delivery::AtMostOnce => State::Marked,
            };
            let Some(position) = active.next(sendable) else {
                self.mark(id);
                return false;
            };
            self.send_one(now, id, position);
        }
        true
    }

    fn send_one(&mut self, now: Now, id: ClaimId, position: u16) {
        let Some(active) = self.slots.get(id) else { return };
        let Some(recipient) = active.recipients.recipient(position) else { return };
        let extra = active.extra(position);
        let attempts = extra.map_or(0, |extra| extra.attempts);
        let maybe_twice = extra.is_some_and(|extra| extra.maybe_twice);
        if active.deadline.has_passed(now.date) {
            let outcome = FinalOutcome { maybe_twice, ..FinalOutcome::unanswered(Ending::Expired, None) };
            return self.end(now, id, position, outcome);
        }
        let Some(notification) = active.variants.get(usize::from(recipient.variant)) else {
            let why = Why::Ours(Cause::Unbuildable);
            return self.end(now, id, position, FinalOutcome::unanswered(Ending::Undeliverable, why));
        };
        let source = self.sources.get(active.source);
        if attempts == 0 {
            source.budget.earn();
        } else if !source.budget.spend(now.elapsed) {
            let until = later(now.date, self.config.rules.pause_after(attempts, self.random.next()));
            if active.delivery == Delivery::AtMostOnce {
                // It is marked as sent: waiting takes the mark away.
                return self.record(
                    now,
                    id,
                    position,
                    Fate::Wait(Wait { attempts, until, why: None, maybe_twice }),
                );
            }
            // The store knows that it waits, and why: in an outage that would be written for each again and again.
            active.wait(position, until);
            self.to_send[place(active.lane)] -= 1;
            return;
        }
        let token = extra.and_then(|extra| extra.send_to.clone()).unwrap_or_else(|| recipient.device_token());
        let push = Push::new(Arc::clone(notification), token, active.shard.apns_id(position));
        let push = if active.lane == Lane::Urgent { push.urgent() } else { push };
        let (lane, delivery) = (place(active.lane), active.delivery);
        active.set(position, State::Sent);
        active.progressed_at = now.elapsed;
        source.in_engine += 1;
        self.in_engine[lane] += 1;
        self.to_send[lane] -= 1;
        self.throttle.take(now.elapsed);
        self.effects.push_back(Effect::Send {
            ticket: Ticket { claim: id, position },
            source: source.source,
            delivery,
            notification: active.shard.notification,
            attempt: attempts.saturating_add(1),
            push,
        });
    }

    /// Asks the store to mark what is to be sent once at most, before it is.
    fn mark(&mut self, id: ClaimId) {
        let Some(active) = self.slots.get(id) else { return };
        if active.delivery != Delivery::AtMostOnce || active.count(State::Marking) > 0 {
            return;
        }
        let positions: Positions = active.all(State::Pending).into_iter().take(MARK_MAX).collect();
        if positions.is_empty() {
            return;
        }
        for position in positions.iter() {
            active.set(position, State::Marking);
        }
        self.to_send[place(active.lane)] -= positions.len();
        let shard = active.shard;
        self.effects.push_back(Effect::Start { claim: id, shard, positions });
    }

    /// What was to be marked is, or may be.
    pub(super) fn started(&mut self, now: Now, id: ClaimId, is_done: bool) {
        let Some(active) = self.slots.get(id) else { return };
        let marking = active.all(State::Marking);
        for position in &marking {
            active.set(*position, State::Marked);
        }
        self.to_send[place(active.lane)] += marking.len();
        active.progressed_at = now.elapsed;
        if active.is_cancelled {
            self.cancel_open(now, id);
        } else if !is_done {
            // Nobody knows whether the marks are there: they are taken back, and the shard tries later.
            let rest = self.config.rules.pause_after(1, self.random.next());
            let rounds = active.rounds;
            self.wind(now, id, rest, rounds);
        }
        self.unmark(now, id);
        self.queue(id);
        self.release_if_quiet(id);
    }
}
