//! GOAWAY, and no more streams: C-31 and C-32.

use std::time::Duration;

use super::{
    LATER_PUSHES, READ_BY, all_accepted, all_have_results, going_away, is_told_to_go, lines, no_stream_after,
    one_connection, told, warm_up,
};
use crate::provider::{
    evidence::{Evidence, GoingAway, Request},
    item::{Acting, Finding, Item, Play, ensure},
    protocol::{Event, Instruction, Options, Outcome},
    stage::{PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    let stops = Play::new("goaway-among-pushes", more_pushes_after_goaway, stops_at_goaway);
    let waits = Play::new("goaway-while-pushes-wait", goaway_while_pushes_wait, stops_soon);
    let drained = Play::new("answers-behind-goaway", answers_behind_goaway, waits_for_answers);
    let given_up = Play::new("no-answers-behind-goaway", no_answers_behind_goaway, closes_in_the_end);
    let finished = Play::new("told-to-finish", told_to_finish, finishes);
    vec![
        Item::new("C-31", vec![stops, waits]),
        Item::new("C-32", vec![drained, given_up.needing(&["deadline"]), finished.needing(&["drain"])]),
    ]
}

/// C-31: pushes on both sides of a GOAWAY whose connection stays open.
fn more_pushes_after_goaway(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(
            r#"{"name":"over","match":{"connection":1,"stream":10},"times":1,"action":{"goaway":{"reason":"Shutdown","then":"stay"}}}"#,
        )?;
        stage.configure(one_connection()).await?;
        warm_up(stage).await?;
        stage.send_numbered(20).await?;
        stage.until(PATIENCE, is_told_to_go).await?;
        stage.pass(READ_BY).await?;
        stage.mark(LATER);
        stage.send_numbered(LATER_PUSHES).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn stops_at_goaway(evidence: &Evidence) -> Result<(), Finding> {
    let going = going_away(evidence)?;
    let later = evidence.mark(LATER).unwrap_or_default();
    going.iter().try_for_each(|going| no_stream_after(evidence, going, later))?;
    let results = evidence.results();
    let of_later = evidence.sent.iter().filter(|(_, sent)| sent.at >= later);
    let mut lost =
        of_later.filter(|(id, _)| !results.get(id).is_some_and(|it| it.1.outcome == Outcome::Accepted));
    let Some((id, _)) = lost.next() else { return Ok(()) };
    let told = told(results.get(id).map(|it| it.1));
    Err(Finding::wrong("pushes after GOAWAY accepted elsewhere", format!("push {id}: {told}")))
}

/// C-31: pushes that wait for a stream when GOAWAY comes, because APNs does not know the provider yet; then it does.
fn goaway_while_pushes_wait(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(
            r#"{"name":"slow","match":{"connection":1,"stream":1},"times":1,"action":{"answer":{"delay":"2s"}}}"#,
        )?;
        stage.configure(one_connection()).await?;
        stage.send_numbered(5).await?;
        stage.until(PATIENCE, |evidence| !evidence.requests().is_empty()).await?;
        stage.fault(
            r#"{"name":"over","on":"clock","match":{"connection":1,"from":"100ms"},"times":1,"action":{"goaway":{"then":"stay"}}}"#,
        )?;
        stage.until(PATIENCE, is_told_to_go).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn stops_soon(evidence: &Evidence) -> Result<(), Finding> {
    for going in going_away(evidence)? {
        no_stream_after(evidence, &going, going.at + READ_BY)?;
    }
    all_accepted(evidence)
}

/// C-32: answers that come a second after GOAWAY.
fn answers_behind_goaway(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(
            r#"{"name":"over","match":{"connection":1,"stream":11},"times":1,"action":{"goaway":{"reason":"Shutdown","then":"stay"}}}"#,
        )?;
        stage.fault(
            r#"{"name":"slow","match":{"connection":1,"stream":{"from":2}},"action":{"answer":{"delay":"1s"}}}"#,
        )?;
        stage.configure(one_connection()).await?;
        warm_up(stage).await?;
        stage.send_numbered(10).await?;
        stage.results(PATIENCE).await?;
        stage.until(CLOSED_BY, has_closed).await?;
        stage.mark(WAITED);
        Ok(())
    })
}

fn waits_for_answers(evidence: &Evidence) -> Result<(), Finding> {
    let going = going_away(evidence)?;
    for attempts in evidence.attempts().values() {
        let Some(first) = attempts.iter().find(|it| is_answered_by(&going, it)) else { continue };
        let is_alone = attempts.len() == 1 && first.status() == Some(200);
        let got = || lines(attempts);
        ensure(is_alone, "what GOAWAY promises to answer waited for, and not sent again", got)
            .map_err(|finding| finding.at(first.connection, first.at))?;
    }
    all_accepted(evidence)?;
    ensure(
        was_closed(evidence),
        format!("the connection closed within {CLOSED_BY:?} of the last answer"),
        || "open".to_owned(),
    )
}

/// C-32: answers that GOAWAY promises and that never come.
fn no_answers_behind_goaway(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(
            r#"{"name":"over","match":{"connection":1,"stream":6},"times":1,"action":{"goaway":{"then":"stay"}}}"#,
        )?;
        stage
            .fault(r#"{"name":"lost","match":{"connection":1,"stream":{"from":2}},"action":"no-answer"}"#)?;
        let deadline_ms = Some(SHORT_DEADLINE_MS);
        stage.configure(Options { deadline_ms, ..one_connection() }).await?;
        warm_up(stage).await?;
        stage.send_numbered(5).await?;
        stage.results(PATIENCE).await?;
        stage.until(CLOSED_BY, has_closed).await?;
        stage.mark(WAITED);
        Ok(())
    })
}

