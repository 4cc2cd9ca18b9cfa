//! The command line of the load harness.

use std::{io::Write as _, process::ExitCode, time::Duration};

use apns_benches::{
    LoadError, LoadOptions, ServerOptions, SoakOptions, Workload, devices, load, provider_server,
    run_in_namespace, run_role, soak,
};
use clap::{Parser, Subcommand};

/// Measures the double and the provider beside what others would use in their place.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Pushes through pairs of processes over TLS on loopback and compares what they cost.
    Load(Load),
    /// Connects devices to a double's gateway, all at once, and tells what memory each costs it.
    Devices(Devices),
    /// Pushes for minutes to a double that has a bad day, and tells whether the provider's memory grows.
    Soak(Soak),
    /// Hands in single pushes, batches and a campaign at a provider server, and tells how fast all have their outcome and what it costs.
    Server(Server),
    /// One side of a pair; started by `load`.
    #[command(hide = true)]
    Role {
        /// What to do, as JSON.
        job: String,
    },
    /// One pair in a network namespace of its own; started by `load`.
    #[command(hide = true)]
    Namespace {
        /// What to do, as JSON.
        job: String,
    },
}

#[derive(Debug, clap::Args)]
struct Load {
    /// Pushes in the measured part of each run.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pushes: u64,
    /// Pushes that wait for their answer at any moment.
    #[arg(long, default_value_t = 900, value_parser = clap::value_parser!(u16).range(1..=1000))]
    in_flight: u16,
    /// Bytes of each payload.
    #[arg(long, default_value_t = 200, value_parser = payload_bytes)]
    payload: usize,
    /// Runs of each pair; medians are reported.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=99))]
    runs: u8,
    /// Connections of the clients that let this be chosen.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    connections: u8,
    /// A round trip that is added to the way between client and server, in milliseconds.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1000))]
    rtt: u32,
    /// Only pairs whose name (`server/client`) contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Leaves out other people's clients, which have to be built first.
    #[arg(long)]
    no_peers: bool,
    /// Prints the report as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Devices {
    /// How many.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    connections: u32,
    /// Prints the report as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Soak {
    /// How long, in minutes.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1440))]
    minutes: u16,
    /// Pushes a second.
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    rate: u32,
    /// Prints the report as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Server {
    /// Devices of the app, and so recipients of the campaign.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1000..=10_000_000))]
    devices: u64,
    /// Notifications that are handed in one by one.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    singles: u64,
    /// Batches that are handed in, of 100 notifications each.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    batches: u64,
    /// Connections to the API, each with one request at a time.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1000))]
    in_flight: u16,
    /// The URL of an empty database of PostgreSQL; left out, a file of SQLite.
    #[arg(long)]
    database: Option<String>,
    /// Prints the report as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Load(options) => options.run(),
        Command::Devices(options) => options.run(),
        Command::Soak(options) => options.run(),
        Command::Server(options) => options.run(),
        Command::Role { job } => run_role(&job),
        Command::Namespace { job } => run_in_namespace(&job),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("apns-benches: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Load {
    fn run(&self) -> Result<(), LoadError> {
        let workload = Workload {
            pushes: self.pushes,
            in_flight: usize::from(self.in_flight),
            payload_bytes: self.payload,
            connections: usize::from(self.connections),
            rtt_ms: self.rtt,
        };
        let options = LoadOptions {
            workload,
            runs: usize::from(self.runs),
            only: self.only.clone(),
            with_peers: !self.no_peers,
        };
        let report = load(&options)?;
        let text = if self.json { report.to_json() } else { report.to_string() };
        // A reader that has gone away wants no more.
        let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
        Ok(())
    }
}

impl Devices {
    fn run(&self) -> Result<(), LoadError> {
        let report = devices(self.connections as usize)?;
        let text = if self.json { report.to_json() } else { report.to_string() };
        // A reader that has gone away wants no more.
        let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
        Ok(())
    }
}

impl Server {
    fn run(&self) -> Result<(), LoadError> {
        let report = provider_server(&ServerOptions {
            devices: self.devices,
            singles: self.singles,
            batches: self.batches,
            batch: BATCH,
            in_flight: usize::from(self.in_flight),
            database: self.database.clone(),
        })?;
        let text = if self.json { report.to_json() } else { report.to_string() };
        // A reader that has gone away wants no more.
        let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
        Ok(())
    }
}

/// Notifications of a batch: what a program gathers in a moment.
const BATCH: u64 = 100;

impl Soak {
    fn run(&self) -> Result<(), LoadError> {
        let time = Duration::from_mins(u64::from(self.minutes));
        let report = soak(SoakOptions { time, rate: self.rate })?;
        let text = if self.json { report.to_json() } else { report.to_string() };
        // A reader that has gone away wants no more.
        let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
        Ok(())
    }
}

fn payload_bytes(text: &str) -> Result<usize, String> {
    let range = Workload::PAYLOAD_BYTES;
    let bytes = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
    if range.contains(&bytes) {
        Ok(bytes)
    } else {
        Err(format!("{bytes} is not between {} and {}", range.start, range.end - 1))
    }
}
