//! A batch of outcomes as rows: what goes into which table.

use std::collections::{BTreeMap, BTreeSet};

use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    device::{Environment, Kind},
    ids::{AppId, DeviceId, NotificationId},
    outcome::{Ending, FinalOutcome, Wait, Why},
};

use super::Outcomes;
use crate::store::{Fate, ShardKey, leased::LeasedShard, sql::Table};

/// A batch that is to be stored. It owns all it has, since it goes to another task.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    pub(super) finals: Vec<Final>,
    pub(super) waits: Vec<Waits>,
}

/// A recipient with its outcome.
#[derive(Clone, Debug)]
pub(super) struct Final {
    pub(super) notification: NotificationId,
    pub(super) sequence: i64,
    pub(super) number: u32,
    pub(super) position: u16,
    pub(super) queue: i64,
    pub(super) app: AppId,
    pub(super) device: Option<DeviceId>,
    pub(super) outcome: FinalOutcome,
    /// What a dead letter needs, if it is one.
    pub(super) letter: Option<Letter>,
}

#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) environment: Environment,
    pub(super) kind: Kind,
    pub(super) token: Vec<u8>,
}

/// A recipient that waits.
#[derive(Clone, Debug)]
pub(super) struct Waits {
    pub(super) sequence: i64,
    pub(super) number: u32,
    pub(super) position: u16,
    pub(super) wait: Wait,
}

impl Prepared {
    /// Of shards that are there. The others' recipients were forgotten with them.
    pub(super) fn new(outcomes: &Outcomes<'_>, shards: &BTreeMap<ShardKey, LeasedShard>) -> Self {
        let mut prepared = Self::default();
        for entry in outcomes.entries {
            let Some(shard) = shards.get(&entry.shard) else { continue };
            let Some(recipient) = shard.recipients.recipient(entry.position) else { continue };
            let (sequence, number, position) = (shard.sequence, entry.shard.number, entry.position);
            match &entry.fate {
                Fate::Final(outcome) => prepared.finals.push(Final {
                    notification: entry.shard.notification,
                    sequence,
                    number,
                    position,
                    queue: shard.queue,
                    app: shard.source.app,
                    device: recipient.device,
                    outcome: outcome.clone(),
                    letter: outcome.is_dead_letter().then(|| Letter {
                        environment: shard.source.environment,
                        kind: shard.recipients.kind(),
                        token: recipient.token.to_vec(),
                    }),
                }),
                Fate::Wait(wait) => {
                    prepared.waits.push(Waits { sequence, number, position, wait: wait.clone() });
                }
            }
        }
        // In one order, whoever writes: two processes never wait for each other, and a tree is walked once.
        prepared.finals.sort_unstable_by_key(Final::key);
        prepared.waits.sort_unstable_by_key(Waits::key);
        prepared
    }
}

impl Final {
    pub(super) fn key(&self) -> (i64, u32, u16) {
        (self.sequence, self.number, self.position)
    }
}

impl Waits {
    pub(super) fn key(&self) -> (i64, u32, u16) {
        (self.sequence, self.number, self.position)
    }
}

/// What a batch's outcomes add up to.
#[derive(Debug, Default)]
pub(super) struct Sums {
    notifications: BTreeMap<i64, [u64; COUNTS]>,
    shards: BTreeMap<(i64, u32), u64>,
    queues: BTreeMap<i64, u64>,
    recent: BTreeMap<(AppId, u8, u16, String), u64>,
}

/// By ending, and dead letters.
const COUNTS: usize = Ending::ALL.len() + 1;

