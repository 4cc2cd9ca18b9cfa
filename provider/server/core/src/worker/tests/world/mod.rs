//! A store, an engine and a clock, all of them simulated; workers that live and die.

mod engine;
mod store;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use apns_provider_core::{ApnsId, Now, UnixTime};

pub(super) use engine::{accepted, answered, any_outcome};
use store::Row;

use crate::{
    device::{Environment, Kind},
    ids::{AppId, DeviceId, NotificationId, RegistrationNumber},
    lanes::Lane,
    message::Deadline,
    notification::Delivery,
    outcome::Ending,
    shard::{Positions, Recipient, Shard, ShardWriter},
    worker::{Batch, ClaimId, Effect, Input, ShardKey, Source, Stop, Ticket, Worker, WorkerConfig},
};

/// When the world begins.
pub(super) const BEGIN: UnixTime = UnixTime::from_secs(1_700_000_000);

pub(super) struct World {
    pub(super) elapsed: Duration,
    /// How far the calendar is off.
    pub(super) date_is_off_ms: i64,
    pub(super) config: WorkerConfig,
    pub(super) workers: Vec<Life>,
    pub(super) shards: Vec<Row>,
    /// Pushes that the engine has not answered.
    pub(super) in_engine: Vec<Sent>,
    /// The same, to be found.
    under_way: BTreeSet<(usize, ShardKey, u16)>,
    /// Whether the engine says of each push in time that it does not know.
    pub(super) engine_keeps_time: bool,
    /// Effects that are for the operator.
    pub(super) told: Vec<Effect>,
    /// Every push that went out.
    pub(super) sent: Vec<Sent>,
    pub(super) dead_tokens: Vec<DeviceId>,
    pub(super) suspects: Vec<DeviceId>,
    pub(super) store_works: bool,
    /// Of shards that are to be sent once at most: sent, and nobody knows what became of it.
    unknown: BTreeSet<(ShardKey, u16)>,
    seed: u64,
}

/// A worker from its start to its end.
pub(super) struct Life {
    pub(super) worker: Worker,
    pub(super) is_drained: bool,
    /// Recipients whose outcome this worker has been told and that it must not send again.
    over: BTreeSet<(ShardKey, u16)>,
    /// What the store has been asked and not answered.
    pub(super) asked: Vec<Asked>,
}

/// What the store was asked for.
#[derive(Debug)]
pub(super) enum Asked {
    Claim { lane: Lane, recipients: usize, shards: usize, except: Vec<Source> },
    Renew(Vec<crate::worker::Lease>),
    Start { claim: ClaimId, shard: ShardKey, positions: Positions },
    Store(Arc<Batch>),
}

#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) life: usize,
    pub(super) ticket: Ticket,
    pub(super) shard: ShardKey,
    pub(super) position: u16,
    pub(super) source: Source,
    pub(super) lane: Lane,
    pub(super) delivery: Delivery,
    pub(super) apns_id: ApnsId,
    pub(super) token: String,
    pub(super) attempt: u8,
    at: Duration,
}

pub(super) fn app(number: i64) -> Source {
    Source { app: AppId::new(number), environment: Environment::Production }
}

fn recipients(count: u16) -> Shard {
    let mut writer = ShardWriter::new();
    for at in 0..count {
        let mut token = [0xab; 32];
        token[..2].copy_from_slice(&at.to_be_bytes());
        let recipient = Recipient {
            token: &token,
            device: Some(DeviceId::new(i64::from(at) + 1)),
            number: RegistrationNumber::new(i64::from(at) + 1),
            registered_at: Some(UnixTime::from_secs(1_600_000_000)),
            variant: 0,
        };
        writer.push(recipient).unwrap();
    }
    Shard::read(writer.finish(Kind::Alert).unwrap().into()).unwrap()
}

