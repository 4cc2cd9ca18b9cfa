use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use mock_apns_core::{RecordedError, SnapshotError};
use thiserror::Error;

/// A data folder cannot be used.
#[derive(Clone, Debug, Error)]
#[error("the data folder {}: {problem}", .path.display())]
pub struct DataDirError {
    path: PathBuf,
    problem: Problem,
}

/// What is wrong.
#[derive(Clone, Debug, Error)]
pub(crate) enum Problem {
    #[error("it cannot be made or opened: {0}")]
    Folder(Arc<io::Error>),
    #[error("another double uses it: stop that one, or name another folder")]
    InUse,
    #[error("it cannot be read or written: {0}")]
    Database(Arc<redb::Error>),
    #[error(
        "it was written in form {0}, and this version of mock-apns has form {FORM}: start the version that wrote it and put its \
         GET /v1/snapshot into a double of this one, or name another folder"
    )]
    OtherForm(u32),
    #[error(
        "it was begun with {what} {begun}, and this start says {asked}: say the same, or name another folder"
    )]
    BegunOtherwise { what: &'static str, begun: String, asked: String },
    #[error(
        "its {0} is missing, or is not what was written: restore the folder from a copy, or name another one"
    )]
    Broken(&'static str),
    #[error("its state cannot be restored: {0}")]
    Snapshot(#[from] SnapshotError),
    #[error("entry {number} of its log: {error}")]
    Log { number: u64, error: RecordedError },
    #[error("its CA or one of its keys cannot be read: {0}")]
    Certificates(#[from] apns_certs::Error),
}

/// The form in which a folder is written. It counts up when a folder of before cannot be read any more.
pub(super) const FORM: u32 = 2;

impl Problem {
    /// The problem, of the folder at `path`.
    pub(super) fn at(self, path: &Path) -> DataDirError {
        DataDirError { path: path.to_owned(), problem: self }
    }
}

impl DataDirError {
    pub(crate) fn new(path: &Path, problem: impl Into<Problem>) -> Self {
        problem.into().at(path)
    }
}

impl From<redb::Error> for Problem {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            error => Self::Database(Arc::new(error)),
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Folder(Arc::new(error))
    }
}
