//! The provider server under load, as a company would run it on one small machine: its API, its database, its engine and a double, each
//! a process of its own.
//!
//! | module | what |
//! |---|---|
//! | `api` | one connection to the API, which is asked one thing after the other |
//! | `cost` | what processes have used: CPU, by kind of thread; memory |
//! | `loads` | what is asked for: single pushes, batches, a campaign |
//! | `report` | the table |

mod api;
mod cost;
mod loads;
mod report;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::{Duration, Instant},
};

use serde::Serialize;
use tempfile::TempDir;

pub use cost::{Cost, ThreadsCost};
pub use report::ServerReport;

use crate::{
    Workload,
    child::Job,
    load::{ChildProcess, LoadError, ready},
    roles::Role,
};
use cost::Meter;
use loads::Loads;

/// How much, and on which database.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Devices of the app, and so recipients of the campaign.
    pub devices: u64,
    /// Notifications that are handed in one by one.
    pub singles: u64,
    /// Batches that are handed in.
    pub batches: u64,
    /// Notifications of each.
    pub batch: u64,
    /// Connections to the API, each with one request at a time.
    pub in_flight: usize,
    /// The URL of an empty database of PostgreSQL; `None` for a file of SQLite.
    pub database: Option<String>,
}

/// One kind of load, and what it came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadRun {
    /// What was asked for.
    pub what: &'static str,
    /// Pushes that APNs has answered.
    pub pushes: u64,
    /// From the first request to the last answer to one, seconds.
    pub taken_s: f64,
    /// From the first request until the last outcome was stored, seconds.
    pub ended_s: f64,
    /// From a request to its answer, milliseconds: half of them took no longer.
    pub p50_ms: f64,
    /// The same for 99 of 100.
    pub p99_ms: f64,
    /// By process.
    pub costs: Vec<Cost>,
    /// The most memory that the server had meanwhile, bytes (resident set size).
    pub server_bytes: u64,
}

/// Runs all loads, one after the other, on a server that has just been started.
pub fn provider_server(options: &ServerOptions) -> Result<ServerReport, LoadError> {
    let own = std::env::current_exe().map_err(|error| LoadError::OwnProgram { why: error.to_string() })?;
    let directory = TempDir::new().map_err(|error| LoadError::Directory { why: error.to_string() })?;
    let started = Instant::now();
    let (double, address) = start(Role::ManyDevices, &own, directory.path(), options, None)?;
    eprintln!("{} devices at the double after {:?}", options.devices, started.elapsed());
    drop(start(Role::ProviderServerSetUp, &own, directory.path(), options, Some(address))?);
    eprintln!("and in the server's database after {:?}", started.elapsed());
    let (server, address) = start(Role::ProviderServer, &own, directory.path(), options, Some(address))?;

    let meter = Meter::new(server.id(), double.id(), options.database.is_some());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed(&error))?;
    let runs = runtime.block_on(async {
        let loads = Loads::new(address, directory.path(), options).await?;
        loads.run_all(&meter).await
    })?;
    Ok(ServerReport { devices: options.devices, is_postgres: options.database.is_some(), runs })
}

fn start(
    role: Role,
    own: &Path,
    directory: &Path,
    options: &ServerOptions,
    double: Option<SocketAddr>,
) -> Result<(ChildProcess, SocketAddr), LoadError> {
    let workload = Workload {
        pushes: options.devices,
        in_flight: options.in_flight,
        payload_bytes: Workload::PAYLOAD_BYTES.start,
        connections: 1,
        rtt_ms: 0,
    };
    let job = Job {
        role: role.name().to_owned(),
        core: None,
        address: double.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        directory: directory.to_owned(),
        workload,
    };
    let job = serde_json::to_string(&job).map_err(|error| LoadError::BadJob { why: error.to_string() })?;
    let database = options.database.iter().map(|url| (DATABASE_VARIABLE, url.as_ref()));
    let environment: Vec<_> = database.collect();
    let child = ChildProcess::start(role.name(), own, &["role".as_ref(), job.as_ref()], &environment)?;
    let address = child.expect("ready", START_MAX, ready)?;
    Ok((child, address))
}

fn failed(why: &impl std::fmt::Display) -> LoadError {
    LoadError::Failed { role: "server".to_owned(), why: why.to_string() }
}

/// The setting of `apns-provider serve` by which the server finds its database.
const DATABASE_VARIABLE: &str = "APNS_SERVER_DATABASE";
/// For a million devices to be made and registered.
const START_MAX: Duration = Duration::from_mins(10);
