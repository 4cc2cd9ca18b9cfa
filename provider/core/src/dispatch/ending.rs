//! What an outcome says about the push, its connection, the credential and the service.

use std::time::Duration;

use super::{ConnectionId, Dispatcher, Effect, Ending, Job, connections::Phase};
use crate::{Advice, Ambiguity, AttemptEnd, Next, NotSent, Now, Outcome, Reason};

/// RFC 9113 section 7: the peer is loaded beyond what it likes.
const ENHANCE_YOUR_CALM: u32 = 0xb;
/// A second InternalServerError on one connection speaks against it.
const SERVER_ERRORS_MAX: u32 = 2;
/// A connection is of use when it has lived so long, or answered so many pushes.
const HEALTHY_AFTER: Duration = Duration::from_secs(10);
const HEALTHY_ANSWERS: u64 = 100;
/// The longest that a `Retry-After` holds everything back. In what was seen of outages a quarter of an hour was soon enough.
const ASKED_MAX: Duration = Duration::from_mins(15);

/// Whom an answer speaks for or against.
enum Verdict {
    /// Credential and service are in order.
    Fine,
    /// The credential is refused.
    Credential,
    /// It is refused without a doubt: another attempt would end alike.
    CredentialForSure,
    /// The service is in trouble, and asks to come back after this time.
    Service(Duration),
    /// It says nothing about either.
    Neither,
}

impl<T> Dispatcher<T> {
    /// An attempt is over. On the connection `id` nothing of it is under way any more. To be followed, for one or for many, by
    /// [`take`](Self::take) or [`closed`](Self::closed), which see to what comes of it.
    pub fn ended(&mut self, now: Now, id: ConnectionId, mut job: Box<Job<T>>, outcome: Outcome) {
        let was_probe = std::mem::take(&mut job.is_probe);
        let verdict = verdict(&outcome, &job, now);
        self.judge(now.elapsed, id, &verdict, &outcome, was_probe);
        self.judge_connection(now.elapsed, id, &outcome);
        if let Outcome::Accepted(_) = outcome {
            self.finish(job, outcome);
        } else {
            if outcome == Outcome::NotSent(NotSent::StreamRefused) {
                job.shuns = Some(id);
            }
            self.after_attempt(now, job, outcome);
        }
    }

    /// Sends it again, now or later, or tells how it ended.
    fn after_attempt(&mut self, now: Now, mut job: Box<Job<T>>, outcome: Outcome) {
        if self.ending == Ending::Abandoned {
            return self.finish(job, outcome);
        }
        let end = AttemptEnd {
            now: now.date,
            deadline: now.date_at(job.deadline),
            expiration: job.outgoing.expiration(),
            random: self.random.next(),
        };
        match job.attempts.next(&outcome, end, &self.retry) {
            Next::Again { after, is_budgeted } if !is_budgeted || self.budget.spend(now.elapsed) => {
                self.retries += 1;
                let until = now.elapsed.saturating_add(after);
                if let Outcome::Rejected(rejection) = &outcome
                    && rejection.advice == Advice::SlowDownDevice
                    && let Some(device_token) = job.outgoing.device_token()
                {
                    self.slow.slow_down(device_token, now.elapsed, until);
                }
                job.remember(outcome);
                if after.is_zero() {
                    let worthless_at = super::worthless_at(&job, now);
                    self.queue.push_again(job, worthless_at);
                } else {
                    self.pausing.push(until, job);
                }
            }
            _ => self.finish(job, outcome),
        }
    }

    fn judge(
        &mut self,
        now: Duration,
        id: ConnectionId,
        verdict: &Verdict,
        outcome: &Outcome,
        was_probe: bool,
    ) {
        let is_of_credential = id >= self.credential_since;
        match verdict {
            Verdict::Fine => {
                self.service.passed();
                if is_of_credential {
                    self.credential.passed();
                    self.refused = None;
                }
            }
            // The one before is often changed because it is refused.
            Verdict::Credential | Verdict::CredentialForSure if !is_of_credential => self.service.passed(),
            Verdict::Credential | Verdict::CredentialForSure => {
                self.service.passed();
                self.credential.refused(now, was_probe, Duration::ZERO);
                if matches!(verdict, Verdict::CredentialForSure) && !self.credential.is_open() {
                    self.credential.trip(now);
                }
                if let Outcome::Rejected(rejection) = outcome {
                    self.refused.clone_from(&rejection.reason);
                }
            }
            Verdict::Service(asked) => {
                self.service.refused(now, was_probe, *asked);
                if was_probe {
                    self.credential.unanswered(now);
                }
            }
            Verdict::Neither if was_probe => {
                self.credential.unanswered(now);
                self.service.unanswered(now);
            }
            Verdict::Neither => {}
        }
    }

