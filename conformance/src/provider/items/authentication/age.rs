//! C-21 and C-22: how long a provider token is used, and that one follows it.

use std::time::Duration;

use super::{
    super::super::{
        evidence::Evidence,
        item::{Acting, Finding, Play, ensure},
        protocol::Options,
        stage::{PATIENCE, Stage},
    },
    clocks::{MINUTE, begin, pass, told},
    first_uses, issued_at,
};

pub(super) fn plays_of_age() -> Vec<Play> {
    let play = Play::new("six-hours", six_hours, no_token_is_too_old_nor_follows_too_soon);
    vec![play.needing(&["set-clock", "key"]).while_time_passes()]
}

pub(super) fn plays_of_single_flight() -> Vec<Play> {
    let play = Play::new("a-thousand-at-once", a_thousand_at_once, one_new_token);
    vec![play.needing(&["set-clock", "key"]).while_time_passes()]
}

/// C-21: a push every five minutes.
fn six_hours(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        begin(stage, 0, Options::default()).await?;
        for step in 1..=STEPS {
            pass(stage, STEP * step, 0).await?;
            stage.send(stage.push()).await?;
            if !stage.results(PATIENCE).await? {
                break; // the judge sees it
            }
        }
        Ok(())
    })
}

fn no_token_is_too_old_nor_follows_too_soon(evidence: &Evidence) -> Result<(), Finding> {
    let requests = evidence.requests();
    ensure(requests.len() > STEPS as usize, format!("{} pushes in 6 hours", STEPS + 1), || {
        requests.len().to_string()
    })?;
    for request in &requests {
        let age = evidence.dates.secs(request.at) - issued_at(request)?;
        if age > AGE_MAX {
            let got = format!("a provider token that is {} old", told(age));
            return Err(Finding::wrong("none older than 60 min", got).at(request.connection, request.at));
        }
    }
    let mut uses = Vec::new();
    for request in first_uses(&requests) {
        uses.push((issued_at(request)?, request));
    }
    uses.sort_by_key(|(issued_at, _)| *issued_at);
    for pair in uses.windows(2) {
        let (apart, request) = (pair[1].0 - pair[0].0, pair[1].1);
        if apart < APART_MIN {
            let got = format!("two provider tokens that were issued {} apart", told(apart));
            return Err(Finding::wrong("20 min or more", got).at(request.connection, request.at));
        }
    }
    Ok(())
}

/// C-22: many pushes at once when the token is 58 minutes old, or 70 if it was good enough for them.
fn a_thousand_at_once(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        begin(stage, 0, Options::default()).await?;
        for minutes in CROSSINGS {
            pass(stage, Duration::from_mins(minutes), 0).await?;
            stage.send_many(PUSHES, &stage.push()).await?;
            stage.results(PATIENCE).await?;
            if stage.look(|evidence| first_uses(&evidence.requests()).len()) > 1 {
                break;
            }
        }
        Ok(())
    })
}

fn one_new_token(evidence: &Evidence) -> Result<(), Finding> {
    let requests = evidence.requests();
    ensure(requests.len() > PUSHES, format!("{PUSHES} pushes after the first"), || {
        requests.len().saturating_sub(1).to_string()
    })?;
    let uses = first_uses(&requests);
    let wrong = |got: String| Finding::wrong(format!("1 new provider token for {PUSHES} pushes"), got);
    match uses[..] {
        [_, _] => Ok(()),
        [_, _, third, ..] => Err(wrong((uses.len() - 1).to_string()).at(third.connection, third.at)),
        _ => Err(wrong(format!("none, {} min after the first push", CROSSINGS[1]))),
    }
}

/// From push to push: a divisor of all the ages that providers are known to renew at.
const STEP: Duration = Duration::from_mins(5);
/// Six hours of them.
const STEPS: u32 = 72;
/// Apple, "Establishing a token-based connection to APNs".
const AGE_MAX: i64 = 60 * MINUTE;
const APART_MIN: i64 = 20 * MINUTE;
const PUSHES: usize = 1000;
/// Minutes after the first push: what renews within an hour has to at the first; the second is for those that are late.
const CROSSINGS: [u64; 2] = [58, 70];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{
        evidence::{Dates, Said, Side, What},
        items::authentication::testing::{connection, push_with, token},
    };

    /// Pushes at these minutes, with tokens that were issued at these.
    fn six_hours_with(issued_at: impl Fn(i64) -> i64) -> Evidence {
        let mut evidence =
            Evidence { dates: Dates::from(Duration::from_secs(1_700_000_000)), ..Evidence::default() };
        let said = (0..=i64::from(STEPS)).map(|step| {
            let (at, now) = (STEP * u32::try_from(step).unwrap(), step * 5);
            let token = token(1_700_000_000 + issued_at(now) * MINUTE);
            Said { at, side: Side::Provider, what: What::Headers(push_with(step, &token)) }
        });
        evidence.connections.push(connection(said));
        evidence
    }

    fn got(evidence: &Evidence) -> Option<String> {
        match no_token_is_too_old_nor_follows_too_soon(evidence) {
            Err(Finding::Wrong { got, .. }) => Some(got),
            _ => None,
        }
    }

    #[test]
    fn a_token_for_each_fifty_minutes_is_right_wherever_its_slots_begin() {
        assert_eq!(got(&six_hours_with(|now| now / 50 * 50)), None);
        assert_eq!(got(&six_hours_with(|now| (now + 47) / 50 * 50 - 47)), None);
        assert_eq!(got(&six_hours_with(|now| now / 60 * 60)), None, "an hour to the second");
    }

    #[test]
    fn a_token_that_is_kept_for_too_long_or_not_long_enough_is_seen() {
        let old = "a provider token that is 65 min 0 s old";
        assert_eq!(got(&six_hours_with(|now| now / 70 * 70)).as_deref(), Some(old));
        let soon = "two provider tokens that were issued 15 min 0 s apart";
        assert_eq!(got(&six_hours_with(|now| now / 15 * 15)).as_deref(), Some(soon));
    }
}
