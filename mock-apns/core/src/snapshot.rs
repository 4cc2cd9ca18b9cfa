//! What can be wrong with a snapshot.

use thiserror::Error;

/// A snapshot is not one that a service has made: something in it contradicts the rest.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("the snapshot cannot be restored: {problem}, at {place}")]
pub struct SnapshotError {
    place: String,
    problem: Problem,
}

impl SnapshotError {
    /// The same error, of something within `place`.
    pub(crate) fn within(mut self, place: &str) -> Self {
        self.place = format!("{place}.{}", self.place);
        self
    }
}

/// What is wrong.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(crate) enum Problem {
    #[error("there is no {0} {1}")]
    NoSuch(&'static str, u64),
    #[error("{0} is there twice")]
    Twice(&'static str),
    #[error("{0} cannot be there")]
    Misplaced(&'static str),
    #[error("a count or a list is beyond what any service gets to")]
    TooMany,
}

impl Problem {
    pub(crate) fn at(self, place: &str) -> SnapshotError {
        SnapshotError { place: place.to_owned(), problem: self }
    }
}
