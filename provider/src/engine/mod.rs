//! The engine behind a client: one dispatcher that decides, a task for each connection, and one that watches the time.
//!
//! ```text
//!   send ──▶ Engine::submit ──▶ Dispatcher ──Effect──▶ connection tasks, callers, hooks
//!                                  ▲   ▲
//!            connection: ended, take   └── time keeper: handle_timeout
//! ```

mod clocks;
mod effects;
mod identity;
mod provider_tokens;
mod reporter;
mod signals;
mod time_keeper;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use apns_provider_core::{
    ConnectionId, DispatchPolicy, DispatchStatus, Dispatcher, KeepAlivePolicy, Now, Outcome, Outgoing,
    RetryPolicy,
};
use tokio::{
    runtime::Handle,
    sync::{Notify, Semaphore, oneshot},
    time::Instant,
};

pub(crate) use clocks::Clocks;
pub(crate) use effects::InvalidTokenHook;
pub(crate) use identity::Identity;
pub(crate) use signals::{End, Signals};

use crate::{clock, connect::Connector, telemetry::Telemetry};

/// To whom the outcome of a push is told, and since when that is waited for.
#[derive(Debug)]
pub(crate) struct Ticket {
    caller: oneshot::Sender<Outcome>,
    handed_in: Duration,
}

pub(crate) type Job = Box<apns_provider_core::Job<Ticket>>;

/// How an engine is set up.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) connector: Connector,
    pub(crate) dispatch: DispatchPolicy,
    pub(crate) retry: RetryPolicy,
    pub(crate) keep_alive: KeepAlivePolicy,
    pub(crate) http2: apns_http2::Config,
    pub(crate) in_hand_max: usize,
    pub(crate) timeout: Duration,
    pub(crate) clocks: Clocks,
    pub(crate) on_invalid_token: Option<InvalidTokenHook>,
}

/// What all tasks of a client share.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) connector: Connector,
    pub(crate) keep_alive: KeepAlivePolicy,
    pub(crate) http2: apns_http2::Config,
    pub(crate) unanswered_max: u32,
    /// How long a connection may take to come about: less than the push that wants it has time, so that it ends with what went wrong.
    pub(crate) patience: Duration,
    timeout: Duration,
    clocks: Clocks,
    identity: Mutex<Arc<Identity>>,
    state: Mutex<State>,
    /// One permit for each push that may still be handed in.
    in_hand: Semaphore,
    began: Instant,
    runtime: Handle,
    sooner: Notify,
    done: Notify,
    pub(crate) telemetry: Telemetry,
    /// Something has happened of which the reporter does not know.
    changed: Notify,
    on_invalid_token: Option<InvalidTokenHook>,
}

/// What is decided and done under one lock.
#[derive(Debug)]
struct State {
    dispatcher: Dispatcher<Ticket>,
    signals: BTreeMap<ConnectionId, Arc<Signals>>,
    /// When the time keeper comes by itself.
    timer_at: Option<Duration>,
    /// The last look at the calendar.
    dated: Now,
}

/// Between two looks at the calendar: a date that is set is noticed so much later.
const DATE_EVERY: Duration = Duration::from_millis(1);

impl Engine {
    /// Starts one on the runtime that this is called on.
    pub(crate) fn start(setup: Setup, identity: Identity) -> Arc<Self> {
        let began = Instant::now();
        let now = Now { elapsed: Duration::ZERO, date: setup.clocks.date() };
        let by_token = identity.is_by_token();
        let unanswered_max = setup.dispatch.unanswered_max();
        let dispatcher = Dispatcher::new(setup.dispatch, setup.retry, by_token, now, rand::random());
        let engine = Arc::new(Self {
            connector: setup.connector,
            keep_alive: setup.keep_alive,
            http2: setup.http2,
            unanswered_max,
            patience: setup.timeout.mul_f64(0.9),
            timeout: setup.timeout,
            clocks: setup.clocks,
            identity: Mutex::new(Arc::new(identity)),
            state: Mutex::new(State { dispatcher, signals: BTreeMap::new(), timer_at: None, dated: now }),
            in_hand: Semaphore::new(setup.in_hand_max),
            began,
            runtime: Handle::current(),
            sooner: Notify::new(),
            done: Notify::new(),
            telemetry: Telemetry::new(),
            changed: Notify::new(),
            on_invalid_token: setup.on_invalid_token,
        });
        tokio::spawn(time_keeper::run(Arc::clone(&engine)));
        tokio::spawn(reporter::run(Arc::clone(&engine)));
        engine
    }

