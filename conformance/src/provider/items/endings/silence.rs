//! Silence: C-38 and C-39.

use std::time::Duration;

use super::{all_have_results, looking, one_connection, told, warm_up};
use crate::provider::{
    evidence::{Evidence, Side, What},
    item::{Acting, Finding, Item, Play, ensure},
    protocol::{Options, Outcome},
    stage::{PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    let asked = Play::new("idle", idle_connection, is_asked_now_and_then);
    let loaded = Play::new("black-hole-under-load", black_hole_under_load, goes_elsewhere);
    let idle = Play::new("black-hole-when-idle", black_hole_when_idle, finds_out_by_itself);
    let deaf = Play::new("pings-unanswered", pings_unanswered, finds_out_by_itself);
    vec![
        Item::new("C-38", vec![asked.needing(&["idle-ping"])]),
        Item::new("C-39", vec![loaded, idle.needing(&["idle-ping"]), deaf.needing(&["idle-ping"])]),
    ]
}

/// C-38: one push, and then nothing.
fn idle_connection(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(idle_options()).await?;
        warm_up(stage).await?;
        if stage.until(PING_BY, |evidence| !pings(evidence).is_empty()).await? {
            stage.pass(PINGS_WATCHED).await?;
        }
        Ok(())
    })
}

fn is_asked_now_and_then(evidence: &Evidence) -> Result<(), Finding> {
    let pings = pings(evidence);
    ensure(!pings.is_empty(), format!("a PING on an idle connection within {PING_BY:?}"), || {
        "none".to_owned()
    })?;
    let too_soon = pings
        .windows(2)
        .find(|pair| pair[0].0 == pair[1].0 && pair[1].1.saturating_sub(pair[0].1) < APART_MIN);
    let Some([(connection, first), (_, second)]) = too_soon else { return Ok(()) };
    let expected = format!("PINGs as far apart as was asked for, {IDLE_PING_MS} ms, or further");
    Err(Finding::wrong(expected, format!("two within {:?}", second.saturating_sub(*first)))
        .at(*connection, *second))
}

/// C-39: packets vanish while pushes are under way and go on coming. A new connection would be fine.
fn black_hole_under_load(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let silence_ms = Some(1000);
        let deadline_ms = Some(BLACK_HOLE_DEADLINE.as_secs() * 1000);
        stage.configure(Options { deadline_ms, silence_ms, ..idle_options() }).await?;
        warm_up(stage).await?;
        stage.roads[0].swallow_those_there();
        stage.mark(if stage.can("deadline") { SWALLOWED_WITH_DEADLINE } else { SWALLOWED });
        for _ in 0..GIVEN_UP_BY.as_secs() {
            stage.send_numbered(1).await?;
            if stage.until(Duration::from_secs(1), |evidence| evidence.connections.len() > 1).await? {
                break;
            }
        }
        stage.send_numbered(3).await?;
        stage.results(RESULTS_BY).await?;
        Ok(())
    })
}

fn goes_elsewhere(evidence: &Evidence) -> Result<(), Finding> {
    let with_deadline = evidence.mark(SWALLOWED_WITH_DEADLINE);
    let swallowed = with_deadline.or_else(|| evidence.mark(SWALLOWED)).unwrap_or_default();
    let another = evidence.connections.get(1).map(|it| it.opened_at.saturating_sub(swallowed));
    let expected = format!("another connection within {GIVEN_UP_BY:?}");
    ensure(another.is_some_and(|after| after <= GIVEN_UP_BY), expected, || {
        another.map_or_else(|| "none".to_owned(), |after| format!("after {after:.1?}"))
    })?;
    all_have_results(evidence)?;
    let results = evidence.results();
    if with_deadline.is_some() {
        for (id, (at, _)) in &results {
            let took = at.saturating_sub(evidence.sent[id].at);
            if took > BLACK_HOLE_DEADLINE + LATE_MAX {
                let expected = format!("results within the deadline, {BLACK_HOLE_DEADLINE:?}");
                return Err(looking(evidence, *id, expected, format!("push {id} after {took:.1?}")));
            }
        }
    }
    let last = results.last_key_value();
    let is_accepted = last.is_some_and(|(_, (_, report))| report.outcome == Outcome::Accepted);
    ensure(is_accepted, "pushes accepted over another connection", || told(last.map(|it| it.1.1)))
}

/// C-39: packets vanish while nothing is under way.
fn black_hole_when_idle(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(idle_options()).await?;
        warm_up(stage).await?;
        stage.roads[0].swallow_those_there();
        stage.until(GIVEN_UP_BY, first_has_ended).await?;
        stage.mark(WAITED);
        stage.send_numbered(1).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

/// C-39: PINGs on an idle connection are not answered.
fn pings_unanswered(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage
            .fault(r#"{"name":"deaf","on":"connection","match":{"connection":1},"action":"ignore-pings"}"#)?;
        stage.configure(idle_options()).await?;
        warm_up(stage).await?;
        stage.until(GIVEN_UP_BY, first_has_ended).await?;
        stage.mark(WAITED);
        stage.send_numbered(1).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn finds_out_by_itself(evidence: &Evidence) -> Result<(), Finding> {
    let expected = format!("the connection given up within {GIVEN_UP_BY:?}, as no PING is answered");
    let ended = evidence.dials.first().and_then(|dial| dial.ended_at).zip(evidence.mark(WAITED));
    ensure(ended.is_some_and(|(ended, waited)| ended <= waited), expected, || "it was kept".to_owned())?;
    super::all_accepted(evidence)
}

/// An idle connection is asked soon, where that can be told.
fn idle_options() -> Options {
    Options { idle_ping_ms: Some(IDLE_PING_MS), ..one_connection() }
}

fn first_has_ended(evidence: &Evidence) -> bool {
    evidence.dials.first().is_some_and(|dial| dial.ended_at.is_some())
}

/// The provider's PINGs: on which connection, and when.
fn pings(evidence: &Evidence) -> Vec<(usize, Duration)> {
    let asked = evidence
        .said()
        .filter(|(_, said)| said.side == Side::Provider && said.what == What::Ping { ack: false });
    asked.map(|(connection, said)| (connection, said.at)).collect()
}

/// How long a connection may be idle before it is asked.
const IDLE_PING_MS: u64 = 2000;
/// Who never asks more often than once a minute may take that long.
const PING_BY: Duration = Duration::from_secs(70);
/// How long it is looked for more PINGs after the first.
const PINGS_WATCHED: Duration = Duration::from_secs(7);
/// The least time between two PINGs, when they were asked for each two seconds: less what a busy machine makes of it.
const APART_MIN: Duration = Duration::from_millis(1500);
/// The end of the time within which a connection has to be given up.
const WAITED: &str = "waited";
const SWALLOWED: &str = "swallowed";
const SWALLOWED_WITH_DEADLINE: &str = "swallowed, and the adapter knows a deadline";
const BLACK_HOLE_DEADLINE: Duration = Duration::from_secs(8);
/// What a result may be late on a busy machine.
const LATE_MAX: Duration = Duration::from_secs(2);
/// How long a connection that nobody answers on may be kept: an idle time, a PING and its answer, or twice the time for an answer, with
/// any values that were asked for or are usual.
const GIVEN_UP_BY: Duration = Duration::from_secs(40);
/// How long a provider may take to tell what became of pushes if it cannot be told a deadline.
const RESULTS_BY: Duration = Duration::from_mins(1);
