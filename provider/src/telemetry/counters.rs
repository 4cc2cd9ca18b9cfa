use std::sync::{Mutex, PoisonError};

use metrics::{Counter, counter};
use rustc_hash::FxHashMap;

use super::{families::Family, labels};
use apns_provider_core::Outcome;

/// Counts outcomes by what they are and why. Most are acceptances, which cost an addition; the others are looked up.
#[derive(Debug)]
pub(super) struct Outcomes {
    family: Family,
    accepted: Counter,
    others: Mutex<FxHashMap<&'static str, FxHashMap<Box<str>, Counter>>>,
}

impl Outcomes {
    pub(super) fn new(family: Family) -> Self {
        let accepted = counter!(family.name(), "outcome" => "accepted", "reason" => "");
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
        let (kind, reason) = labels::of_outcome(outcome);
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let of_kind = others.entry(kind).or_default();
        if let Some(counter) = of_kind.get(reason) {
            return counter.increment(1);
        }
        let counter = counter!(self.family.name(), "outcome" => kind, "reason" => reason.to_owned());
        counter.increment(1);
        of_kind.insert(reason.into(), counter);
    }
}
