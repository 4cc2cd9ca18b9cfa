//! PostgreSQL: several processes on one database.

mod listener;

use std::time::Duration;

use sqlx::{
    ConnectOptions as _, Postgres,
    pool::{Pool, PoolOptions},
    postgres::PgConnectOptions,
};
use tokio::task::AbortHandle;

use super::{
    Durability, Signal, StoreError,
    database::Work,
    schema,
    settings::Weight,
    signals::Bell,
    sql::{Connection, Statement, values},
};

/// A pool of connections.
#[derive(Debug)]
pub(super) struct PostgresServer {
    pool: Pool<Postgres>,
    durability: Durability,
    channel: String,
}

impl PostgresServer {
    /// Connects, and brings the database to this version.
    pub(super) async fn open(
        url: &str,
        durability: Durability,
        connections: u32,
    ) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.parse()?;
        let options = options
            .application_name("apns-provider")
            .statement_cache_capacity(STATEMENTS)
            .disable_statement_logging();
        let pool = PoolOptions::new()
            .max_connections(connections.max(CONNECTIONS_MIN))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await?;
        let mut transaction = Connection::PostgresTransaction(pool.begin().await?);
        schema::migrate(&mut transaction).await?;
        let schema = transaction.one(&CURRENT_SCHEMA, values![]).await?.text(0)?.to_owned();
        commit(transaction).await?;
        Ok(Self { pool, durability, channel: format!("apns_provider:{schema}") })
    }

    pub(super) async fn reader(&self) -> Result<Connection, StoreError> {
        Ok(Connection::Postgres(self.pool.acquire().await?))
    }

    /// Does this within a transaction, again if it lost to another one.
    pub(super) async fn write<D, T>(&self, weight: Weight, data: D, work: Work<D, T>) -> Result<T, StoreError>
    where
        D: Send + Sync + 'static,
        T: Send + 'static,
    {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.write_once(weight, &data, work).await {
                Err(StoreError::Conflict(why)) if tries < TRIES_MAX => {
                    tracing::debug!(why, tries, "a transaction is run again");
                }
                result => return result,
            }
        }
    }

    async fn write_once<D, T>(&self, weight: Weight, data: &D, work: Work<D, T>) -> Result<T, StoreError>
    where
        D: Send + Sync + 'static,
        T: Send + 'static,
    {
        let mut transaction = Connection::PostgresTransaction(self.pool.begin().await?);
        if !self.durability.syncs(weight) {
            transaction.execute(&DO_NOT_SYNC, values![]).await?;
        }
        let result = work(data, &mut transaction).await?;
        commit(transaction).await?;
        Ok(result)
    }

    /// Rings for what other processes tell, and this one.
    pub(super) async fn listen(&self, bell: Bell) -> Result<AbortHandle, StoreError> {
        let listener = listener::connect(&self.pool, &self.channel).await?;
        let task = listener::run(self.pool.clone(), self.channel.clone(), listener, bell);
        Ok(tokio::spawn(task).abort_handle())
    }

    pub(super) async fn tell_others(&self, signal: Signal) -> Result<(), StoreError> {
        let values = values![self.channel.as_str(), signal.to_text()];
        self.reader().await?.rows(&NOTIFY, values).await.map(drop)
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

async fn commit(transaction: Connection) -> Result<(), StoreError> {
    if let Connection::PostgresTransaction(transaction) = transaction {
        transaction.commit().await?;
    }
    Ok(())
}

static CURRENT_SCHEMA: Statement = Statement::new("SELECT current_schema()::text");
static NOTIFY: Statement = Statement::new("SELECT 1 FROM pg_notify($1, $2)");
static DO_NOT_SYNC: Statement = Statement::new("SET LOCAL synchronous_commit = off");

/// One that listens, one that writes, one that reads.
const CONNECTIONS_MIN: u32 = 3;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a transaction is run that loses to others each time.
const TRIES_MAX: u32 = 5;
/// More than there are statements here.
const STATEMENTS: usize = 256;
