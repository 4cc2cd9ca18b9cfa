use apns_provider_core::UnixTime;
use sqlx::{Postgres, Row as _, Sqlite, postgres::PgRow, sqlite::SqliteRow};

use crate::store::StoreError;

/// A row that a statement returned. Columns are counted from 0.
#[derive(Debug)]
pub(in crate::store) enum Row {
    Postgres(PgRow),
    Sqlite(SqliteRow),
}

/// What both databases can give.
trait Get<'r>:
    sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite> + sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>
{
}

impl<'r, T> Get<'r> for T where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite> + sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>
{
}

impl Row {
    fn get<'r, T: Get<'r>>(&'r self, column: usize) -> Result<Option<T>, StoreError> {
        // The types are those of the schema: a number may be narrower there.
        let value = match self {
            Self::Postgres(row) => row.try_get_unchecked(column),
            Self::Sqlite(row) => row.try_get_unchecked(column),
        };
        Ok(value?)
    }

    fn must<T>(value: Option<T>, column: usize) -> Result<T, StoreError> {
        value.ok_or_else(|| StoreError::Damaged(format!("column {column} of a row has no value")))
    }

    pub(in crate::store) fn int(&self, column: usize) -> Result<i64, StoreError> {
        Self::must(self.get(column)?, column)
    }

    pub(in crate::store) fn optional_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        self.get(column)
    }

    /// A number of a narrower type, or one without a sign.
    pub(in crate::store) fn number<T: TryFrom<i64>>(&self, column: usize) -> Result<T, StoreError> {
        let number = self.int(column)?;
        T::try_from(number).map_err(|_| {
            StoreError::Damaged(format!("column {column} of a row is {number}, which is out of range"))
        })
    }

    pub(in crate::store) fn is_set(&self, column: usize) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    pub(in crate::store) fn time(&self, column: usize) -> Result<UnixTime, StoreError> {
        Ok(UnixTime::from_millis(self.number(column)?))
    }

    pub(in crate::store) fn optional_time(&self, column: usize) -> Result<Option<UnixTime>, StoreError> {
        self.optional_int(column)?.map(|_| self.time(column)).transpose()
    }

    pub(in crate::store) fn text(&self, column: usize) -> Result<&str, StoreError> {
        Self::must(self.get(column)?, column)
    }

    pub(in crate::store) fn optional_text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        self.get(column)
    }

    pub(in crate::store) fn blob(&self, column: usize) -> Result<&[u8], StoreError> {
        Self::must(self.get(column)?, column)
    }

    pub(in crate::store) fn optional_blob(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        self.get(column)
    }

    /// What a column stands for, by a function that reads it.
    pub(in crate::store) fn parsed<T, E: std::fmt::Display>(
        &self,
        column: usize,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, StoreError> {
        parse(self.text(column)?)
            .map_err(|why| StoreError::damaged(format_args!("column {column} of a row"), why))
    }

    /// The same of one that may have no value.
    pub(in crate::store) fn optional_parsed<T, E: std::fmt::Display>(
        &self,
        column: usize,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, StoreError> {
        self.optional_text(column)?.map(|_| self.parsed(column, parse)).transpose()
    }

    /// What a number stands for in one of the core's tables.
    pub(in crate::store) fn numbered<T>(
        &self,
        column: usize,
        of_number: impl FnOnce(u8) -> Option<T>,
    ) -> Result<T, StoreError> {
        let number = self.number(column)?;
        of_number(number).ok_or_else(|| {
            StoreError::Damaged(format!(
                "column {column} of a row is {number}, which this version does not know"
            ))
        })
    }
}
