//! The file in a data folder: what is written into it, and what is found there.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use mock_apns_core::{Named as _, SETTINGS, Settings};
use redb::{
    Database, ReadableDatabase as _, ReadableTable as _, StorageBackend, TableDefinition,
    backends::FileBackend,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    DataDirError, Entry,
    error::{FORM, Problem},
};
use crate::{ready_made::KEYS, snapshot::DoubleSnapshot};

/// An open data folder, which no other process can open meanwhile.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    database: Database,
    /// The number of the log's next entry.
    next: u64,
    /// Bytes that the log has.
    log_bytes: u64,
}

/// With what a double was begun. It is said again at each start, so that a folder is not taken for another.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Begun {
    pub(crate) seed: u64,
    pub(crate) settings: Settings,
}

/// The keys that a double has from its first start on. Secret.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Origin {
    /// The CA with its private keys, as PEM.
    pub(crate) authority: String,
    /// Private keys of the ready-made team, as PKCS#8 PEM, in the order of its keys.
    pub(crate) ready_made: [String; KEYS],
}

/// What is in a folder that was used before.
pub(crate) struct Found {
    pub(crate) begun: Begun,
    pub(crate) origin: Origin,
    pub(crate) checkpoint: DoubleSnapshot,
    /// What was done since.
    pub(crate) log: Vec<Entry>,
}

/// What is to be written.
#[derive(Debug)]
pub(super) enum Work {
    Append(Entry),
    /// In place of the checkpoint and the log before it.
    Checkpoint(Box<DoubleSnapshot>),
}

/// The file in the folder.
const FILE: &str = "mock-apns.redb";
/// Memory that the database may use: what is written is hardly ever read.
const CACHE_BYTES: usize = 8 * 1024 * 1024;

const ABOUT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("about");
const CHECKPOINT: TableDefinition<'_, (), &[u8]> = TableDefinition::new("checkpoint");
const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");

/// Names of what is in [`ABOUT`], which errors say too.
const FORM_NAME: &str = "form";
const BEGUN: &str = "beginning";
const ORIGIN: &str = "origin";

impl Store {
    /// Opens the folder, which is made if it is not there, for its owner alone. What is found in it is returned too.
    pub(crate) fn open(path: &Path) -> Result<(Self, Option<Found>), DataDirError> {
        let opened = || {
            let database = file(path).map_err(Problem::from).and_then(|file| {
                let backend = FileBackend::new(file).map_err(redb::Error::from)?;
                Ok(database(backend)?)
            })?;
            let found = read(&database)?;
            let log = found.as_ref().map(|read| &*read.log).unwrap_or_default();
            let next = log.last().map_or(0, |(number, _)| number + 1);
            let log_bytes = log.iter().map(|(_, bytes)| bytes.len() as u64).sum();
            let found = found.map(Found::of).transpose()?;
            Ok((Self { path: path.to_owned(), database, next, log_bytes }, found))
        };
        opened().map_err(|problem: Problem| problem.at(path))
    }

    /// A store without a folder.
    #[cfg(test)]
    pub(super) fn on(disk: super::full_disk::Disk) -> Self {
        Self { path: "disk".into(), database: database(disk).unwrap(), next: 0, log_bytes: 0 }
    }

    /// Writes what a folder begins with: until this returns, it is empty.
    pub(crate) fn begin(
        &mut self,
        begun: &Begun,
        origin: &Origin,
        checkpoint: &DoubleSnapshot,
    ) -> Result<(), DataDirError> {
        let write = || {
            let transaction = self.database.begin_write()?;
            {
                let mut about = transaction.open_table(ABOUT)?;
                about.insert(FORM_NAME, &*json(&FORM))?;
                about.insert(BEGUN, &*json(begun))?;
                about.insert(ORIGIN, &*json(origin))?;
                transaction.open_table(CHECKPOINT)?.insert((), &*json(checkpoint))?;
                transaction.open_table(LOG)?;
            }
            transaction.commit()?;
            Ok::<_, redb::Error>(())
        };
        write().map_err(|error| Problem::from(error).at(&self.path))
    }

    /// Writes all of it, or nothing. When this returns, it is on disk.
    pub(super) fn write(&mut self, all: &[Work]) -> Result<(), DataDirError> {
        self.try_write(all).map_err(|error| Problem::from(error).at(&self.path))
    }

