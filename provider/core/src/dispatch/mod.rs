//! Which push goes out when and on which connection, and what becomes of it.
//!
//! ```text
//!   submit ──▶ queue: lanes ──take──▶ connections ──ended──▶ breakers, rest, back-off ──▶ Finish
//!                ▲  ▲                      ▲                      │
//!                │  └── slow tokens        │ Open, Drain          │ again, now or later
//!                └───────── pausing ◀──────┴──────────────────────┘
//! ```
//!
//! The dispatcher moves no bytes and knows no time but the one it is told: each input takes the moment, what is to be done comes out
//! as [`Effect`]s, and [`poll_timeout`](Dispatcher::poll_timeout) says when to come back without being asked. Connections come and
//! [take](Dispatcher::take) what they have room for, so that a push is bound to one at the last moment.
//!
//! | rule | file |
//! |---|---|
//! | which connection takes how much | `taking` |
//! | when to open, retire, give up a connection | `opening`, `connections`, `backoff` |
//! | what an outcome says about push, connection, credential, service | `ending`, `breaker`, `slow_tokens` |
//! | what waits, and for how long | `queue`, `pausing`, `job` |

mod backoff;
mod breaker;
mod connections;
mod effect;
mod ending;
mod job;
mod opening;
mod pausing;
mod policy;
mod queue;
mod random;
mod slow_tokens;
mod status;
mod taking;

use std::{collections::VecDeque, time::Duration};

pub use connections::{ConnectionId, Room};
pub use effect::Effect;
pub use job::{Finished, Job};
pub use policy::{DispatchPolicy, InvalidDispatchPolicy};
pub use status::DispatchStatus;

use crate::{NotSent, Now, Outcome, Outgoing, Reason, RetryBudget, RetryPolicy};
use backoff::Backoff;
use breaker::Breaker;
use connections::{Connection, Phase};
use pausing::Pausing;
use queue::Queue;
use random::Random;
use slow_tokens::SlowTokens;

/// All pushes of one client, from the moment they are handed in until their outcome is told, and its connections. Every push that is
/// submitted is finished exactly once.
///
/// ```
/// use std::time::Duration;
/// use apns_provider_core::{
///     AlertNotification, ApnsId, BundleId, DeviceToken, DispatchPolicy, Dispatcher, Effect, Now, Push, RetryPolicy, Room, UnixTime,
/// };
///
/// let now = Now { elapsed: Duration::ZERO, date: UnixTime::from_secs(1_700_000_000) };
/// let mut dispatcher = Dispatcher::new(DispatchPolicy::default(), RetryPolicy::default(), true, now, 7);
///
/// let hello = AlertNotification::new(BundleId::parse("com.example.app")?).alert("Hello").build()?;
/// let push = Push::new(hello, DeviceToken::from_hex("00fc13ad")?, ApnsId::from_random([7; 16]));
/// dispatcher.submit(now, push, Duration::from_secs(30), "the caller");
///
/// let Some(Effect::Open(connection)) = dispatcher.poll_effect() else { panic!("a connection is wanted") };
/// dispatcher.opened(now, connection);
/// let mut jobs = Vec::new();
/// dispatcher.take(now, connection, Room { streams: 100, window: 65_535 }, &mut jobs);
/// assert_eq!(jobs.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Dispatcher<T> {
    policy: DispatchPolicy,
    retry: RetryPolicy,
    budget: RetryBudget,
    random: Random,
    by_token: bool,
    queue: Queue<T>,
    pausing: Pausing<T>,
    slow: SlowTokens,
    connections: Vec<Connection>,
    next_id: u64,
    /// How many connections are wanted whatever there is to send.
    target: usize,
    last_opening: Option<Duration>,
    saturated_since: Option<Duration>,
    reconnect: Backoff,
    calm: Backoff,
    credential: Breaker,
    /// What opened the credential's breaker.
    refused: Option<Reason>,
    /// Connections before this one were made with another credential, and say nothing of this one.
    credential_since: ConnectionId,
    service: Breaker,
    /// Why there was no connection the last time there was none.
    last_failure: Option<NotSent>,
    ending: Ending,
    /// The moment of the last input.
    looked_at: Duration,
    /// When time alone asks for something, as of then.
    timeout: Option<Duration>,
    opened: u64,
    retries: u64,
    effects: VecDeque<Effect<T>>,
}

/// How far the client's end is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Ending {
    NotYet,
    /// Nothing is taken any more; what is here is finished.
    Closing,
    /// Nothing goes out any more either: each attempt is the last.
    Abandoned,
}

