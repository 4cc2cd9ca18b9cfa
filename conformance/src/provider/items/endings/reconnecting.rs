//! Connecting again: C-41.

use std::time::Duration;

use super::{one_connection, warm_up};
use crate::provider::{
    evidence::{Dial, Evidence},
    item::{Acting, Finding, Item, Play, Stop, ensure},
    protocol::Outcome,
    stage::{PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    let shut = Play::new("closed-at-the-door", closed_at_the_door, pauses_grow_and_begin_anew);
    let hangs = Play::new("handshakes-that-hang", handshakes_that_hang, one_at_a_time);
    let refused = Play::new("refused", refused_for_a_while, comes_back);
    vec![Item::new("C-41", vec![shut, hangs.needing(&["connections-max"]), refused])]
}

/// Twice, with a healthy while in between, no connection is of use while pushes go on coming.
fn closed_at_the_door(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault_for_everyone(SHUT)?;
        stage.configure(one_connection()).await?;
        let [first, healthy, second, end] = MARKS;
        stage.mark(first);
        pushes_come(stage).await?;
        stage.mark(healthy);
        stage.end_fault("shut");
        send_until_accepted(stage).await?;
        stage.send_numbered(HEALTHY_PUSHES).await?;
        stage.pass(HEALTHY_FOR).await?;
        stage.fault_for_everyone(SHUT)?;
        stage.fault(r#"{"name":"end","action":{"close":{"how":"fin"}}}"#)?;
        stage.mark(second);
        pushes_come(stage).await?;
        stage.mark(end);
        Ok(())
    })
}

fn pauses_grow_and_begin_anew(evidence: &Evidence) -> Result<(), Finding> {
    let [first, healthy, second, end] = MARKS.map(|mark| evidence.mark(mark).unwrap_or_default());
    ensure(
        evidence.count(Outcome::Accepted) >= HEALTHY_PUSHES,
        "pushes accepted once connections are",
        || format!("{} accepted", evidence.count(Outcome::Accepted)),
    )?;
    let dials = |from: Duration, to: Duration| -> Vec<Duration> {
        evidence.dials.iter().map(|dial| dial.at).filter(|at| (from..to).contains(at)).collect()
    };
    pauses_are_right(&dials(first, healthy), &dials(second, end))
}

/// Whether pauses between connections grow, begin anew the second time, and are not the same both times.
fn pauses_are_right(first: &[Duration], second: &[Duration]) -> Result<(), Finding> {
    let pauses = |dials: &[Duration]| -> Vec<Duration> {
        dials.windows(2).map(|two| two[1].saturating_sub(two[0])).collect()
    };
    let shown = |pauses: &[Duration]| {
        let shown: Vec<String> = pauses.iter().take(SHOWN).map(|pause| format!("{pause:.2?}")).collect();
        format!("{} connections, with pauses of {}", pauses.len() + 1, shown.join(", "))
    };
    let (first_pauses, second_pauses) = (pauses(first), pauses(second));
    for pauses in [&first_pauses, &second_pauses] {
        let expected = format!("2 to {DIALS_MAX} connections within {} s", SHUT_FOR.as_secs());
        ensure((1..DIALS_MAX).contains(&pauses.len()), expected, || shown(pauses))?;
        let (early, late) = pauses.split_at(pauses.len().div_ceil(2));
        let grows = late.is_empty() || mean(late) >= mean(early) * 3 / 2;
        ensure(grows, "growing pauses between connections that are of no use", || shown(pauses))?;
    }
    let (last, anew) = (first_pauses.last().copied().unwrap_or_default(), second_pauses[0]);
    ensure(anew < last, "pauses that begin anew after a healthy while", || {
        format!("{anew:.2?}, after {last:.2?} the time before")
    })?;
    let both = first_pauses.iter().zip(&second_pauses);
    let is_scattered =
        both.clone().count() < COMPARED_MIN || both.clone().any(|(one, other)| differ(*one, *other));
    ensure(is_scattered, "scattered pauses", || format!("twice the same: {}", shown(&first_pauses)))
}

fn mean(pauses: &[Duration]) -> Duration {
    pauses.iter().sum::<Duration>() / u32::try_from(pauses.len()).unwrap_or(u32::MAX).max(1)
}

fn differ(one: Duration, other: Duration) -> bool {
    one.abs_diff(other) > one / 20 + JITTER_OF_A_MACHINE
}

/// Connections that are made and whose handshakes never end, while pushes go on coming.
fn handshakes_that_hang(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault_for_everyone(r#"{"name":"hangs","action":{"tls":"stall"}}"#)?;
        stage.configure(one_connection()).await?;
        for _ in 0..HANGING_PUSHES {
            stage.send_numbered(1).await?;
            stage.pass(BETWEEN_PUSHES).await?;
        }
        Ok(())
    })
}

