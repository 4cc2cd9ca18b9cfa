//! The parent: runs pairs of children and compares what they cost.
//!
//! | module | what |
//! |---|---|
//! | `pairs` | the tables: which pairs run, which ratios are reported and where they should be |
//! | `pair_run` | one run of one pair |
//! | `process`, `sockets`, `cores` | a child process; the connections it has open; the cores there are |
//! | `namespace`, `peers` | pairs that need Apple's host names; other people's clients |
//! | `credentials` | an authority, a server's certificate and a `.p8` key for the run |
//! | `report` | medians, ratios, the table |

mod cores;
mod credentials;
mod error;
mod namespace;
mod pair_run;
mod pairs;
mod peers;
mod process;
mod report;
mod sockets;

use std::path::PathBuf;

pub(crate) use credentials::{SERVER_CHAIN_FILE, SERVER_KEY_FILE};
pub use error::LoadError;
pub use namespace::run_in_namespace;
pub use report::Report;

use crate::Workload;
use cores::Cores;
use credentials::Credentials;
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
    let credentials = Credentials::generate()?;
    let own = std::env::current_exe().map_err(|error| LoadError::OwnProgram { why: error.to_string() })?;
    let pairs: Vec<&Pair> = PAIRS.iter().filter(|pair| pair.name().contains(&options.only)).collect();
    let wants_peers = options.with_peers && pairs.iter().any(|pair| pair.program == Program::Peers);
    let peers = if wants_peers { peers::build() } else { Err(LoadError::PeersNotWanted) };
    let cores = Cores::choose();

    let mut report = Report::new(options.workload, options.runs, &cores);
    for round in 1..=options.runs {
        for pair in &pairs {
            eprintln!("run {round} of {}: {}", options.runs, pair.name());
            let job = PairJob {
                pair: pair.name(),
                own: own.clone(),
                client: program(pair, &own, &peers)?,
                directory: credentials.directory().to_owned(),
                workload: options.workload,
                cores: cores.clone(),
            };
            report.add(pair, run(pair, job));
        }
    }
    Ok(report)
}

fn program(pair: &Pair, own: &PathBuf, peers: &Result<PathBuf, LoadError>) -> Result<PathBuf, LoadError> {
    match pair.program {
        Program::Own => Ok(own.clone()),
        Program::Peers => peers.clone(),
    }
}

fn run(pair: &Pair, job: PairJob) -> Result<PairRun, LoadError> {
    if pair.needs_apples_names { namespace::run(&job) } else { job.run(pair) }
}
