//! C-23: clocks that are wrong, or step back.

use std::time::{Duration, UNIX_EPOCH};

use super::{
    super::super::{
        evidence::{Evidence, Request},
        item::{Acting, Finding, Play, Stop, ensure},
        protocol::{Event, Options},
        stage::{PATIENCE, Stage},
    },
    clocks::{MINUTE, begin, pass, told},
    issued_at,
};

pub(super) fn plays() -> Vec<Play> {
    let fast = Play::new("ten-minutes-fast", ten_minutes_fast, is_steady_and_speaks_of_the_clock);
    let slow = Play::new("ten-minutes-slow", ten_minutes_slow, is_steady_and_speaks_of_the_clock);
    let back = Play::new("stepping-back", stepping_back, iat_never_decreases);
    let corrected = Play::new("corrected-by-answers", corrected_by_answers, nothing_is_of_the_future);
    vec![
        fast.needing(&["set-clock", "key"]),
        slow.needing(&["set-clock", "key"]),
        back.needing(&["set-clock", "key"]),
        corrected.needing(&["set-clock", "key", "correct-clock"]),
    ]
}

fn ten_minutes_fast(stage: &mut Stage) -> Acting<'_> {
    Box::pin(until_refused(stage, SKEW))
}

fn ten_minutes_slow(stage: &mut Stage) -> Acting<'_> {
    Box::pin(until_refused(stage, -SKEW))
}

/// A push every five minutes, until a provider token is refused.
async fn until_refused(stage: &mut Stage, skew: i64) -> Result<(), Stop> {
    begin(stage, skew, options()).await?;
    for step in 1..=STEPS {
        if stage.look(|evidence| evidence.requests().iter().any(is_refused)) {
            break;
        }
        pass(stage, STEP * step, skew).await?;
        stage.send(stage.push()).await?;
        stage.results(PATIENCE).await?;
    }
    Ok(())
}

/// A push by the right time and one by a clock that has stepped back, every five minutes.
fn stepping_back(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        begin(stage, 0, options()).await?;
        for step in 0..=STEPS {
            for skew in [0, -SKEW] {
                pass(stage, STEP * step, skew).await?;
                stage.send(stage.push()).await?;
                stage.results(PATIENCE).await?;
            }
        }
        Ok(())
    })
}

/// A push every five minutes by a clock that is fast, and answers that say what the time is.
fn corrected_by_answers(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        pass(stage, Duration::ZERO, SKEW).await?;
        date_answers(stage)?;
        begin(stage, SKEW, Options { correct_clock: Some(true), ..options() }).await?;
        for step in 1..=STEPS {
            pass(stage, STEP * step, SKEW).await?;
            date_answers(stage)?;
            stage.send(stage.push()).await?;
            stage.results(PATIENCE).await?;
        }
        Ok(())
    })
}

