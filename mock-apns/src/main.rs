//! The `mock-apns` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    mock_apns::cli::main(std::env::args_os(), std::env::vars_os())
}
