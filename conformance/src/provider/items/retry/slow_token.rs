//! C-49: a device that gets too many pushes holds up no other.

use std::time::Duration;

use serde_json::json;

use crate::provider::{
    evidence::Evidence,
    item::{Acting, Finding, Play, ensure},
    protocol::{Options, Outcome},
    stage::{PATIENCE, Stage},
};

pub(super) fn plays() -> Vec<Play> {
    vec![Play::new("one-device-is-flooded", one_device_is_flooded, it_alone_waits)]
}

/// The first push to a device is answered 429; then there are more for it, and many for others.
fn one_device_is_flooded(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let tokens = stage.device_tokens(1 + OTHERS)?;
        stage.answer_to(&tokens[0], Some(1), &json!({"status": 429, "reason": "TooManyRequests"}))?;
        stage.configure(Options::default()).await?;
        stage.send(stage.push_to(&tokens[0])).await?;
        stage.until(PATIENCE, |evidence| evidence.requests().iter().any(|it| it.answer.is_some())).await?;
        stage.pass(CROSSING).await?;
        for _ in 0..TO_EACH {
            for token in &tokens {
                stage.send(stage.push_to(token)).await?;
            }
        }
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn it_alone_waits(evidence: &Evidence) -> Result<(), Finding> {
    let requests = evidence.requests();
    let Some((flooded, answer)) = requests.iter().find_map(|it| Some((it, it.answer.as_ref()?))) else {
        return Err(Finding::wrong("a push that can be answered 429", "none"));
    };
    let waits = answer.at + CROSSING..answer.at + WAIT_MIN;
    let is_to_it = |token: Option<&str>| token.is_some_and(|it| flooded.device_token() == Some(it));
    if let Some(again) = requests.iter().find(|it| is_to_it(it.device_token()) && waits.contains(&it.at)) {
        let after = again.at - answer.at;
        return Err(Finding::wrong(
            format!("no push to a device token within {WAIT_MIN:?} of its 429"),
            format!("one after {after:.0?}"),
        )
        .at(again.connection, again.at));
    }
    let results = evidence.results();
    for (id, sent) in evidence.sent.iter().filter(|(_, sent)| !is_to_it(Some(&sent.device_token))) {
        let took = results.get(id).map_or(Duration::MAX, |(at, _)| *at - sent.at);
        let outcome = evidence.result(*id).map(|report| report.outcome);
        ensure(
            outcome == Some(Outcome::Accepted) && took <= OTHERS_MAX,
            format!("push {id}, to another device, accepted within {OTHERS_MAX:?}"),
            || format!("{}, {took:.2?} after it was told", evidence.told(*id)),
        )?;
    }
    let missing = evidence.sent.len() - results.len();
    ensure(missing == 0, "a result of each push in the end", || format!("{missing} have none"))
}

const OTHERS: usize = 9;
const TO_EACH: usize = 5;
/// How long an answer may be on its way: until then pushes may go out as if it had not been given.
const CROSSING: Duration = Duration::from_millis(100);
/// The least that can be called waiting; the pauses of most providers begin at half a second.
const WAIT_MIN: Duration = Duration::from_millis(300);
/// Others go out at once; there may be other plays on the machine.
const OTHERS_MAX: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    /// A 429 for one token, then a push to it and one to another at these times.
    fn evidence(again: u64, other: u64) -> Evidence {
        Evidence::default()
            .with_push("0a", 0)
            .with_push("0a", 1000)
            .with_push("0b", 1000)
            .with_request("0a", 900, 429)
            .with_request("0a", again, 200)
            .with_request("0b", other, 200)
            .with_result(0, 2000, Outcome::Accepted, None)
            .with_result(1, 2000, Outcome::Accepted, None)
            .with_result(2, other, Outcome::Accepted, None)
    }

    #[test]
    fn the_flooded_device_waits_and_the_other_does_not() {
        assert_eq!(it_alone_waits(&evidence(1400, 1001)), Ok(()));
    }

    #[test]
    fn a_push_to_the_flooded_device_at_once_is_found() {
        let found = it_alone_waits(&evidence(1010, 1001)).unwrap_err();
        assert!(matches!(&found, Finding::Wrong { got, .. } if got == "one after 110ms"), "{found:?}");
    }

    #[test]
    fn a_push_to_another_device_that_waits_as_well_is_found() {
        let found = it_alone_waits(&evidence(9000, 8900)).unwrap_err();
        assert!(
            matches!(&found, Finding::Wrong { expected, .. } if expected.contains("another device")),
            "{found:?}"
        );
    }
}
