use std::{
    ffi::OsStr,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{LoadError, cores::Cores, pairs::Pair, process::ChildProcess, relay::Relay, sockets};
use crate::{
    Workload,
    child::{CA_FILE, Command, Job, Line, Sent, Served},
};

/// One run of one pair.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct PairJob {
    /// [`Pair::name`].
    pub(super) pair: String,
    /// This program.
    pub(super) own: PathBuf,
    /// The client's.
    pub(super) client: PathBuf,
    /// Where the credentials are.
    pub(super) directory: PathBuf,
    pub(super) workload: Workload,
    pub(super) cores: Cores,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct PairRun {
    pub(super) served: Served,
    pub(super) sent: Sent,
    /// Connections open when the last push was answered; `None` where the system does not tell, or the client has closed them.
    pub(super) connections: Option<usize>,
}

impl PairJob {
    /// Starts both sides, lets the client push, and asks both what it cost them.
    pub(super) fn run(&self, pair: &Pair) -> Result<PairRun, LoadError> {
        let port = if pair.needs_apples_names { HTTPS_PORT } else { 0 };
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut server = self.child(pair.server, &self.own, self.cores.server(), listen)?;
        let address = server.expect("ready", READY_TIME_MAX, ready)?;
        let one_way = Duration::from_millis(self.workload.rtt_ms.into()) / 2;
        let relay = if one_way.is_zero() { None } else { Some(Relay::start(address, one_way)?) };
        let way = relay.as_ref().map_or(address, Relay::address);
        let mut client = self.child(pair.client, &self.client, self.cores.client(), way)?;
        client.expect("ready", READY_TIME_MAX, ready)?;

        server.say(Command::Begin);
        server.expect(
            "measuring",
            READY_TIME_MAX,
            |line| if line == Line::Begun { Ok(()) } else { Err(line) },
        )?;
        client.say(Command::Begin);
        let sent = client.expect("done", RUN_TIME_MAX, |line| match line {
            Line::Sent(report) => Ok(report),
            other => Err(other),
        })?;
        server.say(Command::End);
        let cost = server.expect("done", READY_TIME_MAX, |line| match line {
            Line::Served(report) => Ok(report),
            other => Err(other),
        })?;
        let pushes = self.workload.pushes;
        if sent.pushes != pushes {
            return Err(LoadError::Incomplete { answered: sent.pushes, pushes });
        }
        // h2load has closed its own by now.
        let connections = sockets::open_connections(address.port()).filter(|count| *count > 0);
        Ok(PairRun { served: cost, sent, connections })
    }

    fn child(
        &self,
        role: &str,
        program: &PathBuf,
        core: Option<usize>,
        address: SocketAddr,
    ) -> Result<ChildProcess, LoadError> {
        let (directory, workload) = (self.directory.clone(), self.workload);
        let job = Job { role: role.to_owned(), core, address, directory, workload };
        let job =
            serde_json::to_string(&job).map_err(|error| LoadError::BadJob { why: error.to_string() })?;
        // For a client that trusts what the platform trusts, and nothing that it could be given.
        let trust = self.directory.join(CA_FILE);
        let environment = [("SSL_CERT_FILE", trust.as_os_str())];
        let arguments: &[&OsStr] =
            if *program == self.own { &["role".as_ref(), job.as_ref()] } else { &[job.as_ref()] };
        ChildProcess::start(role, program, arguments, &environment)
    }
}

pub(crate) fn ready(line: Line) -> Result<SocketAddr, Line> {
    match line {
        Line::Ready { address } => Ok(address),
        other => Err(other),
    }
}

/// Where Apple's names are connected to.
const HTTPS_PORT: u16 = 443;
/// To start, make keys' tables, connect and warm up; seconds would do, but the machine may be busy.
const READY_TIME_MAX: Duration = Duration::from_mins(1);
/// For all pushes of a run. The slowest client takes 20 s for a million.
pub(super) const RUN_TIME_MAX: Duration = Duration::from_mins(5);