fn closes_in_the_end(evidence: &Evidence) -> Result<(), Finding> {
    going_away(evidence)?;
    all_have_results(evidence)?;
    ensure(
        was_closed(evidence),
        format!("the connection closed within {CLOSED_BY:?} of the deadlines"),
        || "open".to_owned(),
    )
}

/// C-32: the provider itself is told to finish while answers are on their way.
fn told_to_finish(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(r#"{"name":"slow","match":{"stream":{"from":2}},"action":{"answer":{"delay":"1s"}}}"#)?;
        stage.configure(one_connection()).await?;
        warm_up(stage).await?;
        let before = stage.look(|evidence| evidence.requests().len());
        stage.send_numbered(10).await?;
        stage.until(PATIENCE, |evidence| evidence.requests().len() >= before + 10).await?;
        let drain = Instruction::Drain { within_ms: DRAIN_MS };
        stage.ask("drain", &drain, |event| matches!(event, Event::Drained { .. })).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn finishes(evidence: &Evidence) -> Result<(), Finding> {
    let drained = evidence.reported.iter().find(|it| matches!(it.event, Event::Drained { .. }));
    let in_time = drained.is_some_and(|it| it.event == Event::Drained { all: true });
    ensure(in_time, "what was in hand finished in time", || "`drained` with `all` false".to_owned())?;
    all_accepted(evidence)
}

fn is_answered_by(going: &[GoingAway], request: &Request) -> bool {
    going.iter().any(|it| it.connection == request.connection && request.stream <= it.last)
}

/// When the provider has closed the first connection that was told to go.
fn closed_at(evidence: &Evidence) -> Option<Duration> {
    let going = evidence.going_away().first()?.connection;
    evidence.dials[evidence.connections[going].dial?].ended_at
}

fn has_closed(evidence: &Evidence) -> bool {
    closed_at(evidence).is_some()
}

/// Whether it was closed while that was waited for.
fn was_closed(evidence: &Evidence) -> bool {
    closed_at(evidence).zip(evidence.mark(WAITED)).is_some_and(|(closed, waited)| closed <= waited)
}

/// From here on no stream may be opened on the connection that was told to go.
const LATER: &str = "later";
/// The end of the time within which a connection has to be closed.
const WAITED: &str = "waited";
/// How soon a connection on which nothing is left to wait for is closed.
const CLOSED_BY: Duration = Duration::from_secs(5);
/// Much longer than answers take to come.
const DRAIN_MS: u64 = 10_000;
/// A deadline that is waited for.
const SHORT_DEADLINE_MS: u64 = 2000;
