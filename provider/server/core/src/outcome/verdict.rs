//! From what the engine says of a push to what becomes of its recipient.

use std::time::Duration;

use apns_provider_core::{Advice, Ambiguity, AmbiguousPushes, NotSent, Outcome, Rejection, UnixTime};

use super::{Cause, Ending, FinalOutcome, RetryRules, Why};

/// What becomes of a recipient.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// That was it.
    Final(FinalOutcome),
    /// It is tried again later: stored as waiting.
    Wait(Wait),
    /// APNs has not looked at it, and nothing is wrong with it: it is as if it had not been sent, and its shard goes back into the queue.
    Back(Trouble),
}

/// A recipient waits until it is tried again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wait {
    /// How often it was tried.
    pub attempts: u8,
    /// When to try again.
    pub until: UnixTime,
    /// Why it waits.
    pub why: Option<Why>,
    /// Whether it was sent once and not answered.
    pub maybe_twice: bool,
}

/// What is in the way of all pushes of an app in an environment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trouble {
    /// Whose it is.
    pub whose: Whose,
    /// What it is.
    pub why: Why,
    /// How long to stay away at least, if APNs said so.
    pub at_least: Duration,
}

/// Whose trouble it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Whose {
    /// The key, the certificate or the trust has to be mended by somebody: to be told to the operator at once.
    Credential,
    /// This process is about to stop.
    Ours,
    /// APNs is in trouble, or the way to it.
    Service,
}

/// A push is over, as far as the engine is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// Now, by the calendar.
    pub now: UnixTime,
    /// How often its recipient was tried before.
    pub attempts_before: u8,
    /// Whether it was sent before and not answered.
    pub maybe_twice: bool,
    /// From when on it is of no use any more.
    pub worthless_at: Option<UnixTime>,
    /// Random bits, new for each.
    pub random: u32,
}

impl Attempt {
    /// Judges what the engine says.
    pub fn judge(&self, outcome: &Outcome, rules: &RetryRules) -> Verdict {
        match outcome {
            Outcome::Accepted(acceptance) => Verdict::Final(FinalOutcome {
                ending: Ending::Accepted,
                status: ACCEPTED,
                why: None,
                maybe_twice: self.maybe_twice || acceptance.ambiguous_before,
                apns_unique_id: acceptance.apns_unique_id.clone(),
            }),
            Outcome::Expired => self.ended(FinalOutcome::unanswered(Ending::Expired, None)),
            Outcome::Ambiguous(ambiguity) => self.after_ambiguity(ambiguity, rules),
            Outcome::NotSent(not_sent) => self.after_not_sent(not_sent),
            Outcome::Rejected(rejection) => self.after_rejection(rejection, rules),
        }
    }

    fn after_rejection(&self, rejection: &Rejection, rules: &RetryRules) -> Verdict {
        let asked = rejection.retry_after.map_or(Duration::ZERO, |it| it.delay(self.now)).min(ASKED_MAX);
        let attempts = self.attempts_before.saturating_add(1);
        let back = |whose| {
            let cause = || {
                Why::Ours(if whose == Whose::Credential {
                    Cause::CredentialRefused
                } else {
                    Cause::ServiceUnavailable
                })
            };
            let why = rejection.reason.clone().map_or_else(cause, Why::Apns);
            Verdict::Back(Trouble { whose, why, at_least: asked })
        };
        let pause = match rejection.advice {
            Advice::CheckToken | Advice::Fix | Advice::FixApp | Advice::RemoveToken => {
                return self.ended(FinalOutcome::answered(Ending::Rejected, rejection));
            }
            // The engine has renewed the provider token once: if it is too old again, the clock is wrong.
            Advice::FixCredentials | Advice::RenewProviderToken => return back(Whose::Credential),
            Advice::Reconnect | Advice::RestConnection => return back(Whose::Service),
            Advice::RetryLater => rules.pause_after(attempts, self.random),
            Advice::SlowDownDevice => rules.pause_of_device(attempts, self.random),
        };
        let last = FinalOutcome::answered(Ending::Undeliverable, rejection);
        self.again(attempts, pause.max(asked), last, rules)
    }

    fn after_ambiguity(&self, ambiguity: &Ambiguity, rules: &RetryRules) -> Verdict {
        let why = Why::Ours(ambiguity.into());
        match rules.ambiguous_pushes() {
            AmbiguousPushes::Report => self.ended(FinalOutcome::unanswered(Ending::Ambiguous, why)),
            AmbiguousPushes::SendAgain => {
                let attempts = self.attempts_before.saturating_add(1);
                let pause = rules.pause_after(attempts, self.random);
                let mut last = FinalOutcome::unanswered(Ending::Undeliverable, why);
                last.maybe_twice = true;
                self.again(attempts, pause, last, rules)
            }
        }
    }

