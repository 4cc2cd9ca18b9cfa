use std::{fmt, fs};

use nix::{
    sched::{CpuSet, sched_getaffinity},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};

/// Where the two sides run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Cores {
    /// Each on a core of its own.
    Pinned {
        /// The server's core.
        server: usize,
        /// The client's core.
        client: usize,
    },
    /// Wherever the scheduler puts them.
    Free,
}

impl Cores {
    /// Two cores that this process may use, not two threads of one if that can be helped.
    pub(super) fn choose() -> Self {
        let Ok(allowed) = sched_getaffinity(Pid::from_raw(0)) else { return Self::Free };
        let cores: Vec<usize> =
            (0..CpuSet::count()).filter(|core| allowed.is_set(*core).unwrap_or(false)).collect();
        let [server, others @ ..] = cores.as_slice() else { return Self::Free };
        let siblings =
            fs::read_to_string(format!("/sys/devices/system/cpu/cpu{server}/topology/thread_siblings_list"));
        let siblings = parse_list(&siblings.unwrap_or_default());
        let apart = others.iter().find(|core| !siblings.contains(core)).or_else(|| others.first());
        apart.map_or(Self::Free, |client| Self::Pinned { server: *server, client: *client })
    }

    /// The server's core, if it has one.
    pub(super) fn server(&self) -> Option<usize> {
        match self {
            Self::Pinned { server, .. } => Some(*server),
            Self::Free => None,
        }
    }

    /// The client's core, if it has one.
    pub(super) fn client(&self) -> Option<usize> {
        match self {
            Self::Pinned { client, .. } => Some(*client),
            Self::Free => None,
        }
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pinned { server, client } => write!(f, "server on core {server}, client on core {client}"),
            Self::Free => {
                f.write_str("not pinned to cores: there are not two, or the system does not allow it")
            }
        }
    }
}

/// Linux's list of processors: `0-1,4` is 0, 1 and 4.
fn parse_list(list: &str) -> Vec<usize> {
    let range = |part: &str| {
        let (first, end) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse().ok()?..=end.parse().ok()?)
    };
    list.trim().split(',').filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linuxs_lists_are_read() {
        assert_eq!(parse_list("0-1,4\n"), [0, 1, 4]);
        assert_eq!(parse_list("0,16\n"), [0, 16]);
        assert_eq!(parse_list(""), [0; 0]);
    }
}
