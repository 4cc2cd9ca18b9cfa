//! C-55 to C-57: bodies that are missing, in pieces, or not what anybody expects.

use std::time::Duration;

use serde_json::{Value, json};

use crate::provider::{
    evidence::Evidence,
    item::{Acting, Finding, Play, Stop, ensure},
    protocol::{Options, Outcome},
    stage::{PATIENCE, Stage},
};

pub(super) fn plays_without() -> Vec<Play> {
    vec![Play::new("no-body", no_body, status_is_told_at_once)]
}

pub(super) fn plays_in_pieces() -> Vec<Play> {
    vec![Play::new("a-byte-a-frame", a_byte_a_frame, reason_is_told)]
}

pub(super) fn plays_of_hostile_ones() -> Vec<Play> {
    vec![
        Play::new("no-json", no_json, status_is_told),
        Play::new("ten-megabytes", ten_megabytes, little_is_kept),
    ]
}

/// C-55: errors whose HEADERS end the stream.
const WITHOUT: [u16; 5] = [400, 404, 405, 410, 413];

fn no_body(stage: &mut Stage) -> Acting<'_> {
    Box::pin(refusals(stage, WITHOUT.map(|status| json!({"status": status, "body": "none"}))))
}

fn status_is_told_at_once(evidence: &Evidence) -> Result<(), Finding> {
    for ((id, attempts), status) in evidence.attempts().into_iter().zip(WITHOUT) {
        is_rejected(evidence, id, status)?;
        let answered_at = attempts.first().and_then(|it| it.answer.as_ref()).map(|it| it.at);
        let told_at = evidence.results().get(&id).map(|(at, _)| *at);
        let took =
            told_at.zip(answered_at).map_or(Duration::MAX, |(told, answered)| told.saturating_sub(answered));
        ensure(took <= AT_ONCE, format!("push {id} reported within {AT_ONCE:?} of its answer"), || {
            format!("after {took:.2?}")
        })?;
    }
    goes_on(evidence, WITHOUT.len() as u64)
}

/// C-56: each byte of a body in a frame of its own, and END_STREAM on an empty one.
const IN_PIECES: [(u16, &str); 4] =
    [(400, "BadTopic"), (404, "BadPath"), (410, "Unregistered"), (413, "PayloadTooLarge")];

fn a_byte_a_frame(stage: &mut Stage) -> Acting<'_> {
    let answer = |(status, reason): (u16, &str)| json!({"status": status, "reason": reason, "frame-bytes": 1, "ends": "empty-data"});
    Box::pin(refusals(stage, IN_PIECES.map(answer)))
}

fn reason_is_told(evidence: &Evidence) -> Result<(), Finding> {
    for (id, (status, reason)) in (0..).zip(IN_PIECES) {
        is_rejected(evidence, id, status)?;
        let told = evidence.result(id).and_then(|report| report.reason.as_deref());
        ensure(told == Some(reason), format!("push {id} rejected for {reason}"), || format!("{told:?}"))?;
    }
    goes_on(evidence, IN_PIECES.len() as u64)
}

