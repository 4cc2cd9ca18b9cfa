//! How connections and streams end, and what becomes of pushes then: C-31 to C-46.
//!
//! | items | file |
//! |---|---|
//! | C-31, C-32: GOAWAY | `goaway` |
//! | C-33, C-34: what it leaves out | `replay` |
//! | C-35, C-36: GOAWAY again and again, and its reason | `goaway_again` |
//! | C-37: RST_STREAM | `resets` |
//! | C-38, C-39: silence | `silence` |
//! | C-40: the end at each phase | `phases` |
//! | C-41: connecting again | `reconnecting` |
//! | C-42, C-43: no answer | `deadlines` |
//! | C-44: streams run out | `wearing_out` |
//! | C-45, C-46: one push, several attempts | `attempts` |

mod attempts;
mod deadlines;
mod goaway;
mod goaway_again;
mod phases;
mod reconnecting;
mod replay;
mod resets;
mod silence;
mod wearing_out;

use std::time::Duration;

use crate::provider::{
    evidence::{Evidence, GoingAway, Request, Side, What},
    item::{Finding, Item, Stop},
    protocol::{Options, Outcome, Report},
    stage::{PATIENCE, Stage},
};

pub(super) fn items() -> Vec<Item> {
    let rooms = [
        goaway::items(),
        replay::items(),
        goaway_again::items(),
        resets::items(),
        silence::items(),
        phases::items(),
        reconnecting::items(),
        deadlines::items(),
        wearing_out::items(),
        attempts::items(),
    ];
    rooms.into_iter().flatten().collect()
}

/// One connection where that can be told, so that what happens to it happens to all pushes.
fn one_connection() -> Options {
    Options { connections_max: Some(1), deadline_ms: Some(DEADLINE_MS), ..Options::default() }
}

/// Has one push sent and waits for its result: then APNs knows the provider, and lets it open many streams.
async fn warm_up(stage: &mut Stage) -> Result<(), Stop> {
    stage.send_numbered(1).await?;
    stage.results(PATIENCE).await?;
    Ok(())
}

/// Each push has a result.
fn all_have_results(evidence: &Evidence) -> Result<(), Finding> {
    let results = evidence.results();
    let Some(id) = evidence.sent.keys().find(|id| !results.contains_key(*id)) else { return Ok(()) };
    let (all, got) = (evidence.sent.len(), results.len());
    Err(looking(
        evidence,
        *id,
        format!("a result for each of {all} pushes"),
        format!("{got}; none for push {id}"),
    ))
}

/// Each push was accepted.
fn all_accepted(evidence: &Evidence) -> Result<(), Finding> {
    let results = evidence.results();
    let is_accepted = |id: &u64| results.get(id).is_some_and(|it| it.1.outcome == Outcome::Accepted);
    let Some(id) = evidence.sent.keys().find(|id| !is_accepted(id)) else { return Ok(()) };
    let all = evidence.sent.len();
    let got =
        format!("{}; push {id}: {}", evidence.count(Outcome::Accepted), told(results.get(id).map(|it| it.1)));
    Err(looking(evidence, *id, format!("{all} accepted pushes"), got))
}

/// What was reported of a push.
fn told(report: Option<&Report>) -> String {
    let Some(report) = report else { return "no result".to_owned() };
    let why = report.why.as_deref().or(report.reason.as_deref()).unwrap_or_default();
    format!("{:?} {why}", report.outcome).trim_end().to_owned()
}

/// Something is wrong with a push: where to look is its last request.
fn looking(evidence: &Evidence, id: u64, expected: String, got: String) -> Finding {
    let finding = Finding::wrong(expected, got);
    match evidence.attempts().get(&id).and_then(|attempts| attempts.last()) {
        Some(request) => finding.at(request.connection, request.at),
        None => finding,
    }
}

/// The connections that were told to go. A provider that never came so far cannot be judged by them.
fn going_away(evidence: &Evidence) -> Result<Vec<GoingAway>, Finding> {
    let going = evidence.going_away();
    if going.is_empty() {
        all_accepted(evidence)?;
        let why = "it spreads pushes over so many connections that none came so far";
        return Err(Finding::NotApplicable(why.to_owned()));
    }
    Ok(going)
}

/// No stream was opened on a connection after this time.
fn no_stream_after(evidence: &Evidence, going: &GoingAway, limit: Duration) -> Result<(), Finding> {
    let said = evidence.connections.get(going.connection).into_iter().flat_map(|it| &it.said);
    let late =
        said.filter(|said| said.side == Side::Provider && said.at > limit).find_map(|said| {
            match &said.what {
                What::Headers(headers) => Some((headers.stream, said.at)),
                _ => None,
            }
        });
    let Some((stream, at)) = late else { return Ok(()) };
    let after = at.saturating_sub(going.at);
    let expected = "no stream opened behind GOAWAY, but for those on their way";
    Err(Finding::wrong(expected, format!("stream {stream}, {after:.1?} behind it")).at(going.connection, at))
}

fn is_told_to_go(evidence: &Evidence) -> bool {
    evidence.said().any(|(_, said)| matches!(said.what, What::GoAway { .. }))
}

/// What was on the wire of a push.
fn lines(attempts: &[Request]) -> String {
    attempts.iter().map(Request::line).collect::<Vec<_>>().join("; ")
}

/// How long a push may take where that can be told: enough for a busy machine, and an end within the suite's patience.
const DEADLINE_MS: u64 = 15_000;
/// What a provider has certainly read after so long, as nothing holds it up.
const READ_BY: Duration = Duration::from_secs(1);
/// Pushes that come when GOAWAY has been read.
const LATER_PUSHES: usize = 5;
