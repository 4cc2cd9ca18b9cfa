//! The suite for servers.

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use apns_spec::Spec;
use clap::Args;

use super::{
    args::{ReportArgs, SelectionArgs},
    exit, named, print,
    progress::Progress,
    text,
};
use crate::{
    Double, Run, Target, TargetError,
    report::{self, Report},
    run, server_cases,
};

#[derive(Args, Debug)]
pub(super) struct ServerArgs {
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    /// The target, as docs/conformance.md describes it; the double in this process when absent.
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
    /// Connections at once.
    #[arg(long, value_name = "N", default_value_t = 8)]
    jobs: usize,
    /// How long a case may take, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    patience: u64,
    /// How long to wait before each connection, in milliseconds: Apple takes many in a row for an attack.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pause: u64,
    #[command(flatten)]
    report: ReportArgs,
}

/// The list of what is known of the double and meant.
const OF_THE_DOUBLE: &str = include_str!("../../targets/double.toml");

pub(super) async fn server(args: &ServerArgs) -> Result<ExitCode, String> {
    let spec = Spec::load().map_err(text)?;
    let all = server_cases(&spec);
    let of_the_target = if args.target.is_none() { OF_THE_DOUBLE } else { "" };
    let known = args.report.differences(of_the_target, |id| all.iter().any(|case| case.id == id))?;
    let needs = |key: &str| all.iter().any(|case| case.needs().contains(key));
    let target = args.target.as_deref().map(|path| Target::read(path, needs)).transpose();
    let target = target.map_err(|error| match error {
        TargetError::Unreadable { .. } => error.to_string(), // it names its file, which may be a key's
        error => named(args.target.as_deref(), &error),
    })?;
    let cases = args.selection.of(all)?;
    let (double, target) = if let Some(target) = target {
        (None, target)
    } else {
        let Double { mock, target } = Double::start().await.map_err(text)?;
        (Some(mock), target)
    };
    let target = Arc::new(target);
    let mut progress = Progress::new(cases.len());
    let outcomes = run(&target, cases, &known, how(args), |outcome| progress.tell(outcome)).await;
    progress.end();
    let options =
        args.target.as_ref().map(|path| format!(" --target {}", path.display())).unwrap_or_default();
    let report =
        Report { target: &target.name, suite: "server", options: &options, outcomes: &outcomes, spec: &spec };
    print(&report::terminal(&report));
    args.report.write(&report)?;
    if let Some(mock) = double {
        mock.stop().await;
    }
    Ok(exit(&outcomes))
}

fn how(args: &ServerArgs) -> Run {
    Run {
        jobs: args.jobs,
        patience: Duration::from_millis(args.patience),
        pause: Duration::from_millis(args.pause),
        fail_fast: args.report.fail_fast,
    }
}
