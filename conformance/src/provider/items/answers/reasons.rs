//! C-54: a reason that nobody knows yet is told as it came, and the status decides.

use serde_json::json;

use crate::provider::{
    evidence::Evidence,
    item::{Acting, Finding, Play, ensure},
    protocol::Options,
    stage::{PATIENCE, Stage},
};

pub(super) fn plays() -> Vec<Play> {
    vec![Play::new("a-reason-of-2027", a_reason_of_2027, kept_and_classified)]
}

/// A push for each status with the reason that nobody knows, and one with a reason that is known.
const ANSWERS: [(u16, &str); 4] =
    [(400, UNKNOWN), (429, UNKNOWN), (503, UNKNOWN), (503, "ServiceUnavailable")];

fn a_reason_of_2027(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let tokens = stage.device_tokens(ANSWERS.len())?;
        let options = Options { attempts_max: Some(2), deadline_ms: Some(10_000), ..Options::default() };
        stage.configure(options).await?;
        for ((status, reason), token) in ANSWERS.iter().zip(&tokens) {
            stage.answer_to(token, None, &json!({"status": status, "reason": reason}))?;
            stage.send(stage.push_to(token)).await?;
        }
        stage.results(PATIENCE * 2).await?; // there are providers that try often
        Ok(())
    })
}

fn kept_and_classified(evidence: &Evidence) -> Result<(), Finding> {
    for (id, (status, reason)) in (0..).zip(ANSWERS) {
        if status != 400 && evidence.result(id).is_none() {
            continue; // it goes on trying for longer than a play lasts
        }
        let told = evidence.result(id).and_then(|report| report.reason.as_deref());
        let is_kept = evidence.is_rejected(id, status) && told == Some(reason);
        ensure(is_kept, format!("push {id} rejected {status} {reason}"), || evidence.told(id))?;
    }
    let attempts = evidence.attempts();
    let times = |id: u64| attempts.get(&id).map_or(0, Vec::len);
    ensure(times(0) == 1, "a 400 of any reason on the wire once", || format!("{} times", times(0)))?;
    // Who sends again what was refused for a known reason does so here too.
    let is_alike = (times(2) > 1) == (times(3) > 1);
    ensure(is_alike, "a 503 of an unknown reason sent again as one of a known reason is", || {
        format!("{} and {} times on the wire", times(2), times(3))
    })
}

const UNKNOWN: &str = "BrandNew2027";