    fn try_write(&mut self, all: &[Work]) -> Result<(), redb::Error> {
        // What came before the last checkpoint is in it.
        let begin = all.iter().rposition(|work| matches!(work, Work::Checkpoint(_))).unwrap_or(0);
        let (mut next, mut log_bytes) = (self.next, self.log_bytes);
        let transaction = self.database.begin_write()?;
        {
            let mut log = transaction.open_table(LOG)?;
            for work in &all[begin..] {
                match work {
                    Work::Append(entry) => {
                        let bytes = entry.to_bytes();
                        log.insert(next, &*bytes)?;
                        (next, log_bytes) = (next + 1, log_bytes + bytes.len() as u64);
                    }
                    Work::Checkpoint(checkpoint) => {
                        transaction.open_table(CHECKPOINT)?.insert((), &*json(checkpoint))?;
                        log.retain(|_, _| false)?;
                        log_bytes = 0;
                    }
                }
            }
        }
        transaction.commit()?;
        (self.next, self.log_bytes) = (next, log_bytes);
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the log since the checkpoint.
    pub(super) fn log_bytes(&self) -> u64 {
        self.log_bytes
    }
}

impl Found {
    fn of(read: Read) -> Result<Self, Problem> {
        let Read { about: [form, begun, origin], checkpoint, log } = read;
        let form: u32 = from_json(form, FORM_NAME)?;
        if form != FORM {
            return Err(Problem::OtherForm(form));
        }
        let entries = log
            .into_iter()
            .map(|(number, bytes)| Entry::from_bytes(&bytes).map_err(|error| Problem::Log { number, error }));
        Ok(Self {
            begun: from_json(begun, BEGUN)?,
            origin: from_json(origin, ORIGIN)?,
            checkpoint: from_json(checkpoint, "checkpoint")?,
            log: entries.collect::<Result<_, _>>()?,
        })
    }

    /// That this start says the same as the first one did.
    pub(crate) fn check(&self, asked: &Begun, path: &Path) -> Result<(), DataDirError> {
        let differs = |what, begun: &dyn ToString, asked: &dyn ToString| {
            Problem::BegunOtherwise { what, begun: begun.to_string(), asked: asked.to_string() }.at(path)
        };
        if self.begun.seed != asked.seed {
            return Err(differs("--seed", &self.begun.seed, &asked.seed));
        }
        let [begun, asked_for] = [&self.begun, asked].map(|it| it.settings.profile().name());
        if begun != asked_for {
            return Err(differs("--profile", &begun, &asked_for));
        }
        let differing = SETTINGS.iter().find_map(|setting| {
            let (begun, asked) = (self.begun.settings.get(setting.name), asked.settings.get(setting.name));
            (begun != asked)
                .then(|| differs(setting.name, &begun.unwrap_or_default(), &asked.unwrap_or_default()))
        });
        differing.map_or(Ok(()), Err)
    }
}

fn file(path: &Path) -> io::Result<fs::File> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.mode(0o600); // there are private keys in it
    options.open(path.join(FILE))
}

fn database(backend: impl StorageBackend) -> Result<Database, redb::Error> {
    Ok(redb::Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(backend)?)
}

/// What is in the database, as it stands there.
struct Read {
    about: [Option<Vec<u8>>; 3],
    checkpoint: Option<Vec<u8>>,
    log: Vec<(u64, Vec<u8>)>,
}

fn read(database: &Database) -> Result<Option<Read>, redb::Error> {
    let transaction = database.begin_read()?;
    let about = match transaction.open_table(ABOUT) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        about => about?,
    };
    let about = |name| Ok::<_, redb::Error>(about.get(name)?.map(|value| value.value().to_vec()));
    let log = transaction.open_table(LOG)?;
    let log = log.iter()?.map(|row| row.map(|(number, bytes)| (number.value(), bytes.value().to_vec())));
    Ok(Some(Read {
        about: [about(FORM_NAME)?, about(BEGUN)?, about(ORIGIN)?],
        checkpoint: transaction.open_table(CHECKPOINT)?.get(())?.map(|value| value.value().to_vec()),
        log: log.collect::<Result<_, _>>()?,
    }))
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("what is kept has string keys and no values that fail")
}

fn from_json<T: DeserializeOwned>(bytes: Option<Vec<u8>>, what: &'static str) -> Result<T, Problem> {
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or(Problem::Broken(what))
}
