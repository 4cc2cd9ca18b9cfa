//! How many devices one double holds, and what each costs it.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::{Duration, Instant},
};

use apns_certs::Authority;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use mock_apns::{Device, DeviceError, DeviceOptions, DeviceState};
use serde::Serialize;
use tempfile::TempDir;
use tokio::time::timeout;

use super::{LoadError, memory, pair_run::ready, process::ChildProcess};
use crate::{
    Workload,
    child::{AUTHORITY_FILE, Job, raise_open_files},
    roles::Role,
};

/// What it came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DevicesReport {
    /// Devices that were connected at once, all of them answering.
    pub connections: usize,
    /// From the first to the last, seconds.
    pub seconds: f64,
    /// Memory of the double before, bytes (resident set size).
    pub before_bytes: u64,
    /// Memory of the double with all connected, bytes.
    pub after_bytes: u64,
}

/// Connects `connections` devices to a double, which is a process of its own, and keeps all of them while its memory is
/// read.
pub fn devices(connections: usize) -> Result<DevicesReport, LoadError> {
    let files = raise_open_files().map_err(|failure| client_failed(&failure))?;
    let needed = connections as u64 + OTHER_FILES;
    if files < needed {
        return Err(LoadError::TooFewFiles { limit: files, needed });
    }
    let own = std::env::current_exe().map_err(|error| LoadError::OwnProgram { why: error.to_string() })?;
    let directory = TempDir::new().map_err(|error| LoadError::Directory { why: error.to_string() })?;
    let double = start_double(&own, directory.path(), connections)?;
    let address = double.expect("ready", START_MAX, ready)?;
    let pem = std::fs::read_to_string(directory.path().join(AUTHORITY_FILE));
    let pem = pem.map_err(|error| client_failed(&error))?;
    let authority = Authority::from_pem(&pem).map_err(|error| client_failed(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| client_failed(&error))?;

    let before_bytes = memory::resident_bytes(double.id())?;
    let start = Instant::now();
    let connecting = connect_all(&authority, address, connections);
    let mut devices = runtime
        .block_on(async { timeout(CONNECT_ALL_MAX, connecting).await })
        .map_err(|_| client_failed(&format!("not all devices connected within {CONNECT_ALL_MAX:?}")))?
        .map_err(|error| client_failed(&error))?;
    let seconds = start.elapsed().as_secs_f64();
    runtime.block_on(all_answer(&mut devices)).map_err(|error| client_failed(&error))?;
    let after_bytes = memory::resident_bytes(double.id())?;
    Ok(DevicesReport { connections: devices.len(), seconds, before_bytes, after_bytes })
}

fn start_double(own: &Path, directory: &Path, connections: usize) -> Result<ChildProcess, LoadError> {
    let role = Role::DeviceGateway.name();
    let job = Job {
        role: role.to_owned(),
        core: None,
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        directory: directory.to_owned(),
        workload: Workload { pushes: 0, in_flight: AT_ONCE, payload_bytes: 0, connections, rtt_ms: 0 },
    };
    let job = serde_json::to_string(&job).map_err(|error| LoadError::BadJob { why: error.to_string() })?;
    ChildProcess::start(role, own, &["role".as_ref(), job.as_ref()], &[])
}

/// Opens all, a few at a time: a crowd would only wait in the listener's queue, with its timeouts running.
async fn connect_all(
    authority: &Authority,
    address: SocketAddr,
    connections: usize,
) -> Result<Vec<Device>, DeviceError> {
    stream::iter(0..connections)
        .map(|number| async move {
            DeviceOptions::issued_by(authority, address, &format!("device-{number}"))?.connect().await
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// Each is asked something and answers: none was lost while others came.
async fn all_answer(devices: &mut [Device]) -> Result<(), DeviceError> {
    stream::iter(devices)
        .map(Ok)
        .try_for_each_concurrent(AT_ONCE, |device| device.set_state(DeviceState::Online))
        .await
}

fn client_failed(why: &impl fmt::Display) -> LoadError {
    LoadError::Failed { role: "devices".to_owned(), why: why.to_string() }
}

impl DevicesReport {
    /// What one connection costs the double, bytes.
    pub fn bytes_a_connection(&self) -> u64 {
        self.after_bytes.saturating_sub(self.before_bytes) / self.connections.max(1) as u64
    }

    /// As JSON, on one line.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_value(self).expect("a report has string keys and finite numbers only");
        json["bytes_a_connection"] = self.bytes_a_connection().into();
        json.to_string()
    }
}

impl fmt::Display for DevicesReport {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a digit after the point is printed, of numbers below 2^52"
    )]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
        writeln!(
            f,
            "{} devices connected at once, opened in {:.1} s ({:.0} a second, {AT_ONCE} at a time)",
            self.connections,
            self.seconds,
            self.connections as f64 / self.seconds
        )?;
        writeln!(
            f,
            "the double's memory: {:.1} MiB before, {:.1} MiB with all connected: {} bytes a connection",
            mebibytes(self.before_bytes),
            mebibytes(self.after_bytes),
            self.bytes_a_connection()
        )
    }
}

/// Handshakes under way at any moment.
const AT_ONCE: usize = 64;
/// Files that either process has open beside its connections, generously.
const OTHER_FILES: u64 = 100;
/// To start and to make keys; the machine may be busy.
const START_MAX: Duration = Duration::from_mins(1);
/// For all handshakes: 100,000 of them take a minute or two on one core.
const CONNECT_ALL_MAX: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_costs_what_was_added_for_each() {
        let report = DevicesReport { connections: 10, seconds: 0.5, before_bytes: 1000, after_bytes: 21_009 };
        assert_eq!(report.bytes_a_connection(), 2000);
        let text = report.to_string();
        assert!(text.contains("20 a second") && text.contains("2000 bytes a connection"), "{text}");
    }
}