    fn after_not_sent(&self, not_sent: &NotSent) -> Verdict {
        let why = Why::from(not_sent);
        let whose = match not_sent {
            // It ends alike each time, until the app or the message is changed.
            NotSent::FieldsTooLarge { .. } => {
                return self.ended(FinalOutcome::unanswered(Ending::Undeliverable, why));
            }
            NotSent::Closed => Whose::Ours,
            not_sent if not_sent.needs_mending() => Whose::Credential,
            _ => Whose::Service,
        };
        Verdict::Back(Trouble { whose, why, at_least: Duration::ZERO })
    }

    /// Another attempt after this pause, unless there were enough, or it would be of no use then.
    fn again(&self, attempts: u8, pause: Duration, last: FinalOutcome, rules: &RetryRules) -> Verdict {
        if attempts >= rules.attempts_max() {
            return self.ended(last);
        }
        let until = later(self.now, pause);
        if self.worthless_at.is_some_and(|worthless_at| until >= worthless_at) {
            return self.ended(FinalOutcome { ending: Ending::Expired, ..last });
        }
        let maybe_twice = self.maybe_twice || last.maybe_twice;
        Verdict::Wait(Wait { attempts, until, why: last.why, maybe_twice })
    }

    fn ended(&self, outcome: FinalOutcome) -> Verdict {
        let maybe_twice = self.maybe_twice || outcome.maybe_twice;
        Verdict::Final(FinalOutcome { maybe_twice, ..outcome })
    }
}

fn later(now: UnixTime, pause: Duration) -> UnixTime {
    let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    UnixTime::from_millis(now.as_millis().saturating_add(pause))
}

