//! Pairs whose client connects to Apple's names and nothing else: they run where those names mean this machine.
//!
//! `unshare` gives a process a network and a mount table of its own. In there this program is started again, brings the loopback
//! interface up, puts a hosts file over `/etc/hosts`, and runs the pair as it would anywhere. Nothing outside changes.

use std::{
    ffi::OsStr,
    fmt::Write as _,
    fs, io,
    path::Path,
    process::{Command, Stdio},
};

use apns_certs::APPLE_HOST_NAMES;
use nix::mount::{MsFlags, mount};

use super::{
    LoadError,
    pair_run::{PairJob, PairRun, RUN_TIME_MAX},
    pairs::Pair,
    process::ChildProcess,
};

/// Runs a pair in a namespace of its own.
pub(super) fn run(job: &PairJob) -> Result<PairRun, LoadError> {
    let why_not = || LoadError::NoNamespace { why: "`unshare --net --mount` is not permitted".to_owned() };
    let flags = PERMITTED_WAYS.iter().find(|flags| is_permitted(flags)).ok_or_else(why_not)?;
    let text = serde_json::to_string(job).map_err(|error| LoadError::BadJob { why: error.to_string() })?;
    let mut arguments: Vec<&OsStr> = flags.iter().map(OsStr::new).collect();
    arguments.extend([job.own.as_os_str(), "namespace".as_ref(), text.as_ref()]);
    let pair = ChildProcess::start(&job.pair, Path::new(UNSHARE), &arguments, &[])?;
    // The pair has time limits of its own; this one is for a namespace that hangs.
    let answer = pair.text("done", RUN_TIME_MAX * 2)?;
    let answer: Result<PairRun, String> =
        serde_json::from_str(&answer).map_err(|error| LoadError::BadJob { why: error.to_string() })?;
    answer.map_err(|why| LoadError::Failed { role: job.pair.clone(), why })
}

/// Runs one pair in this process's own namespace and writes what came of it to standard output; the hidden command that `run`
/// starts with `unshare`.
pub fn run_in_namespace(job: &str) -> Result<(), LoadError> {
    let job: PairJob =
        serde_json::from_str(job).map_err(|error| LoadError::BadJob { why: error.to_string() })?;
    let pair =
        Pair::find(&job.pair).ok_or_else(|| LoadError::BadJob { why: format!("no pair {}", job.pair) })?;
    let answer = prepare(&job.directory).and_then(|()| job.run(pair)).map_err(|error| error.to_string());
    let text =
        serde_json::to_string(&answer).map_err(|error| LoadError::BadJob { why: error.to_string() })?;
    let _ = io::Write::write_all(&mut io::stdout(), format!("{text}\n").as_bytes()); // if `load` has gone, nobody asks
    Ok(())
}

/// util-linux's program for namespaces.
const UNSHARE: &str = "unshare";
/// As root, and as a user where users may be root in a namespace of their own.
const PERMITTED_WAYS: [&[&str]; 2] = [&["--net", "--mount"], &["--map-root-user", "--net", "--mount"]];

fn is_permitted(flags: &[&str]) -> bool {
    let tried = Command::new(UNSHARE).args(flags).arg("true").stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

/// Makes Apple's names mean this machine, in this namespace.
fn prepare(directory: &Path) -> Result<(), LoadError> {
    let failed = |why: String| LoadError::NoNamespace { why };
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
    if !up.is_ok_and(|status| status.success()) {
        return Err(failed("`ip link set lo up` failed".to_owned()));
    }
    let hosts = directory.join("hosts");
    fs::write(&hosts, hosts_file()).map_err(|error| failed(format!("writing a hosts file: {error}")))?;
    mount(Some(&hosts), "/etc/hosts", None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .map_err(|error| failed(format!("mounting a hosts file: {error}")))
}

fn hosts_file() -> String {
    let mut text = "127.0.0.1 localhost\n".to_owned();
    for host in APPLE_HOST_NAMES.iter().filter(|host| !host.name.starts_with('*')) {
        let _ = writeln!(text, "127.0.0.1 {}", host.name); // a String takes all that is written
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_file_names_this_machine_only() {
        let text = hosts_file();
        assert!(text.contains("127.0.0.1 api.push.apple.com\n"));
        assert!(text.lines().all(|line| line.starts_with("127.0.0.1 ")) && !text.contains('*'), "{text}");
    }
}
