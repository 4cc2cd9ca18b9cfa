//! What judges of several items ask of what the adapter reported.

use crate::provider::{
    evidence::Evidence,
    item::Finding,
    protocol::{Outcome, Report},
};

/// Fails unless every push was accepted.
pub(super) fn all_accepted(evidence: &Evidence) -> Result<(), Finding> {
    let results = evidence.results();
    let is_accepted =
        |id: &u64| results.get(id).is_some_and(|(_, report)| report.outcome == Outcome::Accepted);
    let Some(first) = evidence.sent.keys().find(|id| !is_accepted(id)) else { return Ok(()) };
    let (sent, accepted) = (evidence.sent.len(), evidence.count(Outcome::Accepted));
    let told = results.get(first).map_or_else(|| "nothing reported".to_owned(), |(_, report)| told(report));
    Err(Finding::wrong(format!("{sent} accepted pushes"), format!("{accepted}; of push {first}: {told}")))
}

/// Fails unless something was reported of every push.
pub(super) fn all_reported(evidence: &Evidence) -> Result<(), Finding> {
    let (sent, reported) = (evidence.sent.len(), evidence.results().len());
    if reported == sent {
        return Ok(());
    }
    Err(Finding::wrong(format!("the results of {sent} pushes"), format!("those of {reported}")))
}

/// What a report says, in a few words.
pub(super) fn told(report: &Report) -> String {
    let status = report.status.map(|status| format!(" {status}")).unwrap_or_default();
    let why = report.reason.as_deref().or(report.why.as_deref()).unwrap_or_default();
    format!("{:?}{status} {why}", report.outcome)
}