const ACCEPTED: u16 = 200;
/// The longest that a `Retry-After` is believed: a broken proxy must not put a queue to sleep for years.
const ASKED_MAX: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use apns_provider_core::{Acceptance, Answer, ApnsId, Reason};

    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
    const FIRST: Attempt =
        Attempt { now: NOW, attempts_before: 0, maybe_twice: false, worthless_at: None, random: u32::MAX };

    fn id() -> ApnsId {
        ApnsId::from_random([7; 16])
    }

    fn answered(status: u16, reason: &str) -> Outcome {
        let mut answer = Answer::new(status);
        answer.read_body(format!(r#"{{"reason":"{reason}"}}"#).as_bytes());
        Outcome::from_answer(answer, id())
    }

    fn judge(attempt: Attempt, outcome: &Outcome) -> Verdict {
        attempt.judge(outcome, &RetryRules::default())
    }

    fn ended(verdict: Verdict) -> FinalOutcome {
        match verdict {
            Verdict::Final(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }

    fn waits(verdict: Verdict) -> Wait {
        match verdict {
            Verdict::Wait(wait) => wait,
            other => panic!("{other:?}"),
        }
    }

    fn in_secs(secs: u64) -> UnixTime {
        UnixTime::from_secs(NOW.as_secs() + secs)
    }

    #[test]
    fn every_reason_ends_waits_or_goes_back() {
        for reason in Reason::known() {
            let verdict = judge(FIRST, &answered(reason.documented_status().unwrap(), reason.as_str()));
            let expected = match reason {
                Reason::TooManyRequests | Reason::InternalServerError | Reason::ServiceUnavailable => "wait",
                Reason::Shutdown | Reason::IdleTimeout | Reason::TooManyProviderTokenUpdates => "service",
                Reason::BadCertificate
                | Reason::BadCertificateEnvironment
                | Reason::BadEnvironmentKeyIdInToken
                | Reason::BadEnvironmentKeyInToken
                | Reason::ExpiredProviderToken
                | Reason::Forbidden
                | Reason::InvalidProviderToken
                | Reason::MissingProviderToken
                | Reason::UnrelatedKeyIdInToken => "credential",
                _ => "rejected",
            };
            let found = match &verdict {
                Verdict::Final(outcome) => outcome.ending.as_str(),
                Verdict::Wait(_) => "wait",
                Verdict::Back(trouble) if trouble.whose == Whose::Credential => "credential",
                Verdict::Back(_) => "service",
            };
            assert_eq!(found, expected, "{reason}: {verdict:?}");
        }
    }

    #[test]
    fn accepted_is_accepted_and_tells_if_it_may_come_twice() {
        let accepted = |ambiguous_before| {
            Outcome::Accepted(Acceptance { apns_id: id(), apns_unique_id: None, ambiguous_before })
        };
        let outcome = ended(judge(FIRST, &accepted(false)));
        assert_eq!((outcome.ending, outcome.status, outcome.maybe_twice), (Ending::Accepted, 200, false));
        assert!(ended(judge(FIRST, &accepted(true))).maybe_twice);
        assert!(ended(judge(Attempt { maybe_twice: true, ..FIRST }, &accepted(false))).maybe_twice);
    }

    #[test]
    fn a_busy_service_is_tried_again_with_growing_pauses_up_to_a_limit() {
        let busy = answered(503, "ServiceUnavailable");
        let wait = waits(judge(FIRST, &busy));
        assert_eq!((wait.attempts, wait.until), (1, in_secs(5)));
        assert_eq!(wait.why, Some(Why::Apns(Reason::ServiceUnavailable)));
        assert_eq!(waits(judge(Attempt { attempts_before: 3, ..FIRST }, &busy)).until, in_secs(40));
        let outcome = ended(judge(Attempt { attempts_before: 19, ..FIRST }, &busy));
        assert_eq!((outcome.ending, outcome.status), (Ending::Undeliverable, 503));
        assert!(outcome.is_dead_letter());
    }

    #[test]
    fn a_device_that_gets_too_much_waits_longer() {
        assert_eq!(waits(judge(FIRST, &answered(429, "TooManyRequests"))).until, in_secs(20));
    }

    #[test]
    fn a_pause_that_apns_asks_for_is_kept_up_to_a_limit() {
        let asked = |secs: &str| {
            let mut answer = Answer::new(503);
            answer.read_header(b"retry-after", secs.as_bytes());
            waits(judge(FIRST, &Outcome::from_answer(answer, id()))).until
        };
        assert_eq!(asked("120"), in_secs(120));
        assert_eq!(asked("1"), in_secs(5), "never sooner than without");
        assert_eq!(asked("315360000"), in_secs(3600), "not for ten years");
    }

    #[test]
    fn what_would_be_tried_too_late_has_expired() {
        let busy = answered(503, "ServiceUnavailable");
        let in_time = Attempt { worthless_at: Some(in_secs(6)), ..FIRST };
        assert!(matches!(judge(in_time, &busy), Verdict::Wait(_)));
        let outcome = ended(judge(Attempt { worthless_at: Some(in_secs(5)), ..FIRST }, &busy));
        assert_eq!((outcome.ending, outcome.status), (Ending::Expired, 503));
        assert_eq!(
            outcome.why,
            Some(Why::Apns(Reason::ServiceUnavailable)),
            "and it is said what held it up"
        );
    }

    #[test]
    fn an_ambiguous_push_is_sent_again_or_reported() {
        let lost = Outcome::Ambiguous(Ambiguity::ConnectionLost);
        let wait = waits(judge(FIRST, &lost));
        assert!(wait.maybe_twice);
        let once = RetryRules::default().with_ambiguous_pushes(AmbiguousPushes::Report);
        let outcome = ended(FIRST.judge(&lost, &once));
        assert_eq!(
            (outcome.ending, outcome.why),
            (Ending::Ambiguous, Some(Why::Ours(Cause::ConnectionLost)))
        );
    }

    #[test]
    fn what_was_not_processed_goes_back_and_costs_no_attempt() {
        for (not_sent, whose) in [
            (NotSent::Closed, Whose::Ours),
            (NotSent::OutOfTime, Whose::Service),
            (NotSent::NoConnection { why: "refused".into() }, Whose::Service),
            (NotSent::ServiceUnavailable, Whose::Service),
            (NotSent::BeyondGoaway { reason: Some(Reason::Shutdown) }, Whose::Service),
            (NotSent::BeyondGoaway { reason: Some(Reason::BadCertificate) }, Whose::Credential),
            (NotSent::CredentialRefused { reason: Some(Reason::InvalidProviderToken) }, Whose::Credential),
            (NotSent::CertificateRefused { why: "expired".into() }, Whose::Credential),
        ] {
            let attempt = Attempt { attempts_before: 200, ..FIRST };
            let verdict = judge(attempt, &Outcome::NotSent(not_sent.clone()));
            assert!(
                matches!(&verdict, Verdict::Back(trouble) if trouble.whose == whose),
                "{not_sent:?}: {verdict:?}"
            );
        }
    }

    #[test]
    fn fields_that_are_too_large_are_so_for_ever() {
        let outcome =
            ended(judge(FIRST, &Outcome::NotSent(NotSent::FieldsTooLarge { bytes: 9000, limit: 8000 })));
        assert_eq!((outcome.ending, outcome.is_dead_letter()), (Ending::Undeliverable, true));
    }

    #[test]
    fn the_engine_says_that_it_has_expired() {
        assert_eq!(ended(judge(FIRST, &Outcome::Expired)).ending, Ending::Expired);
    }
}
