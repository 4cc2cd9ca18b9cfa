//! C-47: what is answered so is never sent again.

use std::time::Duration;

use apns_spec::Spec;
use serde_json::json;

use crate::provider::{
    evidence::{Evidence, Request},
    item::{Acting, Finding, Play, Stop},
    protocol::Options,
    stage::{PATIENCE, Stage},
};

pub(super) fn plays() -> Vec<Play> {
    vec![
        Play::new("every-400", refused::<400>, sent_once),
        Play::new("every-403", refused::<403>, sent_once),
        Play::new("every-404", refused::<404>, sent_once),
        Play::new("every-405", refused::<405>, sent_once),
        Play::new("every-410", refused::<410>, sent_once),
        Play::new("every-413", refused::<413>, sent_once),
        Play::new("expired-provider-token", expired_provider_token, sent_twice_at_most),
    ]
}

/// A push for each reason of the status.
fn refused<const STATUS: u16>(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let reasons = reasons(STATUS)?;
        let tokens = stage.device_tokens(reasons.len())?;
        for (at, (reason, token)) in reasons.iter().zip(&tokens).enumerate() {
            stage.answer_to(token, None, &json!({"status": STATUS, "reason": reason}))?;
            // A credential that is refused need not be used again: each of these refusals is of a client of its own.
            if at == 0 || STATUS == FORBIDDEN {
                stage.results(PATIENCE).await?;
                stage.configure(Options::default()).await?;
            }
            stage.send(stage.push_to(token)).await?;
        }
        stage.results(PATIENCE).await?;
        stage.pass(RETRY_MAX).await
    })
}

/// The reasons of the status, but for those of the other play and of other items.
fn reasons(status: u16) -> Result<Vec<String>, Stop> {
    let spec = Spec::load().map_err(|error| Stop::Broken(error.to_string()))?;
    let rows = spec.reasons().iter().filter(|row| row.status == status);
    let rows = rows.filter(|row| row.reason != IDLE_TIMEOUT && row.reason != EXPIRED_PROVIDER_TOKEN);
    Ok(rows.map(|row| row.reason.clone()).collect())
}

fn expired_provider_token(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let token = stage.device_tokens(1)?.remove(0);
        stage.answer_to(&token, None, &json!({"reason": EXPIRED_PROVIDER_TOKEN}))?;
        stage.configure(Options::default()).await?;
        stage.send(stage.push_to(&token)).await?;
        stage.results(PATIENCE).await?;
        stage.pass(RETRY_MAX).await
    })
}

fn sent_once(evidence: &Evidence) -> Result<(), Finding> {
    sent(evidence, 1)
}

fn sent_twice_at_most(evidence: &Evidence) -> Result<(), Finding> {
    sent(evidence, 2)
}

fn sent(evidence: &Evidence, times_max: usize) -> Result<(), Finding> {
    let expected =
        if times_max == 1 { "each push on the wire once" } else { "a push on the wire twice at most" };
    for (id, attempts) in evidence.attempts() {
        let Some(first) = attempts.first() else {
            return Err(Finding::wrong(expected, format!("push {id} never was")));
        };
        if let Some(again) = attempts.get(times_max) {
            let got = format!("push {id} was {} times, answered {}", attempts.len(), answered(first));
            return Err(Finding::wrong(expected, got).at(again.connection, again.at));
        }
    }
    Ok(())
}

/// Status and body of an answer.
fn answered(request: &Request) -> String {
    let Some(answer) = &request.answer else { return "nothing".to_owned() };
    format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body))
}

const FORBIDDEN: u16 = 403;
/// Tells of a connection, and not of the push.
const IDLE_TIMEOUT: &str = "IdleTimeout";
/// Once more is right, with a newer provider token.
const EXPIRED_PROVIDER_TOKEN: &str = "ExpiredProviderToken";
/// Providers that send such pushes again do so within a second or two, if not at once.
const RETRY_MAX: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_that_is_final_is_asked_of() {
        let spec = Spec::load().unwrap();
        let asked: usize =
            [400, 403, 404, 405, 410, 413].map(|status| reasons(status).unwrap().len()).iter().sum();
        let all = spec.reasons().iter().filter(|row| row.status < 429).count();
        assert_eq!(asked + 2, all);
    }
}
