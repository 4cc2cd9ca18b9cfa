//! What is sent, and what is refused before: C-63 to C-67.

mod agreement;
mod channels;
mod fields;
mod json;
mod sizes;

use crate::provider::{
    evidence::{Evidence, Request},
    item::{Finding, Item, Stop, ensure},
    protocol::{Options, Outcome, Push},
    stage::{PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    vec![
        Item::new("C-63", fields::plays()),
        Item::new("C-64", agreement::plays()),
        Item::new("C-65", sizes::plays()),
        Item::new("C-66", json::plays()),
        Item::new("C-67", channels::plays()),
    ]
}

/// Has each of these pushes sent, one after the other, to a double that takes all of them. What is wrong with them is the provider's to
/// find.
async fn send_all(stage: &mut Stage, pushes: Vec<Push>) -> Result<(), Stop> {
    stage.fault(ALL_IS_WELL)?;
    stage.configure(Options::default()).await?;
    for push in pushes {
        stage.send(push).await?;
        stage.results(PATIENCE).await?;
    }
    Ok(())
}

/// The push was sent, once, and accepted. Its request.
fn goes_out<'a>(
    evidence: &Evidence,
    id: u64,
    attempts: &'a [Request],
    what: &str,
) -> Result<&'a Request, Finding> {
    let outcome = evidence.result(id).map(|report| report.outcome);
    match attempts {
        [request] if outcome == Some(Outcome::Accepted) => Ok(request),
        _ => Err(Finding::wrong(format!("{what}: sent, and accepted"), told(evidence, id, attempts))),
    }
}

/// The push was refused here, and nothing of it is on the wire.
fn is_refused(
    evidence: &Evidence,
    id: u64,
    attempts: &[Request],
    outcomes: &[Outcome],
    what: &str,
) -> Result<(), Finding> {
    let outcome = evidence.result(id).map(|report| report.outcome);
    let is_right = attempts.is_empty() && outcome.is_some_and(|outcome| outcomes.contains(&outcome));
    let expected = format!("{what}: {}, and nothing on the wire", outcomes[0]);
    ensure(is_right, expected, || told(evidence, id, attempts)).map_err(|finding| match attempts.first() {
        Some(request) => finding.at(request.connection, request.at),
        None => finding,
    })
}

fn told(evidence: &Evidence, id: u64, attempts: &[Request]) -> String {
    format!("{}, {} times on the wire", evidence.told(id), attempts.len())
}

/// Whatever it is.
const ALL_IS_WELL: &str = r#"{"name":"all-is-well","action":{"answer":{"status":200,"body":"none"}}}"#;
