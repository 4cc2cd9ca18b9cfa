//! What processes have used, as the system tells it (proc_pid_stat(5)).

use std::{collections::BTreeMap, fs};

use nix::unistd::{SysconfVar, sysconf};
use serde::Serialize;

use crate::load::{LoadError, resident_bytes};

/// What one process used of the CPU between two moments.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Which process.
    pub process: &'static str,
    /// Seconds of CPU, user and system.
    pub cpu_s: f64,
    /// By kind of thread, of the server, the dearest first.
    pub threads: Vec<ThreadsCost>,
}

/// What the threads of one name used of the CPU.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ThreadsCost {
    /// Their name, without the number.
    pub name: String,
    /// Seconds of CPU.
    pub cpu_s: f64,
}

/// Whose costs are looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meter {
    server: u32,
    double: u32,
    with_postgres: bool,
}

/// What has been used so far.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    server: BTreeMap<String, u64>,
    double: u64,
    load: u64,
    postgres: u64,
}

impl Meter {
    /// With PostgreSQL, all of its processes on the machine count: it is supposed to have nothing else to do.
    pub(super) fn new(server: u32, double: u32, with_postgres: bool) -> Self {
        Self { server, double, with_postgres }
    }

    pub(super) fn server_bytes(&self) -> Result<u64, LoadError> {
        resident_bytes(self.server)
    }

    pub(super) fn read(&self) -> Reading {
        let all = |process| threads_of(process).into_values().sum();
        Reading {
            server: threads_of(self.server),
            double: all(self.double),
            load: all(std::process::id()),
            postgres: if self.with_postgres { postgres() } else { 0 },
        }
    }

    /// What was used since.
    pub(super) fn since(&self, before: &Reading) -> Vec<Cost> {
        let now = self.read();
        let mut threads: Vec<ThreadsCost> = now
            .server
            .iter()
            .map(|(name, ticks)| ThreadsCost {
                name: name.clone(),
                cpu_s: seconds(ticks - before.server.get(name).copied().unwrap_or(0).min(*ticks)),
            })
            .filter(|threads| threads.cpu_s > 0.0)
            .collect();
        threads.sort_by(|one, other| other.cpu_s.total_cmp(&one.cpu_s));
        let server = threads.iter().map(|threads| threads.cpu_s).sum();
        let mut costs = vec![
            Cost { process: "server", cpu_s: server, threads },
            Cost::of("double", now.double, before.double),
            Cost::of("load", now.load, before.load),
        ];
        if self.with_postgres {
            costs.push(Cost::of("PostgreSQL", now.postgres, before.postgres));
        }
        costs
    }
}

impl Cost {
    fn of(process: &'static str, now: u64, before: u64) -> Self {
        Self { process, cpu_s: seconds(now.saturating_sub(before)), threads: Vec::new() }
    }
}

/// Ticks by the name of threads, without the number at its end. Those that have ended do not count.
fn threads_of(process: u32) -> BTreeMap<String, u64> {
    let mut threads = BTreeMap::new();
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    for stat in tasks.filter_map(|task| fs::read_to_string(task.path().join("stat")).ok()) {
        if let Some(Stat { name, own, .. }) = Stat::parse(&stat) {
            let name = name.trim_end_matches(|last: char| last.is_ascii_digit() || last == '-');
            *threads.entry(name.to_owned()).or_default() += own;
        }
    }
    threads
}

/// Ticks of all processes of PostgreSQL, those that have ended among them.
fn postgres() -> u64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = processes.filter_map(|process| fs::read_to_string(process.path().join("stat")).ok());
    stats
        .filter_map(|stat| Stat::parse(&stat).filter(|it| it.name == "postgres").map(|it| it.own + it.ended))
        .sum()
}

struct Stat {
    name: String,
    /// User and system time, ticks.
    own: u64,
    /// Of children that have ended.
    ended: u64,
}

impl Stat {
    fn parse(stat: &str) -> Option<Self> {
        // The name may have anything in it, parentheses too.
        let (head, rest) = stat.rsplit_once(')')?;
        let (_, name) = head.split_once('(')?;
        let mut fields =
            rest.split_whitespace().skip(UTIME - NAME - 1).map(|field| field.parse().unwrap_or(0));
        let mut next = || fields.next();
        let [user, system, of_ended, system_of_ended] = [next()?, next()?, next()?, next()?];
        Some(Self { name: name.to_owned(), own: user + system, ended: of_ended + system_of_ended })
    }
}

#[expect(clippy::cast_precision_loss, reason = "two digits are printed")]
fn seconds(ticks: u64) -> f64 {
    let a_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100);
    ticks as f64 / a_second as f64
}

/// Where fields of `stat` stand, from 1.
const NAME: usize = 2;
const UTIME: usize = 14;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_whatever_the_name_is() {
        let stat = Stat::parse("7 (a) b) S 1 7 7 0 -1 4194304 10 0 0 0 120 30 4 5 20 0 1 0").unwrap();
        assert_eq!((stat.name.as_str(), stat.own, stat.ended), ("a) b", 150, 9));
        assert!(Stat::parse("7 (a) S 1").is_none());
    }

    #[test]
    fn what_this_process_does_is_seen_under_its_threads_name() {
        let meter = Meter::new(std::process::id(), 0, false);
        let before = meter.read();
        let worker = std::thread::Builder::new().name("worker-7".to_owned());
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let busy = worker.spawn(move || {
            while threads_of(std::process::id()).get("worker").is_none_or(|ticks| *ticks < 5) {}
            let _ = wait.recv();
        });
        while threads_of(std::process::id()).get("worker").is_none_or(|ticks| *ticks < 5) {}
        let costs = meter.since(&before);
        drop(done);
        busy.unwrap().join().unwrap();
        assert!(
            costs[0].threads.iter().any(|threads| threads.name == "worker" && threads.cpu_s >= 0.05),
            "{costs:?}"
        );
    }
}
