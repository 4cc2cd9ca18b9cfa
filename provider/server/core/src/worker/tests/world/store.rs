//! The store: rows of shards, who has leased them, and what became of their recipients.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use apns_provider_core::{AlertNotification, BundleId, UnixTime};

use super::{Asked, World};
use crate::{
    lanes::Lane,
    message::Deadline,
    notification::Delivery,
    outcome::{Ending, FinalOutcome, Wait},
    shard::Shard,
    worker::{Batch, Claim, Exception, Fate, Input, Rest, ShardKey, Source, Waiting},
};

/// A shard in the store.
#[expect(clippy::struct_excessive_bools, reason = "each is a column of its own")]
pub(in crate::worker::tests) struct Row {
    pub(in crate::worker::tests) key: ShardKey,
    pub(in crate::worker::tests) source: Source,
    pub(in crate::worker::tests) lane: Lane,
    pub(in crate::worker::tests) recipients: Shard,
    pub(in crate::worker::tests) deadline: Deadline,
    pub(in crate::worker::tests) delivery: Delivery,
    pub(in crate::worker::tests) not_before: UnixTime,
    pub(in crate::worker::tests) rounds: u16,
    pub(in crate::worker::tests) lease: Option<(usize, Duration)>,
    pub(in crate::worker::tests) finals: BTreeMap<u16, FinalOutcome>,
    pub(in crate::worker::tests) waiting: BTreeMap<u16, Wait>,
    pub(in crate::worker::tests) marked: BTreeSet<u16>,
    pub(in crate::worker::tests) exceptions: Vec<(u16, Exception)>,
    pub(in crate::worker::tests) has_message: bool,
    pub(in crate::worker::tests) is_done: bool,
    pub(in crate::worker::tests) is_cancelled: bool,
    pub(in crate::worker::tests) is_paused: bool,
}

impl World {
    /// The store answers what was asked at this place.
    pub(in crate::worker::tests) fn answer(&mut self, life: usize, at: usize) {
        if at >= self.workers[life].asked.len() {
            return;
        }
        let asked = self.workers[life].asked.remove(at);
        let works = self.store_works;
        let input = match asked {
            Asked::Claim { lane, .. } if !works => Input::ClaimFailed { lane },
            Asked::Claim { lane, recipients, shards, except } => {
                let (claims, next_at) = self.claim(life, lane, recipients, shards, &except);
                Input::Claimed { lane, claims, next_at }
            }
            Asked::Renew(_) if !works => Input::RenewFailed,
            Asked::Renew(leases) => {
                let lost = leases.iter().filter(|lease| !self.renew(life, lease.shard));
                Input::Renewed { lost: lost.map(|lease| lease.claim).collect::<Vec<_>>() }
            }
            Asked::Start { claim, .. } if !works => Input::StartFailed(claim),
            Asked::Start { claim, shard, positions } => {
                let row = self.row(shard);
                for position in positions.iter() {
                    row.marked.insert(position);
                    row.waiting.remove(&position);
                }
                Input::Started(claim)
            }
            Asked::Store(batch) if !works => Input::StoreFailed(batch.id()),
            Asked::Store(batch) => {
                self.store(life, &batch);
                Input::Stored(batch.id())
            }
        };
        self.tell(life, input);
    }

    pub(in crate::worker::tests) fn row(&mut self, key: ShardKey) -> &mut Row {
        self.shards.iter_mut().find(|row| row.key == key).expect("it is in the store")
    }

    fn renew(&mut self, life: usize, key: ShardKey) -> bool {
        let until = self.elapsed + self.config.lease;
        let row = self.row(key);
        match &mut row.lease {
            Some((owner, lease_until)) if *owner == life => {
                *lease_until = until;
                true
            }
            _ => false,
        }
    }

