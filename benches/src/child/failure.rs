use std::fmt;

use thiserror::Error;

/// Why a child cannot go on: text, since it only ever travels to the parent as such.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{what}: {why}")]
pub struct Failure {
    what: &'static str,
    why: String,
}

impl Failure {
    /// `what` was being done, and failed because of `why`.
    pub(crate) fn new(what: &'static str, why: impl fmt::Display) -> Self {
        Self { what, why: why.to_string() }
    }
}

/// Says what was being done when an error came.
pub(crate) trait Explain<T> {
    /// The value, or a [`Failure`] that begins with `what`.
    fn explain(self, what: &'static str) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Explain<T> for Result<T, E> {
    fn explain(self, what: &'static str) -> Result<T, Failure> {
        self.map_err(|why| Failure::new(what, why))
    }
}