impl Sums {
    pub(super) fn of<'a>(finals: impl Iterator<Item = &'a Final>) -> Self {
        let mut sums = Self::default();
        for it in finals {
            let counts = sums.notifications.entry(it.sequence).or_default();
            counts[usize::from(it.outcome.ending.number()) - 1] += 1;
            counts[COUNTS - 1] += u64::from(it.letter.is_some());
            *sums.shards.entry((it.sequence, it.number)).or_default() += 1;
            *sums.queues.entry(it.queue).or_default() += 1;
            let why = it.outcome.why.as_ref().map_or("", |why| why.as_str());
            let recent = (it.app, it.outcome.ending.number(), it.outcome.status, why);
            // Nearly all are the same.
            match sums.recent.last_entry() {
                Some(mut last) if same(last.key(), recent) => *last.get_mut() += 1,
                _ => {
                    let key = (recent.0, recent.1, recent.2, recent.3.to_owned());
                    *sums.recent.entry(key).or_default() += 1;
                }
            }
        }
        sums
    }

    /// Rows of sequence, ended, each ending, and dead letters.
    pub(super) fn notifications(&self) -> Table {
        let mut table = Table::new(COUNTS + 2);
        for (sequence, counts) in &self.notifications {
            let ended: u64 = counts[..COUNTS - 1].iter().sum();
            let [
                accepted,
                rejected,
                expired,
                replaced,
                cancelled,
                undeliverable,
                ambiguous,
                skipped,
                letters,
            ] = *counts;
            table.push([
                (*sequence).into(),
                ended.into(),
                accepted.into(),
                rejected.into(),
                expired.into(),
                replaced.into(),
                cancelled.into(),
                undeliverable.into(),
                ambiguous.into(),
                skipped.into(),
                letters.into(),
            ]);
        }
        table
    }

    /// Rows of sequence, number, and ended.
    pub(super) fn shards(&self) -> Table {
        let mut table = Table::new(3);
        for ((sequence, number), ended) in &self.shards {
            table.push([(*sequence).into(), (*number).into(), (*ended).into()]);
        }
        table
    }

    /// Rows of queue and ended.
    pub(super) fn queues(&self) -> Table {
        let mut table = Table::new(2);
        for (queue, ended) in &self.queues {
            table.push([(*queue).into(), (*ended).into()]);
        }
        table
    }

    /// Rows of minute, app, ending, status, why, and count.
    pub(super) fn recent(&self, now: UnixTime) -> Table {
        let minute = now.as_millis() / MINUTE_MS;
        let mut table = Table::new(6);
        for ((app, ending, status, why), count) in &self.recent {
            let why = why.as_str();
            table.push([
                minute.into(),
                (*app).into(),
                (*ending).into(),
                (*status).into(),
                why.into(),
                (*count).into(),
            ]);
        }
        table
    }

    /// Which notifications.
    pub(super) fn sequences(&self) -> BTreeSet<i64> {
        self.notifications.keys().copied().collect()
    }
}

fn same(key: &(AppId, u8, u16, String), other: (AppId, u8, u16, &str)) -> bool {
    (key.0, key.1, key.2, key.3.as_str()) == other
}

/// Rows of an outcome: see the statement.
pub(super) fn rows_of_outcomes<'a>(finals: impl Iterator<Item = &'a Final>, now: UnixTime) -> Table {
    let mut table = Table::new(10);
    for it in finals {
        let outcome = &it.outcome;
        table.push([
            it.sequence.into(),
            it.number.into(),
            it.position.into(),
            outcome.ending.number().into(),
            outcome.status.into(),
            outcome.maybe_twice.into(),
            it.device.into(),
            now.into(),
            outcome.why.as_ref().map(Why::as_str).into(),
            outcome.apns_unique_id.as_deref().into(),
        ]);
    }
    table
}

/// Rows of dead letters: see the statement.
pub(super) fn rows_of_letters<'a>(finals: impl Iterator<Item = &'a Final>, now: UnixTime) -> Table {
    let mut table = Table::new(11);
    for it in finals {
        let Some(letter) = &it.letter else { continue };
        table.push([
            it.app.into(),
            it.sequence.into(),
            it.number.into(),
            it.position.into(),
            letter.environment.number().into(),
            letter.kind.number().into(),
            letter.token.as_slice().into(),
            it.device.into(),
            it.outcome.status.into(),
            it.outcome.why.as_ref().map(Why::as_str).into(),
            now.into(),
        ]);
    }
    table
}

/// Rows of who waits: see the statement.
pub(super) fn rows_of_waits(waits: &[Waits]) -> Table {
    let mut table = Table::new(7);
    for Waits { sequence, number, position, wait } in waits {
        table.push([
            (*sequence).into(),
            (*number).into(),
            (*position).into(),
            wait.attempts.into(),
            wait.until.into(),
            wait.maybe_twice.into(),
            wait.why.as_ref().map(Why::as_str).into(),
        ]);
    }
    table
}

/// A minute.
pub(in crate::store) const MINUTE_MS: u64 = 60_000;
