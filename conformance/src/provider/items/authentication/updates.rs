//! C-26: TooManyProviderTokenUpdates.

use std::time::Duration;

use super::{
    super::super::{
        evidence::{Evidence, Request},
        item::{Acting, Finding, Play, ensure},
        protocol::Options,
        stage::{MOMENT, PATIENCE, Stage},
    },
    connections_in_use, first_uses,
};

pub(super) fn plays() -> Vec<Play> {
    let play = Play::new("on-one-connection", on_one_connection, the_token_stays_and_the_connection_rests);
    vec![play.needing(&["key"])]
}

/// The answer for everything on the connections that are in use by then, and some pushes more.
fn on_one_connection(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(Options { deadline_ms: Some(DEADLINE_MS), ..Options::default() }).await?;
        stage.send(stage.push()).await?;
        stage.results(PATIENCE).await?;
        let to = stage.look(connections_in_use);
        stage.fault(&format!(
            r#"{{"name":"updates","match":{{"connection":{{"to":{to}}}}},
                "action":{{"answer":{{"status":429,"reason":"TooManyProviderTokenUpdates"}}}}}}"#
        ))?;
        // Alone: whatever comes after its answer was sent with that in mind.
        stage.send(stage.push()).await?;
        stage.until(PATIENCE, |evidence| evidence.requests().iter().any(is_too_many)).await?;
        stage.pass(MOMENT).await?;
        for _ in 0..MORE {
            stage.send(stage.push()).await?;
            stage.pass(PACE).await?;
        }
        stage.results(SETTLING).await?;
        Ok(())
    })
}

fn the_token_stays_and_the_connection_rests(evidence: &Evidence) -> Result<(), Finding> {
    let requests = evidence.requests();
    let first = requests.iter().filter(|request| is_too_many(request)).min_by_key(|request| request.at);
    let Some(first) = first else {
        return Err(Finding::NotApplicable("it has opened another connection for each push".to_owned()));
    };
    if let [_, second, ..] = first_uses(&requests)[..] {
        let wrong = Finding::wrong("the provider token that there is", "a new one");
        return Err(wrong.at(second.connection, second.at));
    }
    let answered = first.answer.as_ref().map_or(Duration::MAX, |answer| answer.at);
    let goes_on = |request: &&Request| request.connection == first.connection && request.at > answered;
    let more: Vec<&Request> = requests.iter().filter(goes_on).collect();
    ensure(more.is_empty(), "no new stream on the connection of the answer", || {
        format!("{} more", more.len())
    })
    .map_err(|finding| finding.at(first.connection, answered))
}

fn is_too_many(request: &Request) -> bool {
    request.status() == Some(429)
}

const MORE: usize = 10;
const PACE: Duration = Duration::from_millis(100);
/// What is held back need not be waited for.
const DEADLINE_MS: u64 = 5000;
const SETTLING: Duration = Duration::from_secs(6);