/// C-57: bodies that are no JSON, no text, or JSON in gzip.
fn no_json(stage: &mut Stage) -> Acting<'_> {
    let bodies = [
        json!({"body": {"text": "<!DOCTYPE html><html><body><h1>Bad Request</h1></body></html>"}}),
        json!({"body": {"text": r#"{"reason":["BadTopic"]}"#}}),
        json!({"body": {"text": r#"["BadTopic"]"#}}),
        json!({"body": {"text": "{\"reason\":\"Bad"}}),
        json!({"body": {"base64": NO_UTF8}}),
        json!({"body": {"base64": GZIP}, "headers": {"content-encoding": "gzip"}}),
    ];
    Box::pin(refusals(stage, bodies.map(bad_request)))
}

fn bad_request(mut answer: Value) -> Value {
    answer["status"] = BAD_REQUEST.into();
    answer
}

fn status_is_told(evidence: &Evidence) -> Result<(), Finding> {
    let last = evidence.sent.len() as u64 - 1;
    for id in 0..last {
        is_rejected(evidence, id, BAD_REQUEST)?;
    }
    goes_on(evidence, last)
}

/// C-57: bodies that are as long as nobody wants to keep, several at once, between two good pushes.
fn ten_megabytes(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let tokens = stage.device_tokens(LONG_BODIES)?;
        stage.configure(Options { attempts_max: Some(1), ..Options::default() }).await?;
        stage.send(stage.push()).await?;
        stage.results(PATIENCE).await?;
        stage.note_memory()?;
        for token in &tokens {
            stage.answer_to(token, None, &bad_request(json!({"body": {"bytes": LONG_BYTES}})))?;
            stage.send(stage.push_to(token)).await?;
        }
        stage.results(PATIENCE * 2).await?;
        stage.note_memory()?;
        stage.send(stage.push()).await?;
        stage.results(PATIENCE).await?;
        stage.mark(DONE);
        Ok(())
    })
}

fn little_is_kept(evidence: &Evidence) -> Result<(), Finding> {
    let last = 1 + LONG_BODIES as u64;
    for id in 1..last {
        is_rejected(evidence, id, BAD_REQUEST)?;
    }
    goes_on(evidence, last)?;
    let [before, after] = evidence.memory[..] else { return Ok(()) }; // this system does not say
    let (grown, most) = (after.saturating_sub(before), LONG_BYTES * LONG_BODIES as u64 / 2);
    ensure(
        grown <= most,
        format!("{LONG_BODIES} bodies of 10 MB not kept: {} MB more memory at most", most / MEGABYTE),
        || format!("{} MB more", grown / MEGABYTE),
    )
}

/// Each of these answers, one after the other, to a push of its own; then a good push, the last one.
async fn refusals<const N: usize>(stage: &mut Stage, answers: [Value; N]) -> Result<(), Stop> {
    let tokens = stage.device_tokens(N)?;
    stage.configure(Options { attempts_max: Some(1), ..Options::default() }).await?;
    for (answer, token) in answers.iter().zip(&tokens) {
        stage.answer_to(token, None, answer)?;
        stage.send(stage.push_to(token)).await?;
        stage.results(PATIENCE).await?;
    }
    stage.send(stage.push()).await?;
    stage.results(PATIENCE).await?;
    stage.mark(DONE);
    Ok(())
}

fn is_rejected(evidence: &Evidence, id: u64, status: u16) -> Result<(), Finding> {
    let told = evidence.result(id).map(|report| (report.outcome, report.status));
    ensure(
        told == Some((Outcome::Rejected, Some(status))),
        format!("push {id} rejected with {status}"),
        || format!("{told:?}"),
    )
}

/// The last push, behind those that were refused, is accepted, and no connection was given up.
fn goes_on(evidence: &Evidence, last: u64) -> Result<(), Finding> {
    let done = evidence.mark(DONE).unwrap_or(Duration::MAX);
    for (number, connection) in evidence.connections.iter().enumerate() {
        let ended = connection.dial.and_then(|dial| evidence.dials.get(dial)?.ended_at);
        if let Some(at) = ended.filter(|at| *at < done) {
            return Err(Finding::wrong("a connection that goes on", "the provider ended it").at(number, at));
        }
    }
    let outcome = evidence.result(last).map(|report| report.outcome);
    ensure(outcome == Some(Outcome::Accepted), "the push behind them accepted", || format!("{outcome:?}"))
}

const DONE: &str = "all have a result";
/// The answer is whole: there is nothing to wait for. A second, and one for other plays on the machine.
const AT_ONCE: Duration = Duration::from_secs(2);
const BAD_REQUEST: u16 = 400;
/// `{"reason":"\xff\xfe"}`.
const NO_UTF8: &str = "eyJyZWFzb24iOiL//iJ9";
/// `{"reason":"BadTopic"}`.
const GZIP: &str = "H4sIAAAAAAACA6tWKkpNLM7PU7JSckpMCckvyExWqgUAHjconxUAAAA=";
const LONG_BYTES: u64 = 10_000_000;
const LONG_BODIES: usize = 4;
const MEGABYTE: u64 = 1_000_000;