impl World {
    pub(super) fn new(config: WorkerConfig) -> Self {
        let mut world = Self {
            elapsed: Duration::from_secs(1000),
            date_is_off_ms: 0,
            config,
            workers: Vec::new(),
            shards: Vec::new(),
            in_engine: Vec::new(),
            under_way: BTreeSet::new(),
            engine_keeps_time: false,
            told: Vec::new(),
            sent: Vec::new(),
            dead_tokens: Vec::new(),
            suspects: Vec::new(),
            store_works: true,
            unknown: BTreeSet::new(),
            seed: 0,
        };
        world.start_worker();
        world
    }

    pub(super) fn now(&self) -> Now {
        let millis = BEGIN.as_millis() + u64::try_from(self.elapsed.as_millis()).unwrap() - 1_000_000;
        let date = UnixTime::from_millis(millis.saturating_add_signed(self.date_is_off_ms));
        Now { elapsed: self.elapsed, date }
    }

    pub(super) fn start_worker(&mut self) -> usize {
        self.seed += 1;
        let worker = Worker::new(self.config.clone(), self.now(), self.seed).unwrap();
        self.workers.push(Life { worker, is_drained: false, over: BTreeSet::new(), asked: Vec::new() });
        let life = self.workers.len() - 1;
        self.take_effects(life);
        life
    }

    /// A worker dies: what it knew and had not stored is gone, and so are its pushes' outcomes.
    pub(super) fn kill(&mut self, life: usize) {
        self.in_engine.retain(|sent| sent.life != life);
        self.under_way.retain(|(owner, ..)| *owner != life);
        self.workers[life].asked.clear();
        self.workers[life].is_drained = true;
        self.workers[life].worker = Worker::new(self.config.clone(), self.now(), 0).unwrap();
    }

    /// The engine has a bug: it never says what became of what it has.
    pub(super) fn forget_in_engine(&mut self) {
        self.in_engine.clear();
        self.under_way.clear();
    }

    pub(super) fn alive(&self) -> Vec<usize> {
        (0..self.workers.len()).filter(|life| !self.workers[*life].is_drained).collect()
    }

    /// A shard of so many recipients, of a notification of its own.
    pub(super) fn add(&mut self, source: Source, lane: Lane, count: u16) -> usize {
        let id = u8::try_from(self.shards.len()).unwrap();
        let notification = NotificationId::new(BEGIN, [id; 10]);
        self.shards.push(Row {
            key: ShardKey { notification, number: 0 },
            source,
            lane,
            recipients: recipients(count),
            deadline: Deadline::default(),
            delivery: Delivery::AtLeastOnce,
            not_before: UnixTime::from_millis(0),
            rounds: 0,
            lease: None,
            finals: BTreeMap::new(),
            waiting: BTreeMap::new(),
            marked: BTreeSet::new(),
            exceptions: Vec::new(),
            has_message: true,
            is_done: false,
            is_cancelled: false,
            is_paused: false,
        });
        self.shards.len() - 1
    }

    pub(super) fn tell(&mut self, life: usize, input: Input) {
        if self.workers[life].is_drained {
            return;
        }
        let now = self.now();
        self.workers[life].worker.handle(now, input);
        self.take_effects(life);
    }

    pub(super) fn tell_all(&mut self, input: impl Fn() -> Input) {
        for life in self.alive() {
            self.tell(life, input());
        }
    }

    pub(super) fn wake(&mut self, lane: Lane) {
        self.tell_all(|| Input::Woken { lane });
    }

    fn take_effects(&mut self, life: usize) {
        while let Some(effect) = self.workers[life].worker.poll_effect() {
            match effect {
                Effect::Claim { lane, recipients, shards, except } => {
                    self.workers[life].asked.push(Asked::Claim { lane, recipients, shards, except });
                }
                Effect::Renew(leases) => self.workers[life].asked.push(Asked::Renew(leases)),
                Effect::Start { claim, shard, positions } => {
                    self.workers[life].asked.push(Asked::Start { claim, shard, positions });
                }
                Effect::Store(batch) => self.workers[life].asked.push(Asked::Store(batch)),
                Effect::Release { shard, rest } => self.release(life, shard, rest),
                Effect::Send { ticket, source, delivery, notification, attempt, push } => {
                    let shard =
                        self.shards.iter().find(|row| row.key.apns_id(ticket.position) == *push.apns_id());
                    let row = shard.expect("its apns-id is that of a recipient");
                    let (shard, lane) = (row.key, row.lane);
                    assert_eq!(notification, shard.notification);
                    let sent = Sent {
                        life,
                        ticket,
                        shard,
                        position: ticket.position,
                        source,
                        lane,
                        delivery,
                        apns_id: *push.apns_id(),
                        token: push.device_token().as_str().to_owned(),
                        attempt,
                        at: self.elapsed,
                    };
                    self.check_sent(&sent);
                    self.sent.push(sent.clone());
                    self.in_engine.push(sent);
                }
                Effect::Drained => self.workers[life].is_drained = true,
                told => self.told.push(told),
            }
        }
        self.check_bounds(life);
    }

