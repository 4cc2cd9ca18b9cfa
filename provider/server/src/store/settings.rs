use std::{fmt, path::PathBuf, str::FromStr};

use super::StoreError;

/// Where the store is, and what it promises.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// Which database.
    pub place: Place,
    /// What survives a power cut. A killed process loses nothing that was promised in any case.
    pub durability: Durability,
    /// Connections: for SQLite those that read, for PostgreSQL all.
    pub connections: u32,
}

/// Which database.
#[derive(Clone, Eq, PartialEq)]
pub enum Place {
    /// PostgreSQL, for several processes that share the work. The URL may have a password, so it is not shown.
    Postgres {
        /// `postgres://user:password@host:port/database`.
        url: String,
    },
    /// A file of SQLite, for one process. It is made if it is not there.
    Sqlite {
        /// Where.
        path: PathBuf,
    },
}

/// What survives a power cut, or a crash of the database's machine.
///
/// A transaction that is synced survives both; one that is only written survives a crash of the process (`kill -9`), since the system
/// has it. What is lost of outcomes is only that they are known: those pushes are sent again, under the same apns-id.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Durability {
    /// Nothing is synced: a power cut may lose the last second.
    Process,
    /// What was promised to a caller is synced: notifications that were taken, devices, settings. Outcomes and leases are not.
    #[default]
    Promises,
    /// Everything is synced.
    All,
}

/// What a transaction is about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Weight {
    /// If it is lost, it is done again.
    Progress,
    /// A caller is told that it is done.
    Promise,
}

impl StoreSettings {
    /// The usual ones for this place: a path, `sqlite:` and a path, or a URL of PostgreSQL.
    pub fn new(place: &str) -> Result<Self, StoreError> {
        Ok(Self { place: place.parse()?, durability: Durability::default(), connections: CONNECTIONS })
    }
}

impl Durability {
    /// Whether a transaction has to be synced.
    pub(super) fn syncs(self, weight: Weight) -> bool {
        match self {
            Self::Process => false,
            Self::Promises => weight == Weight::Promise,
            Self::All => true,
        }
    }
}

impl FromStr for Durability {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        match text {
            "process" => Ok(Self::Process),
            "promises" => Ok(Self::Promises),
            "all" => Ok(Self::All),
            _ => Err(StoreError::NoSuchPlace(format!(
                "the durability is process, promises or all, and not {text:?}"
            ))),
        }
    }
}

impl FromStr for Place {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres { url: text.to_owned() });
        }
        let path = text.strip_prefix("sqlite:").unwrap_or(text);
        let path = path.strip_prefix("//").unwrap_or(path);
        match path {
            "" => Err(StoreError::NoSuchPlace("the database has no name".into())),
            ":memory:" => Err(StoreError::NoSuchPlace("a database in memory survives nothing".into())),
            _ if text.split_once("://").is_some_and(|(scheme, _)| scheme != "sqlite") => {
                Err(StoreError::NoSuchPlace(format!("{text:?} is of no database that is known here")))
            }
            path => Ok(Self::Sqlite { path: path.into() }),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres { .. } => f.write_str("Postgres"),
            Self::Sqlite { path } => f.debug_struct("Sqlite").field("path", path).finish(),
        }
    }
}

/// A few requests are read at once; more would only wait for the same disk.
const CONNECTIONS: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_path_or_a_url() {
        let place = |text: &str| text.parse::<Place>();
        assert_eq!(place("data/apns.db"), Ok(Place::Sqlite { path: "data/apns.db".into() }));
        assert_eq!(place("sqlite:///var/lib/apns.db"), Ok(Place::Sqlite { path: "/var/lib/apns.db".into() }));
        let postgres = place("postgres://me:secret@localhost/apns").unwrap();
        assert!(!format!("{postgres:?}").contains("secret"));
        for wrong in ["", ":memory:", "mysql://localhost/apns", "sqlite:"] {
            assert!(matches!(place(wrong), Err(StoreError::NoSuchPlace(_))), "{wrong}");
        }
    }

    #[test]
    fn only_what_was_promised_is_synced_by_default() {
        let durability = Durability::default();
        assert!(durability.syncs(Weight::Promise) && !durability.syncs(Weight::Progress));
        assert!(Durability::All.syncs(Weight::Progress) && !Durability::Process.syncs(Weight::Promise));
    }
}
