//! C-48: what is answered 500 or 503 is sent again, with pauses that grow and are scattered.

use std::time::Duration;

use serde_json::json;

use crate::provider::{
    evidence::{Evidence, Request},
    item::{Acting, Finding, Play, ensure},
    protocol::{Options, Outcome},
    stage::{PATIENCE, Stage},
};

pub(super) fn plays() -> Vec<Play> {
    vec![
        Play::new("busy-three-times", busy_three_times, pauses_grow_and_are_scattered),
        Play::new("busy-for-ever", busy_for_ever, as_often_as_configured).needing(&["attempts-max"]),
    ]
}

/// Pushes that are answered 500 and 503 three times, and then 200.
fn busy_three_times(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let tokens = stage.device_tokens(PUSHES)?;
        for (at, token) in tokens.iter().enumerate() {
            let status = if at % 2 == 0 { 503 } else { 500 };
            stage.answer_to(token, Some(BUSY_TIMES), &json!({"status": status}))?;
        }
        let attempts_max = Some(BUSY_TIMES + 2);
        stage.configure(Options { attempts_max, ..Options::default() }).await?;
        for token in &tokens {
            stage.send(stage.push_to(token)).await?;
        }
        stage.results(PAUSES_MAX).await?;
        Ok(())
    })
}

fn pauses_grow_and_are_scattered(evidence: &Evidence) -> Result<(), Finding> {
    let attempts = evidence.attempts();
    if attempts.iter().any(|(id, attempts)| attempts.len() == 1 && evidence.result(*id).is_none()) {
        let why =
            format!("it waits for more than {PAUSES_MAX:?} before a second attempt: no play is as long");
        return Err(Finding::NotApplicable(why));
    }
    for (id, attempts) in &attempts {
        let outcome = evidence.result(*id).map(|report| report.outcome);
        let times = attempts.len();
        ensure(
            outcome == Some(Outcome::Accepted) && times == BUSY_TIMES as usize + 1,
            format!("push {id} tried again until it is accepted, at the fourth attempt"),
            || format!("{times} times on the wire, {}", evidence.told(*id)),
        )?;
    }
    let pauses: Vec<Vec<Duration>> = attempts.values().map(|attempts| pauses(attempts)).collect();
    grow(&pauses)?;
    are_scattered(&pauses)
}

/// The times between each answer and the next attempt.
fn pauses(attempts: &[Request]) -> Vec<Duration> {
    let pairs = attempts.windows(2);
    let pause = |pair: &[Request]| Some(pair[1].at.saturating_sub(pair[0].answer.as_ref()?.at));
    pairs.filter_map(pause).collect()
}

/// On average: one that is drawn from all up to a limit may be shorter than the one before.
fn grow(pauses: &[Vec<Duration>]) -> Result<(), Finding> {
    let (first, last) = (mean(pauses, 0), mean(pauses, BUSY_TIMES as usize - 1));
    ensure(last >= first.mul_f64(GROWTH_MIN), "pauses that grow", || {
        format!("{first:.2?} before the second attempt, {last:.2?} before the fourth, on average")
    })
}

fn are_scattered(pauses: &[Vec<Duration>]) -> Result<(), Finding> {
    let scatter = |round: usize| {
        let of_round: Vec<Duration> = pauses.iter().filter_map(|pauses| pauses.get(round)).copied().collect();
        let spread =
            of_round.iter().max().zip(of_round.iter().min()).map(|(max, min)| max.saturating_sub(*min));
        spread.unwrap_or_default().div_duration_f64(mean(pauses, round).max(Duration::from_nanos(1)))
    };
    let most = (0..BUSY_TIMES as usize).map(scatter).fold(0.0, f64::max);
    ensure(most >= SCATTER_MIN, "pauses that differ from push to push", || {
        let firsts: Vec<String> =
            pauses.iter().filter_map(|it| it.first()).map(|it| format!("{it:.3?}")).collect();
        format!("the first ones are {}", firsts.join(", "))
    })
}

fn mean(pauses: &[Vec<Duration>], round: usize) -> Duration {
    let of_round = pauses.iter().filter_map(|pauses| pauses.get(round));
    let sum: Duration = of_round.clone().sum();
    sum.checked_div(u32::try_from(of_round.count()).unwrap_or(0)).unwrap_or_default()
}

/// A push that is answered 503 whatever happens, for a provider that is told how often it may try.
fn busy_for_ever(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let token = stage.device_tokens(1)?.remove(0);
        stage.answer_to(&token, None, &json!({"status": 503}))?;
        stage.configure(Options { attempts_max: Some(ATTEMPTS), ..Options::default() }).await?;
        stage.send(stage.push_to(&token)).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn as_often_as_configured(evidence: &Evidence) -> Result<(), Finding> {
    let times = evidence.requests().len();
    ensure(times == ATTEMPTS as usize, format!("{ATTEMPTS} attempts, as configured"), || format!("{times}"))?;
    ensure(evidence.is_rejected(0, 503), "rejected 503 then", || evidence.told(0))
}

/// Few enough that a breaker stays closed and a budget for retries suffices.
const PUSHES: usize = 4;
/// Enough for growth to show.
const BUSY_TIMES: u32 = 3;
/// Pauses of a second, two and four, with room for those that are four times as long.
const PAUSES_MAX: Duration = Duration::from_secs(45);
/// The last of three pauses by the first: less is no growth but noise.
const GROWTH_MIN: f64 = 1.5;
/// The spread of pauses by their mean: a timer on a busy machine is more exact.
const SCATTER_MIN: f64 = 0.05;
const ATTEMPTS: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(pauses: [[u64; 3]; 2]) -> Vec<Vec<Duration>> {
        pauses.map(|pauses| pauses.map(Duration::from_millis).to_vec()).to_vec()
    }

    #[test]
    fn equal_pauses_neither_grow_nor_are_scattered() {
        let pauses = millis([[1000, 1001, 1010], [1002, 1000, 1003]]);
        assert!(grow(&pauses).is_err() && are_scattered(&pauses).is_err());
    }

    #[test]
    fn pauses_that_double_in_step_are_not_scattered() {
        let pauses = millis([[500, 1000, 2000], [500, 1001, 2001]]);
        assert!(grow(&pauses).is_ok() && are_scattered(&pauses).is_err());
    }

    #[test]
    fn random_pauses_up_to_a_limit_that_doubles_are_right() {
        let pauses = millis([[700, 200, 3100], [100, 1600, 2500]]);
        assert_eq!((grow(&pauses), are_scattered(&pauses)), (Ok(()), Ok(())));
    }
}
