//! C-59, C-60 and C-62: which device tokens are to be removed, and which stay.

use std::time::Duration;

use apns_spec::Spec;
use serde_json::{Value, json};

use crate::provider::{
    evidence::Evidence,
    item::{Acting, Finding, Play, Stop, ensure},
    protocol::{Event, Instruction, Options},
    stage::{PATIENCE, Stage},
};

pub(super) fn plays_of_registrations() -> Vec<Play> {
    vec![
        Play::new("registered-before-and-after", registered_before_and_after, the_younger_stays)
            .needing(&["register"]),
    ]
}

pub(super) fn plays_of_later_registrations() -> Vec<Play> {
    vec![
        Play::new("registered-while-under-way", registered_while_under_way, what_came_again_stays)
            .needing(&["register"]),
    ]
}

pub(super) fn plays_of_mistakes() -> Vec<Play> {
    vec![Play::new("mistakes-and-trouble", mistakes_and_trouble, only_the_dead_goes).needing(&["register"])]
}

/// C-59: of three tokens that were registered at the same time, one is dead since a second before, one since a second after, and one
/// since nobody says when.
fn registered_before_and_after(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let tokens = stage.device_tokens(3)?;
        stage.configure(Options::default()).await?;
        let registered = millis(stage.date()) - DAY_MS;
        let answers = [dead_since(registered - SECOND_MS), dead_since(registered + SECOND_MS), dead()];
        for (answer, token) in answers.iter().zip(&tokens) {
            register(stage, token, registered).await?;
            stage.answer_to(token, None, answer)?;
            stage.send(stage.push_to(token)).await?;
        }
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn the_younger_stays(evidence: &Evidence) -> Result<(), Finding> {
    stays(evidence, 0, "registered a second after the time of its 410")?;
    goes(evidence, 1, "registered a second before the time of its 410")
    // What becomes of the third is the provider's to say.
}

/// C-60: the answers are long under way, and two of three tokens are registered again meanwhile.
fn registered_while_under_way(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let tokens = stage.device_tokens(3)?;
        stage.configure(Options::default()).await?;
        let registered = millis(stage.date()) - DAY_MS;
        let later = dead_since(registered + SECOND_MS);
        for (answer, token) in [&later, &dead(), &later].into_iter().zip(&tokens) {
            register(stage, token, registered).await?;
            let mut answer = answer.clone();
            answer["delay"] = UNDER_WAY.into();
            stage.answer_to(token, None, &answer)?;
        }
        stage.send(stage.push()).await?; // then there is more than one stream
        stage.results(PATIENCE).await?;
        for token in &tokens {
            stage.send(stage.push_to(token)).await?;
        }
        stage.until(PATIENCE, |evidence| evidence.requests().len() > tokens.len()).await?;
        for token in &tokens[..2] {
            register(stage, token, millis(stage.date())).await?;
        }
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn what_came_again_stays(evidence: &Evidence) -> Result<(), Finding> {
    stays(evidence, 1, "registered again while a push was under way, and dead since before")?;
    stays(evidence, 2, "registered again while a push was under way, and dead since nobody says when")?;
    goes(evidence, 3, "not registered again")
}

/// C-62: every answer that speaks against something else than the token; and in the end one that does speak against it.
fn mistakes_and_trouble(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let mistakes = mistakes()?;
        let tokens = stage.device_tokens(mistakes.len() + 1)?;
        let registered = millis(stage.date()) - DAY_MS;
        let answers = mistakes.iter().map(|(status, reason)| json!({"status": status, "reason": reason}));
        let answers = answers.chain([dead_since(registered + SECOND_MS)]);
        for (answer, token) in answers.zip(&tokens) {
            // A credential that was refused need not be used again: each refusal is of a client of its own.
            let options = Options { attempts_max: Some(1), deadline_ms: Some(10_000), ..Options::default() };
            stage.configure(options).await?;
            register(stage, token, registered).await?;
            stage.answer_to(token, None, &answer)?;
            stage.send(stage.push_to(token)).await?;
            stage.results(PATIENCE).await?;
        }
        Ok(())
    })
}

/// What is answered for other reasons than a token's.
fn mistakes() -> Result<Vec<(u16, String)>, Stop> {
    let spec = Spec::load().map_err(|error| Stop::Broken(error.to_string()))?;
    let is_of_the_app = |reason: &str| OF_THE_APP.contains(&reason);
    let rows =
        spec.reasons().iter().filter(|row| matches!(row.status, 403 | 429..) || is_of_the_app(&row.reason));
    Ok(rows.map(|row| (row.status, row.reason.clone())).collect())
}

fn only_the_dead_goes(evidence: &Evidence) -> Result<(), Finding> {
    let last = evidence.sent.len() as u64 - 1;
    for (id, attempts) in evidence.attempts() {
        let answer = attempts.first().and_then(|it| it.answer.as_ref());
        let Some(answer) = answer else {
            return Err(Finding::wrong(format!("push {id} on the wire, and answered"), "it was not"));
        };
        let what = format!("answered {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        if id == last { goes(evidence, id, &what)? } else { stays(evidence, id, &what)? }
    }
    Ok(())
}

/// Tells the adapter that a device token was registered then.
pub(super) async fn register(stage: &Stage, device_token: &str, at_ms: u64) -> Result<(), Stop> {
    let register = Instruction::Register { device_token: device_token.to_owned(), at_ms };
    stage.ask("register", &register, |event| matches!(event, Event::Registered {})).await
}

/// A 410 that says since when.
pub(super) fn dead_since(millis: u64) -> Value {
    json!({"status": 410, "timestamp": millis})
}

fn dead() -> Value {
    json!({"status": 410, "no-timestamp": true})
}

/// Milliseconds since 1970.
pub(super) fn millis(date: Duration) -> u64 {
    u64::try_from(date.as_millis()).unwrap_or(u64::MAX)
}

/// How often a token was said to be removed: the one that a push was for.
pub(super) fn removals(evidence: &Evidence, push: u64) -> usize {
    let Some(token) = evidence.sent.get(&push).map(|sent| sent.device_token.as_str()) else { return 0 };
    let is_of_it = |event: &Event| matches!(event, Event::TokenRemoved { device_token } if device_token.eq_ignore_ascii_case(token));
    evidence.reported.iter().filter(|reported| is_of_it(&reported.event)).count()
}

fn stays(evidence: &Evidence, push: u64, what: &str) -> Result<(), Finding> {
    ensure(removals(evidence, push) == 0, format!("the token of push {push} kept: {what}"), || {
        "removed".to_owned()
    })
}

fn goes(evidence: &Evidence, push: u64, what: &str) -> Result<(), Finding> {
    ensure(removals(evidence, push) > 0, format!("the token of push {push} removed: {what}"), || {
        "kept".to_owned()
    })
}

/// The refusals with status 400 that the item names.
const OF_THE_APP: [&str; 3] = ["TopicDisallowed", "DeviceTokenNotForTopic", "BadTopic"];
const SECOND_MS: u64 = 1000;
const DAY_MS: u64 = 86_400_000;
/// Long enough for two registrations in between.
const UNDER_WAY: &str = "3s";
