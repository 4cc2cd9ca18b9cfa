//! C-51: when the service says when to come back, that is when.

use std::time::Duration;

use serde_json::{Value, json};

use crate::provider::{
    evidence::{Evidence, Request},
    item::{Acting, Finding, Play, ensure},
    protocol::{Options, Outcome, Push},
    stage::{PATIENCE, Stage},
};

pub(super) fn plays() -> Vec<Play> {
    vec![Play::new("every-form-of-it", every_form, each_is_heeded)]
}

/// What the field asks for.
#[derive(Clone, Copy, Debug)]
enum Asked {
    /// To wait at least so long.
    Wait(Duration),
    /// Nothing: it makes no sense.
    Nothing,
    /// To wait until the push is of no use any more.
    TooLong,
}

/// A push for each, which is answered so once. The first one tells whether anything is sent again at all.
fn rows() -> Vec<(u16, Value, Asked)> {
    let mut rows = vec![
        (503, json!(2), Asked::Wait(Duration::from_secs(2))),
        (429, json!(2), Asked::Wait(Duration::from_secs(2))),
        // A date has no parts of seconds, and was made before the answer went out.
        (503, json!({"date-in": "4s"}), Asked::Wait(Duration::from_millis(2500))),
        (503, json!(TOO_LONG.as_secs()), Asked::TooLong),
    ];
    let rubbish = ["soon", "-1", "1.5", "Sun, 99 Nov 1994 08:49:37 GMT"];
    rows.extend(rubbish.map(|text| (503, json!(text), Asked::Nothing)));
    rows
}

fn every_form(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let rows = rows();
        let tokens = stage.device_tokens(rows.len())?;
        stage.configure(Options::default()).await?;
        for ((status, value, asked), token) in rows.iter().zip(&tokens) {
            stage.answer_to(token, Some(1), &json!({"status": status, "retry-after": value}))?;
            let soon = stage.date().as_secs() + EXPIRES_IN_SECS;
            let expiration = matches!(asked, Asked::TooLong).then_some(soon);
            stage.send(Push { expiration, ..stage.push_to(token) }).await?;
        }
        stage.results(PATIENCE).await?;
        stage.pass(TOO_LONG).await
    })
}

fn each_is_heeded(evidence: &Evidence) -> Result<(), Finding> {
    let attempts = evidence.attempts();
    let outcome = |id: u64| evidence.result(id).map(|report| report.outcome);
    let is_tried_once = attempts.get(&0).is_some_and(|it| it.len() == 1);
    if is_tried_once && outcome(0).is_none() {
        let why = format!("it waits for more than {PATIENCE:?} whatever is asked: no play is as long");
        return Err(Finding::NotApplicable(why));
    }
    if is_tried_once && outcome(0) == Some(Outcome::Rejected) {
        return Err(Finding::NotApplicable(
            "it sends nothing again that was answered 503: its caller would".to_owned(),
        ));
    }
    for ((id, attempts), (status, value, asked)) in attempts.iter().zip(rows()) {
        let what = format!("push {id}, answered {status} with retry-after {value}");
        match asked {
            Asked::Wait(least) => waits(attempts, least, &what)?,
            Asked::Nothing => waits(attempts, Duration::ZERO, &what)?,
            Asked::TooLong => {
                let (times, outcome) = (attempts.len(), outcome(*id));
                let is_over = matches!(outcome, Some(Outcome::Rejected | Outcome::Expired));
                ensure(
                    times == 1 && is_over,
                    format!(
                        "{what} but of use for {EXPIRES_IN_SECS} s only: on the wire once, rejected or expired"
                    ),
                    || format!("{times} times, {}", evidence.told(*id)),
                )?;
            }
        }
    }
    Ok(())
}

fn waits(attempts: &[Request], least: Duration, what: &str) -> Result<(), Finding> {
    let expected = format!("{what}: sent again, and {least:?} later at the earliest");
    let [first, again, ..] = attempts else {
        return Err(Finding::wrong(expected, format!("{} times on the wire", attempts.len())));
    };
    let answered_at = first.answer.as_ref().map_or(first.at, |answer| answer.at);
    let after = again.at.saturating_sub(answered_at);
    ensure(after >= least, expected, || format!("after {after:.2?}"))
        .map_err(|finding| finding.at(again.connection, again.at))
}

/// More than what the push is of use for.
const TOO_LONG: Duration = Duration::from_secs(5);
const EXPIRES_IN_SECS: u64 = 2;
