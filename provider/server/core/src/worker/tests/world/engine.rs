//! The engine: what it answers.

use apns_provider_core::{Acceptance, Ambiguity, Answer, ApnsId, NotSent, Outcome};

use super::{Sent, World};
use crate::worker::Input;

impl World {
    /// The engine answers this push.
    pub(in crate::worker::tests) fn end(&mut self, sent: &Sent, outcome: Outcome) {
        if let Some(at) =
            self.in_engine.iter().position(|it| (it.life, it.ticket) == (sent.life, sent.ticket))
        {
            self.in_engine.remove(at);
        }
        self.under_way.remove(&(sent.life, sent.shard, sent.position));
        let again = matches!(outcome, Outcome::NotSent(_)) || is_retried(&outcome);
        let key = (sent.shard, sent.position);
        if again {
            self.unknown.remove(&key);
        } else if !matches!(outcome, Outcome::Ambiguous(_)) {
            self.workers[sent.life].over.insert(key);
        }
        let ticket = sent.ticket;
        self.tell(sent.life, Input::Ended { ticket, outcome });
    }

    /// The engine answers all that it has.
    pub(in crate::worker::tests) fn end_all(&mut self, outcome: impl Fn(&Sent) -> Outcome) {
        for sent in self.in_engine.clone() {
            let outcome = outcome(&sent);
            self.end(&sent, outcome);
        }
    }

    pub(super) fn end_what_takes_too_long(&mut self) {
        let timeout = self.config.engine_timeout;
        while self.engine_keeps_time
            && let Some(sent) = self.in_engine.first().cloned()
            && sent.at + timeout <= self.elapsed
        {
            self.end(&sent, Outcome::Ambiguous(Ambiguity::NoAnswer));
        }
    }
}

pub(in crate::worker::tests) fn accepted() -> Outcome {
    let apns_id = ApnsId::from_random([1; 16]);
    Outcome::Accepted(Acceptance { apns_id, apns_unique_id: None, ambiguous_before: false })
}

pub(in crate::worker::tests) fn answered(status: u16, reason: &str) -> Outcome {
    let mut answer = Answer::new(status);
    answer.read_body(format!(r#"{{"reason":"{reason}","timestamp":1700000000000}}"#).as_bytes());
    Outcome::from_answer(answer, ApnsId::from_random([1; 16]))
}

/// One of what can become of a push.
pub(in crate::worker::tests) fn any_outcome(number: u8) -> Outcome {
    match number % 14 {
        0..=4 => accepted(),
        5 => answered(503, "ServiceUnavailable"),
        6 => answered(429, "TooManyRequests"),
        7 => answered(410, "Unregistered"),
        8 => answered(400, "BadTopic"),
        9 => answered(403, "InvalidProviderToken"),
        10 => Outcome::NotSent(NotSent::NoConnection { why: "refused".into() }),
        11 => Outcome::NotSent(NotSent::Closed),
        12 => Outcome::Ambiguous(Ambiguity::NoAnswer),
        _ => Outcome::Expired,
    }
}

/// Whether APNs has refused it for now and not for ever.
fn is_retried(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Rejected(rejection) if matches!(rejection.status, 403 | 429 | 500 | 503))
}
