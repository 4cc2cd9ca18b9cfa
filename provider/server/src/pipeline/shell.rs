//! The task that a worker lives in.

use std::{sync::Arc, time::Duration};

use apns_provider::Client;
use apns_provider_core::{NotSent, Now, Outcome, Push, Suspension};
use apns_provider_server_core::{
    lanes::Lane,
    shard::SHARD_RECIPIENTS,
    tuning::Tuning,
    webhook::News,
    worker::{Effect, Input, InvalidWorkerConfig, Rest, ShardKey, Source, Ticket, Worker},
};
use futures::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until},
};

use super::{
    clients::{self, Clients, Handed, Outgoing},
    jobs::{Done, Jobs},
    queue::Queue,
    secrets::Secrets,
    settings::PipelineSettings,
    status::{Counts, STORE_PATIENCE, Shared},
};
use crate::{
    store::Signal,
    telemetry::{PushSpan, SpanOf, Traces},
};

/// What the task has.
#[derive(Debug)]
pub(super) struct Shell<Q> {
    jobs: Jobs<Q>,
    secrets: Arc<dyn Secrets>,
    clients: Clients,
    clock: Arc<dyn apns_provider::Clock>,
    worker: Worker,
    began: Instant,
    shared: Arc<Shared>,
    counts: Counts,
    told: Told,
    asked: JoinSet<Done>,
    outgoing: Vec<(Client, Ticket, Push, Option<PushSpan>)>,
    traces: Option<Traces>,
    /// When it was last said that there is no connection.
    away_told_at: Option<Instant>,
    releases: Vec<(ShardKey, Rest)>,
    is_stopping: bool,
    tidy_at: Instant,
    is_over: bool,
}

/// What the task is told from outside.
#[derive(Debug)]
pub(super) struct Told {
    /// To stop, and until when.
    pub(super) stopped: watch::Receiver<Option<Instant>>,
    pub(super) tuned: watch::Receiver<Tuning>,
}

/// What has happened.
enum Event {
    Asked(Result<Done, JoinError>),
    Ended(Ticket, Outcome),
    Signal(Signal),
    Stop(Instant),
    Time,
    Tuned,
}

impl<Q: Queue> Shell<Q> {
    pub(super) fn new(
        queue: Q,
        secrets: Arc<dyn Secrets>,
        settings: PipelineSettings,
        shared: Arc<Shared>,
        told: Told,
    ) -> Result<Self, InvalidWorkerConfig> {
        let mut settings = settings;
        // What a process claims and does not send is what another one could.
        settings.worker.in_engine_max = usize::try_from(settings.tuning.in_engine).unwrap_or(usize::MAX);
        let claimed_max =
            settings.worker.claimed_max.min(settings.worker.in_engine_max.saturating_mul(5) / 2);
        settings.worker.claimed_max = claimed_max.max(SHARD_RECIPIENTS);
        let (began, clock) = (Instant::now(), Arc::clone(&settings.clock));
        let now = Now { elapsed: Duration::ZERO, date: clock.now() };
        let mut shell = Self {
            worker: Worker::new(settings.worker.clone(), now, rand::random())?,
            jobs: Jobs { queue, owner: settings.owner, lease: settings.worker.lease },
            traces: settings.traces.clone(),
            away_told_at: None,
            clients: Clients::new(settings),
            secrets,
            clock,
            began,
            shared,
            counts: Counts::default(),
            told,
            asked: JoinSet::new(),
            outgoing: Vec::new(),
            releases: Vec::new(),
            is_stopping: false,
            tidy_at: began + TIDY_EVERY,
            is_over: false,
        };
        shell.tune(now);
        Ok(shell)
    }

    /// Works until it is stopped.
    pub(super) async fn run(mut self) {
        let mut signals = self.jobs.queue.signals().fuse();
        let mut pushes = FuturesUnordered::new();
        let mut timer = Box::pin(sleep_until(self.began));
        loop {
            self.carry_out();
            pushes.extend(
                self.outgoing.drain(..).map(|(client, ticket, push, span)| send(&client, ticket, push, span)),
            );
            self.tell(false);
            if self.is_over {
                break;
            }
            let wake_at = self.wake_at();
            if timer.deadline() != wake_at {
                timer.as_mut().reset(wake_at);
            }
            let is_stopping = self.is_stopping;
            let event = tokio::select! {
                Some((ticket, outcome)) = pushes.next() => Event::Ended(ticket, outcome),
                Some(done) = self.asked.join_next() => Event::Asked(done),
                Some(signal) = signals.next() => Event::Signal(signal),
                by = stopping(&mut self.told.stopped), if !is_stopping => Event::Stop(by),
                () = &mut timer => Event::Time,
                Ok(()) = self.told.tuned.changed() => Event::Tuned,
            };
            let now = self.now();
            match event {
                Event::Ended(ticket, outcome) => {
                    self.ended(now, ticket, outcome);
                    for _ in 0..ENDED_AT_ONCE {
                        let Some(Some((ticket, outcome))) = pushes.next().now_or_never() else { break };
                        self.ended(now, ticket, outcome);
                    }
                }
                Event::Asked(done) => self.done(now, done),
                Event::Signal(signal) => self.told(now, signal),
                Event::Stop(by) => self.stop(now, by),
                Event::Time => self.time(now),
                Event::Tuned => self.tune(now),
            }
        }
        self.finish(pushes.is_empty()).await;
    }

