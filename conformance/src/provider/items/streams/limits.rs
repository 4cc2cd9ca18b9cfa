//! How many streams may be open: C-12 and C-13.

use std::time::Duration;

use rand_core::{Rng as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::provider::{
    evidence::{Evidence, SETTINGS_MAX_CONCURRENT_STREAMS, What},
    item::{Acting, Finding, Item, Play, Stop, ensure},
    items::{
        changes::change_settings,
        outcomes::{all_accepted, told},
    },
    protocol::{Options, Outcome},
    stage::{PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    let elsewhere = Play::new("none-here-some-elsewhere", none_here, go_elsewhere);
    vec![
        Item::new(
            "C-12",
            vec![
                Play::new("down-to-none-and-up", down_and_up, obeys_and_waits),
                elsewhere.needing(&["connections-max"]),
            ],
        ),
        Item::new("C-13", vec![Play::new("ever-other-limits", ever_other_limits, obeys)]),
    ]
}

/// C-12: 1000 with fifty pushes under way, 1, none, 500.
fn down_and_up(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(Options { connections_max: Some(1), ..Options::default() }).await?;
        stage.send_and_wait(PATIENCE, stage.push()).await?;
        stage.fault(r#"{"name":"slow","action":{"answer":{"delay":"400ms"}}}"#)?;
        stage.send_many(UNDER_WAY, &stage.push()).await?;
        stage.until(PATIENCE, |evidence| evidence.requests().len() > UNDER_WAY / 2).await?;
        change_settings(stage, r#"{"max-concurrent-streams":1}"#).await?;
        stage.send_many(MORE, &stage.push()).await?;
        stage.results(PATIENCE).await?;
        stage.end_fault("slow");
        change_settings(stage, r#"{"max-concurrent-streams":0}"#).await?;
        stage.mark(NONE);
        stage.send_many(UNDER_WAY, &stage.push()).await?;
        stage.pass(Duration::from_secs(1)).await?;
        stage.mark(AGAIN);
        change_settings(stage, r#"{"max-concurrent-streams":500}"#).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn obeys_and_waits(evidence: &Evidence) -> Result<(), Finding> {
    none_too_many(evidence)?;
    if let (Some(none), Some(again)) = (evidence.mark(NONE), evidence.mark(AGAIN)) {
        let results = evidence.results();
        let mut between = results.values().filter(|(at, _)| (none..again).contains(at));
        if let Some((at, report)) = between.find(|(_, report)| report.outcome != Outcome::Accepted) {
            return Err(
                Finding::wrong("pushes that wait while no stream is allowed", told(report)).at(0, *at)
            );
        }
    }
    all_accepted(evidence)
}

/// C-12: the connections that are there allow no streams any more, and never again. Others do.
fn none_here(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(Options { connections_max: Some(CONNECTIONS), ..Options::default() }).await?;
        stage.send_and_wait(PATIENCE, stage.push()).await?;
        change_settings(stage, r#"{"max-concurrent-streams":0}"#).await?;
        stage.send_many(MORE, &stage.push()).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn go_elsewhere(evidence: &Evidence) -> Result<(), Finding> {
    none_too_many(evidence)?;
    all_accepted(evidence)
}

/// C-13: a limit that changes ten times a second, with as much to do as it takes. The checklist has a minute: here it is twenty
/// seconds, two hundred limits, so that other items have their time.
fn ever_other_limits(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(Options { connections_max: Some(2), ..Options::default() }).await?;
        stage.send_and_wait(PATIENCE, stage.push()).await?;
        stage.fault(r#"{"name":"slow","action":{"answer":{"delay":{"from":"20ms","to":"300ms"}}}}"#)?;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(SEED);
        for number in 0..CHANGES {
            let limit = LIMITS[random.next_u32() as usize % LIMITS.len()];
            set_limit(stage, number, limit)?;
            let in_hand = stage.look(|evidence| evidence.sent.len().saturating_sub(evidence.reported.len()));
            stage.send_many(IN_HAND.saturating_sub(in_hand), &stage.push()).await?;
            stage.pass(CHANGES_APART).await?;
        }
        set_limit(stage, CHANGES, 1000)?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

/// Does not wait until it is acknowledged: what comes in the meantime is a part of it.
fn set_limit(stage: &mut Stage, number: usize, limit: u32) -> Result<(), Stop> {
    stage.end_fault(&format!("limit-{}", number.wrapping_sub(2)));
    stage.fault(&format!(
        r#"{{"name":"limit-{number}","on":"clock","match":{{"from":"1ms"}},
            "action":{{"settings":{{"max-concurrent-streams":{limit}}}}}}}"#
    ))
}

fn obeys(evidence: &Evidence) -> Result<(), Finding> {
    none_too_many(evidence)?;
    let is_change = |what: &What| matches!(what, What::Settings(settings) if settings.iter().any(|it| it.0 == SETTINGS_MAX_CONCURRENT_STREAMS));
    let changes = evidence
        .connections
        .first()
        .map_or(0, |connection| connection.by_double().filter(|said| is_change(&said.what)).count());
    // A connection that ended in the middle of it has shown little.
    ensure(changes > CHANGES / 2, format!("a connection that stays for {CHANGES} limits"), || {
        format!("one that saw {changes}")
    })?;
    all_accepted(evidence)
}

fn none_too_many(evidence: &Evidence) -> Result<(), Finding> {
    for (place, connection) in evidence.connections.iter().enumerate() {
        if let Some(opened) = connection.first_too_many() {
            let finding = Finding::wrong("no stream above MAX_CONCURRENT_STREAMS", opened.to_string());
            return Err(finding.at(place, opened.at));
        }
    }
    Ok(())
}

/// Pushes under way when the limit falls, and pushes that wait for another.
const UNDER_WAY: usize = 50;
/// Pushes behind them.
const MORE: usize = 5;
/// While no stream is allowed.
const NONE: &str = "no stream is allowed";
const AGAIN: &str = "streams are allowed again";
/// Connections of a provider that may have several.
const CONNECTIONS: usize = 3;

/// What is to be done at any time.
const IN_HAND: usize = 300;
const LIMITS: [u32; 6] = [0, 1, 10, 100, 200, 500];
const CHANGES: usize = 200;
const CHANGES_APART: Duration = Duration::from_millis(100);
/// The same limits in each run.
const SEED: u64 = 13;
