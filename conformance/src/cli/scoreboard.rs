//! The scoreboard: every provider of a list, asked every item.

use std::{
    fs,
    path::PathBuf,
    process::ExitCode,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use apns_spec::Spec;
use clap::Args;
use futures::future::try_join_all;
use serde::Deserialize;
use time::OffsetDateTime;

use super::{
    DIFFERENT,
    args::SelectionArgs,
    named, print,
    progress::Progress,
    provider::{adapter_of, quoted},
    text,
};
use crate::{
    About, Differences, Failure, Outcome, Verdict,
    provider::{Run, asked, introduce, run},
    report::{Board, Column, scoreboard, sign_of},
};

#[derive(Args, Debug)]
pub(super) struct ScoreboardArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    /// The list of adapters.
    #[arg(long, value_name = "FILE", default_value = "conformance/adapters/adapters.toml")]
    adapters: PathBuf,
    /// This one of them alone; may be given several times.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Where the page is written; standard output when absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Compares with a page that was written before, and fails where a provider passes or fails otherwise three times.
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    compare: Option<PathBuf>,
    /// Items at once of each provider.
    #[arg(long, value_name = "N", default_value_t = 4)]
    jobs: usize,
}

/// The list of adapters, as a file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Adapters {
    adapter: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    name: String,
    command: Option<String>,
}

/// How long an adapter may take for what it does at once.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn board(args: &ScoreboardArgs) -> Result<ExitCode, String> {
    let spec = Spec::load().map_err(text)?;
    let list = fs::read_to_string(&args.adapters).map_err(|error| named(Some(&args.adapters), &error))?;
    let list: Adapters = toml::from_str(&list).map_err(|error| named(Some(&args.adapters), &error))?;
    if let Some(stranger) = args.only.iter().find(|only| list.adapter.iter().all(|it| it.name != **only)) {
        return Err(named(Some(&args.adapters), &format!("there is no adapter {stranger:?}")));
    }
    let items = args.selection.of(asked(&spec))?;
    let count = items.len();
    let items: Vec<About> = items.into_iter().map(|asked| asked.about).collect();
    let listed: Vec<&Listed> =
        list.adapter.iter().filter(|it| args.only.is_empty() || args.only.contains(&it.name)).collect();
    // Plays are for the most part waiting: all providers go at once.
    let progress = Mutex::new(Progress::new(count * listed.len()));
    let columns = try_join_all(listed.iter().map(|listed| column(args, listed, &spec, &progress))).await?;
    progress.lock().unwrap_or_else(PoisonError::into_inner).end();
    if let Some(path) = &args.compare {
        let page = fs::read_to_string(path).map_err(|error| named(Some(path), &error))?;
        return compare(args, &Board::read(&page), &listed, &columns, &spec).await;
    }
    let date = OffsetDateTime::from(SystemTime::now()).date().to_string();
    let page = scoreboard(&date, &items, &columns);
    match &args.out {
        Some(path) => fs::write(path, page).map_err(|error| named(Some(path), &error))?,
        None => print(&page),
    }
    let absent = columns.iter().find_map(|column| Some((&column.name, column.version.as_ref().err()?)));
    absent.map_or(Ok(ExitCode::SUCCESS), |(name, why)| Err(format!("{name}: {why}")))
}

async fn column(
    args: &ScoreboardArgs,
    listed: &Listed,
    spec: &Spec,
    progress: &Mutex<Progress>,
) -> Result<Column, String> {
    let adapter = adapter_of(listed.command.as_deref(), PATIENCE)?;
    let options = listed.command.as_ref().map(|it| format!(" --adapter {}", quoted(it))).unwrap_or_default();
    let mut column =
        Column { name: listed.name.clone(), version: Ok(String::new()), options, outcomes: Vec::new() };
    let ready = match introduce(&adapter).await {
        Ok(ready) => ready,
        Err(trouble) => {
            column.version = Err(trouble.to_string());
            return Ok(column);
        }
    };
    let items = args.selection.of(asked(spec))?;
    let how = Run { adapter, jobs: args.jobs, fail_fast: false };
    let tell = |outcome: &Outcome| progress.lock().unwrap_or_else(PoisonError::into_inner).tell(outcome);
    column.outcomes = run(&how, &ready, items, &Differences::default(), tell).await;
    column.version = Ok(ready.version);
    Ok(column)
}

/// Whether the providers do as a page says. What differs is played again, alone: a provider that depends on the moment, or a machine that
/// was busy, is no news; one that does otherwise each time is.
async fn compare(
    args: &ScoreboardArgs,
    board: &Board,
    listed: &[&Listed],
    columns: &[Column],
    spec: &Spec,
) -> Result<ExitCode, String> {
    let mut news = Vec::new();
    for (listed, column) in listed.iter().zip(columns) {
        let name = &column.name;
        let version = match &column.version {
            Ok(version) => version,
            Err(why) => {
                news.push(format!("{name} cannot be asked: {why}"));
                continue;
            }
        };
        match board.versions.get(name) {
            Some(of_page) if of_page == version => {}
            of_page => news.push(format!("{name} is {version}, and on the page {of_page:?}")),
        }
        for outcome in &column.outcomes {
            let id = &outcome.about.id;
            let of_page = board.signs.get(&(name.clone(), id.clone())).map_or("nothing", String::as_str);
            if sign_of(&outcome.verdict) == of_page {
                continue;
            }
            if let Verdict::Skipped { why } = &outcome.verdict {
                // The same version says so of itself only if this machine cannot show it.
                print(&format!("{name} {id} could not be played here: {why}\n"));
                continue;
            }
            match differs_each_time(args, listed, id, of_page, spec).await? {
                None => print(&format!("{name} {id} is not the same each time; the page says {of_page}\n")),
                Some(verdict) => news.push(format!("{name} {id}: {verdict}; the page says {of_page}")),
            }
        }
    }
    if news.is_empty() {
        print("every provider does as the page says\n");
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!("{}\nwrite the page anew with --out if that is meant\n", news.join("\n")));
    Ok(ExitCode::from(DIFFERENT))
}

/// Plays an item again until it is as the page says, or often enough: how it went then.
async fn differs_each_time(
    args: &ScoreboardArgs,
    listed: &Listed,
    id: &str,
    of_page: &str,
    spec: &Spec,
) -> Result<Option<String>, String> {
    let adapter = adapter_of(listed.command.as_deref(), PATIENCE)?;
    let mut went = None;
    for _ in 0..TIMES_AGAIN {
        let ready = introduce(&adapter).await.map_err(text)?;
        let items =
            args.selection.of(asked(spec))?.into_iter().filter(|asked| asked.about.id == id).collect();
        let how = Run { adapter: adapter.clone(), jobs: 1, fail_fast: false };
        let outcomes = run(&how, &ready, items, &Differences::default(), |_| {}).await;
        let Some(outcome) = outcomes.into_iter().next() else { break };
        if sign_of(&outcome.verdict) == of_page {
            return Ok(None);
        }
        went = Some(match outcome.verdict {
            Verdict::Failed(Failure { expected, got, .. }) => {
                format!("failed: expected {expected}, got {got}")
            }
            verdict => verdict.word().to_owned(),
        });
    }
    Ok(went)
}

/// How often an item that is not as the page says is played again.
const TIMES_AGAIN: usize = 2;
