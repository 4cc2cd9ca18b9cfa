//! Odd but legal forms of answers: C-19.

use crate::provider::{
    evidence::{Evidence, What},
    item::{Acting, Finding, Item, Play, Stop, ensure},
    protocol::{Options, Outcome, Push, Report},
    stage::{PATIENCE, Stage},
};

pub(super) fn item() -> Item {
    let plays = vec![
        // Two or three CONTINUATION frames: some libraries take six small ones for an attack (CVE-2024-27316), and may.
        Play::new("continuation", |stage| odd(stage, r#"{"answer":{"field-block-bytes":50}}"#), reads_both),
        Play::new("padding", |stage| odd(stage, r#"{"answer":{"padding":20}}"#), reads_both),
        Play::new("unknown-frames", |stage| odd(stage, r#"{"frame":{"kind":"unknown-type"}}"#), reads_both),
        Play::new(
            "trailers",
            |stage| odd(stage, r#"{"answer":{"trailers":{"x-checksum":"1"}}}"#),
            reads_both,
        ),
        Play::new("interim-answers", |stage| odd(stage, r#"{"answer":{"interim":[100,103]}}"#), reads_both),
        Play::new("single-bytes", |stage| odd(stage, r#"{"answer":{"frame-bytes":1}}"#), reads_both),
        Play::new("bytes-that-take-turns", taking_turns, tells_them_apart),
    ];
    Item::new("C-19", plays)
}

/// A push that is accepted and one that is refused, both answered in this form. Interim answers are not in the words of the item, but in
/// the section of RFC 9113 that it rests on (8.1).
fn odd<'a>(stage: &'a mut Stage, form: &'static str) -> Acting<'a> {
    Box::pin(async move {
        stage.fault(&format!(r#"{{"name":"odd","action":{form}}}"#))?;
        stage.configure(Options { connections_max: Some(1), ..Options::default() }).await?;
        stage.send_and_wait(PATIENCE, stage.push()).await?;
        let nobodys = Push { device_token: "00".repeat(32), ..stage.push() };
        stage.send_and_wait(PATIENCE, nobodys).await?;
        Ok(())
    })
}

fn reads_both(evidence: &Evidence) -> Result<(), Finding> {
    takes_no_offence(evidence)?;
    let is_accepted = evidence.result(0).is_some_and(|report| report.outcome == Outcome::Accepted);
    ensure(is_accepted, "an accepted push", || evidence.told(0))?;
    is_refused(evidence, 1, "BadDeviceToken")
}

/// Three refusals whose bodies come at the same time, byte by byte.
fn taking_turns(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(Options { connections_max: Some(1), ..Options::default() }).await?;
        stage.send_and_wait(PATIENCE, stage.push()).await?;
        for reason in REASONS {
            drip(stage, reason)?;
        }
        for reason in REASONS {
            stage.send(Push { collapse_id: Some(reason.to_owned()), ..stage.push() }).await?;
        }
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn drip(stage: &mut Stage, reason: &str) -> Result<(), Stop> {
    stage.fault(&format!(
        r#"{{"name":"{reason}","match":{{"collapse-id":"{reason}"}},
            "action":{{"answer":{{"status":400,"reason":"{reason}","frame-bytes":1,"bytes-per-second":20}}}}}}"#
    ))
}

fn tells_them_apart(evidence: &Evidence) -> Result<(), Finding> {
    takes_no_offence(evidence)?;
    for (id, reason) in (1..).zip(REASONS) {
        is_refused(evidence, id, reason)?;
    }
    Ok(())
}

fn is_refused(evidence: &Evidence, id: u64, reason: &str) -> Result<(), Finding> {
    let is_it = |report: &Report| report.status == Some(400) && report.reason.as_deref() == Some(reason);
    ensure(evidence.result(id).is_some_and(is_it), format!("rejected 400 {reason}"), || evidence.told(id))
}

/// Neither a stream nor the connection was given up.
fn takes_no_offence(evidence: &Evidence) -> Result<(), Finding> {
    for (place, connection) in evidence.connections.iter().enumerate() {
        let gives_up = |what: &What| match what {
            What::Reset { .. } => true,
            What::GoAway { code, .. } => *code != NO_ERROR,
            _ => false,
        };
        if let Some(said) = connection.by_provider().find(|said| gives_up(&said.what)) {
            return Err(Finding::wrong("an answer that is read as any other", said.what.to_string())
                .at(place, said.at));
        }
    }
    Ok(())
}

const REASONS: [&str; 3] = ["BadTopic", "BadPriority", "TopicDisallowed"];
const NO_ERROR: u32 = 0;
