//! RST_STREAM: C-37.

use std::time::Duration;

use super::{all_accepted, all_have_results, lines, looking, one_connection, told, warm_up};
use crate::provider::{
    evidence::{Evidence, Side, What},
    item::{Acting, Finding, Item, Play, ensure},
    protocol::{Ambiguous, Options, Outcome},
    stage::{PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    let refused = Play::new("refused-once", refused_once, opened_again_once);
    let always = Play::new("refused-for-ever", refused_for_ever, gives_up);
    let another = Play::new("another-code", another_code, is_ambiguous);
    let calm = Play::new("calm", be_calm, slows_down);
    let calm_goaway = Play::new("calm-in-goaway", be_calm_in_goaway, slows_down);
    let calm_everywhere = Play::new("calm-everywhere", be_calm_everywhere, slows_down_everywhere);
    let calm_everywhere = calm_everywhere.needing(&["connections-max"]);
    vec![Item::new("C-37", vec![refused, always, another, calm, calm_goaway, calm_everywhere])]
}

/// Three of ten pushes are refused, each once.
fn refused_once(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(one_connection()).await?;
        warm_up(stage).await?;
        for number in 0..10 {
            let push = stage.numbered(0);
            if let (1 | 4 | 7, Some(apns_id)) = (number, &push.apns_id) {
                stage.fault(&refusal("REFUSED_STREAM", apns_id, 1))?;
            }
            stage.send(push).await?;
        }
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn opened_again_once(evidence: &Evidence) -> Result<(), Finding> {
    for (id, attempts) in evidence.attempts() {
        let due = if attempts.first().is_some_and(|it| it.refused.is_some()) { 2 } else { 1 };
        if attempts.len() != due {
            let (expected, got) = (format!("push {id} on the wire {due} times"), lines(&attempts));
            return Err(looking(evidence, id, expected, got));
        }
    }
    all_accepted(evidence)
}

/// A push that is refused each time.
fn refused_for_ever(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(Options { deadline_ms: Some(5000), ..one_connection() }).await?;
        warm_up(stage).await?;
        let push = stage.numbered(0);
        let apns_id = push.apns_id.clone().unwrap_or_default();
        stage.fault(&refusal("REFUSED_STREAM", &apns_id, FOR_EVER))?;
        stage.send(push).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn gives_up(evidence: &Evidence) -> Result<(), Finding> {
    all_have_results(evidence)?;
    let attempts = evidence.attempts().into_values().map(|attempts| attempts.len()).max().unwrap_or_default();
    let expected = format!("a push that is refused each time sent {ATTEMPTS_MAX} times at most");
    ensure(attempts <= ATTEMPTS_MAX, expected, || attempts.to_string())
}

/// A stream that ends with a code that says nothing of whether the push was processed. It was.
fn another_code(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(Options { ambiguous: Some(Ambiguous::Report), ..one_connection() }).await?;
        warm_up(stage).await?;
        let push = stage.numbered(0);
        let apns_id = push.apns_id.clone().unwrap_or_default();
        stage.fault(&refusal("INTERNAL_ERROR", &apns_id, 1))?;
        stage.send(push).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn is_ambiguous(evidence: &Evidence) -> Result<(), Finding> {
    let (Some((id, attempts)), results) = (evidence.attempts().pop_last(), evidence.results()) else {
        return Err(Finding::wrong("a push", "none"));
    };
    let report = results.get(&id).map(|it| it.1);
    let is_true = match report.map(|it| it.outcome) {
        Some(Outcome::Ambiguous) => true,
        Some(Outcome::Accepted) => attempts.iter().any(|it| it.status() == Some(200)), // sent again, as its policy is
        _ => false,
    };
    if is_true {
        return Ok(());
    }
    let expected = "a push reported as ambiguous, or sent again, when its stream ends with INTERNAL_ERROR";
    Err(looking(evidence, id, expected.to_owned(), told(report)))
}

/// Twice a stream ends with ENHANCE_YOUR_CALM, and pushes are there to be sent.
fn be_calm(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(one_connection()).await?;
        warm_up(stage).await?;
        for round in 1..=2 {
            let push = stage.numbered(0);
            let apns_id = push.apns_id.clone().unwrap_or_default();
            stage.fault(&refusal("ENHANCE_YOUR_CALM", &apns_id, 1))?;
            stage.send(push).await?;
            stage.until(PATIENCE, |evidence| calls_for_calm(evidence).len() >= round).await?;
            stage.pass(READ_BY).await?;
            stage.send_numbered(5).await?;
            stage.results(PATIENCE).await?;
        }
        Ok(())
    })
}

/// A connection ends with ENHANCE_YOUR_CALM.
fn be_calm_in_goaway(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(
            r#"{"name":"calm","match":{"connection":1,"stream":2},"times":1,
                "action":{"goaway":{"code":"ENHANCE_YOUR_CALM","last-stream":"before"}}}"#,
        )?;
        stage.configure(one_connection()).await?;
        warm_up(stage).await?;
        stage.send_numbered(1).await?;
        stage.until(PATIENCE, |evidence| !calls_for_calm(evidence).is_empty()).await?;
        stage.pass(READ_BY).await?;
        stage.send_numbered(5).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

/// A stream of one of two connections ends with ENHANCE_YOUR_CALM. The second was opened because the first had no stream to spare.
fn be_calm_everywhere(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(r#"{"name":"slow","match":{"connection":1,"stream":{"from":2}},"action":{"answer":{"delay":"300ms"}}}"#)?;
        stage.configure(Options { connections_max: Some(2), ..one_connection() }).await?;
        warm_up(stage).await?;
        stage.fault(
            r#"{"name":"few","on":"clock","match":{"connection":1,"from":"1ms"},"times":1,"action":{"settings":{"max-concurrent-streams":2}}}"#,
        )?;
        stage.pass(READ_BY).await?;
        stage.send_numbered(40).await?;
        stage.results(PATIENCE).await?;
        let push = stage.numbered(0);
        let apns_id = push.apns_id.clone().unwrap_or_default();
        stage.fault(&refusal("ENHANCE_YOUR_CALM", &apns_id, 1))?;
        stage.send(push).await?;
        stage.until(PATIENCE, |evidence| !calls_for_calm(evidence).is_empty()).await?;
        stage.pass(READ_BY).await?;
        stage.send_numbered(5).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn slows_down_everywhere(evidence: &Evidence) -> Result<(), Finding> {
    if evidence.requests().iter().all(|request| request.connection == 0) {
        return Err(Finding::NotApplicable("it sends on one connection, however busy that is".to_owned()));
    }
    slows_down(evidence)
}

fn slows_down(evidence: &Evidence) -> Result<(), Finding> {
    let calls = calls_for_calm(evidence);
    ensure(!calls.is_empty(), "ENHANCE_YOUR_CALM to heed", || "no push came so far".to_owned())?;
    let requests = evidence.requests();
    for (connection, at) in calls {
        let next = requests.iter().find(|request| request.at > at);
        let Some(next) = next.filter(|next| next.at < at + CALM_MIN) else { continue };
        let expected = format!("no push on any connection for {CALM_MIN:?} after ENHANCE_YOUR_CALM");
        let got = format!("one after {:?}", next.at.saturating_sub(at));
        return Err(Finding::wrong(expected, got).at(connection, at));
    }
    all_have_results(evidence)
}

/// When the double has asked for calm, and on which connection.
fn calls_for_calm(evidence: &Evidence) -> Vec<(usize, Duration)> {
    let said = evidence.said().filter(|(_, said)| said.side == Side::Double);
    said.filter(|(_, said)| match said.what {
        What::Reset { code, .. } | What::GoAway { code, .. } => code == ENHANCE_YOUR_CALM,
        _ => false,
    })
    .map(|(connection, said)| (connection, said.at))
    .collect()
}

/// A fault for one push: its stream ends so, so often at most.
fn refusal(code: &str, apns_id: &str, times: u32) -> String {
    format!(
        r#"{{"name":"{code}-{apns_id}","match":{{"apns-id":"{apns_id}"}},"times":{times},"action":{{"reset-stream":{{"code":"{code}"}}}}}}"#
    )
}

/// More than any provider tries.
const FOR_EVER: u32 = 10_000;
/// The attempts of a push that nobody would call endless.
const ATTEMPTS_MAX: usize = 10;
/// The error code (RFC 9113, 7).
const ENHANCE_YOUR_CALM: u32 = 0xb;
/// After so long a provider has read it, and what is sent then is sent in spite of it.
const READ_BY: Duration = Duration::from_millis(100);
/// The least that can be called slower.
const CALM_MIN: Duration = Duration::from_millis(400);
