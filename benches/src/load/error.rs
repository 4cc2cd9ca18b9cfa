use thiserror::Error;

/// Why something could not be measured. Text inside is for people: what the system or a child said.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum LoadError {
    /// The program could not find itself to start children.
    #[error("this program's own file is not to be found ({why}); start it by its path")]
    OwnProgram {
        /// What the system said.
        why: String,
    },
    /// `--only` leaves nothing to run.
    #[error("no pair's name contains {only:?}; there are {names}")]
    NoPair {
        /// What was asked for.
        only: String,
        /// The names of all pairs.
        names: String,
    },
    /// A run has no directory for what its server gives to its clients.
    #[error("making a temporary directory: {why}")]
    Directory {
        /// What the system said.
        why: String,
    },
    /// A hidden command was given something that `load` does not write.
    #[error("the job is not one that `load` writes: {why}")]
    BadJob {
        /// What is wrong with it.
        why: String,
    },
    /// A child could not be started.
    #[error("starting {role}: {why}")]
    NotStarted {
        /// What it was to be.
        role: String,
        /// What the system said.
        why: String,
    },
    /// A child reported that it cannot go on.
    #[error("{role}: {why}")]
    Failed {
        /// What it was.
        role: String,
        /// Its words.
        why: String,
    },
    /// A child ended, or wrote something else than was expected.
    #[error("{role} was expected to be {expected}, but {instead}")]
    Unexpected {
        /// What it was.
        role: String,
        /// What was waited for.
        expected: &'static str,
        /// What came.
        instead: String,
    },
    /// A child took too long and was killed.
    #[error("{role} was not {expected} within {seconds} s and was killed")]
    Hung {
        /// What it was.
        role: String,
        /// What was waited for.
        expected: &'static str,
        /// How long.
        seconds: u64,
    },
    /// Not all pushes were answered with 200.
    #[error("{answered} of {pushes} pushes were answered with 200")]
    Incomplete {
        /// Those that were.
        answered: u64,
        /// Those that should have been.
        pushes: u64,
    },
    /// The system allows fewer open files than there are to be connections.
    #[error(
        "{needed} files have to be open at once and {limit} may be: raise the limit (`ulimit -Hn`), or open fewer connections"
    )]
    TooFewFiles {
        /// How many may be open.
        limit: u64,
        /// How many would be.
        needed: u64,
    },
    /// How much memory a child has cannot be told.
    #[error("the memory of a process cannot be read here: {why}")]
    NoMemory {
        /// What the system said.
        why: String,
    },
    /// Other people's clients could not be built.
    #[error(
        "the peers could not be built ({why}); they need a network, or their packages fetched, and a C compiler"
    )]
    PeersNotBuilt {
        /// What cargo said last, or what kept it from being started.
        why: String,
    },
    /// Other people's clients were left out.
    #[error("left out, as asked for")]
    PeersNotWanted,
    /// No network namespace can be had.
    #[error("a network namespace cannot be had here ({why}), and this client's hosts are fixed")]
    NoNamespace {
        /// What `unshare` or the system said.
        why: String,
    },
}
