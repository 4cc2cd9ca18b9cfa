use std::fmt;

use thiserror::Error;

/// Why the store did not do what it was asked. Nothing of it was kept, unless it says that nobody knows.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum StoreError {
    /// It does not keep up: too much waits to be written, or another process holds the database.
    #[error("the database does not keep up: {0}; try again in a moment")]
    Behind(String),
    /// Something is wrong that trying again does not mend: a bug, or a database that somebody else has changed.
    #[error(
        "the database refused a statement: {0}; this is a bug, unless somebody changed the database by hand"
    )]
    Broken(String),
    /// The store is closed.
    #[error("the store is closed: the server is about to stop")]
    Closed,
    /// Others changed the same at the same time, again and again.
    #[error("the transaction lost to others each time: {0}; try again in a moment")]
    Conflict(String),
    /// What was read is nothing that was ever written.
    #[error("the database is damaged: {0}; restore it from a backup")]
    Damaged(String),
    /// There is no room left.
    #[error("the disk of the database is full: {0}; make room on it")]
    Full(String),
    /// The database was written by a newer version.
    #[error(
        "the database is of version {found}, and this program knows versions up to {known}: run the newer program that was here before, \
         or restore a backup from before its update"
    )]
    NewerSchema {
        /// The version of the database.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// What names the database is no name of one.
    #[error("{0}; give the path of a file for SQLite, or postgres://user@host/database")]
    NoSuchPlace(String),
    /// It cannot be reached, or the connection was lost. Whether a change was made is unknown if the connection was lost while it was.
    #[error("the database cannot be reached: {0}; is it running?")]
    Unreachable(String),
}

impl StoreError {
    /// Whether the same may work a little later, without anybody doing anything.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Behind(_) | Self::Conflict(_) | Self::Full(_) | Self::Unreachable(_))
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Something stored could not be read as what it should be.
    pub(super) fn damaged(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::Damaged(format!("{what}: {why}"))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let told = error.to_string();
        match error {
            sqlx::Error::Database(error) => of_code(error.code().as_deref().unwrap_or_default(), told),
            sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => Self::Full(told),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => Self::Unreachable(told),
            sqlx::Error::PoolTimedOut => Self::Behind("no connection became free in time".into()),
            sqlx::Error::PoolClosed => Self::Closed,
            sqlx::Error::Configuration(_) => Self::NoSuchPlace(told),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Damaged(told),
            _ => Self::Broken(told),
        }
    }
}

/// SQLite's extended result codes are numbers, PostgreSQL's SQLSTATEs have five characters.
fn of_code(code: &str, told: String) -> StoreError {
    if code.len() == 5
        && let Some(class) = code.get(..2)
    {
        return match (class, code) {
            (_, "53100") => StoreError::Full(told),
            (_, "3D000" | "28000" | "28P01") => StoreError::NoSuchPlace(told),
            ("08" | "57", _) => StoreError::Unreachable(told),
            ("40", _) => StoreError::Conflict(told),
            ("53" | "55", _) => StoreError::Behind(told),
            ("XX", _) => StoreError::Damaged(told),
            _ => StoreError::Broken(told),
        };
    }
    let extended: u32 = code.parse().unwrap_or_default();
    match extended & 0xff {
        BUSY | LOCKED => StoreError::Behind(told),
        FULL => StoreError::Full(told),
        CORRUPT | NOT_A_DATABASE => StoreError::Damaged(told),
        CANNOT_OPEN | PERM | READ_ONLY | IO_ERROR => StoreError::Unreachable(told),
        _ => StoreError::Broken(told),
    }
}

// SQLite's primary result codes.
const PERM: u32 = 3;
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READ_ONLY: u32 = 8;
const IO_ERROR: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANNOT_OPEN: u32 = 14;
const NOT_A_DATABASE: u32 = 26;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str) -> StoreError {
        of_code(code, String::new())
    }

    #[test]
    fn a_busy_database_a_full_disk_and_a_damaged_file_are_told_apart() {
        for (code, is_passing, is_full) in [
            ("5", true, false),
            ("517", true, false), // BUSY_SNAPSHOT
            ("13", true, true),
            ("11", false, false),
            ("1", false, false),
            ("2067", false, false), // a constraint
            ("53100", true, true),
            ("53300", true, false),
            ("57P01", true, false),
            ("40P01", true, false),
            ("23505", false, false),
            ("42601", false, false),
        ] {
            let error = of(code);
            assert_eq!((error.is_passing(), error.is_full()), (is_passing, is_full), "{code}: {error:?}");
        }
        assert!(matches!(of("267"), StoreError::Damaged(_)), "CORRUPT_VTAB");
        assert!(matches!(of("28P01"), StoreError::NoSuchPlace(_)));
    }
}
