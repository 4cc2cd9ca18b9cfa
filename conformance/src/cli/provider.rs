//! The suite for providers.

use std::{process::ExitCode, time::Duration};

use apns_spec::Spec;
use clap::Args;

use super::{
    args::{ReportArgs, SelectionArgs},
    exit, print,
    progress::Progress,
    text,
};
use crate::{
    provider::{AdapterCommand, Run, asked, introduce, run},
    report::{self, Report},
};

#[derive(Args, Debug)]
pub(super) struct ProviderArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    /// The command that starts the adapter, as a shell reads it (docs/adapter-protocol.md); the one of this workspace's provider when
    /// absent.
    #[arg(long, value_name = "COMMAND")]
    adapter: Option<String>,
    /// Items at once, each with a double and an adapter of its own.
    #[arg(long, value_name = "N", default_value_t = 8)]
    jobs: usize,
    /// How long the adapter may take to say who it is, to read what it is told, to do what it does at once, and to end, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 20_000)]
    patience: u64,
    #[command(flatten)]
    report: ReportArgs,
}

pub(super) async fn provider(args: &ProviderArgs) -> Result<ExitCode, String> {
    let spec = Spec::load().map_err(text)?;
    let all = asked(&spec);
    let known = args.report.differences("", |id| all.iter().any(|asked| asked.about.id == id))?;
    let items = args.selection.of(all)?;
    let adapter = adapter_of(args.adapter.as_deref(), Duration::from_millis(args.patience))?;
    let how = Run { adapter, jobs: args.jobs, fail_fast: args.report.fail_fast };
    let ready = introduce(&how.adapter).await.map_err(text)?;
    let mut progress = Progress::new(items.len());
    let outcomes = run(&how, &ready, items, &known, |outcome| progress.tell(outcome)).await;
    progress.end();
    let options = args.adapter.as_ref().map(|it| format!(" --adapter {}", quoted(it))).unwrap_or_default();
    let name = format!("{} {}", ready.name, ready.version);
    let report =
        Report { target: &name, suite: "provider", options: &options, outcomes: &outcomes, spec: &spec };
    print(&report::terminal(&report));
    args.report.write(&report)?;
    Ok(exit(&outcomes))
}

/// How the adapter with this command is started, or that of this workspace's provider.
pub(super) fn adapter_of(command: Option<&str>, patience: Duration) -> Result<AdapterCommand, String> {
    if let Some(command) = command {
        return Ok(AdapterCommand { text: command.to_owned(), patience });
    }
    let this = std::env::current_exe().map_err(text)?;
    Ok(AdapterCommand { text: format!("{} adapter", quoted(&this.display().to_string())), patience })
}

/// As a shell reads it as one word.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
