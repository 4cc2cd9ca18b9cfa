//! One push, several attempts: C-45 and C-46.

use super::{all_have_results, lines, looking, one_connection, told, warm_up};
use crate::provider::{
    evidence::{Evidence, Request},
    item::{Acting, Finding, Item, Play, ensure},
    protocol::{Ambiguous, Options, Outcome, Push},
    stage::{PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    let made = Play::new("none-given", no_apns_id, has_one_apns_id);
    let given = Play::new("given", given_apns_id, has_one_apns_id);
    let lost = Play::new("lost-answers", lost_answers, has_one_apns_id);
    let once_lost =
        Play::new("at-most-once-lost", |stage| lost_connection(stage, Ambiguous::Report), is_reported);
    let once_reset =
        Play::new("at-most-once-reset", |stage| reset_stream(stage, Ambiguous::Report), is_reported);
    let again_lost =
        Play::new("at-least-once-lost", |stage| lost_connection(stage, Ambiguous::SendAgain), is_sent_again);
    let again_reset =
        Play::new("at-least-once-reset", |stage| reset_stream(stage, Ambiguous::SendAgain), is_sent_again);
    let by_policy = [once_lost, once_reset, again_lost, again_reset].map(|play| play.needing(&["ambiguous"]));
    vec![Item::new("C-45", vec![made, given, lost]), Item::new("C-46", by_policy.into())]
}

/// C-45: pushes without an apns-id; the first attempts get 503.
fn no_apns_id(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(one_connection()).await?;
        warm_up(stage).await?;
        stage.fault(&busy(FEW_PUSHES))?;
        for _ in 0..FEW_PUSHES {
            stage.send(Push { apns_id: None, ..stage.numbered(0) }).await?;
        }
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

/// C-45: pushes with an apns-id; the first attempts get 503.
fn given_apns_id(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(one_connection()).await?;
        warm_up(stage).await?;
        stage.fault(&busy(FEW_PUSHES))?;
        stage.send_numbered(FEW_PUSHES).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

/// C-45: pushes without an apns-id, whose connection ends before they are answered.
fn lost_answers(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(&format!(
            r#"{{"name":"lost","match":{{"connection":1,"stream":{}}},"times":1,"action":{{"close":{{"takes-effect":true}}}}}}"#,
            1 + FEW_PUSHES
        ))?;
        stage
            .fault(r#"{"name":"slow","match":{"connection":1,"stream":{"from":2}},"action":"no-answer"}"#)?;
        let ambiguous = Some(Ambiguous::SendAgain);
        stage.configure(Options { ambiguous, ..one_connection() }).await?;
        warm_up(stage).await?;
        for _ in 0..FEW_PUSHES {
            stage.send(Push { apns_id: None, ..stage.numbered(0) }).await?;
        }
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn has_one_apns_id(evidence: &Evidence) -> Result<(), Finding> {
    all_have_results(evidence)?;
    let results = evidence.results();
    for (id, attempts) in evidence.attempts() {
        let sent = evidence.sent[&id].apns_id.as_deref();
        let report = results[&id].1;
        if let Err(Finding::Wrong { expected, got, .. }) =
            one_apns_id(sent, &attempts, report.apns_id.as_deref())
        {
            return Err(looking(evidence, id, expected, format!("push {id}: {got}")));
        }
    }
    Ok(())
}

/// All attempts of a push have the same apns-id, the one that was given if there was one, and it is the one that was reported.
fn one_apns_id(given: Option<&str>, attempts: &[Request], reported: Option<&str>) -> Result<(), Finding> {
    let ids: Vec<&str> = attempts.iter().map(|it| it.field("apns-id").unwrap_or("none")).collect();
    let Some(first) = ids.first() else { return Err(Finding::wrong("a push on the wire", "it never was")) };
    ensure(is_canonical(first), "a canonical UUID in lower case as apns-id", || (*first).to_owned())?;
    if let Some(given) = given {
        ensure(*first == given, format!("the apns-id that was given, {given}"), || (*first).to_owned())?;
    }
    ensure(ids.iter().all(|id| id == first), "one apns-id for all attempts", || ids.join(", "))?;
    let is_told = reported.is_none_or(|reported| reported.eq_ignore_ascii_case(first));
    ensure(is_told, format!("the result to tell this apns-id, {first}"), || {
        reported.unwrap_or_default().to_owned()
    })
}

/// 8-4-4-4-12 hexadecimal digits, no capitals among them (RFC 9562, 4).
fn is_canonical(id: &str) -> bool {
    let groups: Vec<usize> = id.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

/// C-46: the connection ends when a push has come whole and taken effect.
fn lost_connection(stage: &mut Stage, ambiguous: Ambiguous) -> Acting<'_> {
    let how = r#"{"close":{"how":"fin","takes-effect":true}}"#;
    Box::pin(async move { lose(stage, ambiguous, how).await })
}

/// C-46: the stream of a push ends when it has taken effect.
fn reset_stream(stage: &mut Stage, ambiguous: Ambiguous) -> Acting<'_> {
    let how = r#"{"reset-stream":{"code":"INTERNAL_ERROR"}}"#;
    Box::pin(async move { lose(stage, ambiguous, how).await })
}

async fn lose(stage: &mut Stage, ambiguous: Ambiguous, how: &str) -> Result<(), crate::provider::item::Stop> {
    stage.fault(&format!(
        r#"{{"name":"lost","match":{{"connection":1,"stream":2}},"times":1,"action":{how}}}"#
    ))?;
    stage.configure(Options { ambiguous: Some(ambiguous), ..one_connection() }).await?;
    warm_up(stage).await?;
    stage.send_numbered(1).await?;
    stage.results(PATIENCE).await?;
    stage.pass(SENT_AGAIN_BY).await
}

fn is_reported(evidence: &Evidence) -> Result<(), Finding> {
    let (id, attempts) = lost_push(evidence)?;
    if attempts.len() != 1 {
        return Err(looking(evidence, id, "an ambiguous push on the wire once".to_owned(), lines(&attempts)));
    }
    let report = evidence.results().get(&id).map(|it| it.1);
    let is_ambiguous = report.is_some_and(|report| report.outcome == Outcome::Ambiguous);
    ensure(is_ambiguous, "a push reported as ambiguous", || told(report))
}

fn is_sent_again(evidence: &Evidence) -> Result<(), Finding> {
    let (id, attempts) = lost_push(evidence)?;
    if attempts.len() < 2 {
        let got = lines(&attempts);
        return Err(looking(evidence, id, "an ambiguous push sent again".to_owned(), got));
    }
    has_one_apns_id(evidence)?;
    let report = evidence.results().get(&id).map(|it| it.1);
    let says_so = report.is_some_and(|it| it.outcome == Outcome::Accepted && it.ambiguous_before);
    ensure(says_so, "accepted, and ambiguous before", || told(report))
}

/// The last push, whose first attempt was not answered.
fn lost_push(evidence: &Evidence) -> Result<(u64, Vec<Request>), Finding> {
    all_have_results(evidence)?;
    let last = evidence.attempts().pop_last();
    let is_lost = |it: &(u64, Vec<Request>)| it.1.first().is_some_and(|first| first.answer.is_none());
    last.filter(is_lost).ok_or_else(|| Finding::wrong("a push that is not answered at first", "none"))
}

/// A fault that answers so many pushes with 503.
fn busy(times: usize) -> String {
    format!(r#"{{"name":"busy","times":{times},"action":{{"answer":{{"status":503}}}}}}"#)
}

const FEW_PUSHES: usize = 5;
/// How soon a push would have been sent again.
const SENT_AGAIN_BY: std::time::Duration = std::time::Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apns_id_is_canonical_in_lower_case() {
        assert!(is_canonical("3c0ffee0-0000-4000-8000-00000000000a"));
        for other in ["", "none", "3C0FFEE0-0000-4000-8000-00000000000A", "3c0ffee000004000800000000000000a"]
        {
            assert!(!is_canonical(other), "{other}");
        }
    }
}
