//! C-52: what is of no use any more is not sent.

use std::time::Duration;

use serde_json::json;

use crate::provider::{
    evidence::{Evidence, Request},
    item::{Acting, Finding, Play, Stop, ensure},
    protocol::{Options, Outcome, Push},
    stage::{PATIENCE, Stage},
};

pub(super) fn plays() -> Vec<Play> {
    vec![
        Play::new("busy-until-it-expires", busy_until_it_expires, no_attempt_later),
        Play::new("it-expires-in-the-queue", it_expires_in_the_queue, what_waited_is_never_sent),
    ]
}

/// A push that is answered 503 whatever happens, and is of use for five seconds.
fn busy_until_it_expires(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let token = stage.device_tokens(1)?.remove(0);
        stage.answer_to(&token, None, &json!({"status": 503}))?;
        stage.configure(Options::default()).await?;
        let expires = stage.date().as_secs() + EXPIRES_IN_SECS;
        stage.send(Push { expiration: Some(expires), ..stage.push_to(&token) }).await?;
        pass_until(stage, expires).await?;
        stage.mark(EXPIRED);
        stage.pass(LATER).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

/// Lets time pass until this second since 1970.
async fn pass_until(stage: &Stage, second: u64) -> Result<(), Stop> {
    stage.pass(Duration::from_secs(second).saturating_sub(stage.date())).await
}

fn no_attempt_later(evidence: &Evidence) -> Result<(), Finding> {
    let requests = evidence.requests();
    none_after_it(evidence, &requests)?;
    ensure(!requests.is_empty(), "an attempt before it expires", || "none".to_owned())?;
    let outcome = evidence.result(0).map(|report| report.outcome);
    let is_right = matches!(outcome, Some(Outcome::Rejected | Outcome::Expired));
    ensure(is_right, "the last rejection, or that it expired", || evidence.told(0))
}

fn none_after_it(evidence: &Evidence, requests: &[Request]) -> Result<(), Finding> {
    let expired = evidence.mark(EXPIRED).unwrap_or(Duration::MAX);
    match requests.iter().find(|request| request.at > expired.saturating_add(GRANULARITY)) {
        Some(late) => {
            let after = late.at.saturating_sub(expired);
            let got = format!("one {after:.1?} after its expiration");
            Err(Finding::wrong("no attempt after the push's expiration", got).at(late.connection, late.at))
        }
        None => Ok(()),
    }
}

/// No answer comes for so long that pushes behind the first one, which the one stream of a new connection is for, expire.
fn it_expires_in_the_queue(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let tokens = stage.device_tokens(1 + WAITING)?;
        stage.fault(&json!({"name": "slow", "action": {"answer": {"delay": SLOW}}}).to_string())?;
        stage.configure(Options { connections_max: Some(1), ..Options::default() }).await?;
        stage.send(stage.push_to(&tokens[0])).await?;
        stage.until(PATIENCE, |evidence| !evidence.requests().is_empty()).await?;
        let expires = stage.date().as_secs() + QUEUED_SECS;
        for token in &tokens[1..] {
            stage.send(Push { expiration: Some(expires), ..stage.push_to(token) }).await?;
        }
        pass_until(stage, expires).await?;
        stage.mark(EXPIRED);
        stage.results(PATIENCE).await?;
        stage.pass(LATER).await
    })
}

fn what_waited_is_never_sent(evidence: &Evidence) -> Result<(), Finding> {
    let mut attempts = evidence.attempts();
    attempts.remove(&0);
    let waited: Vec<u64> =
        attempts.iter().filter(|(_, requests)| requests.is_empty()).map(|(id, _)| *id).collect();
    let sent: Vec<Request> = attempts.into_values().flatten().collect();
    none_after_it(evidence, &sent)?;
    if waited.is_empty() {
        return Err(Finding::NotApplicable("no push waits: each had been sent when it expired".to_owned()));
    }
    for id in waited {
        let outcome = evidence.result(id).map(|report| report.outcome);
        let expected = format!("push {id}, never sent, reported as expired");
        ensure(outcome == Some(Outcome::Expired), expected, || evidence.told(id))?;
    }
    Ok(())
}

const EXPIRED: &str = "it has expired";
const EXPIRES_IN_SECS: u64 = 5;
/// A clock that counts seconds takes one for the last that is still in it; and there may be other plays on the machine.
const GRANULARITY: Duration = Duration::from_millis(1300);
/// Long enough for an attempt that comes late.
const LATER: Duration = Duration::from_secs(3);
const WAITING: usize = 10;
/// Until after the expiration of those that wait, whatever part of a second it is now.
const SLOW: &str = "5s";
const QUEUED_SECS: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> Evidence {
        Evidence::default()
            .with_push("0a", 0)
            .with_push("0b", 0)
            .with_request("0a", 0, 200)
            .with_mark(EXPIRED, 2000)
    }

    #[test]
    fn what_waited_may_only_be_reported_as_expired() {
        assert_eq!(what_waited_is_never_sent(&queue().with_result(1, 2100, Outcome::Expired, None)), Ok(()));
        for other in [Outcome::Accepted, Outcome::Ambiguous, Outcome::NotSent] {
            assert!(
                what_waited_is_never_sent(&queue().with_result(1, 2100, other, None)).is_err(),
                "{other}"
            );
        }
    }

    #[test]
    fn what_is_sent_in_its_last_second_is_right_and_later_it_is_not() {
        let sent_at = |at| what_waited_is_never_sent(&queue().with_request("0b", at, 200));
        assert!(matches!(sent_at(2900), Err(Finding::NotApplicable(_))), "none waited");
        assert!(matches!(sent_at(3400), Err(Finding::Wrong { .. })));
    }
}
