use nix::{
    sched::{CpuSet, sched_setaffinity},
    sys::{
        resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit},
        time::TimeValLike as _,
    },
    unistd::Pid,
};

use super::{Explain as _, Failure};

/// User and system time that this process has used since it began, and its children that have ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuTime {
    microseconds: i64,
}

impl CpuTime {
    /// All threads' time until now (getrusage(2), RUSAGE_SELF and RUSAGE_CHILDREN).
    pub(crate) fn now() -> Result<Self, Failure> {
        let mut microseconds = 0;
        for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
            let usage = getrusage(who).explain("asking for the CPU time used")?;
            microseconds += (usage.user_time() + usage.system_time()).num_microseconds();
        }
        Ok(Self { microseconds })
    }

    /// What was used between `earlier` and this, in microseconds.
    pub(crate) fn since_us(self, earlier: Self) -> u64 {
        u64::try_from(self.microseconds - earlier.microseconds).unwrap_or(0)
    }
}

/// Lets this process open as many files as the system allows it, and says how many those are.
pub(crate) fn raise_open_files() -> Result<u64, Failure> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).explain("asking how many files may be open")?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).explain("raising the number of open files")?;
    Ok(hard)
}

/// Keeps this process on one core, threads that start later included. Call before the first of them.
pub(crate) fn pin_to_core(core: usize) -> Result<(), Failure> {
    let mut cores = CpuSet::new();
    cores.set(core).explain("naming a processor core")?;
    sched_setaffinity(Pid::from_raw(0), &cores).explain("staying on one processor core")
}