    fn store(&mut self, life: usize, batch: &Batch) {
        let mut seen = BTreeSet::new();
        for entry in batch.entries() {
            assert!(seen.insert((entry.shard, entry.position)), "twice in one batch: {entry:?}");
            let row = self.row(entry.shard);
            let is_ours = row.lease.is_some_and(|(owner, _)| owner == life);
            match &entry.fate {
                Fate::Final(outcome) => {
                    row.finals.entry(entry.position).or_insert_with(|| outcome.clone());
                    row.waiting.remove(&entry.position);
                    row.marked.remove(&entry.position);
                }
                Fate::Wait(wait) if is_ours && !row.finals.contains_key(&entry.position) => {
                    row.waiting.insert(entry.position, wait.clone());
                    row.marked.remove(&entry.position);
                }
                Fate::Wait(_) => {}
            }
        }
        self.dead_tokens.extend(batch.dead_tokens().iter().map(|finding| finding.device));
        self.suspects.extend(batch.suspects().iter().map(|finding| finding.device));
    }

    pub(super) fn release(&mut self, life: usize, key: ShardKey, rest: Rest) {
        let row = self.row(key);
        if row.lease.is_none_or(|(owner, _)| owner != life) {
            return;
        }
        row.lease = None;
        match rest {
            Rest::Done => {
                assert_eq!(row.finals.len(), usize::from(row.recipients.len()), "it is not done");
                row.is_done = true;
            }
            Rest::Until { not_before, rounds } => (row.not_before, row.rounds) = (not_before, rounds),
        }
        row.cancel_if_free();
    }

    fn claim(
        &mut self,
        life: usize,
        lane: Lane,
        recipients: usize,
        shards: usize,
        except: &[Source],
    ) -> (Vec<Claim>, Option<UnixTime>) {
        let (now, lease_until) = (self.now(), self.elapsed + self.config.lease);
        let (mut claims, mut count, mut next_at) = (Vec::new(), 0, None::<UnixTime>);
        for row in &mut self.shards {
            if row.lease.is_some_and(|(_, until)| until <= now.elapsed) {
                row.lease = None;
                row.cancel_if_free();
            }
            let is_free = row.lease.is_none() && !row.is_done && !row.is_paused && row.lane == lane;
            if !is_free || except.contains(&row.source) {
                continue;
            }
            if row.not_before > now.date {
                next_at = Some(next_at.map_or(row.not_before, |next| next.min(row.not_before)));
                continue;
            }
            if count >= recipients || claims.len() >= shards {
                continue;
            }
            count += usize::from(row.recipients.len());
            row.lease = Some((life, lease_until));
            claims.push(row.claim(now.date));
        }
        (claims, next_at)
    }

    /// The store answers all that it was asked, again and again, and the engine nothing.
    pub(in crate::worker::tests) fn answer_all(&mut self) {
        for _ in 0..10_000 {
            let Some(life) = self.alive().into_iter().find(|life| !self.workers[*life].asked.is_empty())
            else {
                return;
            };
            self.answer(life, 0);
        }
        panic!("the store is asked without an end");
    }
}

impl Row {
    pub(in crate::worker::tests) fn claim(&self, now: UnixTime) -> Claim {
        // As a store does: once it is that late, the recipient may be sent to.
        let holds =
            |exception: &Exception| !matches!(exception, Exception::NotBefore(until) if *until <= now);
        let exceptions = self.exceptions.iter().filter(|(_, exception)| holds(exception)).cloned();
        let notification = || {
            let app = BundleId::parse("com.example.tea").unwrap();
            Arc::new(AlertNotification::new(app).alert("Hi").build().unwrap())
        };
        Claim {
            shard: self.key,
            source: self.source,
            lane: self.lane,
            recipients: self.recipients.clone(),
            variants: if self.has_message { vec![notification()] } else { Vec::new() },
            deadline: self.deadline,
            delivery: self.delivery,
            rounds: self.rounds,
            done: self.finals.keys().copied().collect(),
            started: self.marked.iter().copied().collect(),
            waiting: self
                .waiting
                .iter()
                .map(|(position, wait)| Waiting {
                    position: *position,
                    attempts: wait.attempts,
                    until: wait.until,
                    maybe_twice: wait.maybe_twice,
                })
                .collect(),
            exceptions: exceptions.collect(),
        }
    }

    /// What nobody works on and is cancelled ends at once.
    pub(super) fn cancel_if_free(&mut self) {
        if self.is_cancelled && self.lease.is_none() {
            for position in 0..self.recipients.len() {
                self.finals
                    .entry(position)
                    .or_insert_with(|| FinalOutcome::unanswered(Ending::Cancelled, None));
            }
            self.waiting.clear();
            self.marked.clear();
            self.is_done = true;
        }
    }
}
