//! Does what the dispatcher wants done.

use std::{fmt, sync::Arc};

use apns_provider_core::{Advice, Effect, Outcome, Push, Rejection};

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

impl State {
    /// Tells connections what concerns them.
    pub(super) fn signal(&mut self, effects: &[Effect<Ticket>]) {
        for effect in effects {
            match effect {
                Effect::Open(id) => {
                    self.signals.insert(*id, Arc::default());
                }
                Effect::Wake(id) => self.signals.get(id).into_iter().for_each(|signals| signals.wake()),
                Effect::Drain(id) => self.signals.get(id).into_iter().for_each(|signals| signals.drain()),
                Effect::Finish { .. } => {}
            }
        }
    }
}

impl Engine {
    /// Does the rest.
    pub(super) fn carry_out(self: &Arc<Self>, effects: Vec<Effect<Ticket>>) {
        let mut finished = 0;
        for effect in effects {
            match effect {
                Effect::Open(id) => {
                    let signals = self.state().signals.get(&id).cloned();
                    let signals: Arc<Signals> = signals.unwrap_or_default();
                    self.runtime.spawn(connection::run(Arc::clone(self), id, signals));
                }
                Effect::Finish { ticket, push, outcome } => {
                    finished += 1;
                    self.tell_of_invalid_token(&push, &outcome);
                    // A caller that has stopped waiting does not want it any more.
                    let _ = ticket.send(outcome);
                }
                Effect::Wake(_) | Effect::Drain(_) => {}
            }
        }
        self.in_hand.add_permits(finished);
    }

    fn tell_of_invalid_token(&self, push: &Push, outcome: &Outcome) {
        if let (Some(InvalidTokenHook(tell)), Outcome::Rejected(rejection)) =
            (&self.on_invalid_token, outcome)
            && matches!(rejection.advice, Advice::RemoveToken | Advice::CheckToken)
        {
            tell(push, rejection);
        }
    }
}
