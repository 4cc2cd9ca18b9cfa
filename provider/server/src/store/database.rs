//! Whichever database it is.

use futures::future::BoxFuture;
use tokio::task::AbortHandle;

use super::{
    Place, Signal, StoreError, StoreSettings,
    postgres::PostgresServer,
    settings::Weight,
    signals::Bell,
    sql::{Connection, Statement, Value},
    sqlite::SqliteFile,
};

/// What is done within a transaction. It may be run more than once before it is committed.
pub(super) type Work<D, T> = for<'a> fn(&'a D, &'a mut Connection) -> BoxFuture<'a, Result<T, StoreError>>;

/// Whichever database it is.
#[derive(Debug)]
pub(super) enum Database {
    Postgres(PostgresServer),
    Sqlite(SqliteFile),
}

impl Database {
    pub(super) async fn open(settings: &StoreSettings) -> Result<Self, StoreError> {
        Ok(match &settings.place {
            Place::Postgres { url } => {
                Self::Postgres(PostgresServer::open(url, settings.durability, settings.connections).await?)
            }
            Place::Sqlite { path } => {
                Self::Sqlite(SqliteFile::open(path, settings.durability, settings.connections).await?)
            }
        })
    }

    /// A connection to read.
    pub(super) async fn reader(&self) -> Result<Connection, StoreError> {
        match self {
            Self::Postgres(server) => server.reader().await,
            Self::Sqlite(file) => file.reader().await,
        }
    }

    /// Does this within a transaction. It is done even if nobody waits for it any more.
    pub(super) async fn write<D, T>(&self, weight: Weight, data: D, work: Work<D, T>) -> Result<T, StoreError>
    where
        D: Send + Sync + 'static,
        T: Send + 'static,
    {
        match self {
            Self::Postgres(server) => server.write(weight, data, work).await,
            Self::Sqlite(file) => file.write(weight, data, work).await,
        }
    }

    /// Runs one statement in a transaction; returns how many rows it has changed.
    pub(super) async fn execute(
        &self,
        weight: Weight,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<u64, StoreError> {
        self.write(weight, (statement, values), |(statement, values), transaction| {
            Box::pin(transaction.execute(statement, values.clone()))
        })
        .await
    }

    /// Runs one statement that inserts a row and returns its number.
    pub(super) async fn insert(
        &self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<i64, StoreError> {
        self.write(Weight::Promise, (statement, values), |(statement, values), transaction| {
            Box::pin(async { transaction.one(statement, values.clone()).await?.int(0) })
        })
        .await
    }

    /// Hears what other processes tell, if there can be any.
    pub(super) async fn listen(&self, bell: &Bell) -> Result<Option<AbortHandle>, StoreError> {
        match self {
            Self::Postgres(server) => server.listen(bell.clone()).await.map(Some),
            Self::Sqlite(_) => Ok(None),
        }
    }

    pub(super) async fn tell_others(&self, signal: Signal) -> Result<(), StoreError> {
        match self {
            Self::Postgres(server) => server.tell_others(signal).await,
            Self::Sqlite(_) => Ok(()),
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Postgres(server) => server.close().await,
            Self::Sqlite(file) => file.close().await,
        }
    }
}