    fn judge_connection(&mut self, now: Duration, id: ConnectionId, outcome: &Outcome) {
        let (rest, unanswered_max) = (self.policy.rest, self.policy.unanswered_max);
        let Some(connection) = self.connection(id) else { return };
        connection.under_way = connection.under_way.saturating_sub(1);
        match outcome {
            Outcome::Accepted(_) => {
                connection.answered(true);
            }
            Outcome::Rejected(rejection) => {
                connection.answered(rejection.status != FORBIDDEN);
                connection.server_errors += u32::from(rejection.reason == Some(Reason::InternalServerError));
                let is_failing = connection.server_errors >= SERVER_ERRORS_MAX;
                match rejection.advice {
                    Advice::RestConnection => {
                        let rests = connection.rest_until > now;
                        connection.rest_until = now.saturating_add(rest);
                        if !rests {
                            self.failed(now); // once, however many are answered so
                        }
                    }
                    Advice::Reconnect | Advice::RenewProviderToken if connection.phase == Phase::Open => {
                        self.peer_ends(now, id);
                        self.effects.push_back(Effect::Drain(id));
                    }
                    _ if is_failing => self.drain(id),
                    _ => {}
                }
            }
            Outcome::Ambiguous(Ambiguity::NoAnswer) => {
                connection.unanswered += 1;
                if connection.unanswered >= unanswered_max {
                    self.drain(id);
                }
            }
            Outcome::Ambiguous(Ambiguity::StreamReset { code: ENHANCE_YOUR_CALM }) => self.be_calm(now),
            _ => {}
        }
    }

    /// Nothing goes out on any connection for a while.
    pub(super) fn be_calm(&mut self, now: Duration) {
        if self.calm.not_before() > now {
            return; // one asks for many streams
        }
        if self.calm.not_before() + super::CALM_LONGEST < now {
            self.calm.healthy();
        }
        let random = self.random.next();
        self.calm.failed(now, random);
    }

    /// A GOAWAY that speaks against the credential leaves no doubt (C-36).
    pub(super) fn heed_goaway_reason(&mut self, now: Duration, id: ConnectionId, reason: Option<&Reason>) {
        if id >= self.credential_since && reason.and_then(Reason::advice) == Some(Advice::FixCredentials) {
            self.credential.trip(now);
            self.refused = reason.cloned();
        }
    }

    /// The server ends a connection, or it was lost.
    pub(super) fn peer_ends(&mut self, now: Duration, id: ConnectionId) {
        let Some(connection) = self.connection(id) else { return };
        if connection.phase != Phase::Open {
            return;
        }
        connection.phase = Phase::Draining;
        let was_of_use = connection.answers >= HEALTHY_ANSWERS
            || now.saturating_sub(connection.opened_at) >= HEALTHY_AFTER;
        if was_of_use { self.reconnect.healthy() } else { self.failed(now) }
    }

    /// A connection was of no use.
    pub(super) fn failed(&mut self, now: Duration) {
        let random = self.random.next();
        self.reconnect.failed(now, random);
    }

    /// We end a connection.
    pub(super) fn drain(&mut self, id: ConnectionId) {
        let Some(connection) = self.connection(id) else { return };
        match &mut connection.phase {
            Phase::Opening { unwanted } => *unwanted = true,
            Phase::Open => connection.phase = Phase::Draining,
            Phase::Draining => return,
        }
        self.effects.push_back(Effect::Drain(id));
    }

    pub(super) fn drain_all(&mut self) {
        let ids: Vec<_> = self.connections.iter().map(|connection| connection.id).collect();
        for id in ids {
            self.drain(id);
        }
    }

    /// There is no connection, and there will be none at once: what waits for one has had its attempt.
    pub(super) fn fail_waiting(&mut self, now: Now, why: &NotSent) {
        if self.connections.iter().any(|connection| connection.is_wanted(now.elapsed)) {
            return;
        }
        self.last_failure = Some(why.clone());
        for job in self.queue.take_all() {
            self.after_attempt(now, job, Outcome::NotSent(why.clone()));
        }
    }

    /// A push has waited too long. Its caller learns for what.
    pub(super) fn finish_worthless(&mut self, now: Now, job: Box<Job<T>>) {
        let has_expired = job.outgoing.expiration().is_some_and(|at| at.has_passed(now.date));
        let why = if has_expired {
            Outcome::Expired
        } else if self.credential.is_open() {
            Outcome::NotSent(NotSent::CredentialRefused { reason: self.refused.clone() })
        } else if self.service.is_open() {
            Outcome::NotSent(NotSent::ServiceUnavailable)
        } else {
            Outcome::NotSent(self.last_failure.clone().unwrap_or(NotSent::OutOfTime))
        };
        self.finish_untried(job, || why);
    }
}

/// 403: the credential was not accepted, so APNs still does not know us.
const FORBIDDEN: u16 = 403;

fn verdict<T>(outcome: &Outcome, job: &Job<T>, now: Now) -> Verdict {
    let rejection = match outcome {
        Outcome::Accepted(_) => return Verdict::Fine,
        Outcome::Rejected(rejection) => rejection,
        Outcome::NotSent(_) | Outcome::Ambiguous(_) | Outcome::Expired => return Verdict::Neither,
    };
    match rejection.advice {
        Advice::FixCredentials => Verdict::Credential,
        // The first time it may be the token's age; on a fresh connection it is the clock or the key (C-25).
        Advice::RenewProviderToken if job.attempts.has_renewed_token() => Verdict::CredentialForSure,
        Advice::RenewProviderToken | Advice::Reconnect | Advice::RestConnection => Verdict::Neither,
        Advice::RetryLater => {
            let asked = rejection.retry_after.map_or(Duration::ZERO, |after| after.delay(now.date));
            Verdict::Service(asked.min(ASKED_MAX))
        }
        Advice::CheckToken | Advice::Fix | Advice::FixApp | Advice::RemoveToken | Advice::SlowDownDevice => {
            Verdict::Fine
        }
    }
}
