//! Whether a push is sent again, and when.
//!
//! ```text
//!   Outcome of an attempt ─┐                      ┌──▶ Final: this is the push's outcome
//!   now, deadline, chance ─┴──▶ Attempts::next ───┴──▶ Again { after, .. }
//!                                     ▲
//!                      RetryPolicy ───┘             RetryBudget: how many the whole client may spend
//! ```

mod budget;
mod policy;

use std::time::Duration;

pub use budget::RetryBudget;
pub use policy::{AmbiguousPushes, InvalidRetryPolicy, RetryPolicy};

use crate::{Advice, Ambiguity, Expiration, NotSent, Outcome, Rejection, UnixTime};

/// What comes after an attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// Nothing: its outcome is the push's.
    Final,
    /// Another attempt with the same apns-id.
    Again {
        /// How long from now.
        after: Duration,
        /// Whether it is one of the [budget](RetryBudget): APNs has looked at the push, or there is no way to it. What APNs says it has
        /// not looked at costs nothing, nor does what was under way on a connection that was lost.
        is_budgeted: bool,
    },
}

/// When an attempt was over, and until when another one is of use.
#[derive(Clone, Copy, Debug)]
pub struct AttemptEnd {
    /// Now.
    pub now: UnixTime,
    /// When the caller stops waiting. No attempt begins later.
    pub deadline: UnixTime,
    /// The push's expiration. No attempt begins later.
    pub expiration: Option<Expiration>,
    /// Random bits, new for each attempt: clients that failed together come back one by one.
    pub random: u32,
}

/// The attempts of one push so far.
///
/// ```
/// use std::time::Duration;
/// use apns_provider_core::{Answer, ApnsId, AttemptEnd, Attempts, Next, Outcome, RetryPolicy, UnixTime};
///
/// let mut attempts = Attempts::default();
/// let now = UnixTime::from_secs(1_700_000_000);
/// let deadline = UnixTime::from_secs(1_700_000_030);
/// let end = AttemptEnd { now, deadline, expiration: None, random: 0 };
///
/// let busy = Outcome::from_answer(Answer::new(503), ApnsId::from_random([7; 16]));
/// let next = attempts.next(&busy, end, &RetryPolicy::default());
/// assert_eq!(next, Next::Again { after: Duration::from_millis(500), is_budgeted: true });
///
/// let wrong = Outcome::from_answer(Answer::new(400), ApnsId::from_random([7; 16]));
/// assert_eq!(attempts.next(&wrong, end, &RetryPolicy::default()), Next::Final);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Attempts {
    made: u32,
    /// How many of them were followed by a pause.
    paused: u32,
    has_renewed_token: bool,
}

/// When another attempt makes sense, as far as the outcome alone says it.
enum When {
    Never,
    AtOnce,
    /// With growing pauses.
    Later {
        /// Not before this much time has passed.
        at_least: Duration,
        /// Whether it is one of the budget.
        is_budgeted: bool,
    },
}

impl When {
    /// With growing pauses and nothing else to wait for, as one of the budget.
    const LATER: Self = Self::Later { at_least: Duration::ZERO, is_budgeted: true };
}

impl Attempts {
    /// What comes after an attempt that ended so.
    pub fn next(&mut self, outcome: &Outcome, end: AttemptEnd, policy: &RetryPolicy) -> Next {
        self.made += 1;
        if self.made >= policy.attempts_max() {
            return Next::Final;
        }
        let when = match outcome {
            Outcome::Accepted(_) | Outcome::Expired => When::Never,
            Outcome::Rejected(rejection) => self.after_rejection(rejection, end.now),
            Outcome::NotSent(why) => after_not_sent(why),
            Outcome::Ambiguous(_) => match policy.ambiguous_pushes() {
                // How often connections are lost is bounded by how often they are opened, which has pauses of its own.
                AmbiguousPushes::SendAgain if *outcome == Outcome::Ambiguous(Ambiguity::ConnectionLost) => {
                    When::Later { at_least: Duration::ZERO, is_budgeted: false }
                }
                AmbiguousPushes::SendAgain => When::LATER,
                AmbiguousPushes::Report => When::Never,
            },
        };
        let (after, is_budgeted) = match when {
            When::Never => return Next::Final,
            When::AtOnce => (Duration::ZERO, false),
            When::Later { at_least, is_budgeted } => {
                let pause = policy.pause(self.paused, end.random).max(at_least);
                self.paused += 1;
                (pause, is_budgeted)
            }
        };
        if is_in_time(after, end) { Next::Again { after, is_budgeted } } else { Next::Final }
    }

    /// Whether one of them was followed by another one with a newer provider token.
    pub(crate) fn has_renewed_token(&self) -> bool {
        self.has_renewed_token
    }

    /// How many attempts there were.
    pub fn made(&self) -> u32 {
        self.made
    }

    fn after_rejection(&mut self, rejection: &Rejection, now: UnixTime) -> When {
        let asked = rejection.retry_after.map_or(Duration::ZERO, |retry_after| retry_after.delay(now));
        match rejection.advice {
            Advice::Reconnect => When::AtOnce,
            // Once: a second refusal means that the clock or the key is wrong.
            Advice::RenewProviderToken if !std::mem::replace(&mut self.has_renewed_token, true) => {
                When::AtOnce
            }
            Advice::RestConnection | Advice::RetryLater | Advice::SlowDownDevice => {
                When::Later { at_least: asked, is_budgeted: true }
            }
            _ => When::Never,
        }
    }
}

fn after_not_sent(why: &NotSent) -> When {
    if !why.may_send_again() {
        return When::Never;
    }
    match why {
        NotSent::BeyondGoaway { .. } | NotSent::StreamRefused | NotSent::Unwritten => When::AtOnce,
        NotSent::NoConnection { .. } => When::LATER,
        // Not by this client, whose time for it is over, or not as it is.
        NotSent::CertificateRefused { .. }
        | NotSent::Closed
        | NotSent::CredentialRefused { .. }
        | NotSent::FieldsTooLarge { .. }
        | NotSent::OutOfTime
        | NotSent::ServiceUnavailable => When::Never,
    }
}

/// Whether an attempt after this pause begins while it is of use.
fn is_in_time(after: Duration, AttemptEnd { now, deadline, expiration, .. }: AttemptEnd) -> bool {
    let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
    let begins = UnixTime::from_millis(now.as_millis().saturating_add(after));
    begins < deadline && !expiration.is_some_and(|expiration| expiration.has_passed(begins))
}

#[cfg(test)]
mod tests;
