//! C-61: when too many device tokens are dead at once, something else is wrong.

use crate::provider::{
    evidence::Evidence,
    item::{Acting, Finding, Play, Stop, ensure},
    protocol::{Event, Options},
    stage::{PATIENCE, Stage},
};

use super::removals::{dead_since, millis, register, removals};

pub(super) fn plays() -> Vec<Play> {
    vec![
        Play::new("all-are-dead", all_are_dead, removals_end).needing(&["register"]),
        Play::new("two-of-fifty-are-dead", two_of_fifty_are_dead, the_two_go).needing(&["register"]),
    ]
}

fn all_are_dead(stage: &mut Stage) -> Acting<'_> {
    Box::pin(one_after_the_other(stage, ALL, |_| true))
}

fn removals_end(evidence: &Evidence) -> Result<(), Finding> {
    let mut events = evidence.reported.iter().map(|reported| &reported.event);
    let is_suspended = events.any(|event| matches!(event, Event::RemovalsSuspended {}));
    ensure(is_suspended, format!("removals suspended when all of {ALL} tokens are dead"), || {
        format!(
            "{} removed, and nothing said",
            (0..ALL as u64).filter(|id| removals(evidence, *id) > 0).count()
        )
    })?;
    let later = events.filter(|event| matches!(event, Event::TokenRemoved { .. })).count();
    ensure(later == 0, "no token removed after removals are suspended", || format!("{later}"))
}

/// Among good ones, so few that nothing is wrong.
fn two_of_fifty_are_dead(stage: &mut Stage) -> Acting<'_> {
    Box::pin(one_after_the_other(stage, FIFTY, |at| DEAD.contains(&at)))
}

fn the_two_go(evidence: &Evidence) -> Result<(), Finding> {
    for at in 0..FIFTY {
        let expected = usize::from(DEAD.contains(&at));
        let told = removals(evidence, at as u64);
        ensure(told == expected, format!("the token of push {at} removed {expected} times"), || {
            format!("{told} times")
        })?;
    }
    let is_suspended = evidence.reported.iter().any(|reported| reported.event == Event::RemovalsSuspended {});
    ensure(!is_suspended, "nothing suspended for two dead tokens of fifty", || "removals are".to_owned())
}

/// Pushes to tokens that were registered a day ago, of which some are dead since a second later.
async fn one_after_the_other(
    stage: &mut Stage,
    count: usize,
    is_dead: fn(usize) -> bool,
) -> Result<(), Stop> {
    let tokens = stage.device_tokens(count)?;
    stage.configure(Options::default()).await?;
    let registered = millis(stage.date()) - DAY_MS;
    for (at, token) in tokens.iter().enumerate() {
        register(stage, token, registered).await?;
        if is_dead(at) {
            stage.answer_to(token, None, &dead_since(registered + 1000))?;
        }
        stage.send(stage.push_to(token)).await?;
        stage.results(PATIENCE).await?;
    }
    Ok(())
}

/// More than any guard waits for.
const ALL: usize = 100;
const FIFTY: usize = 50;
/// Late enough that there are many good results before them.
const DEAD: [usize; 2] = [30, 40];
const DAY_MS: u64 = 86_400_000;
