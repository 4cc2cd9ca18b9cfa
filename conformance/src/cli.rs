//! The command: what is asked for, and how it went.

use std::{
    fs,
    io::{IsTerminal as _, Write as _, stderr, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use apns_spec::Spec;
use clap::{Args, Parser, Subcommand};

use crate::{
    Case, Differences, Double, Outcome, Run, Selection, Shard, Target, TargetError, report,
    report::{Counts, Report},
    run, server_cases,
};

/// Holds an APNs endpoint to what is documented and observed of Apple's, case by case. Without a target, that is the double of this
/// workspace, in this process.
///
/// Exit codes: 0 when everything is as expected, 1 when something is not, 2 when the arguments are wrong or the target cannot be used.
#[derive(Debug, Parser)]
#[command(name = "apns-conformance", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the cases for an APNs endpoint; what is done without a command.
    Server(ServerArgs),
    /// Lists the cases that are selected: id, tags, title.
    List(SelectionArgs),
}

#[derive(Args, Debug)]
struct ServerArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    /// The target, as docs/conformance.md describes it; the double in this process when absent.
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
    /// Where the target is known to differ, and why; for the double, its own list when absent.
    #[arg(long, value_name = "FILE")]
    differences: Option<PathBuf>,
    /// Ends with the first failure.
    #[arg(long)]
    fail_fast: bool,
    /// Connections at once.
    #[arg(long, value_name = "N", default_value_t = 8)]
    jobs: usize,
    /// How long a case may take, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    patience: u64,
    /// How long to wait before each connection, in milliseconds: Apple takes many in a row for an attack.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pause: u64,
    /// Writes a report for CI servers.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Writes a report for programs.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes a report for a page.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
struct SelectionArgs {
    /// Ids of cases; `*` stands for anything.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Cases with this tag; may be given several times.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Cases that rest on this row of the spec; `*` stands for anything. May be given several times.
    #[arg(long, value_name = "ROW")]
    row: Vec<String>,
    /// One part of several: `2/5` is the second of five.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Shuffles the cases; the same seed gives the same order.
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
}

/// The list of what is known of the double and meant.
const OF_THE_DOUBLE: &str = include_str!("../targets/double.toml");
const DIFFERENT: u8 = 1;
const UNUSABLE: u8 = 2;

/// Reads the arguments and does what they say.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Some(Command::List(selection)) => list(&selection),
        Some(Command::Server(server)) => serve(&server),
        None => serve(&cli.server),
    };
    done.unwrap_or_else(|error| {
        let _ = writeln!(stderr(), "apns-conformance: {error}"); // nobody is left to tell
        ExitCode::from(UNUSABLE)
    })
}

fn list(args: &SelectionArgs) -> Result<ExitCode, String> {
    let spec = Spec::load().map_err(text)?;
    print(&report::list(&selected(args, server_cases(&spec))?));
    Ok(ExitCode::SUCCESS)
}

fn serve(args: &ServerArgs) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(text)?;
    runtime.block_on(server(args))
}

async fn server(args: &ServerArgs) -> Result<ExitCode, String> {
    let spec = Spec::load().map_err(text)?;
    let all = server_cases(&spec);
    let known = differences(args, &all)?;
    let needs = |key: &str| all.iter().any(|case| case.needs().contains(key));
    let target = args.target.as_deref().map(|path| Target::read(path, needs)).transpose();
    let target = target.map_err(|error| match error {
        TargetError::Unreadable { .. } => error.to_string(), // it names its file, which may be a key's
        error => named(args.target.as_deref(), &error),
    })?;
    let cases = selected(&args.selection, all)?;
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
    let report = Report { target: &target.name, options: &options, outcomes: &outcomes, spec: &spec };
    print(&report::terminal(&report));
    write(args, &report)?;
    if let Some(mock) = double {
        mock.stop().await;
    }
    let failed = Counts::of(&outcomes).failed;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
}

fn how(args: &ServerArgs) -> Run {
    Run {
        jobs: args.jobs,
        patience: Duration::from_millis(args.patience),
        pause: Duration::from_millis(args.pause),
        fail_fast: args.fail_fast,
    }
}

fn selected(args: &SelectionArgs, all: Vec<Case>) -> Result<Vec<Case>, String> {
    let SelectionArgs { ids, tag, row, shard, seed } = args.clone();
    let cases = Selection { ids, tags: tag, rows: row, shard, seed }.of(all);
    if cases.is_empty() {
        return Err("no case is selected; `apns-conformance list` has all of them".to_owned());
    }
    Ok(cases)
}

fn differences(args: &ServerArgs, all: &[Case]) -> Result<Differences, String> {
    let is_case = |id: &str| all.iter().any(|case| case.id == id);
    let (path, list) = match (&args.differences, &args.target) {
        (Some(path), _) => {
            (Some(path.as_path()), fs::read_to_string(path).map_err(|error| named(Some(path), &error))?)
        }
        (None, None) => (None, OF_THE_DOUBLE.to_owned()),
        (None, Some(_)) => return Ok(Differences::default()),
    };
    Differences::parse(&list, is_case).map_err(|error| named(path, &error))
}

fn write(args: &ServerArgs, report: &Report<'_>) -> Result<(), String> {
    write_as(args.junit.as_deref(), || report::junit(report))?;
    write_as(args.json.as_deref(), || report::json(report))?;
    write_as(args.markdown.as_deref(), || report::markdown(report))
}

fn write_as(path: Option<&Path>, format: impl Fn() -> String) -> Result<(), String> {
    path.map_or(Ok(()), |path| fs::write(path, format()).map_err(|error| named(Some(path), &error)))
}

/// How far it is, in one line that is written anew: on a terminal alone.
struct Progress {
    is_shown: bool,
    cases: usize,
    done: usize,
    failed: usize,
}

impl Progress {
    fn new(cases: usize) -> Self {
        Self { is_shown: stderr().is_terminal(), cases, done: 0, failed: 0 }
    }

    fn tell(&mut self, outcome: &Outcome) {
        self.done += 1;
        self.failed += usize::from(outcome.verdict.is_bad());
        if self.is_shown {
            let Self { cases, done, failed, .. } = self;
            let _ = write!(stderr(), "\r\x1b[K{done}/{cases}, {failed} failed: {}", outcome.case.id); // only a show
        }
    }

    fn end(&self) {
        if self.is_shown {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

fn print(text: &str) {
    let _ = stdout().write_all(text.as_bytes()); // a reader that has had enough, such as head, is no error
}

fn named(path: Option<&Path>, error: &dyn std::fmt::Display) -> String {
    path.map_or_else(|| error.to_string(), |path| format!("{}: {error}", path.display()))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn server_may_be_left_out() {
        let ids = |args: &[&str]| {
            let cli = Cli::try_parse_from(args).unwrap();
            match cli.command {
                Some(Command::Server(server)) => server.selection.ids,
                None => cli.server.selection.ids,
                Some(Command::List(_)) => panic!("not a list"),
            }
        };
        assert_eq!(ids(&["apns-conformance", "server", "a*", "b"]), ["a*", "b"]);
        assert_eq!(ids(&["apns-conformance", "a*", "b"]), ["a*", "b"]);
        assert_eq!(ids(&["apns-conformance"]), [""; 0]);
    }
}
