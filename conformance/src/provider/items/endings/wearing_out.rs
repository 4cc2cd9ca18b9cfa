//! Connections that take no more streams, by number: C-44.

use super::{all_accepted, one_connection, replay::sends_again_once};
use crate::provider::{
    evidence::Evidence,
    item::{Acting, Finding, Item, Play, ensure},
    protocol::Options,
    stage::{MOMENT, PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    let out = Play::new("identifiers-run-out", identifiers_run_out, another_takes_over);
    let told = Play::new("goaway-after-so-many", goaway_after_so_many, sends_again_once);
    let closed = Play::new("closed-after-so-many", closed_after_so_many, all_accepted);
    vec![Item::new("C-44", vec![out.needing(&["first-stream"]), told, closed])]
}

/// Each connection begins near the last stream.
fn identifiers_run_out(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        let first_stream = Some(STREAM_MAX - 2 * (STREAMS_LEFT - 1));
        stage.configure(Options { first_stream, ..one_connection() }).await?;
        for _ in 0..ROUNDS {
            stage.send_numbered(ROUND_PUSHES).await?;
            stage.results(PATIENCE).await?;
        }
        Ok(())
    })
}

fn another_takes_over(evidence: &Evidence) -> Result<(), Finding> {
    all_accepted(evidence)?;
    let first = evidence.requests().first().map(|it| it.stream).unwrap_or_default();
    ensure(first > STREAM_MAX / 2, "a first stream near the last", || first.to_string())?;
    let connections = evidence.connections.len();
    ensure(connections > 1, "another connection when streams run out", || format!("{connections}"))
}

/// A load balancer says GOAWAY on each connection after so many streams, while more are under way.
fn goaway_after_so_many(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(r#"{"name":"balancer","match":{"stream":500},"action":{"goaway":{"then":"drain"}}}"#)?;
        stage.configure(one_connection()).await?;
        for _ in 0..ROUNDS {
            stage.send_numbered(ROUND_PUSHES).await?;
            stage.results(PATIENCE).await?;
        }
        Ok(())
    })
}

/// A load balancer closes each connection after so many streams, behind the last answer, when nothing is under way.
fn closed_after_so_many(stage: &mut Stage) -> Acting<'_> {
    Box::pin(async move {
        stage.fault(r#"{"name":"balancer","match":{"stream":10},"action":{"close":{"answered":true}}}"#)?;
        stage.configure(one_connection()).await?;
        for number in 1..=35 {
            stage.send_numbered(1).await?;
            stage.results(PATIENCE).await?;
            if number % 10 == 0 {
                stage.pass(MOMENT).await?; // the end is read before the next one
            }
        }
        Ok(())
    })
}

/// The highest stream (RFC 9113, 5.1.1).
const STREAM_MAX: u32 = 0x7fff_ffff;
/// Streams of each connection: more than a careful provider leaves unused, fewer than there are pushes.
const STREAMS_LEFT: u32 = 1200;
const ROUNDS: usize = 20;
const ROUND_PUSHES: usize = 100;
