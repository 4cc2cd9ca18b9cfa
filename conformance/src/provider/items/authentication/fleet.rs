//! C-24: the same provider token in the whole fleet.

use std::{collections::BTreeSet, time::Duration};

use super::{
    super::super::{
        evidence::{Evidence, Request},
        item::{Acting, Finding, Play, Stop, ensure},
        protocol::Options,
        stage::{PATIENCE, Stage},
    },
    clocks::{begin, pass},
};

pub(super) fn plays() -> Vec<Play> {
    let play = Play::new("three-processes", three_processes, each_moment_has_one_token);
    vec![play.needing(&["set-clock", "key"]).while_time_passes()]
}

/// Three processes that start seven minutes apart; then the first starts again.
fn three_processes(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        begin(stage, 0, Options::default()).await?;
        for moment in 1..=MOMENTS {
            pass(stage, STEP * moment, 0).await?;
            if moment < PROCESSES {
                stage.start_another_adapter().await?;
                stage.configure(Options::default()).await?;
            } else if moment == PROCESSES {
                stage.turn_to_next();
                stage.start_adapter().await?;
                stage.configure(Options::default()).await?;
            }
            if !all_send(stage).await? {
                break; // the judge sees it
            }
        }
        Ok(())
    })
}

/// One push of each process. Whether there are results.
async fn all_send(stage: &mut Stage) -> Result<bool, Stop> {
    stage.mark(MOMENT_MARK);
    let mut is_done = true;
    for _ in 0..stage.adapters() {
        stage.send(stage.push()).await?;
        is_done = is_done && stage.results(PATIENCE).await?;
        stage.turn_to_next();
    }
    Ok(is_done)
}

fn each_moment_has_one_token(evidence: &Evidence) -> Result<(), Finding> {
    let requests = evidence.requests();
    let moments: Vec<Duration> =
        evidence.marks.iter().filter(|mark| mark.1 == MOMENT_MARK).map(|mark| mark.0).collect();
    ensure(moments.len() > PROCESSES as usize, "pushes of all processes", || "too few".to_owned())?;
    let mut differing: Vec<&Request> = Vec::new();
    for (number, began) in moments.iter().enumerate() {
        let end = moments.get(number + 1).copied().unwrap_or(Duration::MAX);
        let of_moment = || requests.iter().filter(|request| *began <= request.at && request.at < end);
        let (wanted, count) = ((number + 2).min(PROCESSES as usize), of_moment().count());
        ensure(count >= wanted, format!("a push of each of {wanted} processes"), || count.to_string())?;
        let tokens: BTreeSet<_> = of_moment().map(Request::provider_token).collect();
        if tokens.len() > 1 {
            differing.extend(of_moment().nth(1));
        }
    }
    // A slot may end between two pushes of one moment, but not between those of two moments one after the other.
    match differing[..] {
        [] | [_] => Ok(()),
        [first, ..] => {
            let got = format!("different ones at {} of {} moments", differing.len(), moments.len());
            let wrong = Finding::wrong("the same provider token of all processes", got);
            Err(wrong.at(first.connection, first.at))
        }
    }
}

const PROCESSES: u32 = 3;
/// From moment to moment: no divisor of any slot that there may be.
const STEP: Duration = Duration::from_mins(7);
/// Of an hour and a half.
const MOMENTS: u32 = 13;
const MOMENT_MARK: &str = "all send";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{
        evidence::{Said, Side, What},
        items::authentication::testing::{connection, push_with, token},
    };

    /// A moment each minute, at which processes send these tokens.
    fn got(moments: &[&[i64]]) -> Option<String> {
        let mut evidence = Evidence::default();
        let mut said = Vec::new();
        for (minute, tokens) in (0..).zip(moments) {
            evidence.marks.push((Duration::from_mins(minute), MOMENT_MARK));
            for (second, issued_at) in (1..).zip(*tokens) {
                let at = Duration::from_mins(minute) + Duration::from_secs(second);
                let stream = i64::try_from(minute * 10 + second).unwrap();
                let push = What::Headers(push_with(stream, &token(*issued_at)));
                said.push(Said { at, side: Side::Provider, what: push });
            }
        }
        evidence.connections.push(connection(said));
        match each_moment_has_one_token(&evidence) {
            Err(Finding::Wrong { got, .. }) => Some(got),
            _ => None,
        }
    }

    #[test]
    fn one_token_at_each_moment_is_right_and_a_slot_may_end_in_one() {
        assert_eq!(got(&[&[1, 1], &[1, 1, 1], &[1, 1, 1], &[2, 2, 2]]), None);
        assert_eq!(got(&[&[1, 1], &[1, 1, 1], &[1, 2, 2], &[2, 2, 2]]), None);
    }

    #[test]
    fn processes_that_differ_or_are_missing_are_seen() {
        let differ = "different ones at 2 of 4 moments";
        assert_eq!(got(&[&[1, 1], &[1, 1, 1], &[1, 2, 1], &[1, 2, 1]]).as_deref(), Some(differ));
        assert_eq!(got(&[&[1, 1], &[1, 1], &[1, 1, 1], &[1, 1, 1]]).as_deref(), Some("2"));
        assert_eq!(got(&[&[1, 1]]).as_deref(), Some("too few"));
    }
}
