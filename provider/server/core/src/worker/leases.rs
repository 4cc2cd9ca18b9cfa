//! Keeping what is worked on, and letting go of what is not ours any more.

use std::time::Duration;

use apns_provider_core::Now;

use super::{
    ClaimId, Effect, Lease, Worker,
    active::{Phase, State},
    place,
};

/// When leases are renewed, and which ones the store is asked for now.
#[derive(Debug)]
pub(super) struct Leases {
    every: Duration,
    next_at: Duration,
    checked_at: Duration,
    renewing: Option<Renewing>,
}

#[derive(Debug)]
struct Renewing {
    /// Leases are counted from here, and not from the answer: the store counts them no later.
    asked_at: Duration,
    claims: Vec<ClaimId>,
}

/// How soon a failed renewal is tried again, and how often it is looked whether a lease has run out.
const A_SECOND: Duration = Duration::from_secs(1);

impl Leases {
    pub(super) fn new(now: Duration, every: Duration) -> Self {
        Self { every, next_at: now.saturating_add(every), checked_at: now, renewing: None }
    }

    pub(super) fn failed(&mut self, now: Duration) {
        if self.renewing.take().is_some() {
            self.next_at = now.saturating_add(A_SECOND.min(self.every));
        }
    }

    /// When there is something to look at, if there are shards.
    pub(super) fn due(&self) -> Duration {
        let check_at = self.checked_at.saturating_add(A_SECOND);
        if self.renewing.is_some() { check_at } else { check_at.min(self.next_at) }
    }
}

impl Worker {
    pub(super) fn renew(&mut self, now: Now) {
        if self.leases.renewing.is_some() || now.elapsed < self.leases.next_at {
            return;
        }
        self.leases.next_at = now.elapsed.saturating_add(self.leases.every);
        let claims = self.slots.ids(|active| active.phase != Phase::Lost);
        if claims.is_empty() {
            return;
        }
        let lease = |claim: &ClaimId| Some(Lease { claim: *claim, shard: self.slots.get(*claim)?.shard });
        let leases = claims.iter().filter_map(lease).collect();
        self.leases.renewing = Some(Renewing { asked_at: now.elapsed, claims });
        self.effects.push_back(Effect::Renew(leases));
    }

    pub(super) fn renewed(&mut self, now: Now, lost: &[ClaimId]) {
        let Some(Renewing { asked_at, claims }) = self.leases.renewing.take() else { return };
        for id in claims {
            if lost.contains(&id) {
                self.lose(id);
                continue;
            }
            let Some(active) = self.slots.get(id) else { continue };
            let until = asked_at.saturating_add(self.config.lease);
            if active.phase != Phase::Lost {
                active.lease_until = active.lease_until.max(until);
                self.queue(id);
            }
        }
        self.check_leases(now);
    }

    /// Lets go of what is not ours any more, and of what the engine has forgotten.
    pub(super) fn check_leases(&mut self, now: Now) {
        self.leases.checked_at = now.elapsed;
        let ran_out =
            self.slots.ids(|active| active.phase != Phase::Lost && active.lease_until <= now.elapsed);
        for id in ran_out {
            self.lose(id);
        }
        let stalled_after = self.config.stalled_after();
        let stalled = self.slots.ids(|active| {
            let is_with_others = active.count(State::Sent) > 0 || active.count(State::Marking) > 0;
            // What is known of the others has to be stored first, or they would be sent again.
            is_with_others
                && active.unsaved == 0
                && now.elapsed.saturating_sub(active.progressed_at) > stalled_after
        });
        for id in stalled {
            // Its lease runs out, and then somebody sends the rest. What the engine may say yet is not heard.
            self.forget(id);
        }
    }

    /// A shard belongs to somebody else.
    fn lose(&mut self, id: ClaimId) {
        let Some(active) = self.slots.get(id) else { return };
        active.phase = Phase::Lost;
        self.to_send[place(active.lane)] -= usize::from(active.to_send());
        for position in [active.all(State::Pending), active.all(State::Marked)].concat() {
            active.set(position, State::Waiting);
        }
        self.release_if_quiet(id);
    }
}
