//! The `apns-provider` command: reads options, hands work to the engine (`apns_provider`), tells what came of it. Results go to standard
//! output, everything else to standard error.
//!
//! | module | what |
//! |---|---|
//! | `send`, `validate`, `token`, `bulk`, `doctor`, `channels`, `adapter`, `bench` | the commands |
//! | `serve`, `admin` | the provider server, and asking it; the feature `server`, on by default |
//! | `options` | what several of them can be told: where to, as whom, which message |
//! | `report`, `tally`, `dates`, `exit` | how results are told, to people, programs and scripts |
//! | `runtime` | who does the work |

mod adapter;
#[cfg(feature = "server")]
mod admin;
mod bench;
mod bulk;
mod channels;
mod dates;
mod doctor;
mod exit;
mod options;
mod report;
mod runtime;
mod send;
#[cfg(feature = "server")]
mod serve;
mod tally;
mod token;
mod validate;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};

/// Sends pushes to Apple, or to a simulated service.
///
/// Exit codes: 0 accepted; 1 rejected, and sending it again would change nothing; 2 misconfigured: an option,
/// a file, the credential or the app's set-up; 3 not sent or not answered, may be sent again.
///
/// Options that say who sends, where to and to which app can be given as variables: APNS_PROVIDER_TO and so
/// on. HTTPS_PROXY, ALL_PROXY and NO_PROXY are heeded.
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
    /// Says what `send` would send, or what is wrong with it; contacts nothing.
    ///
    /// Takes the options of `send`; address, credential and device token need not be given, and are checked
    /// if they are.
    Validate(Box<validate::ValidateArgs>),
    /// Mints, reads and checks provider tokens; contacts nothing.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Sends a push to each line of a file, and goes on where it was interrupted.
    ///
    /// The file is CSV with a header row and a column device_token, or one JSON object with "device-token" a
    /// line. Texts of the message may have placeholders, {{name}}, for the other columns; with JSON lines, a
    /// JSON text that is one placeholder and nothing else takes the value as it is.
    ///
    /// Ctrl-C once waits for what is under way, twice ends at once. Exit codes: 0 all accepted; 1 some were
    /// refused for good, or lines are wrong; 2 ended early, since every push would have been refused or a file
    /// failed; 3 some may be sent again, also after Ctrl-C: run it again with the same --resume.
    Bulk(Box<bulk::BulkArgs>),
    /// Looks at each step from DNS to the answer, and says what a failure means and what to do.
    ///
    /// Opens one connection and sends one push: to the device if --device-token is given, as a background
    /// push, which shows nothing; else to a device token that is none, which is enough to have the credential
    /// judged.
    Doctor(Box<doctor::DoctorArgs>),
    /// Creates, reads, deletes and lists broadcast channels.
    ///
    /// `--to production` and `--to sandbox` are the hosts of channel management here. Exit code 3 for `create`
    /// does not say that nothing was created: list the channels before you try again.
    #[command(subcommand)]
    Channels(Box<channels::ChannelsCommand>),
    /// Runs the provider server: device tokens, users, notifications, campaigns over HTTP; nothing that it took is lost.
    ///
    /// Starts with no arguments, on a database in the folder `data`. The first start prints the operator's key. SIGTERM and Ctrl-C stop
    /// it in order, twice at once.
    #[cfg(feature = "server")]
    Serve(Box<serve::ServeArgs>),
    /// Asks a provider server: one command for each operation of its API.
    ///
    /// Exit codes: 0 done; 1 refused; 2 misconfigured; 3 not now, may be tried again.
    #[cfg(feature = "server")]
    Admin(Box<admin::AdminArgs>),
    /// Lets a conformance suite drive this provider: instructions come on standard input, results go to standard
    /// output, one JSON object a line (docs/adapter-protocol.md).
    Adapter,
    /// Measures how fast a simulated service is served; never Apple's.
    ///
    /// Apple's host names and addresses are refused: load on them is abuse.
    Bench(Box<bench::BenchArgs>),
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
    let done = match cli.command {
        Command::Send(args) => send::run(&args),
        Command::Validate(args) => validate::run(&args),
        Command::Token(command) => token::run(&command),
        Command::Bulk(args) => bulk::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Channels(command) => channels::run(&command),
        #[cfg(feature = "server")]
        Command::Serve(args) => serve::run(&args),
        #[cfg(feature = "server")]
        Command::Admin(args) => admin::run(&args),
        Command::Adapter => adapter::run(),
        Command::Bench(args) => bench::run(&args),
    };
    done.unwrap_or_else(|message| {
        report::note(&message);
        ExitCode::from(exit::MISCONFIGURED)
    })
}
