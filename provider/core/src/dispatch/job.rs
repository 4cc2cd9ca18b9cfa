use std::time::Duration;

use super::ConnectionId;
use crate::{Ambiguity, Attempts, NotSent, Outcome, Outgoing};

/// A push, or a broadcast, on its way. `T` is the caller's: to whom the outcome is told.
#[derive(Debug)]
pub struct Job<T> {
    pub(super) outgoing: Outgoing,
    pub(super) ticket: T,
    pub(super) deadline: Duration,
    pub(super) attempts: Attempts,
    /// What earlier attempts have left behind, if there were any.
    pub(super) earlier: Option<Box<Earlier>>,
    /// The connection that refused it: another one takes it, if there is another.
    pub(super) shuns: Option<ConnectionId>,
    /// Whether breakers wait for its answer.
    pub(super) is_probe: bool,
}

/// A push whose outcome is certain.
#[derive(Debug)]
pub struct Finished<T> {
    pub(super) job: Box<Job<T>>,
    pub(super) outcome: Outcome,
}

impl<T> Finished<T> {
    /// What was sent, or not.
    pub fn outgoing(&self) -> &Outgoing {
        &self.job.outgoing
    }

    /// How it ended.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// To whom it is told, and what.
    pub fn into_parts(self) -> (T, Outcome) {
        (self.job.ticket, self.outcome)
    }
}

/// How earlier attempts ended.
#[derive(Debug)]
pub(super) struct Earlier {
    /// The last one.
    pub(super) last: Outcome,
    /// The first of which nobody knows what became of it.
    pub(super) ambiguity: Option<Ambiguity>,
}

impl<T> Job<T> {
    pub(super) fn new(outgoing: Outgoing, deadline: Duration, ticket: T) -> Self {
        Self {
            outgoing,
            ticket,
            deadline,
            attempts: Attempts::default(),
            earlier: None,
            shuns: None,
            is_probe: false,
        }
    }

    /// What is to be sent.
    pub fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }

    /// When its caller stops waiting, on the steady clock.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Bytes of its body.
    pub(super) fn body_bytes(&self) -> usize {
        self.outgoing.payload().len()
    }

    /// Takes note of an attempt after which there is to be another.
    pub(super) fn remember(&mut self, outcome: Outcome) {
        let ambiguity = match (self.earlier.take().and_then(|earlier| earlier.ambiguity), &outcome) {
            (None, Outcome::Ambiguous(ambiguity)) => Some(ambiguity.clone()),
            (before, _) => before,
        };
        self.earlier = Some(Box::new(Earlier { last: outcome, ambiguity }));
    }

    /// The outcome of the push as a whole, which ends with this one: what the last attempt says, unless an earlier one may have
    /// gone through.
    pub(super) fn conclude(&mut self, outcome: Outcome) -> Outcome {
        match (self.earlier.take().and_then(|earlier| earlier.ambiguity), outcome) {
            (None, outcome) => outcome,
            (Some(_), Outcome::Accepted(mut acceptance)) => {
                acceptance.ambiguous_before = true;
                Outcome::Accepted(acceptance)
            }
            (Some(_), Outcome::Rejected(mut rejection)) => {
                rejection.ambiguous_before = true;
                Outcome::Rejected(rejection)
            }
            (Some(ambiguity), Outcome::NotSent(_) | Outcome::Expired)
            | (Some(_), Outcome::Ambiguous(ambiguity)) => Outcome::Ambiguous(ambiguity),
        }
    }

    /// The outcome of a push that is not tried any more: how its last attempt ended, or why there was none.
    pub(super) fn conclude_untried(&mut self, why: impl FnOnce() -> Outcome) -> Outcome {
        let last = self.earlier.as_mut().map(|earlier| {
            let unsent = Outcome::NotSent(NotSent::Unwritten);
            std::mem::replace(&mut earlier.last, unsent)
        });
        self.conclude(last.unwrap_or_else(why))
    }
}
