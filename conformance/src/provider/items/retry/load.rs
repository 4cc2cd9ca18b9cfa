//! C-50 and C-53: a service in trouble is not asked more than it can bear.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::provider::{
    evidence::Evidence,
    item::{Acting, Finding, Play, Stop, ensure},
    protocol::{Options, Outcome},
    stage::{PATIENCE, Stage},
};

pub(super) fn plays_of_trouble() -> Vec<Play> {
    vec![Play::new("everything-is-answered-503", everything_is_refused, few_go_out_in_the_end)]
}

pub(super) fn plays_of_the_budget() -> Vec<Play> {
    vec![
        Play::new("every-second-is-answered-503", every_second_is_refused, retries_are_few),
        Play::new("it-is-over", it_is_over, pushes_go_through_again),
    ]
}

/// C-50: pushes are offered at a steady rate, and each is answered 503.
fn everything_is_refused(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(BUSY)?;
        let deadline_ms = Some(5000); // so that what cannot go out does not pile up
        stage.configure(Options { deadline_ms, ..Options::default() }).await?;
        stage.mark(BEGINS);
        offer(stage, OFFERED, OFFER_PAUSE).await
    })
}

/// So many pushes, one at a time.
async fn offer(stage: &mut Stage, pushes: u32, pause: Duration) -> Result<(), Stop> {
    let mut ticks = interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst); // the rate is kept on average
    for _ in 0..pushes {
        ticks.tick().await;
        stage.send(stage.push()).await?;
    }
    Ok(())
}

fn few_go_out_in_the_end(evidence: &Evidence) -> Result<(), Finding> {
    let late = evidence.mark(BEGINS).unwrap_or_default() + DECAY_MAX;
    let offered = evidence.sent.values().filter(|sent| sent.at >= late).count();
    let requests: Vec<_> = evidence.requests().into_iter().filter(|request| request.at >= late).collect();
    let (went_out, most) = (requests.len(), offered / 10);
    ensure(
        went_out <= most,
        format!("{most} requests at most from the tenth second on, for {offered} pushes"),
        || format!("{went_out}"),
    )
    .map_err(|finding| match requests.first() {
        Some(first) => finding.at(first.connection, first.at),
        None => finding,
    })
}

/// C-53: every second request is answered 503, for as long as it goes on.
fn every_second_is_refused(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(r#"{"name":"half","every":2,"action":{"answer":{"status":503}}}"#)?;
        let deadline_ms = Some(10_000);
        stage.configure(Options { deadline_ms, ..Options::default() }).await?;
        offer(stage, HALF_OFFERED, HALF_PAUSE).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn retries_are_few(evidence: &Evidence) -> Result<(), Finding> {
    let requests = evidence.requests().len();
    let retries = requests.saturating_sub(evidence.sent.len());
    let most = requests / 5 + RESERVE;
    ensure(retries <= most, format!("{most} retries at most of {requests} requests"), || format!("{retries}"))
}

/// C-53: after a few seconds in which everything was answered 503, all is well.
fn it_is_over(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(BUSY)?;
        let deadline_ms = Some(2000);
        stage.configure(Options { deadline_ms, ..Options::default() }).await?;
        offer(stage, TROUBLE_OFFERED, OFFER_PAUSE).await?;
        stage.end_fault("busy");
        stage.mark(OVER);
        for _ in 0..TRIES_MAX {
            let id = stage.send(stage.push()).await?;
            let is_accepted = |evidence: &Evidence| {
                evidence.result(id).is_some_and(|report| report.outcome == Outcome::Accepted)
            };
            if stage.until(TRY_PAUSE, is_accepted).await? {
                break;
            }
        }
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn pushes_go_through_again(evidence: &Evidence) -> Result<(), Finding> {
    let over = evidence.mark(OVER).unwrap_or_default();
    let results = evidence.results();
    let accepted = evidence
        .sent
        .iter()
        .filter(|(_, sent)| sent.at >= over)
        .any(|(id, _)| results.get(id).is_some_and(|(_, report)| report.outcome == Outcome::Accepted));
    let within = TRY_PAUSE * TRIES_MAX;
    ensure(accepted, format!("a push that is accepted within {within:?} of the end of the trouble"), || {
        "none".to_owned()
    })
}

const BUSY: &str = r#"{"name":"busy","action":{"answer":{"status":503}}}"#;
const BEGINS: &str = "the offer begins";
const OVER: &str = "the trouble is over";
/// Twenty seconds, of which the second half counts.
const OFFERED: u32 = 500;
const OFFER_PAUSE: Duration = Duration::from_millis(40);
const DECAY_MAX: Duration = Duration::from_secs(10);
const HALF_OFFERED: u32 = 1000;
const HALF_PAUSE: Duration = Duration::from_millis(4);
/// What a client may retry that has sent nothing yet.
const RESERVE: usize = 20;
/// Enough for a breaker to open.
const TROUBLE_OFFERED: u32 = 60;
/// While a breaker is open a push may end, and the next one be the probe: there are pushes for two dozen seconds.
const TRIES_MAX: u32 = 24;
const TRY_PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten pushes a second for 20 seconds, of which those go out at once that are asked for.
    fn offered(goes_out: impl Fn(u64) -> bool) -> Evidence {
        (0..200).fold(Evidence::default().with_mark(BEGINS, 0), |evidence, number| {
            let evidence = evidence.with_push("0a", number * 100);
            if goes_out(number) { evidence.with_request("0a", number * 100, 503) } else { evidence }
        })
    }

    #[test]
    fn a_tenth_in_the_second_half_is_right_whatever_was_before() {
        assert_eq!(few_go_out_in_the_end(&offered(|number| number < 100 || number % 10 == 0)), Ok(()));
        let found = few_go_out_in_the_end(&offered(|number| number % 9 == 0)).unwrap_err();
        assert!(matches!(&found, Finding::Wrong { got, at: Some(_), .. } if got == "11"), "{found:?}");
    }
}
