//! The first frames, SETTINGS and PING: C-09.

use std::time::Duration;

use crate::provider::{
    evidence::{Connection, Evidence, SETTINGS_ENABLE_PUSH, Side, What},
    item::{Acting, Finding, Item, Play, ensure},
    items::{changes::change_settings, outcomes::all_accepted},
    protocol::Options,
    stage::{PATIENCE, Stage},
};

pub(super) fn item() -> Item {
    let plays = vec![
        Play::new("pushes-and-pings", pushes_and_pings, greets_as_http2_wants),
        // By itself and last: it is this project's advice, and no rule of RFC 9113.
        Play::new("no-server-push", one_push, refuses_to_be_pushed_to),
    ];
    Item::new("C-09", plays)
}

/// PING behind each push, and other SETTINGS in between.
fn pushes_and_pings(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(&format!(r#"{{"name":"ping","times":{PINGS},"action":{{"ping":{{"count":1}}}}}}"#))?;
        stage.configure(Options::default()).await?;
        for _ in 0..PINGS {
            stage.send_and_wait(PATIENCE, stage.push()).await?;
        }
        change_settings(stage, r#"{"initial-window-size":50000}"#).await?;
        stage.send_and_wait(PATIENCE, stage.push()).await?;
        let pings = |evidence: &Evidence, side, ack| {
            let is_one = move |what: &What| *what == What::Ping { ack };
            evidence.said().filter(|(_, said)| said.side == side && is_one(&said.what)).count()
        };
        stage
            .until(PATIENCE, |evidence| {
                pings(evidence, Side::Provider, true) >= pings(evidence, Side::Double, false)
            })
            .await?;
        Ok(())
    })
}

fn greets_as_http2_wants(evidence: &Evidence) -> Result<(), Finding> {
    ensure(!evidence.connections.is_empty(), "a connection", || "none".to_owned())?;
    let checks = [begins_as_http2, acknowledges, answers_pings];
    for (place, connection) in evidence.connections.iter().enumerate() {
        for check in checks {
            check(connection).map_err(|finding| finding.at(place, Duration::ZERO))?;
        }
        if let Some(said) = connection.by_provider().find(|it| matches!(it.what, What::Priority { .. })) {
            return Err(Finding::wrong("no PRIORITY", said.to_string()).at(place, said.at));
        }
    }
    all_accepted(evidence)
}

fn begins_as_http2(connection: &Connection) -> Result<(), Finding> {
    let mut said = connection.by_provider().map(|it| &it.what);
    let (first, second) = (said.next(), said.next());
    let begins = matches!((first, second), (Some(What::Preface), Some(What::Settings(_))));
    ensure(begins, "the preface of HTTP/2, then SETTINGS", || {
        let shown = |what: Option<&What>| what.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        format!("{}, then {}", shown(first), shown(second))
    })
}

fn one_push(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.configure(Options::default()).await?;
        stage.send_and_wait(PATIENCE, stage.push()).await?;
        Ok(())
    })
}

fn refuses_to_be_pushed_to(evidence: &Evidence) -> Result<(), Finding> {
    all_accepted(evidence)?;
    evidence.connections.iter().enumerate().try_for_each(|(place, connection)| {
        disables_push(connection).map_err(|finding| finding.at(place, Duration::ZERO))
    })
}

fn disables_push(connection: &Connection) -> Result<(), Finding> {
    let first = connection.by_provider().map(|it| &it.what).find(|what| matches!(what, What::Settings(_)));
    let refuses =
        matches!(first, Some(What::Settings(settings)) if settings.contains(&(SETTINGS_ENABLE_PUSH, 0)));
    ensure(refuses, "ENABLE_PUSH=0 in the first SETTINGS", || {
        first.map_or_else(|| "none".to_owned(), ToString::to_string)
    })
}

/// Each SETTINGS in time: an acknowledgement is for the oldest that has none (RFC 9113, 6.5.3).
fn acknowledges(connection: &Connection) -> Result<(), Finding> {
    let settings = connection.by_double().filter(|it| matches!(it.what, What::Settings(_)));
    let mut acknowledgements = connection.by_provider().filter(|it| it.what == What::SettingsAck);
    for (sent, number) in settings.zip(1..) {
        let after = acknowledgements.next().map(|it| it.at.saturating_sub(sent.at));
        ensure(
            after.is_some_and(|after| after <= ACKNOWLEDGEMENT_MAX + BUSY),
            format!("SETTINGS acknowledged within {ACKNOWLEDGEMENT_MAX:?}"),
            || {
                format!(
                    "SETTINGS {number} {}",
                    after.map_or_else(|| "never".to_owned(), |after| format!("after {after:?}"))
                )
            },
        )?;
    }
    Ok(())
}

fn answers_pings(connection: &Connection) -> Result<(), Finding> {
    let asked = connection.by_double().filter(|it| it.what == What::Ping { ack: false }).count();
    let answered = connection.by_provider().filter(|it| it.what == What::Ping { ack: true }).count();
    ensure(answered >= asked, format!("{asked} PINGs answered"), || answered.to_string())
}

const PINGS: usize = 3;
const ACKNOWLEDGEMENT_MAX: Duration = Duration::from_secs(1);
/// What a machine that is busy may add to it.
const BUSY: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::evidence::sketch;

    #[test]
    fn settings_are_to_be_acknowledged_each_in_time() {
        let judged = |said: &[(u64, Side, What)]| {
            let mut connection = sketch::connection([]);
            connection.said =
                said.iter().map(|(at, side, what)| sketch::said(*at, *side, what.clone())).collect();
            acknowledges(&connection)
        };
        let settings = |at| (at, Side::Double, What::Settings(Vec::new()));
        let acknowledgement = |at| (at, Side::Provider, What::SettingsAck);
        assert_eq!(judged(&[settings(0), settings(1), acknowledgement(900), acknowledgement(1000)]), Ok(()));
        let got = |judged| match judged {
            Err(Finding::Wrong { got, .. }) => got,
            other => panic!("{other:?}"),
        };
        assert_eq!(got(judged(&[settings(0), settings(1), acknowledgement(900)])), "SETTINGS 2 never");
        assert_eq!(got(judged(&[settings(0), acknowledgement(1501)])), "SETTINGS 1 after 1.501s");
    }
}
