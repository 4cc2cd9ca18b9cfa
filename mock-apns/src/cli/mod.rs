//! The `mock-apns` command: options, start, what is printed and written, readiness.
//!
//! Exit codes: 0 stopped as asked, or ready; 1 could not start, is not ready, or lost the double; 2 a wrong
//! option or variable.

mod args;
mod banner;
mod device;
mod env;
mod folder;
mod notification;
mod ready;
mod ready_file;
mod scenario;
mod serve;
mod signals;

use std::{ffi::OsString, process::ExitCode};

use args::Command;

/// Could not start, is not ready, or lost the double.
const FAILED: u8 = 1;
/// A wrong option or variable.
const MISUSED: u8 = 2;

/// The whole command, given its arguments and environment.
pub fn main(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> ExitCode {
    let names = environment.into_iter().filter_map(|(name, _)| name.into_string().ok()).collect::<Vec<_>>();
    run(arguments, &names)
}

/// The same; `environment` has the names of the variables that are set.
fn run(arguments: impl IntoIterator<Item = OsString>, environment: &[String]) -> ExitCode {
    let (cli, settings) = match args::parse(arguments, environment) {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version come this way too, and go to standard output with exit code 0.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(MISUSED));
        }
    };
    match cli.command {
        Some(Command::Ready(args)) => ready::run(&args),
        Some(Command::Device(args)) => device::run(&args),
        Some(Command::Env(args)) => env::run(&args),
        Some(Command::Scenario(command)) => scenario::run(command, environment),
        None => serve::run(cli.serve, settings),
    }
}

/// Says on standard error what went wrong.
#[expect(clippy::print_stderr, reason = "the command line's own voice")]
fn fail(code: u8, message: impl std::fmt::Display) -> ExitCode {
    eprintln!("mock-apns: {message}");
    ExitCode::from(code)
}
