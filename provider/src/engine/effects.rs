//! Does what the dispatcher wants done.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use apns_provider_core::{Advice, ConnectionId, Effect, Finished, Outcome, Outgoing, Push, Rejection};

use tracing::error;

use super::{Engine, Signals, State, Ticket};
use crate::connection;

/// What is called for each device token that APNs found dead or wrong.
#[derive(Clone)]
pub(crate) struct InvalidTokenHook(pub(crate) Arc<TellOfInvalidToken>);

type TellOfInvalidToken = dyn Fn(&Push, &Rejection) + Send + Sync;

impl fmt::Debug for InvalidTokenHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvalidTokenHook")
    }
}

/// What is done without the lock.
#[derive(Default)]
pub(super) struct Effects {
    opening: Vec<(ConnectionId, Arc<Signals>)>,
    finished: Vec<Finished<Ticket>>,
}

impl State {
    /// Tells connections what concerns them, and gives back the rest. What there is most often, a connection to wake, allocates nothing.
    pub(super) fn signal(&mut self) -> Effects {
        let mut effects = Effects::default();
        while let Some(effect) = self.dispatcher.poll_effect() {
            match effect {
                Effect::Open(id) => {
                    let signals = Arc::<Signals>::default();
                    self.signals.insert(id, Arc::clone(&signals));
                    effects.opening.push((id, signals));
                }
                Effect::Wake(id) => self.signals.get(&id).into_iter().for_each(|signals| signals.wake()),
                Effect::Drain(id) => self.signals.get(&id).into_iter().for_each(|signals| signals.drain()),
                Effect::Finish(finished) => effects.finished.push(finished),
            }
        }
        effects
    }
}

impl Engine {
    /// Does the rest.
    pub(super) fn carry_out(self: &Arc<Self>, effects: Effects) {
        for (id, signals) in effects.opening {
            self.runtime.spawn(connection::run(Arc::clone(self), id, signals));
        }
        let finished = effects.finished.len();
        if finished == 0 {
            return;
        }
        let now = self.elapsed();
        for finished in effects.finished {
            self.tell_of_invalid_token(finished.outgoing(), finished.outcome());
            let (ticket, outcome) = finished.into_parts();
            self.telemetry.push_finished(&outcome, now.saturating_sub(ticket.handed_in));
            // A caller that has stopped waiting does not want it any more.
            let _ = ticket.caller.send(outcome);
        }
        self.in_hand.add_permits(finished);
    }

    fn tell_of_invalid_token(&self, outgoing: &Outgoing, outcome: &Outcome) {
        if let (Some(InvalidTokenHook(tell)), Outgoing::Push(push), Outcome::Rejected(rejection)) =
            (&self.on_invalid_token, outgoing, outcome)
            && matches!(rejection.advice, Advice::RemoveToken | Advice::CheckToken)
        {
            // It is the application's code, called on a connection's task, which others' pushes go through.
            if catch_unwind(AssertUnwindSafe(|| tell(push, rejection))).is_err() {
                error!("the hook for invalid tokens panicked");
            }
        }
    }
}
