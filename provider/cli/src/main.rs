//! The `apns-provider` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    apns_provider_cli::main(std::env::args_os())
}
