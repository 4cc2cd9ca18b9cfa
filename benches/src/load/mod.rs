//! The parent: runs pairs of children and compares what they cost.
//!
//! | module | what |
//! |---|---|
//! | `pairs` | the tables: which pairs run, which ratios are reported and where they should be |
//! | `pair_run` | one run of one pair |
//! | `relay` | a longer way between the two |
//! | `process`, `sockets`, `cores` | a child process; the connections it has open; the cores there are |
//! | `namespace`, `peers` | pairs that need Apple's host names; other people's clients |
//! | `report` | medians, ratios, the table |
//! | `devices`, `memory` | another measurement: what a connected device costs the double |

mod cores;
mod devices;
mod error;
mod memory;
mod namespace;
mod pair_run;
mod pairs;
mod peers;
mod process;
mod relay;
mod report;
mod soak;
mod sockets;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

pub use devices::{DevicesReport, devices};
pub use error::LoadError;
pub(crate) use memory::resident_bytes;
pub use namespace::run_in_namespace;
pub(crate) use pair_run::ready;
pub(crate) use process::ChildProcess;
pub use report::Report;
pub use soak::{Sample, SoakOptions, SoakReport, soak};

use crate::Workload;
use cores::Cores;
use pair_run::{PairJob, PairRun};
use pairs::{PAIRS, Pair, Program};

/// What `load` is asked to do.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// What each run sends.
    pub workload: Workload,
    /// Runs of each pair.
    pub runs: usize,
    /// Only pairs whose name (`server/client`) contains this.
    pub only: String,
    /// Whether other people's clients run as well; they are built first.
    pub with_peers: bool,
}

/// Runs all pairs, in turn, as often as asked for. Says on standard error what it is doing.
///
/// A pair that cannot run is in the report with the reason; the others go on.
pub fn load(options: &LoadOptions) -> Result<Report, LoadError> {
    let own = std::env::current_exe().map_err(|error| LoadError::OwnProgram { why: error.to_string() })?;
    let pairs: Vec<&Pair> = PAIRS.iter().filter(|pair| pair.name().contains(&options.only)).collect();
    if pairs.is_empty() {
        let names: Vec<String> = PAIRS.iter().map(Pair::name).collect();
        return Err(LoadError::NoPair { only: options.only.clone(), names: names.join(", ") });
    }
    let wants_peers = options.with_peers && pairs.iter().any(|pair| pair.program == Program::Peers);
    let peers = if wants_peers { peers::build() } else { Err(LoadError::PeersNotWanted) };
    let cores = Cores::choose();

    let mut report = Report::new(options.workload, options.runs, &cores);
    for round in 1..=options.runs {
        for pair in &pairs {
            eprintln!("run {round} of {}: {}", options.runs, pair.name());
            let client = match pair.program {
                Program::Own => Ok(own.clone()),
                Program::Peers => peers.clone(),
            };
            report.add(pair, client.and_then(|client| run(pair, options.workload, &own, client, &cores)));
        }
    }
    Ok(report)
}

/// Runs a pair once, with a directory of its own for what the server gives to its clients.
fn run(
    pair: &Pair,
    workload: Workload,
    own: &Path,
    client: PathBuf,
    cores: &Cores,
) -> Result<PairRun, LoadError> {
    let directory = TempDir::new().map_err(|error| LoadError::Directory { why: error.to_string() })?;
    let job = PairJob {
        pair: pair.name(),
        own: own.to_owned(),
        client,
        directory: directory.path().to_owned(),
        workload,
        cores: cores.clone(),
    };
    if pair.needs_apples_names { namespace::run(&job) } else { job.run(pair) }
}