    /// Does what the worker wants done.
    fn carry_out(&mut self) {
        let now = self.now();
        while let Some(effect) = self.worker.poll_effect() {
            match effect {
                Effect::Claim { lane, recipients, shards, except } => {
                    let request = self.jobs.request(lane, recipients, shards, except, now.date);
                    self.asked.spawn(self.jobs.clone().claim(request));
                }
                Effect::Drained => self.is_over = true,
                Effect::Release { shard, rest } => self.releases.push((shard, rest)),
                Effect::Renew(leases) => drop(self.asked.spawn(self.jobs.clone().renew(leases, now.date))),
                Effect::Send { ticket, source, delivery, notification, attempt, push } => {
                    self.hand_over(now, source, Outgoing { ticket, delivery, notification, attempt, push });
                }
                Effect::Start { claim, shard, positions } => {
                    self.asked.spawn(self.jobs.clone().start(claim, shard, positions));
                }
                Effect::Store(batch) => drop(self.asked.spawn(self.jobs.clone().record(batch, now.date))),
                Effect::TooManyInvalid { source, suspension } => {
                    self.counts.too_many_invalid += 1;
                    let (environment, Suspension { invalid, results, .. }) = (source.environment, suspension);
                    let topic = self.clients.topic(source);
                    tracing::warn!(topic, %environment, invalid, results, "{TOO_MANY_INVALID}");
                    let news = News::RemovalsSuspended { environment, invalid, results };
                    self.asked.spawn(self.jobs.clone().tell(source.app, news, now.date));
                }
                Effect::Troubled { source, trouble, until } => {
                    self.counts.troubled += 1;
                    tracing::warn!(?source, ?trouble, ?until, "nothing can be sent for a while");
                    let news = News::AppTroubled { environment: source.environment, trouble, until };
                    self.asked.spawn(self.jobs.clone().tell(source.app, news, now.date));
                }
            }
        }
        if !self.releases.is_empty() {
            let releases = std::mem::take(&mut self.releases);
            self.asked.spawn(self.jobs.clone().release(releases, now.date));
        }
    }

    fn hand_over(&mut self, now: Now, source: Source, outgoing: Outgoing) {
        if self.is_stopping {
            let outcome = Outcome::NotSent(NotSent::Closed);
            return self.worker.handle(now, Input::Ended { ticket: outgoing.ticket, outcome });
        }
        match self.clients.hand(Instant::now(), source, outgoing) {
            Handed::To(client, Outgoing { ticket, notification, attempt, push, .. }) => {
                self.counts.sent += 1;
                let of = SpanOf { push: &push, environment: source.environment, notification, attempt };
                let span = self.traces.as_ref().and_then(|traces| traces.begin(of));
                self.outgoing.push((client, ticket, push, span));
            }
            Handed::Waits(true) => self.load(source),
            Handed::Waits(false) => {}
            Handed::Refused(ticket, why) => {
                self.worker.handle(now, Input::Ended { ticket, outcome: Outcome::NotSent(why) });
            }
        }
    }

    fn load(&mut self, source: Source) {
        let (queue, secrets) = (self.jobs.queue.clone(), Arc::clone(&self.secrets));
        self.asked.spawn(async move {
            Done::Loaded { source, loaded: clients::load(queue, secrets, source).await }
        });
    }

    fn ended(&mut self, now: Now, ticket: Ticket, outcome: Outcome) {
        self.counts.ended += 1;
        if let Outcome::NotSent(NotSent::NoConnection { why }) = &outcome {
            self.tell_away(why);
        }
        self.worker.handle(now, Input::Ended { ticket, outcome });
    }

    /// `/readyz` says it too, but not why: anybody may ask that.
    fn tell_away(&mut self, why: &str) {
        let moment = Instant::now();
        if self.away_told_at.is_none_or(|at| moment.duration_since(at) >= TELL_AWAY_EVERY) {
            self.away_told_at = Some(moment);
            tracing::warn!(why, "APNs cannot be reached: what is queued is kept, and sent when it can be");
        }
    }

    fn done(&mut self, now: Now, done: Result<Done, JoinError>) {
        match done {
            Ok(Done::Loaded { source, loaded }) => {
                let (waiting, refused) = self.clients.loaded(Instant::now(), source, loaded);
                for outgoing in waiting {
                    match &refused {
                        None => self.hand_over(now, source, outgoing),
                        Some(why) => {
                            let outcome = Outcome::NotSent(why.clone());
                            self.worker.handle(now, Input::Ended { ticket: outgoing.ticket, outcome });
                        }
                    }
                }
                if refused.is_none() {
                    self.worker.handle(now, Input::Mended(source));
                }
            }
            Ok(Done::Nothing) => {}
            Ok(Done::Told { input, counts }) => {
                self.counts.add(counts);
                self.worker.handle(now, input);
            }
            Err(error) => tracing::error!(%error, "a question to the store has ended without an answer"),
        }
    }

