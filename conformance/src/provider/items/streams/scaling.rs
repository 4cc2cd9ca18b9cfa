//! More connections where one is not enough, and fewer again: C-14.

use std::time::Duration;

use crate::provider::{
    evidence::Evidence,
    item::{Acting, Finding, Item, Play, Stop, ensure},
    items::outcomes::all_accepted,
    protocol::Options,
    stage::{PATIENCE, Stage},
};

pub(super) fn item() -> Item {
    let plays = vec![
        Play::new("streams-in-use", streams_in_use, opens_more_and_keeps_them),
        Play::new("window-in-use", window_in_use, opens_more),
        Play::new("idle", idle, closes_the_idle).needing(&["connections-max", "idle-connection"]),
    ];
    Item::new("C-14", plays)
}

/// Ten streams on each connection, a second for each answer, sixty pushes.
fn streams_in_use(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        more_than_one_takes(stage, Options::default()).await?;
        stage.mark(IDLE);
        stage.pass(Duration::from_secs(3)).await?;
        stage.mark(OVER);
        Ok(())
    })
}

async fn more_than_one_takes(stage: &mut Stage, options: Options) -> Result<(), Stop> {
    stage.setting("max-concurrent-streams", "10")?;
    stage.fault(r#"{"name":"slow","action":{"answer":{"delay":"1s"}}}"#)?;
    stage.configure(Options { connections_max: Some(CONNECTIONS), ..options }).await?;
    stage.send_many(PUSHES, &stage.push()).await?;
    stage.results(PATIENCE).await?;
    Ok(())
}

fn opens_more(evidence: &Evidence) -> Result<(), Finding> {
    let dials = evidence.dials.len();
    ensure(dials > 1, "another connection beside one that is full", || format!("{dials}"))?;
    let is_within = !evidence.can("connections-max") || dials <= CONNECTIONS;
    ensure(is_within, format!("at most {CONNECTIONS} connections, as it was told"), || format!("{dials}"))?;
    all_accepted(evidence)
}

/// Ten minutes cannot be waited for: a few seconds show whoever closes at once.
fn opens_more_and_keeps_them(evidence: &Evidence) -> Result<(), Finding> {
    opens_more(evidence)?;
    let (Some(idle), Some(over)) = (evidence.mark(IDLE), evidence.mark(OVER)) else { return Ok(()) };
    let mut ends = evidence.dials.iter().filter_map(|dial| dial.ended_at);
    match ends.find(|at| (idle..over).contains(at)) {
        None => Ok(()),
        Some(at) => Err(Finding::wrong(
            "connections that stay for ten minutes at least when nobody needs them",
            format!("one closed after {:?}", at.saturating_sub(idle)),
        )),
    }
}

/// The first connection's window is not opened again.
fn window_in_use(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(
            r#"{"name":"narrow","on":"connection","match":{"connection":1},"action":{"withhold-window":{"of":"connection"}}}"#,
        )?;
        stage.configure(Options { connections_max: Some(CONNECTIONS), ..Options::default() }).await?;
        stage.send_and_wait(PATIENCE, stage.push()).await?;
        stage.send_many(LARGE_PUSHES, &stage.push_of(LARGE_BYTES)).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

/// Connections that were needed, and are not any more.
fn idle(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        more_than_one_takes(stage, Options { idle_connection_ms: Some(IDLE_MS), ..Options::default() })
            .await?;
        stage.mark(IDLE);
        let left = |evidence: &Evidence| evidence.dials.iter().filter(|dial| dial.ended_at.is_none()).count();
        stage.until(PATIENCE, |evidence| left(evidence) <= 1).await?;
        stage.pass(2 * Duration::from_millis(IDLE_MS)).await?;
        stage.mark(OVER);
        Ok(())
    })
}

fn closes_the_idle(evidence: &Evidence) -> Result<(), Finding> {
    opens_more(evidence)?;
    let over = evidence.mark(OVER).unwrap_or_default();
    let left = evidence.dials.iter().filter(|dial| dial.ended_at.is_none_or(|at| at > over)).count();
    ensure(left == 1, "one connection that stays, and no other", || format!("{left} that stay"))?;
    let least = Duration::from_millis(IDLE_MS);
    for (place, connection) in evidence.connections.iter().enumerate() {
        let ended = connection.dial.and_then(|dial| evidence.dials[dial].ended_at).filter(|at| *at <= over);
        let used = connection.opened_streams().last().map(|opened| opened.at);
        let Some((ended, used)) = ended.zip(used) else { continue };
        let idle = ended.saturating_sub(used);
        ensure(
            idle + UNEVEN >= least,
            format!("a connection that is closed after {least:?} without a push"),
            || format!("one closed after {idle:?}"),
        )
        .map_err(|finding| finding.at(place, ended))?;
    }
    Ok(())
}

const IDLE: &str = "all is sent";
const OVER: &str = "nothing was to do";
/// Connections that it is told it may have.
const CONNECTIONS: usize = 3;
/// Ten streams at a time, these take a single connection six seconds.
const PUSHES: usize = 60;
/// Twice what a window of 65,535 bytes takes.
const LARGE_PUSHES: usize = 32;
const LARGE_BYTES: usize = 4000;
/// After how long a connection is closed that is not needed, in milliseconds.
const IDLE_MS: u64 = 1500;
/// How much sooner one may be closed here, because its last push was slow on its way.
const UNEVEN: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::evidence::{Connection, Dial, Side, made};

    /// Connections that had a push at the beginning, and were ended at these times.
    fn ended(at: &[Option<u64>]) -> Evidence {
        let mut evidence = Evidence::default();
        for (place, at) in at.iter().enumerate() {
            let ended_at = at.map(Duration::from_millis);
            let at = Duration::ZERO;
            evidence.dials.push(Dial { at, road: 0, hello: None, first_bytes: Vec::new(), ended_at });
            let said = [(Side::Provider, made::headers(1, &[], true))];
            evidence.connections.push(Connection { dial: Some(place), ..made::connection(said) });
        }
        evidence.marks.push((Duration::from_secs(9), OVER));
        evidence
    }

    #[test]
    fn what_is_idle_is_closed_in_its_time_and_one_stays() {
        let got = |at: &[Option<u64>]| match closes_the_idle(&ended(at)) {
            Ok(()) => "fine".to_owned(),
            Err(Finding::Wrong { got, .. }) => got,
            Err(other) => format!("{other:?}"),
        };
        assert_eq!(got(&[Some(1600), Some(9500), Some(1600)]), "fine", "the end of the play ends the one");
        assert_eq!(got(&[Some(1600), None, Some(1000)]), "one closed after 1s");
        assert_eq!(got(&[Some(1600), Some(1600)]), "0 that stay");
        assert_eq!(got(&[Some(1600), None, None]), "2 that stay");
    }
}
