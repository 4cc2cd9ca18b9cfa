//! The scoreboard: every provider of a list, asked every item.

use std::{
    fs,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, SystemTime},
};

use apns_spec::Spec;
use clap::Args;
use serde::Deserialize;
use time::OffsetDateTime;

use super::{
    args::{SelectionArgs, read_differences},
    exit, named, print,
    progress::Progress,
    provider::{adapter_of, quoted},
    text,
};
use crate::{
    About, Outcome,
    provider::{Run, asked, introduce, run},
    report::{self, Column, Report, scoreboard},
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
    /// Items at once.
    #[arg(long, value_name = "N", default_value_t = 6)]
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
    /// What it is known to fail, and is meant to; the board tells that too.
    differences: Option<PathBuf>,
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
    let items: Vec<About> = items.into_iter().map(|asked| asked.about).collect();
    let mut columns = Vec::new();
    for listed in &list.adapter {
        if args.only.is_empty() || args.only.contains(&listed.name) {
            columns.push(column(args, listed, &spec).await?);
        }
    }
    let date = OffsetDateTime::from(SystemTime::now()).date().to_string();
    let page = scoreboard(&date, &items, &columns);
    match &args.out {
        Some(path) => fs::write(path, page).map_err(|error| named(Some(path), &error))?,
        None => print(&page),
    }
    let outcomes: Vec<Outcome> = columns.into_iter().flat_map(|column| column.outcomes).collect();
    Ok(exit(&outcomes))
}

async fn column(args: &ScoreboardArgs, listed: &Listed, spec: &Spec) -> Result<Column, String> {
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
    let all = asked(spec);
    let known =
        read_differences(listed.differences.as_deref(), "", |id| all.iter().any(|it| it.about.id == id))?;
    let items = args.selection.of(all)?;
    let mut progress = Progress::new(items.len());
    let how = Run { adapter, jobs: args.jobs, fail_fast: false };
    column.outcomes = run(&how, &ready, items, &known, |outcome| progress.tell(outcome)).await;
    progress.end();
    column.version = Ok(ready.version);
    if args.out.is_some() {
        let Column { name, options, outcomes, .. } = &column;
        print(&report::terminal(&Report { target: name, suite: "provider", options, outcomes, spec }));
    }
    Ok(column)
}
