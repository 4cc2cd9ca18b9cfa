//! C-29: another credential while pushes are under way.

use std::{collections::BTreeSet, time::Duration};

use super::{
    super::super::{
        evidence::Evidence,
        item::{Acting, Finding, Play, Stop, ensure},
        protocol::{Credential, Event, Instruction, Options, Outcome, Push},
        stage::{PATIENCE, Stage},
    },
    token_of,
};

pub(super) fn plays() -> Vec<Play> {
    vec![
        Play::new("new-key", new_key, the_new_one_takes_over).needing(&["rotate", "key"]),
        Play::new("new-certificate", new_certificate, the_new_one_takes_over)
            .needing(&["rotate", "certificate"]),
    ]
}

fn new_key(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let (old, new) = (stage.key(), stage.new_key(NEW_KEY)?);
        rotate(stage, old, new).await
    })
}

fn new_certificate(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let (old, new) = (stage.certificate()?, stage.certificate()?);
        rotate(stage, old, new).await
    })
}

/// Pushes to one device before, to another one after.
async fn rotate(stage: &mut Stage, old: Credential, new: Credential) -> Result<(), Stop> {
    stage.fault(r#"{"name":"slow","action":{"answer":{"delay":"100ms"}}}"#)?;
    stage.configure_as(old, Options::default()).await?;
    stage.send(stage.push()).await?;
    stage.results(PATIENCE).await?;
    stage.send_many(PUSHES, &stage.push()).await?;
    let first_of_new = |event: &Event| matches!(event, Event::Rotated {});
    stage.ask("rotate", &Instruction::Rotate { credential: new }, first_of_new).await?;
    let other = stage.device_tokens(1)?.into_iter().next().unwrap_or_default();
    stage.send_many(PUSHES, &Push { device_token: other, ..stage.push() }).await?;
    stage.results(PATIENCE).await?;
    stage.until(DRAINED_WITHIN, |evidence| the_new_one_takes_over(evidence).is_ok()).await?;
    stage.mark(OVER); // the end of the play ends all connections
    Ok(())
}

fn the_new_one_takes_over(evidence: &Evidence) -> Result<(), Finding> {
    let accepted = evidence.count(Outcome::Accepted);
    let all = evidence.sent.len();
    ensure(accepted == all, format!("{all} accepted pushes"), || accepted.to_string())?;
    let requests = evidence.requests();
    let old_device = evidence.sent.values().next().map(|sent| sent.device_token.as_str());
    let (before, after): (Vec<_>, Vec<_>) =
        requests.iter().partition(|request| request.device_token() == old_device);
    // Those from before may have waited, and go out with either.
    let first = before.first().map(|request| request.connection).unwrap_or_default();
    for request in &after {
        let key = request.provider_token().map(|_| token_of(request)).transpose()?;
        if key.is_some_and(|token| token.key_id() != Some(NEW_KEY)) {
            let wrong = Finding::wrong("the new key after the rotation", "the old one");
            return Err(wrong.at(request.connection, request.at));
        }
        if request.connection == first {
            let wrong = Finding::wrong("new connections for the new credential", "a push on an old one");
            return Err(wrong.at(request.connection, request.at));
        }
    }
    let new: BTreeSet<usize> = after.iter().map(|request| request.connection).collect();
    let old: BTreeSet<usize> = before.iter().map(|request| request.connection).collect();
    let over = evidence.mark(OVER).unwrap_or(Duration::MAX);
    let is_ended = |number: &usize| {
        let dial = evidence.connections.get(*number).and_then(|it| evidence.dials.get(it.dial?));
        dial.is_some_and(|dial| dial.ended_at.is_some_and(|at| at <= over))
    };
    let stays = old.difference(&new).find(|number| !is_ended(number));
    ensure(stays.is_none(), "old connections to be ended once they are drained", || {
        format!("connection {} is open", stays.copied().unwrap_or_default())
    })
}

const PUSHES: usize = 30;
const NEW_KEY: &str = "ROTATED001";
/// How long the old connections may stay when all is answered.
const DRAINED_WITHIN: Duration = Duration::from_secs(10);
const OVER: &str = "waited for old connections to end";
