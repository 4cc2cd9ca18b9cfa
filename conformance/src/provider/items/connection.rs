//! Connections and TLS: C-01 to C-09.

use std::time::Duration;

use super::super::{
    evidence::{Evidence, SETTINGS_ENABLE_PUSH, Said, Side, What},
    item::{Acting, Finding, Item, Play, ensure},
    protocol::{Options, Outcome},
    stage::{PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    vec![
        Item::new("C-01", vec![Play::new("one-after-the-other", one_after_the_other, few_connections)]),
        Item::new("C-09", vec![Play::new("preface", two_pushes_and_a_ping, greets_as_http2_wants)]),
    ]
}

/// C-01: pushes one after the other.
fn one_after_the_other(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(Options::default()).await?;
        for _ in 0..SEQUENTIAL_PUSHES {
            stage.send(stage.push()).await?;
            if !stage.results(PATIENCE).await? {
                break; // the judge sees it
            }
        }
        Ok(())
    })
}

fn few_connections(evidence: &Evidence) -> Result<(), Finding> {
    let accepted = evidence.count(Outcome::Accepted);
    ensure(accepted == SEQUENTIAL_PUSHES, format!("{SEQUENTIAL_PUSHES} accepted pushes"), || {
        format!("{accepted}")
    })?;
    let dials = evidence.dials.len();
    ensure(dials <= POOL_MAX, format!("at most {POOL_MAX} connections"), || format!("{dials}"))?;
    let ended = evidence.dials.iter().filter(|dial| dial.ended_at.is_some()).count();
    let reopened = dials > 1 && ended > 0 && dials > ended;
    ensure(!reopened, "no connection opened after another was closed", || {
        format!("{dials} opened, {ended} closed by the provider")
    })
}

/// C-09: two pushes, and PING in between.
fn two_pushes_and_a_ping(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(r#"{"name":"ping","times":1,"action":{"ping":{"count":1}}}"#)?;
        stage.configure(Options::default()).await?;
        for _ in 0..2 {
            stage.send(stage.push()).await?;
            stage.results(PATIENCE).await?;
        }
        let is_answered = |said: &Said| said.side == Side::Provider && said.what == What::Ping { ack: true };
        stage.until(PATIENCE, |evidence| evidence.said().any(|(_, said)| is_answered(said))).await?;
        Ok(())
    })
}

fn greets_as_http2_wants(evidence: &Evidence) -> Result<(), Finding> {
    let Some(connection) = evidence.connections.first() else {
        return Err(Finding::wrong("a connection", "none"));
    };
    let mut said = connection.by_provider();
    let (first, second) = (said.next().map(|it| &it.what), said.next().map(|it| &it.what));
    let Some(What::Settings(settings)) = second.filter(|_| first == Some(&What::Preface)) else {
        return Err(Finding::wrong("the preface of HTTP/2, then SETTINGS", format!("{first:?}, {second:?}")));
    };
    ensure(settings.contains(&(SETTINGS_ENABLE_PUSH, 0)), "ENABLE_PUSH=0 in SETTINGS", || {
        format!("{settings:?}")
    })?;
    if let Some(said) = connection.by_provider().find(|it| matches!(it.what, What::Priority { .. })) {
        return Err(Finding::wrong("no PRIORITY (RFC 9113, 5.3.2)", said.to_string()).at(0, said.at));
    }
    let sent = connection.by_double().find(|it| matches!(it.what, What::Settings(_))).map(|it| it.at);
    let acknowledged = connection.by_provider().find(|it| it.what == What::SettingsAck).map(|it| it.at);
    let took = sent.zip(acknowledged).map(|(sent, acknowledged)| acknowledged.saturating_sub(sent));
    ensure(
        took.is_some_and(|took| took <= SETTINGS_ACK_MAX),
        "SETTINGS acknowledged within a second",
        || took.map_or("no acknowledgement".to_owned(), |took| format!("after {took:?}")),
    )?;
    let answered = connection.by_provider().any(|it| it.what == What::Ping { ack: true });
    ensure(answered, "PING answered", || "no answer".to_owned())
}

/// Enough for a provider that opens connections for no reason to open some.
const SEQUENTIAL_PUSHES: usize = 2000;
/// More connections than one after the other needs; libraries may keep a few.
const POOL_MAX: usize = 8;
const SETTINGS_ACK_MAX: Duration = Duration::from_secs(1);