/// Refusals of a credential in a row, and of the service, after which it is taken for refused as a whole. A credential's are certain
/// at once, and a few more only make sure (C-28); the service's come scattered among answers that are fine.
const CREDENTIAL_REFUSALS: u32 = 5;
const SERVICE_REFUSALS: u32 = 20;
/// The pause after the first ENHANCE_YOUR_CALM, and the longest.
const CALM_FIRST: Duration = Duration::from_secs(1);
const CALM_LONGEST: Duration = Duration::from_mins(1);

/// What comes in.
impl<T> Dispatcher<T> {
    /// Nothing to send yet. `by_token`: provider tokens speak for the client, and a connection is known by its first push only.
    pub fn new(policy: DispatchPolicy, retry: RetryPolicy, by_token: bool, now: Now, seed: u64) -> Self {
        Self {
            reconnect: Backoff::new(policy.reconnect_first, policy.reconnect_longest),
            calm: Backoff::new(CALM_FIRST, CALM_LONGEST),
            credential: Breaker::new(
                CREDENTIAL_REFUSALS,
                policy.credential_probe_first,
                policy.probe_longest,
            ),
            service: Breaker::new(SERVICE_REFUSALS, policy.probe_first, policy.probe_longest),
            policy,
            retry,
            budget: RetryBudget::new(now.elapsed),
            random: Random::new(seed),
            by_token,
            queue: Queue::new(),
            pausing: Pausing::new(),
            slow: SlowTokens::default(),
            connections: Vec::new(),
            next_id: 0,
            target: 0,
            last_opening: None,
            saturated_since: None,
            refused: None,
            credential_since: ConnectionId(0),
            last_failure: None,
            ending: Ending::NotYet,
            looked_at: now.elapsed,
            timeout: None,
            opened: 0,
            retries: 0,
            effects: VecDeque::new(),
        }
    }

    /// A push or a broadcast, which is a push to this dispatcher, is to be sent; until `deadline`, on the steady clock, somebody waits
    /// for its outcome.
    pub fn submit(&mut self, now: Now, outgoing: impl Into<Outgoing>, deadline: Duration, ticket: T) {
        // In a box: it is moved often, from queue to connection and back.
        let job = Box::new(Job::new(outgoing.into(), deadline, ticket));
        if self.ending != Ending::NotYet {
            return self.finish(job, Outcome::NotSent(NotSent::Closed));
        }
        let worthless_at = worthless_at(&job, now);
        if worthless_at <= now.elapsed {
            return self.finish_worthless(now, job); // no connection is opened for it
        }
        self.budget.earn();
        let is_next = self.queue.push_back(job, worthless_at);
        // Behind others it changes nothing: for the next one a connection was woken, or none has room.
        if is_next {
            self.settle(now.elapsed);
        } else {
            self.timeout = self.timeout.into_iter().chain(self.queue.earliest()).min();
        }
    }

    /// The connection is there, TLS and all.
    pub fn opened(&mut self, now: Now, id: ConnectionId) {
        let by_token = self.by_token;
        let Some(connection) = self.connection(id) else { return };
        let unwanted = connection.phase == Phase::Opening { unwanted: true };
        connection.phase = Phase::Open;
        connection.opened_at = now.elapsed;
        connection.last_used = now.elapsed;
        connection.authenticated = !by_token;
        self.opened += 1;
        if unwanted {
            self.drain(id);
        } else {
            self.last_failure = None;
            if self.connections.iter().filter(|one| one.phase == Phase::Open).count() >= self.target {
                self.target = 0; // there they are; that they stay is the policy's to say
            }
        }
        self.settle(now.elapsed);
    }

    /// The connection could not be made.
    pub fn open_failed(&mut self, now: Now, id: ConnectionId, why: &NotSent) {
        let Some(index) = self.connections.iter().position(|one| one.id == id) else { return };
        let connection = self.connections.remove(index);
        if connection.phase != (Phase::Opening { unwanted: true }) {
            self.failed(now.elapsed);
            self.fail_waiting(now, why);
        }
        self.settle(now.elapsed);
    }

    /// The server takes no more pushes on this connection. What was beyond its last stream is told to [`ended`](Self::ended), push by
    /// push.
    pub fn goaway(&mut self, now: Now, id: ConnectionId, reason: Option<&Reason>, wants_calm: bool) {
        if wants_calm {
            self.be_calm(now.elapsed);
        }
        self.heed_goaway_reason(now.elapsed, id, reason);
        self.peer_ends(now.elapsed, id);
        self.settle(now.elapsed);
    }

    /// The connection is no more; each push that was under way on it has been told to [`ended`](Self::ended). `why` if it answered
    /// nothing: pushes that wait for a connection learn it, unless there are others.
    pub fn closed(&mut self, now: Now, id: ConnectionId, why: Option<&NotSent>) {
        self.peer_ends(now.elapsed, id);
        self.connections.retain(|connection| connection.id != id);
        if let Some(why) = why {
            self.fail_waiting(now, why);
        }
        self.settle(now.elapsed);
    }

