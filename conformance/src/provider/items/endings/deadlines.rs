//! No answer: C-42 and C-43.

use std::time::Duration;

use super::{all_have_results, looking, one_connection, told, warm_up};
use crate::provider::{
    evidence::{Evidence, Request, Side, What},
    item::{Acting, Finding, Item, Play, ensure},
    protocol::{Options, Outcome},
    stage::{MOMENT, PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    let one = Play::new("no-answer", no_answer, ends_in_time);
    let many = Play::new("no-answers", no_answers, resets_a_few);
    vec![Item::new("C-42", vec![one]), Item::new("C-43", vec![many.needing(&["deadline"])])]
}

/// C-42: one of three pushes is never answered, however often it is sent.
fn no_answer(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(Options { deadline_ms: Some(DEADLINE.as_secs() * 1000), ..one_connection() }).await?;
        warm_up(stage).await?;
        let unanswered = stage.numbered(0);
        let apns_id = unanswered.apns_id.clone().unwrap_or_default();
        stage
            .fault(&format!(r#"{{"name":"lost","match":{{"apns-id":"{apns_id}"}},"action":"no-answer"}}"#))?;
        stage.mark(if stage.can("deadline") { TOLD } else { UNTOLD });
        stage.send(unanswered).await?;
        stage.send_numbered(2).await?;
        stage.results(OWN_DEADLINE_MAX).await?;
        stage.pass(MOMENT).await?; // a second reset would follow
        Ok(())
    })
}

fn ends_in_time(evidence: &Evidence) -> Result<(), Finding> {
    all_have_results(evidence)?;
    let (results, attempts) = (evidence.results(), evidence.attempts());
    let is_unanswered = |attempts: &[Request]| attempts.first().is_some_and(|it| it.answer.is_none());
    let Some((&id, attempts)) = attempts.iter().find(|it| is_unanswered(it.1)) else {
        return Err(Finding::wrong("a push that is not answered", "none came so far"));
    };
    let (at, report) = results[&id];
    let most = if evidence.mark(TOLD).is_some() { DEADLINE } else { OWN_DEADLINE_MAX };
    let took = at.saturating_sub(evidence.sent[&id].at);
    if took > most + LATE_MAX {
        return Err(looking(evidence, id, format!("a result within {most:?}"), format!("after {took:.1?}")));
    }
    if report.outcome != Outcome::Ambiguous {
        let expected = "a push that was not answered reported as ambiguous".to_owned();
        return Err(looking(evidence, id, expected, told(Some(report))));
    }
    attempts.iter().try_for_each(|attempt| is_cancelled_once(evidence, attempt))
}

/// The stream of a request that was not answered was reset once, with CANCEL.
fn is_cancelled_once(evidence: &Evidence, request: &Request) -> Result<(), Finding> {
    let resets = resets(evidence, request.connection);
    let codes: Vec<u32> = resets.iter().filter(|it| it.0 == request.stream).map(|it| it.1).collect();
    let got = || match &codes[..] {
        [] => "no reset".to_owned(),
        codes => codes.iter().map(|code| crate::code_name(*code)).collect::<Vec<_>>().join(", "),
    };
    ensure(codes == [CANCEL], format!("stream {} reset once, with CANCEL", request.stream), got)
        .map_err(|finding| finding.at(request.connection, request.at))
}

/// C-43: a connection answers nothing any more.
fn no_answers(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage
            .fault(r#"{"name":"lost","match":{"connection":1,"stream":{"from":2}},"action":"no-answer"}"#)?;
        stage.configure(Options { deadline_ms: Some(DEADLINE.as_secs() * 1000), ..one_connection() }).await?;
        warm_up(stage).await?;
        stage.send_numbered(UNANSWERED).await?;
        stage.results(PATIENCE).await?;
        stage.mark(LATER);
        stage.send_numbered(3).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn resets_a_few(evidence: &Evidence) -> Result<(), Finding> {
    all_have_results(evidence)?;
    for connection in 0..evidence.connections.len() {
        let resets = resets(evidence, connection).len();
        let expected = format!("at most {RESETS_MAX} resets on a connection after {UNANSWERED} timeouts");
        ensure(resets <= RESETS_MAX, expected, || resets.to_string())?;
    }
    let (later, results) = (evidence.mark(LATER).unwrap_or_default(), evidence.results());
    let of_later = evidence.sent.iter().filter(|(_, sent)| sent.at >= later);
    let mut lost = of_later.filter(|(id, _)| results[id].1.outcome != Outcome::Accepted);
    let Some((id, _)) = lost.next() else { return Ok(()) };
    let expected = "the connection left that answers nothing, and pushes accepted on another".to_owned();
    Err(looking(evidence, *id, expected, format!("push {id}: {}", told(Some(results[id].1)))))
}

/// The streams that the provider has reset, and with which codes.
fn resets(evidence: &Evidence, connection: usize) -> Vec<(u32, u32)> {
    let said = evidence.connections[connection].said.iter().filter(|said| said.side == Side::Provider);
    said.filter_map(|said| match said.what {
        What::Reset { stream, code } => Some((stream, code)),
        _ => None,
    })
    .collect()
}

const TOLD: &str = "the adapter knows a deadline";
const UNTOLD: &str = "the adapter has a deadline of its own";
const DEADLINE: Duration = Duration::from_secs(2);
/// The longest deadline that a provider may have by itself.
const OWN_DEADLINE_MAX: Duration = Duration::from_mins(1);
/// What a result may be late on a busy machine.
const LATE_MAX: Duration = Duration::from_secs(2);
const UNANSWERED: usize = 1000;
/// More than a few; servers that look for rapid resets begin to count at a hundred and more.
const RESETS_MAX: usize = 100;
const LATER: &str = "later";
/// The error code (RFC 9113, 7).
const CANCEL: u32 = 8;
