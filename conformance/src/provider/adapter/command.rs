//! How an adapter is started, and what surrounds it.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::unistd::geteuid;
use tokio::process::Command;

/// How an adapter is started, and waited for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct AdapterCommand {
    /// The command, as a shell reads it.
    pub(crate) text: String,
    /// How long it may take to say who it is, to read what it is told, to do what it does at once, and to end.
    pub(crate) patience: Duration,
}

/// What an adapter finds around it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Surroundings {
    /// What `/etc/hosts` is to the adapter; that of the machine when absent.
    pub(crate) hosts: Option<PathBuf>,
    /// libfaketime, and the file that says what its clock is ahead of the machine's.
    pub(crate) clock: Option<FakeClock>,
    /// Variables.
    pub(crate) variables: Vec<(&'static str, OsString)>,
}

/// A clock of the adapter's own, for one that cannot be told the time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FakeClock {
    library: PathBuf,
    file: PathBuf,
    /// Whether all clocks go by it, also those that are no calendar's and never step back.
    is_of_all: bool,
}

impl AdapterCommand {
    /// The command, with all that is to surround it.
    pub(crate) fn with(&self, surroundings: &Surroundings) -> Command {
        let mut script = format!("exec {}", self.text);
        if surroundings.hosts.is_some() {
            script = format!("mount --bind \"$APNS_CONFORMANCE_HOSTS\" /etc/hosts && {script}");
        }
        let mut command = if surroundings.hosts.is_some() {
            let mut command = Command::new("unshare");
            if !geteuid().is_root() {
                command.arg("--map-root-user");
            }
            command.args(["--mount", "sh", "-c", &script]);
            command
        } else {
            let mut command = Command::new("sh");
            command.args(["-c", &script]);
            command
        };
        if let Some(hosts) = &surroundings.hosts {
            command.env("APNS_CONFORMANCE_HOSTS", hosts);
        }
        if let Some(FakeClock { library, file, is_of_all }) = &surroundings.clock {
            command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", file);
            command.env("FAKETIME_NO_CACHE", "1");
            if !is_of_all {
                command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
            }
        }
        for variable in PROXY_VARIABLES {
            command.env_remove(variable).env_remove(variable.to_lowercase());
        }
        command.envs(surroundings.variables.iter().cloned());
        command
    }
}

impl FakeClock {
    /// A clock that goes by what the file says: the calendar, or all clocks. `None`: this machine has no libfaketime.
    pub(crate) fn of(file: PathBuf, is_of_all: bool) -> Option<Self> {
        let library = LIBRARIES.iter().map(Path::new).find(|path| path.exists())?.to_path_buf();
        Some(Self { library, file, is_of_all })
    }

    /// Sets it so many seconds ahead of the machine's.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn set_ahead(&self, seconds: i64) -> std::io::Result<()> {
        // In one step: adapters look at any time.
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{seconds:+}\n"))?;
        std::fs::rename(new, &self.file)
    }
}

/// Whether an adapter can be given an `/etc/hosts` of its own on this machine.
pub(crate) fn can_have_hosts() -> bool {
    let mut unshare = std::process::Command::new("unshare");
    if !geteuid().is_root() {
        unshare.arg("--map-root-user");
    }
    let probe = unshare.args(["--mount", "sh", "-c", "mount --bind /etc/hosts /etc/hosts"]).output();
    probe.is_ok_and(|output| output.status.success())
}

/// What would lead an adapter past the double.
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"];
/// Where Debian's package libfaketime puts it, for programs of several threads.
const LIBRARIES: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
];
