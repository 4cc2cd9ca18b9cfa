//! C-49: a device that gets too many pushes holds up no other.

use std::{iter, time::Duration};

use serde_json::json;

use crate::provider::{
    evidence::{Evidence, Request},
    item::{Acting, Finding, Play, ensure},
    protocol::{Options, Outcome},
    stage::{PATIENCE, Stage},
};

pub(super) fn plays() -> Vec<Play> {
    vec![Play::new("one-device-is-flooded", one_device_is_flooded, it_alone_waits)]
}

/// Several times: the first push to a device is answered 429; then there is one more for it, and some for others.
fn one_device_is_flooded(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let tokens = stage.device_tokens(ROUNDS + OTHERS)?;
        let (flooded, others) = tokens.split_at(ROUNDS);
        stage.configure(Options::default()).await?;
        for token in flooded {
            stage.answer_to(token, Some(1), &json!({"status": 429, "reason": "TooManyRequests"}))?;
            stage.send(stage.push_to(token)).await?;
            let is_answered = |it: &Request| it.device_token() == Some(token) && it.answer.is_some();
            stage.until(PATIENCE, |evidence| evidence.requests().iter().any(is_answered)).await?;
            stage.pass(CROSSING).await?;
            for token in iter::once(token).chain(others) {
                stage.send(stage.push_to(token)).await?;
            }
        }
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn it_alone_waits(evidence: &Evidence) -> Result<(), Finding> {
    let rounds: Vec<Round> = (0..ROUNDS as u64).filter_map(|round| Round::of(evidence, round)).collect();
    // A pause that is drawn from all up to a limit may be short once.
    if let Some(last) = rounds.last().filter(|_| rounds.iter().all(Round::has_not_waited)) {
        let expected = "a push to a device token that waits after its 429, longer than pushes to others";
        let got =
            format!("{:.0?} after it was told, as those to others: {:.0?}", last.took, last.others_took);
        return Err(Finding::wrong(expected, got).at(last.connection, last.at));
    }
    let results = evidence.results();
    for (id, sent) in &evidence.sent {
        if id % PUSHES_A_ROUND < 2 {
            ensure(results.contains_key(id), format!("a result of push {id} in the end"), || {
                "none".to_owned()
            })?;
            continue;
        }
        let took = results.get(id).map_or(Duration::MAX, |(at, _)| at.saturating_sub(sent.at));
        let is_accepted = evidence.result(*id).is_some_and(|report| report.outcome == Outcome::Accepted);
        ensure(
            is_accepted && took <= OTHERS_MAX,
            format!("push {id}, to another device, accepted within {OTHERS_MAX:?}"),
            || format!("{}, {took:.2?} after it was told", evidence.told(*id)),
        )?;
    }
    Ok(())
}

/// What was seen of the second push to a flooded device, and of those to others that were told with it.
struct Round {
    connection: usize,
    /// When it was on the wire.
    at: Duration,
    /// How long after it was told.
    took: Duration,
    /// How long the slowest of the others took.
    others_took: Duration,
}

impl Round {
    /// `None`: the push was not told soon enough after the 429 to see that it waits, or is not on the wire at all.
    fn of(evidence: &Evidence, round: u64) -> Option<Self> {
        let requests = evidence.requests();
        let first = round * PUSHES_A_ROUND;
        let of_push = |id: u64| {
            let sent = evidence.sent.get(&id)?;
            let is_it = |it: &&Request| it.device_token() == Some(&sent.device_token) && it.at >= sent.at;
            Some((sent.at, requests.iter().find(is_it)?))
        };
        let answered_at = of_push(first)?.1.answer.as_ref()?.at;
        let (told_at, request) =
            of_push(first + 1).filter(|(told_at, _)| *told_at <= answered_at + WAIT_MIN)?;
        let took = |(told_at, request): (Duration, &Request)| request.at.saturating_sub(told_at);
        let others = (first + 2..first + PUSHES_A_ROUND).filter_map(of_push).map(took);
        Some(Self {
            connection: request.connection,
            at: request.at,
            took: took((told_at, request)),
            others_took: others.max()?,
        })
    }

    fn has_not_waited(&self) -> bool {
        self.took <= self.others_took + LONGER_MIN
    }
}

const ROUNDS: usize = 5;
const OTHERS: usize = 6;
/// Two to the device that is flooded, and one to each of the others.
const PUSHES_A_ROUND: u64 = 2 + OTHERS as u64;
/// How long an answer may be on its way: until then pushes may go out as if it had not been given.
const CROSSING: Duration = Duration::from_millis(100);
/// The pauses of most providers begin at half a second: what is told later than this may find that they are over.
const WAIT_MIN: Duration = Duration::from_millis(300);
/// Less is no waiting, but noise.
const LONGER_MIN: Duration = Duration::from_millis(50);
/// Others go out at once; there may be other plays on the machine.
const OTHERS_MAX: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    /// Each round begins with a 429; 100 ms later a push to the same device is told that takes so long, and one to others that take so
    /// long.
    fn evidence(takes: [u64; ROUNDS], others_take: u64) -> Evidence {
        let others: Vec<String> = (0..OTHERS).map(|other| format!("0b{other}")).collect();
        (0_u64..).zip(takes).fold(Evidence::default(), |evidence, (round, takes)| {
            let (flooded, begin) = (format!("0a{round}"), round * 10_000);
            let first = evidence.sent.len() as u64;
            let accepted =
                |evidence: Evidence, id: u64, at: u64| evidence.with_result(id, at, Outcome::Accepted, None);
            let evidence = evidence.with_push(&flooded, begin).with_request(&flooded, begin, 429);
            let evidence = accepted(evidence, first, begin + 5000);
            let told = begin + 100;
            let evidence = evidence.with_push(&flooded, told).with_request(&flooded, told + takes, 200);
            let evidence = accepted(evidence, first + 1, told + takes);
            (first + 2..).zip(&others).fold(evidence, |evidence, (id, other)| {
                let evidence = evidence.with_push(other, told).with_request(other, told + others_take, 200);
                accepted(evidence, id, told + others_take)
            })
        })
    }

    #[test]
    fn a_flooded_device_that_waits_alone_is_right_even_if_a_pause_is_short_once() {
        assert_eq!(it_alone_waits(&evidence([500, 900, 700, 600, 800], 20)), Ok(()));
        assert_eq!(it_alone_waits(&evidence([5, 10, 40, 300, 20], 20)), Ok(()));
    }

    #[test]
    fn pushes_to_a_flooded_device_that_go_out_as_those_to_others_are_found_however_slow_all_are() {
        for others_take in [2, 600] {
            let found = it_alone_waits(&evidence([others_take + 10; ROUNDS], others_take)).unwrap_err();
            assert!(
                matches!(&found, Finding::Wrong { got, .. } if got.contains("as those to others")),
                "{found:?}"
            );
        }
    }

    #[test]
    fn pushes_to_others_that_wait_as_well_are_found() {
        let found = it_alone_waits(&evidence([9000; ROUNDS], 4000)).unwrap_err();
        assert!(
            matches!(&found, Finding::Wrong { expected, .. } if expected.contains("another device")),
            "{found:?}"
        );
    }
}
