use std::borrow::Cow;

use thiserror::Error;

/// Why the server does not start: a setting is wrong.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The command line, or a variable in its place. Help and version come this way too.
    #[error(transparent)]
    Arguments(#[from] clap::Error),
    /// A setting, wherever it was given.
    #[error("{name}: {why}")]
    Setting {
        /// Its name.
        name: Cow<'static, str>,
        /// What is wrong with it, and what would be right.
        why: String,
    },
}

impl ConfigError {
    #[expect(clippy::needless_pass_by_value, reason = "errors are handed over")]
    pub(super) fn of(name: impl Into<Cow<'static, str>>, why: impl ToString) -> Self {
        Self::Setting { name: name.into(), why: why.to_string() }
    }
}
