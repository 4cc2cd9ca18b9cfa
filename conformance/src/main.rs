//! The command. What it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    apns_conformance::cli::main()
}
