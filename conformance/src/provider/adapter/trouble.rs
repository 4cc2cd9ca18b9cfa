use std::time::Duration;

use thiserror::Error;

/// What is wrong with an adapter, whatever its provider does.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum Trouble {
    /// It could not be started.
    #[error("the adapter does not start: {0}")]
    Start(String),
    /// The first that it said is not who it is.
    #[error("the adapter begins with {0}, and not with `ready`")]
    Greeting(String),
    /// It said something that is no event.
    #[error("the adapter printed rubbish: {line:?}: {why}")]
    Rubbish {
        /// The beginning of the line.
        line: String,
        /// What is wrong with it.
        why: String,
    },
    /// It did not say what it has to.
    #[error("the adapter did not say {awaited} within {within:?}")]
    Silent {
        /// What was waited for.
        awaited: String,
        /// For how long.
        within: Duration,
    },
    /// It does not read what it is told.
    #[error("the adapter has read nothing for {within:?}")]
    ReadsNothing {
        /// For how long.
        within: Duration,
    },
    /// It says more on its connections than can be kept.
    #[error("the adapter takes more than {bytes} bytes to write down what it says on its connections")]
    Floods {
        /// How many bytes are kept.
        bytes: usize,
    },
    /// It could not do what it was told.
    #[error("the adapter failed to {what}: {why}")]
    Failed {
        /// What it was told.
        what: String,
        /// What it said.
        why: String,
    },
    /// It has ended in the middle of a play.
    #[error("the adapter has ended in the middle of it")]
    Ended,
    /// It ended otherwise than with exit code 0.
    #[error("the adapter ended with {0}")]
    Status(String),
    /// It did not end.
    #[error("the adapter did not end within {within:?} of `exit`")]
    Stays {
        /// For how long it was waited for.
        within: Duration,
    },
}