    fn told(&mut self, now: Now, signal: Signal) {
        match signal {
            Signal::Anything => {
                for lane in Lane::ALL {
                    self.worker.handle(now, Input::Woken { lane });
                }
                self.clients.sources().into_iter().for_each(|source| self.look_again(now, source));
            }
            Signal::Credential(source) => self.look_again(now, source),
            Signal::Stop(stop) => self.worker.handle(now, Input::Stop(stop)),
            Signal::Work(lane) => self.worker.handle(now, Input::Woken { lane }),
            Signal::App(_) | Signal::Plan | Signal::Webhooks => {}
        }
    }

    fn look_again(&mut self, now: Now, source: Source) {
        if self.clients.has_changed(source) {
            self.load(source);
        } else {
            self.worker.handle(now, Input::Mended(source));
        }
    }

    fn tune(&mut self, now: Now) {
        let Tuning { connections, in_engine, pushes_per_second, .. } = *self.told.tuned.borrow_and_update();
        self.clients.tune(connections.into());
        let in_engine_max = usize::try_from(in_engine).unwrap_or(usize::MAX);
        self.worker.handle(now, Input::Tuned { in_engine_max, pace: pushes_per_second });
    }

    /// Nothing more is claimed, and nothing more goes out: what is under way is waited for, and the rest given back, so that it can be
    /// released.
    fn stop(&mut self, now: Now, by: Instant) {
        self.is_stopping = true;
        let left = by.saturating_duration_since(Instant::now());
        // What is told by then has time to be stored.
        let within = left.saturating_sub(STORE_PATIENCE.min(left / 4));
        for client in self.clients.all() {
            self.asked.spawn(async move {
                client.stop(within).await;
                Done::Nothing
            });
        }
        self.worker.handle(now, Input::Drain { by: now.elapsed + left });
    }

    fn time(&mut self, now: Now) {
        let moment = Instant::now();
        if self.tidy_at <= moment {
            self.clients.close_idle(moment);
            self.tidy_at = moment + TIDY_EVERY;
        }
        self.worker.handle_timeout(now);
    }

    fn wake_at(&self) -> Instant {
        let worker = self.worker.poll_timeout().map(|at| self.began + at);
        worker.map_or(self.tidy_at, |at| self.tidy_at.min(at))
    }

    fn now(&self) -> Now {
        Now { elapsed: self.began.elapsed(), date: self.clock.now() }
    }

    fn tell(&mut self, is_drained: bool) {
        if let Some(clients) = self.clients.others() {
            self.shared.set_clients(clients);
        }
        self.shared.set(self.worker.status(self.now()), self.clients.len(), self.counts, is_drained);
    }

    /// What was asked of the store last is answered, and connections are closed.
    async fn finish(mut self, are_pushes_ended: bool) {
        let answered = async { while self.asked.join_next().await.is_some() {} };
        let is_answered = tokio::time::timeout(STORE_PATIENCE, answered).await.is_ok();
        let closed = self.clients.all().into_iter().map(|client| async move { client.drain(GOODBYE).await });
        futures::future::join_all(closed).await;
        let is_saved = self.worker.status(self.now()).unsaved == 0;
        self.tell(is_answered && is_saved && are_pushes_ended);
        self.shared.set_clients(Vec::new());
    }
}

/// The client itself is not kept: one that is idle can be closed while its last pushes end.
fn send(
    client: &Client,
    ticket: Ticket,
    push: Push,
    span: Option<PushSpan>,
) -> impl Future<Output = (Ticket, Outcome)> + use<> {
    let sent = client.send_push(push);
    async move {
        let outcome = sent.await;
        if let Some(span) = span {
            span.end(&outcome);
        }
        (ticket, outcome)
    }
}

async fn stopping(stopped: &mut watch::Receiver<Option<Instant>>) -> Instant {
    loop {
        if let Some(by) = *stopped.borrow_and_update() {
            return by;
        }
        if stopped.changed().await.is_err() {
            return std::future::pending().await; // dropped: the task is about to be aborted
        }
    }
}

/// Outcomes that are taken before effects are carried out.
const ENDED_AT_ONCE: usize = 255;
/// How often it is said that there is no connection.
const TELL_AWAY_EVERY: Duration = Duration::from_mins(1);
const TOO_MANY_INVALID: &str = "too many device tokens of an app are invalid at once, and none is removed for it: look whether they are \
    registered under the right environment and app, and whether the credential is of that app. If they are dead indeed, nothing has to be \
    done: they are removed when fewer are invalid";
/// How often it is looked for clients that nobody uses.
const TIDY_EVERY: Duration = Duration::from_mins(1);
/// How long connections may take to say goodbye when nothing is under way.
const GOODBYE: Duration = Duration::from_secs(1);
