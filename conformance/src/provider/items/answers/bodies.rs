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
    are_rejected(evidence, WITHOUT)?;
    let (results, attempts) = (evidence.results(), evidence.attempts());
    for id in 1..=WITHOUT.len() as u64 {
        let answered_at =
            attempts.get(&id).and_then(|it| it.first()).and_then(|it| it.answer.as_ref()).map(|it| it.at);
        let told_at = results.get(&id).map(|(at, _)| *at);
        let took = told_at.zip(answered_at).map_or(Duration::MAX, |(told, at)| told.saturating_sub(at));
        let expected = format!("push {id} reported within {AT_ONCE:?} of its answer");
        ensure(took <= AT_ONCE, expected, || format!("after {took:.2?}"))?;
    }
    Ok(())
}

/// C-56: each byte of a body in a frame of its own, and END_STREAM on an empty one.
const IN_PIECES: [(u16, &str); 4] =
    [(400, "BadTopic"), (404, "BadPath"), (410, "Unregistered"), (413, "PayloadTooLarge")];

fn a_byte_a_frame(stage: &mut Stage) -> Acting<'_> {
    let answers = IN_PIECES.map(|(status, reason)| {
        json!({"status": status, "reason": reason, "frame-bytes": 1, "ends": "empty-data"})
    });
    Box::pin(refusals(stage, answers))
}

fn reason_is_told(evidence: &Evidence) -> Result<(), Finding> {
    are_rejected(evidence, IN_PIECES.map(|(status, _)| status))?;
    for (id, (_, reason)) in (1..).zip(IN_PIECES) {
        let told = evidence.result(id).and_then(|report| report.reason.as_deref());
        ensure(told == Some(reason), format!("push {id} rejected for {reason}"), || evidence.told(id))?;
    }
    Ok(())
}

/// C-57: bodies that are HTML, no text, or JSON in gzip.
fn no_json(stage: &mut Stage) -> Acting<'_> {
    let bodies = [
        json!({"body": {"text": "<!DOCTYPE html><html><body><h1>Bad Request</h1></body></html>"}}),
        json!({"body": {"base64": NO_UTF8}}),
        json!({"body": {"base64": GZIP}, "headers": {"content-encoding": "gzip"}}),
    ];
    Box::pin(refusals(stage, bodies.map(bad_request)))
}

/// C-57: bodies that are as long as nobody wants to keep.
fn ten_megabytes(stage: &mut Stage) -> Acting<'_> {
    let answer = bad_request(json!({"body": {"bytes": LONG_BYTES}}));
    Box::pin(refusals(stage, [(); LONG_BODIES].map(|()| answer.clone())))
}

fn bad_request(mut answer: Value) -> Value {
    answer["status"] = BAD_REQUEST.into();
    answer
}

fn status_is_told(evidence: &Evidence) -> Result<(), Finding> {
    let refused = evidence.sent.len().saturating_sub(2);
    are_rejected(evidence, vec![BAD_REQUEST; refused])
}

fn little_is_kept(evidence: &Evidence) -> Result<(), Finding> {
    status_is_told(evidence)?;
    let [before, after] = evidence.memory[..] else { return Ok(()) }; // this system does not say
    let (grown, most) = (after.saturating_sub(before), LONG_BYTES * LONG_BODIES as u64 / 2);
    ensure(
        grown <= most,
        format!("{LONG_BODIES} bodies of 10 MB not kept: {} MB more memory at most", most / MEGABYTE),
        || format!("{} MB more", grown / MEGABYTE),
    )
}

/// A good push; then each of these answers to a push of its own, at once; then a good push again.
async fn refusals<const N: usize>(stage: &mut Stage, answers: [Value; N]) -> Result<(), Stop> {
    let tokens = stage.device_tokens(N)?;
    stage.configure(Options { attempts_max: Some(1), ..Options::default() }).await?;
    stage.send(stage.push()).await?;
    stage.results(PATIENCE).await?;
    stage.note_memory()?;
    for (answer, token) in answers.iter().zip(&tokens) {
        stage.answer_to(token, None, answer)?;
        stage.send(stage.push_to(token)).await?;
    }
    stage.results(PATIENCE * 2).await?;
    stage.note_memory()?;
    stage.send(stage.push()).await?;
    stage.results(PATIENCE).await?;
    stage.mark(DONE);
    Ok(())
}

/// Each is rejected with its status, the push behind them is accepted, and no connection was given up.
fn are_rejected(evidence: &Evidence, statuses: impl IntoIterator<Item = u16>) -> Result<(), Finding> {
    let mut id = 0;
    for status in statuses {
        id += 1; // the good push has 0
        let expected = format!("push {id} rejected with {status}");
        ensure(evidence.is_rejected(id, status), expected, || evidence.told(id))?;
    }
    let done = evidence.mark(DONE).unwrap_or(Duration::MAX);
    for (number, connection) in evidence.connections.iter().enumerate() {
        let ended = connection.dial.and_then(|dial| evidence.dials.get(dial)?.ended_at);
        if let Some(at) = ended.filter(|at| *at < done) {
            return Err(Finding::wrong("a connection that goes on", "the provider ended it").at(number, at));
        }
    }
    let outcome = evidence.result(id + 1).map(|report| report.outcome);
    ensure(outcome == Some(Outcome::Accepted), "the push behind them accepted", || evidence.told(id + 1))
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