fn one_at_a_time(evidence: &Evidence) -> Result<(), Finding> {
    ensure(!evidence.dials.is_empty(), "an attempt to connect", || "none".to_owned())?;
    let at_once = |dial: &Dial| {
        let is_open = |it: &&Dial| it.at <= dial.at && it.ended_at.is_none_or(|ended| ended > dial.at);
        evidence.dials.iter().filter(is_open).count()
    };
    let most = evidence.dials.iter().map(at_once).max().unwrap_or_default();
    ensure(most == 1, "1 attempt at a time for 1 connection", || most.to_string())
}

/// For a while nobody listens.
fn refused_for_a_while(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.roads[0].refuse();
        stage.configure(one_connection()).await?;
        for _ in 0..REFUSED_PUSHES {
            stage.send_numbered(1).await?;
            stage.pass(BETWEEN_PUSHES).await?;
        }
        stage.roads[0].admit().await?;
        send_until_accepted(stage).await?;
        warm_up(stage).await
    })
}

fn comes_back(evidence: &Evidence) -> Result<(), Finding> {
    let accepted = evidence.count(Outcome::Accepted);
    let expected = format!("pushes accepted within {BACK_BY:?} of the time when connections are");
    ensure(accepted >= 2, expected, || format!("{accepted}"))?;
    super::all_have_results(evidence)
}

async fn pushes_come(stage: &mut Stage) -> Result<(), Stop> {
    for _ in 0..SHUT_FOR.as_millis() / BETWEEN_PUSHES.as_millis() {
        stage.send_numbered(1).await?;
        stage.pass(BETWEEN_PUSHES).await?;
    }
    Ok(())
}

/// Sends pushes until one is accepted, or it has taken too long.
async fn send_until_accepted(stage: &mut Stage) -> Result<(), Stop> {
    for _ in 0..BACK_BY.as_secs() {
        stage.send_numbered(1).await?;
        if stage.until(Duration::from_secs(1), |evidence| evidence.count(Outcome::Accepted) > 0).await? {
            break;
        }
    }
    stage.results(PATIENCE).await?;
    Ok(())
}

const SHUT: &str = r#"{"name":"shut","action":{"accept":"close"}}"#;
/// Where the first time begins and ends, and the second.
const MARKS: [&str; 4] = ["first", "healthy", "second", "end"];
/// How long no connection is of use: enough for pauses that double from one second to be three.
const SHUT_FOR: Duration = Duration::from_secs(8);
const BETWEEN_PUSHES: Duration = Duration::from_millis(200);
/// What makes a connection a healthy one, by its answers and by its age.
const HEALTHY_PUSHES: usize = 120;
const HEALTHY_FOR: Duration = Duration::from_secs(12);
/// What pauses that double from 100 ms make of the time, for four connections.
const DIALS_MAX: usize = 32;
/// Pauses of both times that have to be alike before they are called the same.
const COMPARED_MIN: usize = 4;
const JITTER_OF_A_MACHINE: Duration = Duration::from_millis(5);
/// Pauses that a report shows.
const SHOWN: usize = 12;
const HANGING_PUSHES: usize = 20;
const REFUSED_PUSHES: usize = 15;
/// The longest pause between two attempts, and a little.
const BACK_BY: Duration = Duration::from_secs(62);

#[cfg(test)]
mod tests {
    use super::*;

    fn dials(pauses: &[u64]) -> Vec<Duration> {
        let mut at = 1000;
        let later = pauses.iter().map(|pause| {
            at += pause;
            at
        });
        std::iter::once(1000).chain(later).map(Duration::from_millis).collect()
    }

    #[test]
    fn pauses_grow_are_scattered_and_begin_anew() {
        let good = [80, 170, 330, 790, 1500, 2700];
        for (first, second, is_right) in [
            (&good[..], &[60, 150, 390, 600, 1100, 3000][..], true),
            (&good, &[1000, 2100], true),
            (&good, &good, false),
            (&[1000, 2000], &[1000, 2000], true), // too few to tell
            (&good, &[3000, 3000], false),
            (&good, &[2800, 4600], false), // they go on
            (&[1000; 7], &[1000; 7], false),
            (&[200; 40], &[200; 40], false),
            (&[], &[], false),
        ] {
            let judged = pauses_are_right(&dials(first), &dials(second));
            assert_eq!(judged.is_ok(), is_right, "{first:?} {second:?}: {judged:?}");
        }
    }
}
