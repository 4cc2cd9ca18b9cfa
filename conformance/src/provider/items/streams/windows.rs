//! Windows: C-15 to C-17.

use std::time::Duration;

use crate::provider::{
    evidence::{Evidence, Request, What},
    item::{Acting, Finding, Item, Play, ensure},
    items::{
        changes::change_settings,
        outcomes::{all_accepted, all_reported, told},
    },
    protocol::{Options, Outcome},
    stage::{MOMENT, PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    vec![
        Item::new("C-15", vec![Play::new("no-window-update", no_window_update, sends_what_fits)]),
        Item::new(
            "C-16",
            vec![
                Play::new("windows-of-100-bytes", small_windows, none_overrun_and_all_accepted),
                Play::new("windows-below-zero", windows_below_zero, none_overrun_and_all_accepted),
            ],
        ),
        Item::new("C-17", vec![Play::new("many-long-refusals", long_refusals, reads_them_all)]),
    ]
}

/// C-15: no connection's window is ever opened again.
fn no_window_update(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault_for_everyone(
            r#"{"name":"w","on":"connection","action":{"withhold-window":{"of":"connection"}}}"#,
        )?;
        let deadline_ms = Some(DEADLINE_MS);
        stage.configure(Options { connections_max: Some(1), deadline_ms, ..Options::default() }).await?;
        stage.send_and_wait(PATIENCE, stage.push()).await?;
        stage.send_many(LARGE_PUSHES, &stage.push_of(LARGE_BYTES)).await?;
        // Who has no deadline may wait for ever.
        stage.results(if stage.can("deadline") { PATIENCE } else { DEADLINE }).await?;
        stage.pass(Duration::from_secs(1)).await?;
        stage.mark(OVER);
        Ok(())
    })
}

fn sends_what_fits(evidence: &Evidence) -> Result<(), Finding> {
    none_overrun(evidence)?;
    let accepted = evidence.count(Outcome::Accepted);
    ensure(accepted >= FIT, format!("{FIT} accepted pushes, which fit into 65,535 bytes"), || {
        accepted.to_string()
    })?;
    if !evidence.can("deadline") {
        return Ok(());
    }
    all_reported(evidence)?;
    let over = evidence.mark(OVER).unwrap_or(Duration::MAX);
    match evidence.requests().iter().find(|request| is_left_open(evidence, request, over)) {
        None => Ok(()),
        Some(request) => {
            let got = format!("stream {} open after {} bytes", request.stream, request.body.len());
            let finding = Finding::wrong("no request left half sent when all pushes have their results", got);
            Err(finding.at(request.connection, request.at))
        }
    }
}

/// Whether a request is neither whole nor given up, on a connection that is there.
fn is_left_open(evidence: &Evidence, request: &Request, over: Duration) -> bool {
    let connection = &evidence.connections[request.connection];
    let hung_up = connection.dial.and_then(|dial| evidence.dials[dial].ended_at);
    let is_past = |at: Option<Duration>| at.is_some_and(|at| at <= over);
    let is_gone = is_past(connection.closed_at) || is_past(hung_up);
    request.whole_at.is_none() && request.closed_at().is_none_or(|at| at > over) && !is_gone
}