    fn check_sent(&mut self, sent: &Sent) {
        let key = (sent.shard, sent.position);
        let is_new = self.under_way.insert((sent.life, sent.shard, sent.position));
        assert!(is_new, "it is in the engine already: {sent:?}");
        assert!(!self.workers[sent.life].over.contains(&key), "its outcome was known: {sent:?}");
        if sent.delivery == Delivery::AtMostOnce {
            assert!(self.unknown.insert(key), "it may have been sent before: {sent:?}");
        }
    }

    fn check_bounds(&self, life: usize) {
        let status = self.workers[life].worker.status(self.now());
        let config = &self.config;
        assert!(status.in_engine.iter().sum::<usize>() <= config.in_engine_max, "{status:?}");
        assert!(status.shards <= config.shards_max, "{status:?}");
        // What is claimed and cancelled at once is not held up by the bound.
        assert!(status.unsaved <= config.unsaved_max + 3 * config.claimed_max, "{status:?}");
        assert!(status.to_send.iter().all(|count| *count <= config.claimed_max), "{status:?}");
    }

    /// Time passes, and workers are woken as they asked to be.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.elapsed + time;
        for _ in 0..1_000_000 {
            let due = self.alive().iter().filter_map(|life| self.workers[*life].worker.poll_timeout()).min();
            self.elapsed = due.map_or(end, |due| due.clamp(self.elapsed, end));
            self.end_what_takes_too_long();
            let now = self.now();
            for life in self.alive() {
                if self.workers[life].worker.poll_timeout().is_some_and(|due| due <= self.elapsed) {
                    self.workers[life].worker.handle_timeout(now);
                    self.take_effects(life);
                }
            }
            if self.store_works {
                self.answer_all();
            }
            if self.elapsed >= end {
                return;
            }
        }
        panic!(
            "time does not pass: {:?}",
            self.alive().iter().map(|it| self.workers[*it].worker.poll_timeout()).min()
        );
    }

    /// Lets everything go well until all is done.
    pub(super) fn heal(&mut self) {
        self.store_works = true;
        for row in &mut self.shards {
            row.is_paused = false;
        }
        for _ in 0..5_000 {
            if self.alive().is_empty() {
                self.start_worker();
            }
            self.answer_all();
            self.end_all(|_| accepted());
            self.answer_all();
            if self.is_done() {
                return;
            }
            self.pass(Duration::from_secs(5));
        }
        let open = self.shards.iter().filter(|row| !row.is_done);
        let open: Vec<_> = open
            .map(|row| (row.key, row.finals.len(), row.recipients.len(), row.lease, row.not_before))
            .collect();
        panic!("it is never done: {open:?}");
    }

    pub(super) fn is_done(&self) -> bool {
        self.in_engine.is_empty() && self.shards.iter().all(|row| row.is_done)
    }

    pub(super) fn cancel(&mut self, at: usize) {
        let row = &mut self.shards[at];
        row.is_cancelled = true;
        row.cancel_if_free();
        let notification = row.key.notification;
        self.tell_all(|| Input::Stop(Stop::Cancel(notification)));
    }

    pub(super) fn endings(&self, at: usize) -> BTreeMap<Ending, usize> {
        let mut endings = BTreeMap::new();
        for outcome in self.shards[at].finals.values() {
            *endings.entry(outcome.ending).or_default() += 1;
        }
        endings
    }
}