    /// The connection runs out of stream identifiers: another one takes its place (C-44).
    pub fn worn_out(&mut self, now: Now, id: ConnectionId) {
        self.drain(id);
        self.settle(now.elapsed);
    }

    /// The credential has changed: connections that know the old one end when nothing is under way on them, and new ones know the new
    /// one (C-29).
    pub fn rotate(&mut self, now: Now, by_token: bool) {
        self.by_token = by_token;
        self.credential_since = ConnectionId(self.next_id);
        self.credential.passed();
        self.refused = None;
        self.reconnect.healthy();
        self.drain_all();
        self.settle(now.elapsed);
    }

    /// Wants so many connections, as far as the policy allows, before there is anything to send. They come one after the other.
    pub fn prewarm(&mut self, now: Now, count: usize) {
        self.target = self.target.max(count.min(self.policy.connections_max));
        self.settle(now.elapsed);
    }

    /// Takes no more pushes. Those that are here are finished, then the connections end.
    pub fn close(&mut self, now: Now) {
        self.ending = self.ending.max(Ending::Closing);
        self.settle(now.elapsed);
    }

    /// Gives up what has not gone out, and sends nothing again; what is under way is left to the connections, which the shell cuts.
    pub fn abandon(&mut self, now: Now) {
        self.ending = Ending::Abandoned;
        let mut jobs = self.queue.take_all();
        jobs.extend(self.pausing.take_all());
        for job in jobs {
            self.finish_untried(job, || Outcome::NotSent(NotSent::Closed));
        }
        self.settle(now.elapsed);
    }

    /// Does what the time alone asks for.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(job) = self.pausing.pop_due(now.elapsed) {
            let worthless_at = worthless_at(&job, now);
            self.queue.push_again(job, worthless_at);
        }
        if self.queue.earliest().is_some_and(|earliest| earliest <= now.elapsed) {
            for job in self.queue.take_worthless(now.elapsed, |job| worthless_at(job, now)) {
                self.finish_worthless(now, job);
            }
        }
        self.retire(now.elapsed);
        self.settle(now.elapsed);
    }
}

/// What comes out.
impl<T> Dispatcher<T> {
    /// What is to be done next.
    pub fn poll_effect(&mut self) -> Option<Effect<T>> {
        self.effects.pop_front()
    }

    /// Until when [`handle_timeout`](Self::handle_timeout) has to be called, if nothing else happens.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.timeout
    }
}

/// What every input ends with.
impl<T> Dispatcher<T> {
    fn settle(&mut self, now: Duration) {
        self.looked_at = now;
        if self.ending != Ending::NotYet && self.queue.is_empty() && self.pausing.len() == 0 {
            self.target = 0;
            if self.connections.iter().all(|connection| connection.under_way == 0) {
                self.drain_all();
            }
        }
        self.wake_one(now);
        self.note_starvation(now);
        self.note_saturation(now);
        self.open_if_wanted(now);
        self.timeout = self.next_timeout();
    }

    fn next_timeout(&self) -> Option<Duration> {
        let waits = !self.queue.is_empty();
        let later = |at: &Duration| *at > self.looked_at;
        let resting = self.connections.iter().map(|connection| connection.rest_until).filter(later).min();
        let holds =
            [self.credential.next_probe(), self.service.next_probe(), Some(self.calm.not_before()), resting];
        let holds = holds.into_iter().flatten().filter(later).min().filter(|_| waits);
        [self.pausing.next(), self.queue.earliest(), holds, self.opening_at(), self.retiring_at()]
            .into_iter()
            .flatten()
            .min()
    }

    fn finish(&mut self, mut job: Box<Job<T>>, outcome: Outcome) {
        let outcome = job.conclude(outcome);
        self.effects.push_back(Effect::Finish(Finished { job, outcome }));
    }

    fn finish_untried(&mut self, mut job: Box<Job<T>>, why: impl FnOnce() -> Outcome) {
        let outcome = job.conclude_untried(why);
        self.effects.push_back(Effect::Finish(Finished { job, outcome }));
    }

    fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.iter_mut().find(|connection| connection.id == id)
    }
}

/// When a push is of no use any more: nobody waits for it, or it has expired.
fn worthless_at<T>(job: &Job<T>, now: Now) -> Duration {
    let expiration = job.outgoing.expiration();
    let expires = expiration.and_then(crate::Expiration::passes_at).map(|date| {
        let left = date.as_millis().saturating_sub(now.date.as_millis());
        now.elapsed.saturating_add(Duration::from_millis(left))
    });
    expires.map_or(job.deadline, |expires| expires.min(job.deadline))
}