/// C-16: each stream takes 100 bytes, and then as many again as were read.
fn small_windows(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault_for_everyone(
            r#"{"name":"w","on":"connection","action":{"settings":{"initial-window-size":100}}}"#,
        )?;
        stage.configure(Options { connections_max: Some(1), ..Options::default() }).await?;
        stage.send_and_wait(PATIENCE, stage.push()).await?;
        stage.send_many(PUSHES, &stage.push_of(2000)).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

/// C-16: a stream that has sent 1000 bytes has a window of -900 then, and of 500, and of all it wants.
fn windows_below_zero(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault_for_everyone(
            r#"{"name":"w","on":"connection","action":{"withhold-window":{"of":"streams"}}}"#,
        )?;
        stage.configure(Options { connections_max: Some(1), ..Options::default() }).await?;
        stage.send_and_wait(PATIENCE, stage.push()).await?;
        change_settings(stage, r#"{"initial-window-size":1000}"#).await?;
        stage.send(stage.push_of(3000)).await?;
        let has_sent = |bytes| move |evidence: &Evidence| last_body(evidence) >= bytes;
        stage.until(PATIENCE, has_sent(1000)).await?;
        change_settings(stage, r#"{"initial-window-size":100}"#).await?;
        stage.pass(MOMENT).await?;
        change_settings(stage, r#"{"initial-window-size":1500}"#).await?;
        stage.until(PATIENCE, has_sent(1500)).await?;
        stage.pass(MOMENT).await?;
        change_settings(stage, r#"{"initial-window-size":65535}"#).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn last_body(evidence: &Evidence) -> usize {
    evidence.requests().last().map_or(0, |request| request.body.len())
}

fn none_overrun_and_all_accepted(evidence: &Evidence) -> Result<(), Finding> {
    none_overrun(evidence)?;
    all_accepted(evidence)
}

fn none_overrun(evidence: &Evidence) -> Result<(), Finding> {
    for (place, connection) in evidence.connections.iter().enumerate() {
        if let Some(overrun) = connection.overrun() {
            let finding = Finding::wrong("no DATA beyond what the server has allowed", overrun.to_string());
            return Err(finding.at(place, overrun.at));
        }
        let complains = |what: &What| match what {
            What::GoAway { code, .. } | What::Reset { code, .. } => *code == FLOW_CONTROL_ERROR,
            _ => false,
        };
        if let Some(said) = connection.by_double().find(|said| complains(&said.what)) {
            return Err(Finding::wrong("no FLOW_CONTROL_ERROR", said.what.to_string()).at(place, said.at));
        }
    }
    Ok(())
}

/// C-17. The checklist has 100,000 refusals of 120 bytes: 12 MB. Some libraries open a window of 16 MB at the beginning, so fewer and
/// longer ones show more.
fn long_refusals(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let bytes = REFUSAL_BYTES;
        stage.fault(&format!(
            r#"{{"name":"long","action":{{"answer":{{"status":400,"reason":"BadTopic","body":{{"bytes":{bytes}}}}}}}}}"#
        ))?;
        stage.configure(Options { connections_max: Some(1), ..Options::default() }).await?;
        for _ in 0..REFUSALS / AT_ONCE {
            // Few enough for no push to wait long: libraries give up after seconds.
            stage.send_many(AT_ONCE, &stage.push()).await?;
            if !stage.results(PATIENCE).await? {
                break; // the judge sees it
            }
        }
        Ok(())
    })
}

fn reads_them_all(evidence: &Evidence) -> Result<(), Finding> {
    let results = evidence.results();
    if let Some((_, report)) = results.values().find(|(_, report)| report.status != Some(400)) {
        return Err(Finding::wrong(format!("{REFUSALS} refusals with status 400"), told(report)));
    }
    let reported = results.len();
    ensure(reported == REFUSALS, format!("{REFUSALS} refusals of {REFUSAL_BYTES} bytes"), || {
        let whole =
            |request: &Request| request.answer.as_ref().is_some_and(|answer| answer.whole_at.is_some());
        let answered = evidence.requests().iter().filter(|request| whole(request)).count();
        format!("{reported}, where the windows took {answered} whole answers")
    })?;
    let most = evidence.connections.iter().map(|it| it.opened_streams().len()).max().unwrap_or_default();
    ensure(most > REFUSALS / 2, "one connection that takes them", || {
        format!("{} connections, the longest with {most} of them", evidence.connections.len())
    })
}

const FLOW_CONTROL_ERROR: u32 = 3;
const OVER: &str = "all is over";
/// How long a push may take, where the provider can be told.
const DEADLINE_MS: u64 = 3000;
const DEADLINE: Duration = Duration::from_millis(DEADLINE_MS);
/// More than a window of 65,535 bytes takes, and what fits of them.
const LARGE_PUSHES: usize = 40;
const LARGE_BYTES: usize = 3000;
const FIT: usize = 20;
const PUSHES: usize = 5;

/// Together more than the 16,777,215 bytes of the largest windows that libraries open at the beginning.
const REFUSALS: usize = 1200;
const AT_ONCE: usize = 50;
const REFUSAL_BYTES: usize = 15_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::evidence::{Connection, Side, made};

    #[test]
    fn a_request_that_is_neither_whole_nor_given_up_is_found() {
        let begun = || {
            let side = Side::Provider;
            vec![(side, made::headers(1, &[], false)), (side, made::data(1, 100, false))]
        };
        let is_open = |said, closed_at| {
            let connection = Connection { closed_at, ..made::connection(said) };
            let evidence = Evidence { connections: vec![connection], ..Evidence::default() };
            is_left_open(&evidence, &evidence.requests()[0], Duration::from_secs(1))
        };
        assert!(is_open(begun(), None));
        assert!(is_open(begun(), Some(Duration::from_secs(2))), "the end of the play ends all");
        assert!(!is_open(begun(), Some(Duration::from_millis(900))));
        let mut given_up = begun();
        given_up.push((Side::Provider, What::Reset { stream: 1, code: 8 }));
        assert!(!is_open(given_up, None));
        let mut whole = begun();
        whole.push((Side::Provider, made::data(1, 100, true)));
        assert!(!is_open(whole, None), "the answer is the server's to give");
    }
}
