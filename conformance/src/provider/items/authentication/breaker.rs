//! C-28: the credential's breaker.

use std::time::Duration;

use super::{
    super::super::{
        evidence::{Evidence, Request},
        item::{Acting, Finding, Play, Stop, ensure},
        protocol::{Credential, Options, Outcome},
        stage::{MOMENT, PATIENCE, Stage},
    },
    at,
};

pub(super) fn plays() -> Vec<Play> {
    vec![
        Play::new("refused-key", refused_key, little_goes_out).needing(&["key"]),
        Play::new("refused-certificate", refused_certificate, little_goes_out).needing(&["certificate"]),
        Play::new("what-waits", what_waits, it_goes_out_in_the_end).needing(&["deadline"]),
    ]
}

fn refused_key(stage: &mut Stage) -> Acting<'_> {
    let key = stage.key();
    Box::pin(refused(stage, key, "InvalidProviderToken"))
}

fn refused_certificate(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let certificate = stage.certificate()?;
        refused(stage, certificate, "BadCertificate").await
    })
}

/// Refusals in a row, and pushes after them.
async fn refused(stage: &mut Stage, credential: Credential, reason: &str) -> Result<(), Stop> {
    are_refused(stage, credential, reason, SHORT_MS).await?;
    for _ in 0..MORE {
        stage.send(stage.push()).await?;
        stage.pass(PACE).await?;
    }
    stage.results(SETTLING).await?;
    Ok(())
}

/// A push that goes well, and then one after the other is refused, as many as are enough.
async fn are_refused(
    stage: &mut Stage,
    credential: Credential,
    reason: &str,
    deadline_ms: u64,
) -> Result<(), Stop> {
    stage.configure_as(credential, Options { deadline_ms: Some(deadline_ms), ..Options::default() }).await?;
    stage.send(stage.push()).await?;
    stage.results(PATIENCE).await?;
    stage.fault(&format!(
        r#"{{"name":"refused","action":{{"answer":{{"status":403,"reason":"{reason}"}}}}}}"#
    ))?;
    for number in 1..=REFUSALS {
        stage.send(stage.push()).await?;
        // An answer, or a provider that asks no more: its breaker may open sooner.
        let is_over = |evidence: &Evidence| {
            let requests = evidence.requests();
            requests.iter().filter(|it| is_refused(it)).count() >= number
        };
        if !stage.until(SETTLING, is_over).await? {
            break;
        }
    }
    stage.pass(MOMENT).await?;
    stage.mark(REFUSED);
    Ok(())
}

fn little_goes_out(evidence: &Evidence) -> Result<(), Finding> {
    let later = after_refusals(evidence)?;
    let expected = format!("an open breaker: at most {PROBES_MAX} of {MORE} more pushes sent");
    let few = ensure(later.len() <= PROBES_MAX, expected, || format!("{} requests", later.len()));
    few.map_err(|finding| at(finding, later.first()))?;
    says_why(evidence)
}

/// What was not sent for it is told for it: the reason is in its error.
fn says_why(evidence: &Evidence) -> Result<(), Finding> {
    let told = evidence.results();
    let mut unsent = told.values().filter(|(_, report)| report.outcome == Outcome::NotSent);
    let names = |text: &Option<String>| {
        text.as_deref()
            .is_some_and(|text| ["InvalidProviderToken", "BadCertificate"].iter().any(|it| text.contains(it)))
    };
    match unsent.find(|(_, report)| !names(&report.why) && !names(&report.reason)) {
        None => Ok(()),
        Some((_, report)) => {
            let got = report.why.clone().unwrap_or_default();
            Err(Finding::wrong("an error that names the reason of the refusals", format!("{got:?}")))
        }
    }
}

/// Refusals in a row; pushes after them wait, and the credential is good again.
fn what_waits(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let credential = if stage.can("key") { stage.key() } else { stage.certificate()? };
        are_refused(stage, credential, "InvalidProviderToken", LONG_MS).await?;
        stage.send_many(MORE, &stage.push()).await?;
        stage.pass(MOMENT).await?;
        stage.mark(GOOD_AGAIN);
        stage.end_fault("refused");
        stage.results(PROBED_AFTER).await?;
        Ok(())
    })
}

fn it_goes_out_in_the_end(evidence: &Evidence) -> Result<(), Finding> {
    let good_again = evidence.mark(GOOD_AGAIN).unwrap_or(Duration::MAX);
    let later = after_refusals(evidence)?;
    let before = later.iter().filter(|request| request.at < good_again).count();
    ensure(before <= PROBES_MAX, "an open breaker", || format!("{before} of {MORE} pushes sent"))?;
    let ids = evidence.sent.keys().rev().take(MORE);
    let results = evidence.results();
    let accepted =
        ids.filter(|id| results.get(id).is_some_and(|it| it.1.outcome == Outcome::Accepted)).count();
    let kept = MORE - before;
    ensure(accepted >= kept, format!("{kept} pushes that have waited accepted"), || accepted.to_string())
}

/// What went out after the refusals.
fn after_refusals(evidence: &Evidence) -> Result<Vec<Request>, Finding> {
    let mark = evidence.mark(REFUSED).unwrap_or(Duration::MAX);
    let requests = evidence.requests();
    ensure(requests.iter().any(is_refused), "pushes that are refused", || "none".to_owned())?;
    Ok(requests.into_iter().filter(|request| request.at >= mark).collect())
}

fn is_refused(request: &Request) -> bool {
    request.status() == Some(403)
}

/// Refusals that leave no doubt.
const REFUSALS: usize = 5;
/// Pushes after them, and the pauses between them.
const MORE: usize = 20;
const PACE: Duration = Duration::from_millis(100);
/// What may go out of them to see whether it is over.
const PROBES_MAX: usize = 3;
/// What is held back need not be waited for.
const SHORT_MS: u64 = 2000;
const SETTLING: Duration = Duration::from_secs(4);
/// What is held back is to wait for the probe.
const LONG_MS: u64 = 120_000;
/// When a probe has gone out at the latest: a minute is often enough to ask, and there is some room.
const PROBED_AFTER: Duration = Duration::from_secs(75);
const REFUSED: &str = "refused in a row";
const GOOD_AGAIN: &str = "good again";
