//! GOAWAY on every connection, and what it gives as its reason: C-35 and C-36.

use std::time::Duration;

use super::{all_accepted, all_have_results, one_connection, replay::sends_again_once, warm_up};
use crate::provider::{
    evidence::Evidence,
    item::{Acting, Finding, Item, Play, ensure},
    protocol::{Options, Report},
    stage::{MOMENT, PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    let served = Play::new("after-each-answer", goaway_after_each_answer, ends_in_bounds);
    let unserved = Play::new("before-each-answer", goaway_before_each_answer, connects_more_and_more_slowly);
    let free = Play::new("costs-no-retry", many_unprocessed, sends_again_once);
    let reason = Play::new("bad-certificate", bad_certificate, stops_and_tells_why);
    let odd = Play::new("odd-debug-data", odd_debug_data, all_accepted);
    vec![Item::new("C-35", vec![served, unserved, free]), Item::new("C-36", vec![reason, odd])]
}

/// C-35: every connection takes one push, answers it and ends.
fn goaway_after_each_answer(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(r#"{"name":"over","action":{"goaway":{"reason":"Shutdown"}}}"#)?;
        stage.configure(Options { deadline_ms: Some(20_000), ..one_connection() }).await?;
        stage.send_numbered(FEW_PUSHES).await?;
        stage.results(BOUNDED_BY).await?;
        Ok(())
    })
}

fn ends_in_bounds(evidence: &Evidence) -> Result<(), Finding> {
    all_have_results(evidence)?;
    let (dials, most) = (evidence.dials.len(), 2 * FEW_PUSHES);
    ensure(dials <= most, format!("{FEW_PUSHES} pushes over {most} connections at most"), || {
        dials.to_string()
    })
}

/// C-35: every connection ends at its first push, which is not processed, while pushes go on coming.
fn goaway_before_each_answer(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(r#"{"name":"over","action":{"goaway":{"reason":"Shutdown","last-stream":"zero"}}}"#)?;
        stage.configure(one_connection()).await?;
        stage.mark(BEGUN);
        for _ in 0..PUSHES_THAT_COME {
            stage.send_numbered(1).await?;
            stage.pass(BETWEEN_PUSHES).await?;
        }
        stage.mark(DONE);
        Ok(())
    })
}

fn connects_more_and_more_slowly(evidence: &Evidence) -> Result<(), Finding> {
    let (begun, done) = (evidence.mark(BEGUN).unwrap_or_default(), evidence.mark(DONE).unwrap_or_default());
    let half = begun + (done.saturating_sub(begun)) / 2;
    let dials = |from: Duration, to: Duration| {
        evidence.dials.iter().filter(|dial| from <= dial.at && dial.at < to).count()
    };
    let (first, second) = (dials(begun, half), dials(half, done));
    ensure(first + second > 0, "connections", || "none".to_owned())?;
    let seconds = done.saturating_sub(begun).as_secs();
    let most = DIALS_MAX;
    ensure(first + second <= most, format!("at most {most} connections within {seconds} s"), || {
        (first + second).to_string()
    })?;
    let expected = "growing pauses: fewer connections in the second half than in the first";
    ensure(second < first, expected, || format!("{second} after {first}"))
}

/// C-35: more pushes are turned away at once than a careful provider would retry.
fn many_unprocessed(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(
            r#"{"name":"over","match":{"connection":1,"stream":2},"times":1,
                "action":{"goaway":{"reason":"Shutdown","last-stream":"before","then":"drain"}}}"#,
        )?;
        stage.configure(one_connection()).await?;
        warm_up(stage).await?;
        stage.send_numbered(MANY_PUSHES).await?;
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

/// C-36: every connection ends with the reason that the certificate is bad.
fn bad_certificate(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(
            r#"{"name":"bad","action":{"goaway":{"reason":"BadCertificate","last-stream":"zero"}}}"#,
        )?;
        stage.configure(Options { deadline_ms: Some(3000), ..one_connection() }).await?;
        for _ in 0..PUSHES_OF_THE_REFUSED {
            stage.send_numbered(1).await?;
            stage.pass(BETWEEN_PUSHES).await?;
        }
        stage.results(PATIENCE).await?;
        Ok(())
    })
}

fn stops_and_tells_why(evidence: &Evidence) -> Result<(), Finding> {
    let says = |report: &Report| {
        [&report.reason, &report.why].into_iter().flatten().any(|text| text.contains(BAD_CERTIFICATE))
    };
    let is_told = evidence.results().values().any(|(_, report)| says(report));
    ensure(is_told || evidence.stderr.contains(BAD_CERTIFICATE), "the reason BadCertificate told", || {
        "nowhere".to_owned()
    })?;
    let requests = evidence.requests().len();
    let expected =
        format!("at most {PROBES_MAX} of {PUSHES_OF_THE_REFUSED} pushes sent as one who is refused");
    ensure(requests <= PROBES_MAX, expected, || requests.to_string())
}

/// C-36: debug data that says nothing.
fn odd_debug_data(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        for (number, debug) in (1..).zip(["", "not JSON", r#"{"reason":7}"#, r#"{"reason":"BrandNew2027"}"#])
        {
            let debug = serde_json::Value::from(debug);
            stage.fault(&format!(
                r#"{{"name":"odd-{number}","match":{{"connection":{number}}},"times":1,"action":{{"goaway":{{"debug":{debug},"then":"drain"}}}}}}"#
            ))?;
        }
        stage.configure(one_connection()).await?;
        for _ in 0..5 {
            stage.send_numbered(1).await?;
            stage.results(PATIENCE).await?;
            stage.pass(MOMENT).await?; // the end is read before the next one
        }
        Ok(())
    })
}

/// Enough for pauses to grow, few enough for them not to grow long.
const FEW_PUSHES: usize = 6;
/// How long those may take: a push's deadline, and time for whoever has a longer one of its own.
const BOUNDED_BY: Duration = Duration::from_mins(1);
const BEGUN: &str = "begun";
const DONE: &str = "done";
/// Pushes that come while no connection is of use: for eight seconds.
const PUSHES_THAT_COME: usize = 80;
const BETWEEN_PUSHES: Duration = Duration::from_millis(100);
/// What pauses that double from 100 ms make of eight seconds, for four connections.
const DIALS_MAX: usize = 32;
/// More than a tenth of the traffic, and than a reserve for who sends little.
const MANY_PUSHES: usize = 60;
const PUSHES_OF_THE_REFUSED: usize = 20;
/// What may be sent within two seconds to see whether a credential is still refused.
const PROBES_MAX: usize = 5;
const BAD_CERTIFICATE: &str = "BadCertificate";
