use sqlx::{
    PgConnection, Postgres, Sqlite, SqliteConnection, Transaction, pool::PoolConnection,
    postgres::PgArguments, sqlite::SqliteArguments,
};

use super::{Dialect, Row, Statement, Table, Value, table::Array};
use crate::store::StoreError;

/// A connection to either database.
#[derive(Debug)]
pub(in crate::store) enum Connection {
    /// One of PostgreSQL's, to read.
    Postgres(PoolConnection<Postgres>),
    /// A transaction of PostgreSQL's, which is rolled back if it is dropped.
    PostgresTransaction(Transaction<'static, Postgres>),
    /// One of SQLite's, to read.
    SqliteReader(PoolConnection<Sqlite>),
    /// SQLite's only one to write.
    SqliteWriter(SqliteConnection),
}

/// Whichever it is.
enum Either<'c> {
    Postgres(&'c mut PgConnection),
    Sqlite(&'c mut SqliteConnection),
}

impl Connection {
    pub(in crate::store) fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) | Self::PostgresTransaction(_) => Dialect::Postgres,
            Self::SqliteReader(_) | Self::SqliteWriter(_) => Dialect::Sqlite,
        }
    }

    /// Runs a statement; returns how many rows it has changed.
    pub(in crate::store) async fn execute(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<u64, StoreError> {
        self.run(statement, values, None).await
    }

    /// The same with an input. Without rows nothing is done.
    pub(in crate::store) async fn execute_with(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
        input: &Table,
    ) -> Result<u64, StoreError> {
        if input.is_empty() {
            return Ok(0);
        }
        self.run(statement, values, Some(input)).await
    }

    /// All rows that a statement returns; it has a limit.
    pub(in crate::store) async fn rows(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        self.fetch(statement, values, None).await
    }

    /// The same with an input. Without rows nothing is asked.
    pub(in crate::store) async fn rows_with(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
        input: &Table,
    ) -> Result<Vec<Row>, StoreError> {
        if input.is_empty() {
            return Ok(Vec::new());
        }
        self.fetch(statement, values, Some(input)).await
    }

    /// The first row that a statement returns.
    pub(in crate::store) async fn first(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch(statement, values, None).await?.into_iter().next())
    }

    /// The row that a statement returns in any case.
    pub(in crate::store) async fn one(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Row, StoreError> {
        let row = self.first(statement, values).await?;
        row.ok_or_else(|| StoreError::Damaged("a row is missing that is always there".into()))
    }

    /// Runs several statements that have no parameters.
    pub(in crate::store) async fn script(&mut self, text: String) -> Result<(), StoreError> {
        let script = sqlx::raw_sql(sqlx::AssertSqlSafe(text));
        match self.either() {
            Either::Postgres(connection) => script.execute(connection).await.map(drop)?,
            Either::Sqlite(connection) => script.execute(connection).await.map(drop)?,
        }
        Ok(())
    }

    async fn run(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
        input: Option<&Table>,
    ) -> Result<u64, StoreError> {
        let text = statement.text(self.dialect());
        Ok(match self.either() {
            Either::Postgres(connection) => {
                let arguments = postgres_arguments(statement, values, input)?;
                sqlx::query_with(text, arguments).execute(connection).await?.rows_affected()
            }
            Either::Sqlite(connection) => {
                let arguments = sqlite_arguments(values, input)?;
                sqlx::query_with(text, arguments).execute(connection).await?.rows_affected()
            }
        })
    }

    async fn fetch(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
        input: Option<&Table>,
    ) -> Result<Vec<Row>, StoreError> {
        let text = statement.text(self.dialect());
        Ok(match self.either() {
            Either::Postgres(connection) => {
                let arguments = postgres_arguments(statement, values, input)?;
                let rows = sqlx::query_with(text, arguments).fetch_all(connection).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
            Either::Sqlite(connection) => {
                let arguments = sqlite_arguments(values, input)?;
                let rows = sqlx::query_with(text, arguments).fetch_all(connection).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
        })
    }

    fn either(&mut self) -> Either<'_> {
        match self {
            Self::Postgres(connection) => Either::Postgres(connection),
            Self::PostgresTransaction(transaction) => Either::Postgres(transaction),
            Self::SqliteReader(connection) => Either::Sqlite(connection),
            Self::SqliteWriter(connection) => Either::Sqlite(connection),
        }
    }
}

fn sqlite_arguments(values: Vec<Value>, input: Option<&Table>) -> Result<SqliteArguments, StoreError> {
    use sqlx::Arguments as _;

    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            Value::Blob(value) => arguments.add(value),
            Value::Int(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    if let Some(input) = input {
        arguments.add(input.to_json()).map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn postgres_arguments(
    statement: &Statement,
    values: Vec<Value>,
    input: Option<&Table>,
) -> Result<PgArguments, StoreError> {
    use sqlx::Arguments as _;

    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Blob(value) => arguments.add(value),
            Value::Int(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    for array in input.map(|input| input.clone().into_arrays(statement.input())).into_iter().flatten() {
        match array {
            Array::Blob(array) => arguments.add(array),
            Array::Int(array) => arguments.add(array),
            Array::Text(array) => arguments.add(array),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}
