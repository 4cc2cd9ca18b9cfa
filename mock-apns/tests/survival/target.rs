//! A double under attack, in a process of its own.

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustls::ClientConfig;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::{control::Control, honest::Honest, process::Process, raw::Raw};

/// MiB that the double may have resident above what it had before an attack, whatever the attack: what connections may hold together
/// twice over (256 MiB, docs/limits.md), and as much again for what allocators keep.
const GROWTH_MAX_MIB: u64 = 1_024;

/// Longer than anything here takes; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Target {
    pub(crate) process: Process,
    folder: TempDir,
    resident_before: u64,
    /// One attack at a time: each takes all of the machine.
    _turn: MutexGuard<'static, ()>,
}

static TURN: Mutex<()> = Mutex::new(());

impl Target {
    pub(crate) fn start() -> Self {
        Self::start_in("exec \"$0\" \"$@\"")
    }

    /// Starts it from a shell, which may limit it.
    pub(crate) fn start_in(shell: &str) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner); // whatever became of the attack before
        let folder = TempDir::new().unwrap();
        let process = Process::start_in(shell, folder.path(), &[]);
        let resident_before = resident_mib(process.child.id());
        Self { process, folder, resident_before, _turn: turn }
    }

    /// An honest provider, who has begun to push.
    pub(crate) async fn honest(&self) -> Honest {
        Honest::start(&self.process, self.folder()).await
    }

    /// A TLS connection to the sandbox, and nothing said on it.
    pub(crate) async fn raw(&self) -> Raw {
        Raw::dial(self.process.port("sandbox"), self.client_config()).await
    }

    /// TLS that trusts it, with ALPN.
    pub(crate) fn client_config(&self) -> ClientConfig {
        Process::client_config(self.folder())
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The number of a series; 0 if it is not there.
    pub(crate) async fn metric(&self, series: &str) -> u64 {
        metric(self.process.control(), series).await
    }

    /// Waits until the number of a series is such a one.
    pub(crate) async fn until(&self, series: &str, is_right: impl Fn(u64) -> bool) {
        let mut last = 0;
        let waiting = async {
            loop {
                last = self.metric(series).await;
                if is_right(last) {
                    return;
                }
            }
        };
        let waited = timeout(PATIENCE, waiting).await.is_ok();
        assert!(waited, "{series} is {last}");
    }

    /// MiB of memory that the attack has cost by now.
    #[track_caller]
    pub(crate) fn is_bounded(&self, growth_max_mib: u64) {
        assert!(growth_max_mib <= GROWTH_MAX_MIB);
        let growth = resident_mib(self.process.child.id()).saturating_sub(self.resident_before);
        assert!(growth <= growth_max_mib, "the double has grown by {growth} MiB");
    }
}

/// The number of a series of this double; 0 if it is not there.
pub(crate) async fn metric(control: Control, series: &str) -> u64 {
    let text = control.get("/metrics").await.text;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("mock_apns_")?.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().unwrap())
}

/// The most that the process has had resident until now, in MiB.
fn resident_mib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}
