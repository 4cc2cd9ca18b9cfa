//! The tables, and how an older database becomes one of this version.

use super::{
    StoreError,
    sql::{Connection, Dialect, Statement, fill_in, values},
};

/// The tables' version that this program reads and writes.
const VERSION: i64 = MIGRATIONS.len().cast_signed() as i64;

/// Each makes the next version of the one before; the first one of nothing. They are run within the transaction that asks for the
/// version, so that of two processes that start at once one waits and finds it done.
const MIGRATIONS: [&str; 2] = [include_str!("0001.sql"), include_str!("0002.sql")];

/// Brings the database to this version, or says that it is of a newer one. Within a transaction.
pub(super) async fn migrate(transaction: &mut Connection) -> Result<(), StoreError> {
    if transaction.dialect() == Dialect::Postgres {
        transaction.rows(&WAIT_FOR_OTHERS, values![LOCK]).await?;
    }
    transaction.execute(&CREATE_VERSION, values![]).await?;
    let found = if let Some(row) = transaction.first(&GET_VERSION, values![]).await? {
        row.int(0)?
    } else {
        transaction.execute(&BEGIN_VERSION, values![]).await?;
        0
    };
    if found > VERSION {
        return Err(StoreError::NewerSchema { found, known: VERSION });
    }
    let done = usize::try_from(found)
        .map_err(|_| StoreError::Damaged(format!("the database says that it is of version {found}")))?;
    for (text, version) in MIGRATIONS.iter().zip(1_i64..).skip(done) {
        tracing::info!(version, "the database is updated");
        transaction.script(fill_in(text, transaction.dialect())).await?;
        transaction.execute(&SET_VERSION, values![version]).await?;
    }
    Ok(())
}

static WAIT_FOR_OTHERS: Statement = Statement::new("SELECT 1 FROM pg_advisory_xact_lock($1)");
static CREATE_VERSION: Statement =
    Statement::new("CREATE TABLE IF NOT EXISTS schema_version (version {int} NOT NULL){strict}");
static GET_VERSION: Statement = Statement::new("SELECT version FROM schema_version");
static BEGIN_VERSION: Statement = Statement::new("INSERT INTO schema_version (version) VALUES (0)");
static SET_VERSION: Statement = Statement::new("UPDATE schema_version SET version = $1");

/// Any number that nobody else locks: the letters of `apnspush`.
const LOCK: i64 = 0x6170_6e73_7075_7368;