    /// Hands in a push or a broadcast, as soon as there is room for one more, and waits for its outcome.
    ///
    /// Many thousands of these futures may be alive at once, and most are not in the processor's cache when they go on: they are kept small.
    #[expect(clippy::manual_async_fn, reason = "an async fn has room for its argument twice")]
    pub(crate) fn send(self: Arc<Self>, outgoing: Outgoing) -> impl Future<Output = Option<Outcome>> + Send {
        async move {
            // `effects` gives the permit back when the push is finished.
            let waited = if let Ok(permit) = self.in_hand.try_acquire() {
                permit.forget();
                Duration::ZERO
            } else {
                let began = self.elapsed();
                Box::pin(self.in_hand.acquire()).await.ok()?.forget();
                self.elapsed().saturating_sub(began)
            };
            self.submit(outgoing, waited).await.ok()
        }
    }

    fn submit(self: &Arc<Self>, outgoing: Outgoing, waited: Duration) -> oneshot::Receiver<Outcome> {
        let (caller, outcome) = oneshot::channel();
        self.with(|dispatcher, now| {
            let handed_in = now.elapsed.saturating_sub(waited);
            let ticket = Ticket { caller, handed_in };
            dispatcher.submit(now, outgoing, handed_in.saturating_add(self.timeout), ticket);
        });
        outcome
    }

    /// Asks or tells the dispatcher something, and does what it wants done.
    pub(crate) fn with<R>(self: &Arc<Self>, ask: impl FnOnce(&mut Dispatcher<Ticket>, Now) -> R) -> R {
        let mut state = self.state();
        let now = self.now_by(&mut state.dated);
        let answer = ask(&mut state.dispatcher, now);
        let effects = state.signal();
        let timer_at = state.dispatcher.poll_timeout();
        let is_sooner = timer_at.is_some_and(|at| state.timer_at.is_none_or(|timer_at| at < timer_at));
        if is_sooner {
            state.timer_at = timer_at;
        }
        let is_done = state.dispatcher.is_done();
        drop(state);
        if is_sooner {
            self.sooner.notify_one();
        }
        if is_done {
            self.done.notify_waiters();
            self.sooner.notify_one();
        }
        self.changed.notify_one();
        self.carry_out(effects);
        answer
    }

    pub(crate) fn status(&self) -> DispatchStatus {
        self.state().dispatcher.status()
    }

    /// As whom connections are made from now on.
    pub(crate) fn identity(&self) -> Arc<Identity> {
        Arc::clone(&self.identity.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes connections as somebody else from now on (C-29).
    pub(crate) fn rotate(self: &Arc<Self>, identity: Identity) {
        let by_token = identity.is_by_token();
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(identity);
        self.with(|dispatcher, now| dispatcher.rotate(now, by_token));
    }

    /// Takes no more pushes, and waits until those that are here are finished, for so long; then gives up the rest. Whether there was
    /// none.
    pub(crate) async fn drain(self: &Arc<Self>, within: Duration) -> bool {
        self.with(Dispatcher::close);
        if tokio::time::timeout(within, self.is_done()).await.is_ok() {
            return true;
        }
        self.stop(Duration::ZERO).await;
        false
    }

    /// Takes no more pushes, gives up those that have not gone out, and waits for answers to the others, for so long. Whether all came.
    pub(crate) async fn stop(self: &Arc<Self>, within: Duration) -> bool {
        self.with(Dispatcher::abandon);
        if tokio::time::timeout(within, self.is_done()).await.is_ok() {
            return true;
        }
        for signals in self.state().signals.values() {
            signals.cut();
        }
        self.is_done().await;
        false
    }

    /// The connection's task has ended.
    pub(crate) fn forget(&self, id: ConnectionId) {
        self.state().signals.remove(&id);
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) fn instant(&self, elapsed: Duration) -> Instant {
        clock::after(self.began, elapsed)
    }

    fn now(&self) -> Now {
        Now { elapsed: self.elapsed(), date: self.clocks.date() }
    }

    /// The moment, with a date that was looked at lately: a look costs more than what else is done for most pushes under the lock.
    fn now_by(&self, dated: &mut Now) -> Now {
        let elapsed = self.elapsed();
        if elapsed.saturating_sub(dated.elapsed) >= DATE_EVERY {
            *dated = Now { elapsed, date: self.clocks.date() };
        }
        Now { elapsed, date: dated.date_at(elapsed) }
    }

    async fn is_done(&self) {
        loop {
            let done = self.done.notified();
            if self.state().dispatcher.is_done() {
                return;
            }
            done.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The dispatcher does not panic; if it did, its pushes would end with their tickets.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
