//! SQLite: one file, one connection that writes, some that read beside it.

mod writer;

use std::{path::Path, time::Duration};

use sqlx::{
    ConnectOptions as _, Connection as _, Sqlite,
    pool::{Pool, PoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::{sync::Mutex, task::JoinHandle};

use super::{Durability, StoreError, database::Work, schema, settings::Weight, sql::Connection};
use writer::Queue;

/// An open file.
#[derive(Debug)]
pub(super) struct SqliteFile {
    readers: Pool<Sqlite>,
    queue: Queue,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl SqliteFile {
    /// Opens the file, or makes it, and brings it to this version.
    pub(super) async fn open(path: &Path, durability: Durability, readers: u32) -> Result<Self, StoreError> {
        let options = options(path);
        let writer = options
            .clone()
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .pragma("cache_size", format!("-{WRITER_CACHE_KIB}"))
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
            .pragma("journal_size_limit", WAL_BYTES_KEPT.to_string())
            .thread_name(|_| "store-writer".into());
        let mut writer = Connection::SqliteWriter(writer.connect().await?);
        writer.script("BEGIN IMMEDIATE".into()).await?;
        if let Err(error) = schema::migrate(&mut writer).await {
            let _ = writer.script("ROLLBACK".into()).await; // what matters is why
            return Err(error);
        }
        writer.script("COMMIT".into()).await?;

        let readers = PoolOptions::new()
            .min_connections(1)
            .max_connections(readers.max(1))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false) // a file does not hang up
            .connect_with(
                options
                    .read_only(true)
                    .pragma("cache_size", format!("-{READER_CACHE_KIB}"))
                    .thread_name(|at| format!("store-reader-{at}")),
            )
            .await?;
        let (queue, writer) = Queue::start(writer, durability);
        Ok(Self { readers, queue, writer: Mutex::new(Some(writer)) })
    }

    pub(super) async fn reader(&self) -> Result<Connection, StoreError> {
        Ok(Connection::SqliteReader(self.readers.acquire().await?))
    }

    /// Does this within a transaction, which it may share with others.
    pub(super) async fn write<D, T>(&self, weight: Weight, data: D, work: Work<D, T>) -> Result<T, StoreError>
    where
        D: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.queue.write(weight, data, work).await
    }

    /// Writes what is queued, and closes the file.
    pub(super) async fn close(&self) {
        self.queue.close();
        if let Some(writer) = self.writer.lock().await.take() {
            let _ = writer.await;
        }
        self.readers.close().await;
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .synchronous(SqliteSynchronous::Normal)
        .pragma("temp_store", "memory")
        .statement_cache_capacity(STATEMENTS)
        .row_buffer_size(ROWS_AHEAD)
        .disable_statement_logging()
}

/// Closes a connection so that what it wrote is in the file itself.
async fn close(connection: Connection) {
    if let Connection::SqliteWriter(connection) = connection
        && let Err(error) = connection.close().await
    {
        tracing::warn!(%error, "the database was not closed in order; nothing is lost");
    }
}

/// How long another process may hold the file: a backup, or somebody with a shell.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a reader waits for its turn.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pages that the writer keeps: the inner ones of all indexes and the ends that grow.
const WRITER_CACHE_KIB: u32 = 32 * 1024;
const READER_CACHE_KIB: u32 = 4 * 1024;
/// Pages of 4 KiB in the log before they are moved into the file, 16 MiB: a page that is written often is moved once.
const CHECKPOINT_PAGES: u32 = 4096;
/// A log that has grown beyond is cut when it is reused.
const WAL_BYTES_KEPT: u32 = 64 * 1024 * 1024;
/// More than there are statements here.
const STATEMENTS: usize = 256;
/// Rows that are read ahead: fewer turns between SQLite's thread and ours.
const ROWS_AHEAD: usize = 1000;
