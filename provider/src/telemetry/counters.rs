use std::sync::{Mutex, PoisonError};

use metrics::{Counter, counter};
use rustc_hash::FxHashMap;

use super::{
    families::Family,
    labels::{self, ACCEPTED},
};
use apns_provider_core::Outcome;

/// Counts outcomes by what they are and why. Most are acceptances, which cost an addition; the others are looked up.
#[derive(Debug)]
pub(super) struct Outcomes {
    family: Family,
    accepted: Counter,
    others: Mutex<FxHashMap<Kind, FxHashMap<Box<str>, Counter>>>,
}

/// What can be told of an outcome without its reason, which may be any text.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Kind {
    outcome: &'static str,
    status: &'static str,
}

impl Outcomes {
    pub(super) fn new(family: Family) -> Self {
        let accepted = counter!(family.name(), "outcome" => "accepted", "status" => ACCEPTED, "reason" => "");
        Self { family, accepted, others: Mutex::default() }
    }

    /// Counts a batch.
    pub(super) fn count<'a>(&self, batch: impl Iterator<Item = &'a Outcome>) {
        let mut accepted = 0;
        for outcome in batch {
            if let Outcome::Accepted(_) = outcome {
                accepted += 1;
            } else {
                self.count_other(outcome);
            }
        }
        if accepted > 0 {
            self.accepted.increment(accepted);
        }
    }

    fn count_other(&self, outcome: &Outcome) {
        let (outcome, status, reason) = labels::of_outcome(outcome);
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let of_kind = others.entry(Kind { outcome, status }).or_default();
        if let Some(counter) = of_kind.get(reason) {
            return counter.increment(1);
        }
        let labels =
            [("outcome", outcome.to_owned()), ("status", status.to_owned()), ("reason", reason.to_owned())];
        let counter = counter!(self.family.name(), &labels);
        counter.increment(1);
        of_kind.insert(reason.into(), counter);
    }
}
