//! The state machine of one process that sends what is queued.
//!
//! ```text
//!            Claim ──────────▶ store ──────────▶ Claimed          lease shards that are due
//!            Send ───────────▶ engine ─────────▶ Ended            a few thousand pushes at once
//!            Store ──────────▶ store ──────────▶ Stored           outcomes, a thousand at a time
//!            Renew ──────────▶ store ──────────▶ Renewed          while a shard is worked on
//!            Release ────────▶ store                              when it is done, or has to wait
//! ```
//!
//! It is told what happens ([`Worker::handle`]), and says what to do ([`Worker::poll_effect`]); it has no clock, and says when it wants
//! to be woken ([`Worker::poll_timeout`]).
//!
//! # What holds, whatever happens
//!
//! - A recipient is never in the engine twice at once, and never sent again after its outcome is known, by the same worker.
//! - A process that dies loses what it had not stored: those pushes are sent again, under the same apns-id, or, of a shard that is to be
//!   sent once at most, end as ambiguous.
//! - A push is handed to the engine only if its lease outlasts it. When a lease runs out nevertheless, since the store cannot be reached,
//!   nothing more of the shard is sent; what the engine still has is stored when it ends, and the first outcome that is stored counts.
//! - A shard goes back only when all that happened to it is stored.
//! - Memory is bounded: shards, pushes and outcomes each by a number in [`WorkerConfig`]. When the store is behind, sending stops.
//! - What is wrong with one app, its credential or its way to APNs, neither takes the room of the others nor the attempts of its pushes.

mod active;
mod claiming;
mod config;
mod ended;
mod io;
mod leases;
mod saving;
mod sending;
mod slots;
mod sources;
mod stopping;
mod throttle;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use apns_provider_core::{Now, UnixTime};

pub use config::{InvalidWorkerConfig, WorkerConfig, engine_timeout_within};
pub use io::{
    Batch, BatchId, Claim, ClaimId, Effect, Entry, Exception, Fate, Input, Lease, Rest, ShardKey, Source,
    Stop, Ticket, TokenFinding, Waiting,
};

use active::{Phase, State};
use claiming::Claiming;
use leases::Leases;
use saving::Saving;
use slots::Slots;
use sources::Sources;
use throttle::Throttle;

use crate::{
    lanes::{Lane, Room},
    outcome::{FinalOutcome, Wait},
};

/// One process' work. See the [module](self).
#[derive(Debug)]
pub struct Worker {
    config: WorkerConfig,
    slots: Slots,
    by_shard: BTreeMap<ShardKey, ClaimId>,
    /// By lane: the shards of which something can be sent now.
    queues: [VecDeque<ClaimId>; Lane::ALL.len()],
    /// By lane: shards that are worked on.
    shards: [usize; Lane::ALL.len()],
    /// By lane: recipients that are claimed and not sent.
    to_send: [usize; Lane::ALL.len()],
    /// By lane: pushes in the engine.
    in_engine: [usize; Lane::ALL.len()],
    sources: Sources,
    claiming: [Claiming; Lane::ALL.len()],
    throttle: Throttle,
    saving: Saving,
    leases: Leases,
    effects: VecDeque<Effect>,
    random: Random,
    draining: Option<Draining>,
}

/// The process is about to stop.
#[derive(Clone, Copy, Debug)]
struct Draining {
    by: Duration,
    is_over: bool,
}

/// How a worker is doing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct WorkerStatus {
    /// Shards that are worked on.
    pub shards: usize,
    /// By lane, the most urgent first: recipients that are claimed and not sent.
    pub to_send: [usize; Lane::ALL.len()],
    /// By lane: pushes in the engine.
    pub in_engine: [usize; Lane::ALL.len()],
    /// Outcomes that the store has not confirmed.
    pub unsaved: usize,
    /// Apps and environments that are left alone since they are in trouble.
    pub troubled: usize,
    /// Apps and environments that have so many invalid tokens that none is removed.
    pub suspended: usize,
}

impl Worker {
    /// Nothing claimed yet. The seed scatters pauses: another one in each process.
    pub fn new(config: WorkerConfig, now: Now, seed: u64) -> Result<Self, InvalidWorkerConfig> {
        config.check()?;
        let mut worker = Self {
            slots: Slots::default(),
            by_shard: BTreeMap::new(),
            queues: Default::default(),
            shards: [0; Lane::ALL.len()],
            to_send: [0; Lane::ALL.len()],
            in_engine: [0; Lane::ALL.len()],
            sources: Sources::new(),
            claiming: Default::default(),
            throttle: Throttle::default(),
            saving: Saving::new(config.batch_max, config.batch_delay),
            leases: Leases::new(now.elapsed, config.renew_every()),
            effects: VecDeque::new(),
            random: Random(seed),
            draining: None,
            config,
        };
        worker.settle(now);
        Ok(worker)
    }

    /// Something has happened. What was answered already, or asked by nobody, does nothing.
    pub fn handle(&mut self, now: Now, input: Input) {
        if self.is_over() {
            return;
        }
        match input {
            Input::Claimed { lane, claims, next_at } => self.claimed(now, lane, claims, next_at),
            Input::ClaimFailed { lane } => self.claiming[place(lane)].failed(now.elapsed),
            Input::Drain { by } => self.drain(now, by),
            Input::Ended { ticket, outcome } => self.ended(now, ticket, &outcome),
            Input::Mended(source) => self.mended(now, source),
            Input::RenewFailed => self.leases.failed(now.elapsed),
            Input::Renewed { lost } => self.renewed(now, &lost),
            Input::StartFailed(claim) => self.started(now, claim, false),
            Input::Started(claim) => self.started(now, claim, true),
            Input::Stop(stop) => self.stop(now, stop),
            Input::StoreFailed(batch) => self.saving.failed(now.elapsed, batch),
            Input::Stored(batch) => self.stored(batch),
            Input::Tuned { in_engine_max, pace } => self.tune(now, in_engine_max, pace),
            Input::Woken { lane } => self.claiming[place(lane)].wake(now.elapsed),
        }
        self.settle(now);
    }

