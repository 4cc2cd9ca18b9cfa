//! Which shards to ask the store for, and what to do with those that it gives.

use std::time::Duration;

use apns_provider_core::{Now, UnixTime};

use super::{
    Claim, ClaimId, Effect, Rest, Worker,
    active::{Active, Phase},
    place,
};
use crate::{lanes::Lane, shard::SHARD_RECIPIENTS};

/// Asking for a lane's shards.
#[derive(Debug, Default)]
pub(super) struct Claiming {
    /// When the store was asked, and has not answered.
    asked_at: Option<Duration>,
    /// Not before this, since there was nothing.
    not_before: Duration,
    /// Whether there is no room, so that there is nothing to wait for but room.
    is_full: bool,
    /// Whether something came after the store was asked: what it answers may be without it.
    is_woken: bool,
    failures: u32,
}

/// Pauses after the store has failed.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// What is claimed and not sent falls to this part before there is more: not a shard for each push.
const REFILL_BELOW_PERCENT: usize = 50;

impl Claiming {
    /// There may be something. A store that fails is not asked more often for it.
    pub(super) fn wake(&mut self, now: Duration) {
        self.is_woken = self.asked_at.is_some();
        if self.failures == 0 {
            self.not_before = now;
        }
    }

    pub(super) fn failed(&mut self, now: Duration) {
        if self.asked_at.take().is_some() {
            let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
            self.failures = self.failures.saturating_add(1);
            self.not_before = now.saturating_add(pause);
        }
    }

    /// Whether the store has not answered yet.
    pub(super) fn is_asking(&self) -> bool {
        self.asked_at.is_some()
    }

    /// When to ask.
    pub(super) fn due(&self) -> Option<Duration> {
        (self.asked_at.is_none() && !self.is_full).then_some(self.not_before)
    }
}

impl Worker {
    /// Asks for more, in each lane that has room for it.
    pub(super) fn claim(&mut self, now: Now) {
        if self.is_draining() {
            return;
        }
        let is_behind = self.saving.unsaved() >= self.config.unsaved_max / 2;
        for lane in Lane::ALL {
            let at = place(lane);
            let claiming = &self.claiming[at];
            if claiming.asked_at.is_some() || claiming.not_before > now.elapsed {
                continue;
            }
            let to_send = self.to_send[at];
            // A third of the places for each lane: many small shards of one leave room for the others.
            let shards_max = self.config.shards_max / Lane::ALL.len();
            let shards = shards_max.saturating_sub(self.shards[at]);
            let is_low = to_send * 100 <= self.config.claimed_max * REFILL_BELOW_PERCENT;
            if is_behind || !is_low || shards == 0 {
                self.claiming[at].is_full = true;
                continue;
            }
            self.claiming[at].is_full = false;
            self.claiming[at].asked_at = Some(now.elapsed);
            let recipients = (self.config.claimed_max - to_send).saturating_sub(SHARD_RECIPIENTS - 1).max(1);
            let except = self.sources.held(now.elapsed);
            self.effects.push_back(Effect::Claim { lane, recipients, shards, except });
        }
    }

    pub(super) fn claimed(&mut self, now: Now, lane: Lane, claims: Vec<Claim>, next_at: Option<UnixTime>) {
        let Some(asked_at) = self.claiming[place(lane)].asked_at.take() else {
            // Nobody asked, or somebody asked long ago: the leases are given back.
            for claim in &claims {
                self.give_back(now, claim, Duration::ZERO);
            }
            return;
        };
        let claiming = &mut self.claiming[place(lane)];
        claiming.failures = 0;
        claiming.not_before = now.elapsed;
        if claims.is_empty() && !std::mem::take(&mut claiming.is_woken) {
            let due = next_at.map(|next_at| now.elapsed.saturating_add(next_at.saturating_since(now.date)));
            let poll = now.elapsed.saturating_add(self.config.poll);
            claiming.not_before = due.map_or(poll, |due| due.min(poll));
        }
        for claim in claims {
            self.take(now, asked_at, claim);
        }
    }

    fn take(&mut self, now: Now, asked_at: Duration, claim: Claim) {
        if let Some(id) = self.by_shard.get(&claim.shard)
            && let Some(active) = self.slots.get(*id)
        {
            // Its lease ran out while the engine had pushes of it: they come back first.
            if active.phase == Phase::Lost {
                self.give_back(now, &claim, self.config.engine_timeout);
            }
            return;
        }
        let source = self.sources.place(claim.source, now.elapsed, self.config.hygiene);
        if self.is_draining() || self.sources.get(source).is_held(now.elapsed) {
            let held = self.sources.get(source).held_until.saturating_sub(now.elapsed);
            return self.give_back(now, &claim, held);
        }
        let mut ended = Vec::new();
        let lease_until = asked_at.saturating_add(self.config.lease);
        let active = Active::new(claim, source, now, lease_until, &mut ended);
        self.sources.get(source).shards += 1;
        self.shards[place(active.lane)] += 1;
        self.to_send[place(active.lane)] += usize::from(active.to_send());
        let shard = active.shard;
        let id = self.slots.insert(active);
        self.by_shard.insert(shard, id);
        for (position, outcome) in ended {
            self.end(now, id, position, outcome);
        }
        self.queue(id);
        self.release_if_quiet(id);
    }

    /// Puts a shard into its lane's queue, if there is something to send of it.
    pub(super) fn queue(&mut self, id: ClaimId) {
        let Some(active) = self.slots.get(id) else { return };
        if active.phase == Phase::Sending && active.to_send() > 0 && !active.is_queued {
            active.is_queued = true;
            let lane = place(active.lane);
            self.queues[lane].push_back(id);
            // Of those that were given back meanwhile the names are left.
            if self.queues[lane].len() > 2 * self.config.shards_max {
                self.queues[lane].retain(|id| self.slots.get(*id).is_some());
            }
        }
    }

    fn give_back(&mut self, now: Now, claim: &Claim, pause: Duration) {
        let rest = Rest::Until { not_before: super::later(now.date, pause), rounds: claim.rounds };
        self.effects.push_back(Effect::Release { shard: claim.shard, rest });
    }
}
