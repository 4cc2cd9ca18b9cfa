//! The shell: cases against a target, several at once, in bounded time.

mod certificate;
mod control;
mod link;
mod provider_token;
mod requests;

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::{Case, Differences, Outcome, Seen, Step, Target, Transcript, Verdict};
use control::Control;
use link::Link;
use provider_token::Signer;

/// How cases are run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Run {
    /// How many connections there are at once.
    pub jobs: usize,
    /// How long a case may take, from the first byte of TCP on.
    pub patience: Duration,
    /// How long to wait before each connection: for a service that takes many in a row for an attack.
    pub pause: Duration,
    /// Whether the first bad verdict is the last.
    pub fail_fast: bool,
}

/// Asks a target each case on a connection of its own. Outcomes come in the order of the cases, and go to `each` as they come.
pub async fn run(
    target: &Arc<Target>,
    cases: Vec<Case>,
    known: &Differences,
    run: Run,
    mut each: impl FnMut(&Outcome),
) -> Vec<Outcome> {
    let signer = Arc::new(Signer::new(target));
    let runs = cases.into_iter().map(|case| {
        let (target, signer, known) = (Arc::clone(target), Arc::clone(&signer), known.clone());
        // Each in a task of its own: a panic in one would fail that one.
        async move { tokio::spawn(async move { outcome(&target, &signer, case, &known, run).await }).await }
    });
    let mut runs = futures::stream::iter(runs).buffered(run.jobs.max(1));
    let mut outcomes = Vec::new();
    while let Some(outcome) = runs.next().await {
        let Ok(outcome) = outcome else { continue }; // nothing in it panics
        each(&outcome);
        let is_last = run.fail_fast && outcome.verdict.is_bad();
        outcomes.push(outcome);
        if is_last {
            break;
        }
    }
    outcomes
}

async fn outcome(target: &Target, signer: &Signer, case: Case, known: &Differences, run: Run) -> Outcome {
    if let Some(missing) = target.missing(&case) {
        let verdict = Verdict::Skipped { why: format!("the target has no {missing}") };
        return Outcome { about: case.about(), verdict, took: Duration::ZERO };
    }
    sleep(run.pause).await;
    let begin = Instant::now();
    let transcript = transcript(target, signer, &case, begin + run.patience).await;
    let verdict = Verdict::of(&case, &transcript, known);
    Outcome { about: case.about(), verdict, took: begin.elapsed() }
}

/// Everything that came until each expectation was settled, or the time was over.
async fn transcript(target: &Target, signer: &Signer, case: &Case, deadline: Instant) -> Transcript {
    let control = target.control.as_deref().filter(|_| !case.arranged.is_empty()).map(Control::new);
    if let Some(control) = &control
        && let Err(error) = control.arrange(&case.arranged, deadline).await
    {
        return ended(format!("the control API: {error}"));
    }
    let transcript = match timeout_at(deadline, Link::open(target, &case.opening)).await {
        Err(_) => Transcript(vec![Seen::TooLate]),
        Ok(Err(error)) => ended(error),
        Ok(Ok(mut link)) => {
            let conduct = timeout_at(deadline, conduct(&mut link, target, signer, case)).await;
            link.into_transcript(conduct.is_err())
        }
    };
    if let Some(control) = &control {
        // What cannot be taken back stays: it is about this case's own requests alone.
        let _ = timeout(CLEANING_UP, control.forget(&case.arranged)).await;
    }
    transcript
}

async fn conduct(link: &mut Link, target: &Target, signer: &Signer, case: &Case) {
    for step in &case.steps {
        match step {
            Step::Ask(request) => {
                let stream = link.request(target, signer, request).await;
                link.until(|came| came.answer(stream).is_some() || came.reset(stream).is_some()).await;
            }
            Step::Send(request) => {
                link.request(target, signer, request).await;
            }
            Step::Bytes(bytes) => link.send_bytes(bytes).await,
            Step::Settle => link.settle().await,
            Step::AwaitSettingsAck => link.until(|came| came.0.contains(&Seen::SettingsAck)).await,
        }
    }
    link.until(|came| case.expected.iter().all(|expected| expected.is_settled(came))).await;
}

fn ended(how: String) -> Transcript {
    Transcript(vec![Seen::End(how)])
}

/// How long a double may take to forget a fault.
const CLEANING_UP: Duration = Duration::from_secs(1);
