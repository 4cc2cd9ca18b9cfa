//! One way to speak to both databases.
//!
//! A [`Statement`] is written once. What differs stands in braces and is filled in for each database. Many rows go into one statement as
//! a [`Table`]: JSON on SQLite, arrays on PostgreSQL.

mod connection;
mod row;
mod statement;
mod table;
mod value;

pub(super) use connection::Connection;
pub(super) use row::Row;
pub(super) use statement::{Column, Statement, fill_in};
pub(super) use table::Table;
pub(super) use value::Value;

/// Whose SQL is spoken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Dialect {
    Postgres,
    Sqlite,
}

/// Values of the parameters `$1`, `$2` ….
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::sql::Value::from($value)),*] };
}
pub(super) use values;