/// From now on answers are dated with the present second.
fn date_answers(stage: &mut Stage) -> Result<(), Stop> {
    stage.end_fault("dated");
    let date = httpdate::fmt_http_date(UNIX_EPOCH + stage.date());
    stage.fault(&format!(r#"{{"name":"dated","action":{{"answer":{{"headers":{{"date":"{date}"}}}}}}}}"#))
}

fn options() -> Options {
    Options { deadline_ms: Some(DEADLINE_MS), ..Options::default() }
}

fn is_steady_and_speaks_of_the_clock(evidence: &Evidence) -> Result<(), Finding> {
    iat_never_decreases(evidence)?;
    let requests = evidence.requests();
    let Some(refused) = requests.iter().find(|request| is_refused(request)) else { return Ok(()) };
    let speaks = |text: &str| text.to_ascii_lowercase().contains("clock");
    let is_told = evidence.reported.iter().any(|reported| match &reported.event {
        Event::Result(report) => report.why.as_deref().is_some_and(speaks),
        Event::Failed { why } => speaks(why),
        _ => false,
    });
    ensure(is_told || speaks(&evidence.stderr), "an error or a log that speaks of the clock", || {
        let status = refused.status().unwrap_or_default();
        format!("a provider token refused with {status}, and no word of it")
    })
    .map_err(|finding| finding.at(refused.connection, refused.at))
}

/// A lower one is right after a higher one that was of the future, and refused.
fn iat_never_decreases(evidence: &Evidence) -> Result<(), Finding> {
    let requests = evidence.requests();
    let mut highest: Option<(i64, &Request)> = None;
    for request in &requests {
        let now = issued_at(request)?;
        let Some((before, at)) = highest.filter(|(before, _)| *before > now) else {
            highest = Some((now, request));
            continue;
        };
        let is_given_up = requests.iter().any(|refused| {
            is_refused(refused)
                && issued_at(refused) == Ok(before)
                && before > evidence.dates.secs(refused.at) + TOLERANCE
        });
        if !is_given_up {
            let got = format!("a provider token issued {} before the last", told(before - now));
            return Err(Finding::wrong("iat never to decrease", got).at(request.connection, at.at));
        }
        highest = Some((now, request));
    }
    ensure(highest.is_some(), "requests", || "none".to_owned())
}

fn nothing_is_of_the_future(evidence: &Evidence) -> Result<(), Finding> {
    iat_never_decreases(evidence)?;
    let requests = evidence.requests();
    let dated = requests.iter().filter_map(|request| request.answer.as_ref()?.whole_at).min();
    let dated = dated.ok_or_else(|| Finding::wrong("an answer that is dated", "none"))?;
    for request in requests.iter().filter(|request| request.at > dated) {
        let ahead = issued_at(request)? - evidence.dates.secs(request.at);
        if ahead > TOLERANCE {
            let got = format!("{} ahead, though an answer was dated", told(ahead));
            return Err(Finding::wrong("iat at most 60 s ahead", got).at(request.connection, request.at));
        }
    }
    Ok(())
}

fn is_refused(request: &Request) -> bool {
    request.status() == Some(403)
}

/// By how many seconds the clock is wrong.
const SKEW: i64 = 10 * MINUTE;
/// How many seconds of the future are nobody's business: dates have whole seconds, and answers take their time.
const TOLERANCE: i64 = 60;
const STEP: Duration = Duration::from_mins(5);
/// An hour and five minutes: a new token has come by then, whenever the first was made.
const STEPS: u32 = 13;
/// What is held back because a token was refused need not be waited for.
const DEADLINE_MS: u64 = 3000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{
        evidence::{Dates, Said, Side, What},
        items::authentication::testing::{answer_with, connection, push_with, token},
    };

    const BEGAN: i64 = 1_700_000_000;

    /// Pushes a second apart, with tokens that were issued so many seconds after the first push, and what each was answered.
    fn got(pushes: &[(i64, &str)]) -> Option<String> {
        let began = Duration::from_secs(BEGAN.cast_unsigned());
        let mut said = Vec::new();
        for (number, (issued_at, status)) in (0..).zip(pushes) {
            let at = Duration::from_secs(u64::try_from(number).unwrap());
            let push = What::Headers(push_with(number, &token(BEGAN + issued_at)));
            said.push(Said { at, side: Side::Provider, what: push });
            let answer = What::Headers(answer_with(number, status));
            said.push(Said { at, side: Side::Double, what: answer });
        }
        let evidence = Evidence {
            dates: Dates::from(began),
            connections: vec![connection(said)],
            ..Evidence::default()
        };
        match iat_never_decreases(&evidence) {
            Err(Finding::Wrong { got, .. }) => Some(got),
            _ => None,
        }
    }

    #[test]
    fn a_token_that_stays_or_is_newer_is_right_and_an_older_one_is_seen() {
        assert_eq!(got(&[(-90, "200"), (-90, "200"), (0, "200")]), None);
        let older = "a provider token issued 10 min 0 s before the last";
        assert_eq!(got(&[(0, "200"), (-600, "200")]).as_deref(), Some(older));
        assert_eq!(got(&[(0, "403"), (-600, "200")]).as_deref(), Some(older), "it was refused for its key");
    }

    #[test]
    fn a_token_of_the_future_that_was_refused_may_be_given_up() {
        assert_eq!(got(&[(600, "403"), (0, "200"), (1, "200")]), None);
        let accepted = got(&[(600, "200"), (0, "200")]);
        assert!(accepted.is_some(), "nobody has refused it");
    }
}
