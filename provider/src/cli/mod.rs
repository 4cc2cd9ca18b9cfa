//! The `apns-provider` command. Results go to standard output, everything else to standard error.

mod exit;
mod report;
mod send;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};

/// Sends pushes to Apple, or to a simulated service.
///
/// Exit codes: 0 accepted; 1 rejected, and sending it again would change nothing; 2 misconfigured: an option,
/// a file, the credential or the app's set-up; 3 not sent or not answered, may be sent again.
#[derive(Debug, Parser)]
#[command(name = "apns-provider", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sends one push and prints what was answered.
    Send(Box<send::SendArgs>),
}

/// The whole command, given its arguments.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too, and go to standard output with exit code 0.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(exit::MISCONFIGURED));
        }
    };
    match cli.command {
        Command::Send(args) => send::run(&args),
    }
}
