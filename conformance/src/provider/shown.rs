//! What of the evidence is shown with a failure.

use std::time::Duration;

use super::{
    evidence::{Evidence, Said},
    protocol::{Event, Outcome},
};

/// The frames around where to look, or else the beginning and the end of what was said; what the adapter reported; what it wrote to its
/// standard error.
pub(super) fn shown(evidence: &Evidence, at: Option<(usize, Duration)>) -> Vec<String> {
    let mut lines = Vec::new();
    lines.push(format!(
        "{} TCP connections, {} of TLS, {} requests",
        evidence.dials.len(),
        evidence.connections.len(),
        evidence.requests().len()
    ));
    match at {
        Some((connection, time)) => around(&mut lines, evidence, connection, time),
        None => (0..evidence.connections.len().min(CONNECTIONS_SHOWN))
            .for_each(|connection| around(&mut lines, evidence, connection, Duration::ZERO)),
    }
    reported(&mut lines, evidence);
    let stderr: Vec<&str> = evidence.stderr.lines().collect();
    let first = stderr.len().saturating_sub(STDERR_LINES);
    lines.extend(stderr[first..].iter().map(|line| format!("stderr    {line}")));
    // A body may be no text, and an adapter may quote it: a line has to stay one.
    lines.iter().map(|line| line.replace(char::is_control, "\u{fffd}")).collect()
}

fn around(lines: &mut Vec<String>, evidence: &Evidence, connection: usize, time: Duration) {
    let Some(said) = evidence.connections.get(connection).map(|it| it.said.as_slice()) else { return };
    let here = said.partition_point(|said: &Said| said.at < time);
    let (first, end) = (here.saturating_sub(FRAMES_AROUND), (here + FRAMES_AROUND).min(said.len()));
    lines.push(format!("connection {connection}, frames {first} to {end} of {}:", said.len()));
    lines.extend(said[first..end].iter().map(ToString::to_string));
}

/// How many pushes came to what, and the first that did not go well.
fn reported(lines: &mut Vec<String>, evidence: &Evidence) {
    let results = evidence.results();
    let accepted = evidence.count(Outcome::Accepted);
    lines.push(format!("reported  {} of {} pushes, {accepted} accepted", results.len(), evidence.sent.len()));
    let bad = results.values().filter(|(_, report)| report.outcome != Outcome::Accepted);
    for (at, report) in bad.take(REPORTS_SHOWN) {
        let why = report.why.as_deref().or(report.reason.as_deref()).unwrap_or_default();
        let status = report.status.map(|status| format!(" {status}")).unwrap_or_default();
        let seconds = at.as_secs_f64();
        lines
            .push(format!("[{seconds:8.3}] reported push {}: {:?}{status} {why}", report.id, report.outcome));
    }
    for reported in &evidence.reported {
        if let Event::Failed { why } = &reported.event {
            lines.push(format!("[{:8.3}] reported failed: {why}", reported.at.as_secs_f64()));
        }
    }
}

/// Connections whose beginning is shown when nothing says where to look.
const CONNECTIONS_SHOWN: usize = 3;
/// Frames before and behind where to look.
const FRAMES_AROUND: usize = 12;
/// Reports of pushes that did not go well.
const REPORTS_SHOWN: usize = 8;
/// The last lines of standard error.
const STDERR_LINES: usize = 12;
