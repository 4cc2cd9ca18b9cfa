//! The command: what is asked for, and how it went.

mod args;
mod progress;
mod provider;
mod scoreboard;
mod server;

use std::{
    io::{Write as _, stderr, stdout},
    path::Path,
    process::ExitCode,
};

use apns_spec::Spec;
use clap::{Parser, Subcommand};

use crate::{Outcome, provider::asked, report, report::Counts, server_cases};
use args::SelectionArgs;
use provider::ProviderArgs;
use scoreboard::ScoreboardArgs;
use server::ServerArgs;

/// Holds an APNs endpoint, or a provider, to what is documented and observed, case by case. Without a command, that is the double of
/// this workspace, in this process.
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
    /// Runs the items for a provider, through an adapter.
    Provider(ProviderArgs),
    /// Runs the items for every provider of a list, and writes a page that has them side by side.
    Scoreboard(ScoreboardArgs),
    /// Lists the cases and items that are selected: id, tags, title.
    List(SelectionArgs),
    /// The adapter of this workspace's provider (docs/adapter-protocol.md).
    #[command(hide = true)]
    Adapter,
}

const DIFFERENT: u8 = 1;
const UNUSABLE: u8 = 2;

/// Reads the arguments and does what they say.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Some(Command::List(selection)) => list(&selection),
        Some(Command::Server(args)) => at_work(server::server(&args)),
        Some(Command::Provider(args)) => at_work(provider::provider(&args)),
        Some(Command::Scoreboard(args)) => at_work(scoreboard::board(&args)),
        Some(Command::Adapter) => {
            return apns_provider_cli::main(["apns-provider".into(), "adapter".into()]);
        }
        None => at_work(server::server(&cli.server)),
    };
    done.unwrap_or_else(|error| {
        let _ = writeln!(stderr(), "apns-conformance: {error}"); // nobody is left to tell
        ExitCode::from(UNUSABLE)
    })
}

fn list(selection: &SelectionArgs) -> Result<ExitCode, String> {
    let spec = Spec::load().map_err(text)?;
    let items = selection.of(asked(&spec));
    let cases = selection.of(server_cases(&spec));
    if let (Err(error), Err(_)) = (&items, &cases) {
        return Err(error.clone());
    }
    let cases = cases.unwrap_or_default().iter().map(crate::Case::about).collect::<Vec<_>>();
    let items = items.unwrap_or_default().into_iter().map(|asked| asked.about);
    print(&report::list(&cases.into_iter().chain(items).collect::<Vec<_>>()));
    Ok(ExitCode::SUCCESS)
}

fn at_work(work: impl Future<Output = Result<ExitCode, String>>) -> Result<ExitCode, String> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(text)?.block_on(work)
}

fn exit(outcomes: &[Outcome]) -> ExitCode {
    if Counts::of(outcomes).failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) }
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
                Some(other) => panic!("not server: {other:?}"),
            }
        };
        assert_eq!(ids(&["apns-conformance", "server", "a*", "b"]), ["a*", "b"]);
        assert_eq!(ids(&["apns-conformance", "a*", "b"]), ["a*", "b"]);
        assert_eq!(ids(&["apns-conformance"]), [""; 0]);
    }
}