    /// Time has passed. To be called when [`poll_timeout`](Self::poll_timeout) said so; another call does no harm.
    pub fn handle_timeout(&mut self, now: Now) {
        if self.is_over() {
            return;
        }
        self.check_leases(now);
        self.settle(now);
    }

    /// The next thing to do. To be called until there is nothing, after each of the two above.
    #[must_use]
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) at the latest, on the steady clock.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        if self.is_over() {
            return None;
        }
        let claiming = self.claiming.iter().filter_map(Claiming::due).filter(|_| !self.is_draining());
        let leases = (self.slots.len() > 0).then(|| self.leases.due());
        let drained = self.draining.map(|it| it.by);
        let paced = self.throttle.due().filter(|_| !self.is_draining());
        claiming.chain(self.saving.due()).chain(leases).chain(drained).chain(paced).min()
    }

    /// How it is doing.
    pub fn status(&self, now: Now) -> WorkerStatus {
        WorkerStatus {
            shards: self.slots.len(),
            to_send: self.to_send,
            in_engine: self.in_engine,
            unsaved: self.saving.unsaved(),
            troubled: self.sources.held(now.elapsed).len(),
            suspended: self.sources.suspended(now.date),
        }
    }

    fn is_draining(&self) -> bool {
        self.draining.is_some()
    }

    fn is_over(&self) -> bool {
        self.draining.is_some_and(|draining| draining.is_over)
    }

    fn room(&self) -> Room {
        Room::new(self.config.in_engine_max)
    }

    /// What follows from whatever has changed.
    fn settle(&mut self, now: Now) {
        self.send(now);
        self.claim(now);
        self.renew(now);
        let effects = &mut self.effects;
        self.saving.hand_over(now.elapsed, self.draining.is_some(), |effect| effects.push_back(effect));
        self.finish_draining(now);
    }

    /// A recipient has its outcome. Whoever has one keeps it.
    fn end(&mut self, now: Now, id: ClaimId, position: u16, outcome: FinalOutcome) {
        self.record(now, id, position, Fate::Final(outcome));
    }

    fn record(&mut self, now: Now, id: ClaimId, position: u16, fate: Fate) {
        let Some(active) = self.slots.get(id) else { return };
        match active.state(position) {
            None | Some(State::Done) => return,
            Some(State::Pending | State::Marked) => self.to_send[place(active.lane)] -= 1,
            Some(State::Waiting) => {
                active.unsaved -= u32::from(self.saving.drop_wait(active.shard, position));
            }
            Some(State::Marking | State::Sent) => {}
        }
        match &fate {
            Fate::Final(_) => active.set(position, State::Done),
            Fate::Wait(Wait { until, .. }) => active.wait(position, *until),
        }
        active.unsaved += 1;
        let entry = Entry { shard: active.shard, position, fate };
        self.saving.add(now.elapsed, id, entry);
    }

    fn stored(&mut self, id: BatchId) {
        let Some(batch) = self.saving.stored(id) else { return };
        for (at, claim) in batch.claims.iter().enumerate() {
            if let Some(active) = self.slots.get(*claim) {
                active.unsaved -= 1;
            }
            // Those of one shard often stand together: it is looked at once.
            if batch.claims.get(at + 1) != Some(claim) {
                self.release_if_quiet(*claim);
            }
        }
    }

    /// Gives a shard back, if there is nothing more to be done with it.
    fn release_if_quiet(&mut self, id: ClaimId) {
        let Some(active) = self.slots.get(id).filter(|active| active.is_quiet()) else { return };
        let waits = active.earliest_wait.filter(|_| active.count(State::Waiting) > 0);
        let rest = match (active.phase, active.to_send(), waits) {
            (Phase::Lost, ..) => None,
            (_, 0, None) => Some(Rest::Done),
            (_, 0, Some(not_before)) => Some(Rest::Until { not_before, rounds: active.rounds }),
            (Phase::Winding { not_before, rounds }, ..) => Some(Rest::Until { not_before, rounds }),
            (Phase::Sending, ..) => return,
        };
        let shard = active.shard;
        if let Some(rest) = rest {
            self.effects.push_back(Effect::Release { shard, rest });
        }
        self.forget(id);
    }

    /// A shard is worked on no more.
    fn forget(&mut self, id: ClaimId) {
        let Some(active) = self.slots.remove(id) else { return };
        self.by_shard.remove(&active.shard);
        let lane = place(active.lane);
        self.shards[lane] -= 1;
        self.to_send[lane] -= usize::from(active.to_send());
        let in_engine = usize::from(active.count(State::Sent));
        self.in_engine[lane] -= in_engine;
        let source = self.sources.get(active.source);
        source.in_engine -= in_engine;
        source.shards -= 1;
    }
}

/// Where a lane's numbers stand.
fn place(lane: Lane) -> usize {
    usize::from(lane.number()) - 1
}

fn later(date: UnixTime, pause: Duration) -> UnixTime {
    let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    UnixTime::from_millis(date.as_millis().saturating_add(pause))
}

/// Scatters pauses. The seed is the shell's, so that a test knows every number (`SplitMix64`, Steele and others 2014).
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 32) as u32
    }
}

#[cfg(test)]
mod tests;
