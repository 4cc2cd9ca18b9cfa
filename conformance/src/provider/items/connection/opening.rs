//! How many connections there are, and how soon one follows another: C-01 and C-02.

use std::time::{Duration, Instant};

use crate::provider::{
    evidence::{Dial, Evidence},
    item::{Acting, Finding, Item, Play, Stop, ensure},
    items::outcomes::all_accepted,
    protocol::Options,
    stage::{PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    vec![
        Item::new("C-01", vec![Play::new("one-after-the-other", one_after_the_other, few_connections)]),
        Item::new("C-02", vec![Play::new("eight-at-once", eight_at_once, one_by_one)]),
    ]
}

/// C-01: pushes one after the other, which is as low as a rate gets without waiting.
fn one_after_the_other(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(Options { connections_max: Some(POOL), ..Options::default() }).await?;
        let began = Instant::now();
        for _ in 0..SEQUENTIAL_PUSHES {
            // Where a push takes a long time, fewer do.
            let is_there = stage.send_and_wait(PATIENCE, stage.push()).await?;
            if !is_there || began.elapsed() > SENDING_MAX {
                break; // the judge sees it
            }
        }
        Ok(())
    })
}

fn few_connections(evidence: &Evidence) -> Result<(), Finding> {
    all_accepted(evidence)?;
    let most = if evidence.can("connections-max") { POOL } else { POOL_UNTOLD };
    let dials = evidence.dials.len();
    ensure(dials <= most, format!("at most {most} connections"), || dials.to_string())?;
    match reopened(&evidence.dials) {
        None => Ok(()),
        Some((place, dial)) => Err(Finding::wrong(
            "no connection opened after another was closed",
            format!("connection {place} opened {:.3} s after the beginning", dial.at.as_secs_f64()),
        )),
    }
}

/// The first connection that was made after the provider had ended another one.
fn reopened(dials: &[Dial]) -> Option<(usize, &Dial)> {
    let first_end = dials.iter().filter_map(|dial| dial.ended_at).min()?;
    dials.iter().enumerate().find(|(_, dial)| dial.at > first_end)
}

/// C-02: more to do than one connection takes.
fn eight_at_once(stage: &mut Stage) -> Acting<'_> {
    Box::pin(demand(stage))
}

/// Wants all connections at once: each takes one push at a time, and is slow to answer. Ends when there are as many, or no more come.
pub(super) async fn demand(stage: &mut Stage) -> Result<(), Stop> {
    stage.setting("max-concurrent-streams", "1")?;
    stage.fault(r#"{"name":"slow","action":{"answer":{"delay":"1500ms"}}}"#)?;
    stage.configure(Options { connections_max: Some(WANTED), ..Options::default() }).await?;
    stage.send_many(PUSHES_AT_ONCE, &stage.push()).await?;
    let mut dials = 0;
    while dials < WANTED && stage.until(STANDSTILL, |evidence| evidence.dials.len() > dials).await? {
        dials = stage.look(|evidence| evidence.dials.len());
    }
    stage.end_fault("slow");
    stage.results(PATIENCE).await?;
    Ok(())
}

fn one_by_one(evidence: &Evidence) -> Result<(), Finding> {
    let asked = evidence.sent.values().map(|sent| sent.at).min().unwrap_or_default();
    let [first, _, ..] = evidence.dials.as_slice() else {
        let one = Finding::NotApplicable("it opens one connection at most".to_owned());
        return Err(if evidence.dials.is_empty() { Finding::wrong("connections", "none") } else { one });
    };
    let waited = first.at.saturating_sub(asked);
    ensure(waited <= AT_ONCE, format!("the first connection within {AT_ONCE:?}"), || format!("{waited:?}"))?;
    for (pair, place) in evidence.dials.windows(2).zip(1..) {
        let apart = pair[1].at.saturating_sub(pair[0].at);
        ensure(apart + UNEVEN >= SPACING, format!("connections {SPACING:?} apart"), || {
            format!("connection {place} {apart:?} after the one before, of {}", evidence.dials.len())
        })?;
    }
    Ok(())
}

/// What the checklist asks for.
const SEQUENTIAL_PUSHES: usize = 10_000;
/// For how long they are sent at most.
const SENDING_MAX: Duration = Duration::from_secs(15);
/// Connections that a provider is told it may have.
const POOL: usize = 4;
/// Connections that a provider may have that cannot be told: no library is known that has more by itself.
const POOL_UNTOLD: usize = 10;

/// Connections that are wanted at once.
pub(super) const WANTED: usize = 8;
/// What keeps so many busy for ten seconds.
const PUSHES_AT_ONCE: usize = 48;
/// No more connections come when none has come for so long.
const STANDSTILL: Duration = Duration::from_secs(3);
/// What is immediate to a machine that is busy.
const AT_ONCE: Duration = Duration::from_secs(2);
/// The least time between two connections.
const SPACING: Duration = Duration::from_secs(1);
/// How much sooner one may be accepted here, because the one before was slow on its way.
const UNEVEN: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    fn dial(at: u64, ended_at: Option<u64>) -> Dial {
        let (at, ended_at) = (Duration::from_millis(at), ended_at.map(Duration::from_millis));
        Dial { at, road: 0, hello: None, first_bytes: Vec::new(), ended_at }
    }

    #[test]
    fn a_connection_behind_the_end_of_another_is_one_too_many() {
        let few = [dial(0, Some(900)), dial(10, Some(900)), dial(20, None)];
        assert!(reopened(&few).is_none(), "all end when the play does");
        let found = [dial(0, Some(500)), dial(10, Some(900)), dial(600, Some(900))];
        assert_eq!(reopened(&found).unwrap().0, 2);
    }

    #[test]
    fn connections_are_judged_by_the_time_between_them() {
        let judged = |at: &[u64]| {
            let dials = at.iter().map(|at| dial(*at, None)).collect();
            one_by_one(&Evidence { dials, ..Evidence::default() })
        };
        assert_eq!(judged(&[50, 1060, 2000]), Ok(()));
        let Err(Finding::Wrong { got, .. }) = judged(&[50, 1060, 1800]) else { panic!("740 ms are too few") };
        assert_eq!(got, "connection 2 740ms after the one before, of 3");
        assert!(matches!(judged(&[50]), Err(Finding::NotApplicable(_))));
        assert!(matches!(judged(&[]), Err(Finding::Wrong { .. })));
        assert!(matches!(judged(&[2100, 3200]), Err(Finding::Wrong { .. })));
    }
}
