//! What scripts of several items do to connections that are open.

use crate::provider::{
    evidence::{Connection, Evidence, What},
    item::Stop,
    stage::{PATIENCE, Stage},
};

/// Sends SETTINGS on all connections that are open, and waits until they are acknowledged. `changes`: those of the fault `settings`.
pub(super) async fn change_settings(stage: &mut Stage, changes: &str) -> Result<(), Stop> {
    stage.until(PATIENCE, |evidence| open(evidence).all(is_acknowledged)).await?;
    let before: Vec<usize> = stage.look(|evidence| evidence.connections.iter().map(settings).collect());
    stage.fault(&at_once("change", &format!(r#"{{"settings":{changes}}}"#)))?;
    let has_more = |at: usize, connection: &Connection| settings(connection) > before[at];
    stage
        .until(PATIENCE, |evidence| {
            let mut each = evidence.connections[..before.len()].iter().enumerate();
            each.all(|(at, it)| it.closed_at.is_some() || has_more(at, it) && is_acknowledged(it))
        })
        .await?;
    stage.end_fault("change");
    Ok(())
}

/// Ends all connections that are open, and waits until the provider has seen it.
pub(super) async fn end_connections(stage: &mut Stage) -> Result<(), Stop> {
    let (connections, dials) = stage.look(|evidence| (evidence.connections.len(), evidence.dials.len()));
    stage.fault(&at_once("end", r#""close""#))?;
    stage
        .until(PATIENCE, |evidence| {
            let closed = evidence.connections[..connections].iter().all(|it| it.closed_at.is_some());
            closed && evidence.dials[..dials].iter().all(|dial| dial.ended_at.is_some())
        })
        .await?;
    stage.end_fault("end");
    Ok(())
}

/// A fault that does something to each connection that is open.
fn at_once(name: &str, action: &str) -> String {
    format!(r#"{{"name":"{name}","on":"clock","match":{{"from":"1ms"}},"action":{action}}}"#)
}

fn open(evidence: &Evidence) -> impl Iterator<Item = &Connection> {
    evidence.connections.iter().filter(|connection| connection.closed_at.is_none())
}

fn settings(connection: &Connection) -> usize {
    connection.by_double().filter(|said| matches!(said.what, What::Settings(_))).count()
}

fn is_acknowledged(connection: &Connection) -> bool {
    let acknowledged = connection.by_provider().filter(|said| said.what == What::SettingsAck).count();
    acknowledged >= settings(connection)
}
