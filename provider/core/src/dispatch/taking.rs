//! Which connection takes how much.

use std::time::Duration;

use super::{ConnectionId, Dispatcher, Effect, Ending, Job, Room, breaker::Pass, worthless_at};
use crate::{NotSent, Now, Outcome};

/// How long a connection rests that gave a push back: asked at once, it would only do the same.
const GIVEN_BACK_REST: Duration = Duration::from_millis(100);

impl<T> Dispatcher<T> {
    /// Pushes that are taken at once at most: enough that the dispatcher is asked seldom, and few enough that others have their turn.
    pub const TAKEN_MAX: usize = 128;

    /// A connection takes what it has room for. It comes whenever its room may have changed, also when it took nothing the last time.
    ///
    /// It takes until another connection has twice the room, and lets that one take the rest.
    pub fn take(&mut self, now: Now, id: ConnectionId, room: Room, into: &mut Vec<Box<Job<T>>>) {
        let Some(index) = self.connections.iter().position(|connection| connection.id == id) else { return };
        let connection = &mut self.connections[index];
        connection.woken = false;
        connection.report(room);
        let before = into.len();
        while into.len() - before < Self::TAKEN_MAX && self.may_take(now.elapsed, index) {
            let Some(job) = self.queue.pop() else { break };
            if let Some(job) = self.pass_by(now, job) {
                self.connections[index].occupy(job.body_bytes(), now.elapsed);
                into.push(job);
            }
        }
        self.settle(now.elapsed);
    }

    /// A push that was taken could not go out, through no fault of its own. Others have their turn before the connection is asked again.
    pub fn give_back(&mut self, now: Now, id: ConnectionId, mut job: Box<Job<T>>) {
        if std::mem::take(&mut job.is_probe) {
            self.credential.unanswered(now.elapsed);
            self.service.unanswered(now.elapsed);
        }
        if let Some(connection) = self.connection(id) {
            connection.under_way = connection.under_way.saturating_sub(1);
            connection.rest_until = connection.rest_until.max(now.elapsed.saturating_add(GIVEN_BACK_REST));
        }
        if self.ending == Ending::Abandoned {
            self.finish_untried(job, || Outcome::NotSent(NotSent::Closed));
        } else {
            let worthless_at = worthless_at(&job, now);
            self.queue.give_back(job, worthless_at);
        }
        self.settle(now.elapsed);
    }

    /// Lets one connection know that there is something to take: the one with the most room.
    pub(super) fn wake_one(&mut self, now: Duration) {
        let Some(job) = self.queue.peek() else { return };
        if self.is_held(now) {
            return;
        }
        let (body_bytes, shunned) = (job.body_bytes(), job.shuns);
        let best = self.connections.iter_mut().max_by_key(|connection| {
            (
                connection.fits(body_bytes, now).min(1),
                Some(connection.id) != shunned,
                connection.fits(body_bytes, now),
            )
        });
        if let Some(best) = best.filter(|best| best.fits(body_bytes, now) > 0 && !best.woken) {
            best.woken = true;
            self.effects.push_back(Effect::Wake(best.id));
        }
    }

    /// Whether the next push goes out here.
    fn may_take(&self, now: Duration, index: usize) -> bool {
        let Some(job) = self.queue.peek() else { return false };
        if self.is_held(now) {
            return false;
        }
        let body_bytes = job.body_bytes();
        let own = self.connections[index].fits(body_bytes, now);
        // One that the push shuns is no reason to leave it: nobody would take it.
        let others = self.connections.iter().enumerate();
        let others = others.filter(|(other, one)| *other != index && job.shuns != Some(one.id));
        let best_other = others.map(|(_, other)| other.fits(body_bytes, now)).max().unwrap_or(0);
        let is_shunned = job.shuns == Some(self.connections[index].id) && best_other > 0;
        own > 0 && best_other / 2 <= own && !is_shunned
    }

    /// Whether nothing may go out at the moment, on any connection.
    fn is_held(&self, now: Duration) -> bool {
        self.calm.not_before() > now
            || self.credential.pass(now) == Pass::Nothing
            || self.service.pass(now) == Pass::Nothing
    }

    /// Looks at a push once more before it goes out: gives it back unless it is of no use any more, or has to wait for its device.
    fn pass_by(&mut self, now: Now, mut job: Box<Job<T>>) -> Option<Box<Job<T>>> {
        if worthless_at(&job, now) <= now.elapsed {
            self.finish_worthless(now, job);
            return None;
        }
        let device_token = job.outgoing.device_token();
        if let Some(until) = device_token.and_then(|token| self.slow.held_until(token, now.elapsed)) {
            let until = until.min(worthless_at(&job, now));
            self.pausing.push(until, job);
            return None;
        }
        for breaker in [&mut self.credential, &mut self.service] {
            if breaker.pass(now.elapsed) == Pass::Probe {
                breaker.probing();
                job.is_probe = true;
            }
        }
        Some(job)
    }
}
