//! Items against an adapter, several at once, in bounded time.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use tokio::time::sleep;

use super::{
    adapter::{Adapter, AdapterCommand, Surroundings, Trouble},
    item::{Finding, Item, Play, Stop},
    protocol::Ready,
    recorder::{KEPT_BYTES_MAX, Recorder},
    shown::shown,
    stage::Stage,
};
use crate::{About, Differences, Failure, Outcome, Verdict};

/// How items are run.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// The command of the adapter.
    pub(crate) adapter: AdapterCommand,
    /// How many items there are at once.
    pub(crate) jobs: usize,
    /// Whether the first bad verdict is the last.
    pub(crate) fail_fast: bool,
}

/// An item, and what reports say of it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) about: About,
    pub(crate) item: Item,
}

/// Starts an adapter, only to ask who it is.
///
/// # Errors
/// It does not say.
pub(crate) async fn introduce(command: &AdapterCommand) -> Result<Ready, Trouble> {
    let adapter = Adapter::start(command, &Surroundings::default(), &Arc::default()).await?;
    let ready = adapter.ready().clone();
    adapter.stop().await?;
    Ok(ready)
}

/// Asks an adapter each item. Outcomes go to `each` as they come, and come in the order of the items.
pub(crate) async fn run(
    run: &Run,
    ready: &Ready,
    items: Vec<Asked>,
    known: &Differences,
    mut each: impl FnMut(&Outcome),
) -> Vec<Outcome> {
    let runs = items.into_iter().enumerate().map(|(place, asked)| {
        let (command, ready, known) = (run.adapter.clone(), ready.clone(), known.clone());
        async move {
            let began = Instant::now();
            let about = asked.about.clone();
            // In a task of its own: a panic in one would fail that one.
            let played = tokio::spawn(async move { item(&command, &ready, &asked.item).await }).await;
            let played =
                played.unwrap_or_else(|error| Played::failed("the suite to go on", error.to_string()));
            let verdict = played.verdict(known.reason(&about.id));
            (place, Outcome { about, verdict, took: began.elapsed() })
        }
    });
    let mut runs = futures::stream::iter(runs).buffer_unordered(run.jobs.max(1));
    let mut outcomes = BTreeMap::new();
    while let Some((place, outcome)) = runs.next().await {
        each(&outcome);
        let is_last = run.fail_fast && outcome.verdict.is_bad();
        outcomes.insert(place, outcome);
        if is_last {
            break;
        }
    }
    outcomes.into_values().collect()
}

/// What came of plays.
#[derive(Clone, Debug)]
enum Played {
    Passed,
    NotApplicable(String),
    Failed(Failure),
}

impl Played {
    fn failed(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::Failed(Failure { expected: expected.into(), got: got.into(), came: Vec::new() })
    }

    fn verdict(self, listed: Option<&str>) -> Verdict {
        match (self, listed.map(ToOwned::to_owned)) {
            (Self::NotApplicable(why), _) => Verdict::Skipped { why },
            (Self::Passed, None) => Verdict::Passed,
            (Self::Passed, Some(reason)) => Verdict::NoLongerDiffers { reason },
            (Self::Failed(failure), Some(reason)) => Verdict::Differs { reason, failure },
            (Self::Failed(failure), None) => Verdict::Failed(failure),
        }
    }
}

/// The plays of an item, one after the other. The first that fails decides.
async fn item(command: &AdapterCommand, ready: &Ready, item: &Item) -> Played {
    let mut not_applicable = Vec::new();
    for play in &item.plays {
        match one(command, ready, play).await {
            Played::Passed => {}
            Played::NotApplicable(why) => not_applicable.push(why),
            failed @ Played::Failed(_) => return failed,
        }
    }
    if not_applicable.len() < item.plays.len() {
        return Played::Passed;
    }
    not_applicable.dedup();
    Played::NotApplicable(not_applicable.join("; "))
}

async fn one(command: &AdapterCommand, ready: &Ready, play: &Play) -> Played {
    if let Some(missing) = play.needs.iter().find(|need| !can(ready, need)) {
        return Played::NotApplicable(format!("the adapter cannot be told `{missing}`"));
    }
    let recorder = Arc::new(Recorder::default());
    let acted = act(command, ready, play, &recorder).await;
    let evidence = recorder.take();
    let judged = match acted {
        Ok(()) => (play.judge)(&evidence),
        // What went over the wire before it went wrong may say why.
        Err(Stop::Trouble(trouble)) => Err(Finding::wrong("an adapter that goes on", trouble.to_string())),
        Err(Stop::NotApplicable(why)) => Err(Finding::NotApplicable(why)),
        Err(Stop::Broken(why)) => Err(Finding::wrong("a suite that goes on", why)),
    };
    match judged {
        Ok(()) => Played::Passed,
        Err(Finding::NotApplicable(why)) => Played::NotApplicable(why),
        Err(Finding::Wrong { expected, got, at }) => Played::Failed(Failure {
            expected: format!("{}: {expected}", play.name),
            got,
            came: shown(&evidence, at),
        }),
    }
}

/// Sets the stage, plays, and ends it.
async fn act(
    command: &AdapterCommand,
    ready: &Ready,
    play: &Play,
    recorder: &Arc<Recorder>,
) -> Result<(), Stop> {
    let mut stage = Stage::set(play, command, ready, recorder).await?;
    let played = tokio::select! {
        played = (play.script)(&mut stage) => played,
        () = recorder.full() => Err(Trouble::Floods { bytes: KEPT_BYTES_MAX }.into()),
        () = sleep(PLAY_MAX) => {
            Err(Trouble::Silent { awaited: "all that the play waits for".to_owned(), within: PLAY_MAX }.into())
        }
    };
    match played {
        Ok(()) => Ok(stage.strike().await?),
        Err(stop) => {
            stage.abandon().await;
            Err(stop)
        }
    }
}

/// Whether an adapter can be told something. The time can be told to any: there is libfaketime, or else the stage says that there is not.
fn can(ready: &Ready, need: &str) -> bool {
    need == "set-clock" || ready.can(need)
}

/// How long a play may take, whatever it waits for. The longest by itself are a minute of changing limits, and pauses that grow.
const PLAY_MAX: Duration = Duration::from_mins(4);
