use std::{fmt::Write as _, sync::OnceLock};

use super::Dialect;

/// A statement, written once for both databases.
///
/// | in braces | PostgreSQL | SQLite |
/// |---|---|---|
/// | `{input}` | the rows of a [`Table`](super::Table), as a table called `input` | the same |
/// | `{keep webhooks}` | ` FOR KEY SHARE OF webhook`: none is removed before the transaction ends | nothing |
/// | `{lock devices}` | the same for the table that is called `device` only | nothing |
/// | `{lock}` | ` FOR UPDATE` | nothing: there is one writer |
/// | `{skip locked}` | ` FOR UPDATE SKIP LOCKED` | nothing |
/// | `{skip locked shards}` | the same for the table that is called `shard` only | nothing |
/// | `{int}`, `{small}`, `{blob}`, `{row}`, `{strict}`, `{keyed}` | types and ends of tables | the same |
///
/// Parameters are `$1`, `$2` … for both; those of the input come behind them.
#[derive(Debug)]
pub(in crate::store) struct Statement {
    text: &'static str,
    input: &'static [(&'static str, Column)],
    postgres: OnceLock<String>,
    sqlite: OnceLock<String>,
}

/// What a column of an input has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) enum Column {
    Blob,
    Int,
    Text,
}

impl Statement {
    pub(in crate::store) const fn new(text: &'static str) -> Self {
        Self::with_input(text, &[])
    }

    /// A statement with an input of these columns.
    pub(in crate::store) const fn with_input(
        text: &'static str,
        input: &'static [(&'static str, Column)],
    ) -> Self {
        Self { text, input, postgres: OnceLock::new(), sqlite: OnceLock::new() }
    }

    /// The text for a database.
    pub(super) fn text(&'static self, dialect: Dialect) -> &'static str {
        let place = match dialect {
            Dialect::Postgres => &self.postgres,
            Dialect::Sqlite => &self.sqlite,
        };
        place.get_or_init(|| self.write(dialect))
    }

    pub(super) fn input(&self) -> &'static [(&'static str, Column)] {
        self.input
    }

    fn write(&self, dialect: Dialect) -> String {
        let text = fill_in(self.text, dialect);
        if self.input.is_empty() {
            return text;
        }
        let first = last_parameter(self.text) + 1;
        let input = match dialect {
            Dialect::Postgres => postgres_input(self.input, first),
            Dialect::Sqlite => sqlite_input(self.input, first),
        };
        text.replace("{input}", &input)
    }
}

/// What stands in braces, but for the input.
pub(in crate::store) fn fill_in(text: &str, dialect: Dialect) -> String {
    let lines = text.lines().filter_map(|line| match (dialect, line.split_once('}')) {
        (Dialect::Postgres, Some(("{postgres", rest))) | (Dialect::Sqlite, Some(("{sqlite", rest))) => {
            Some(rest)
        }
        (_, Some(("{postgres" | "{sqlite", _))) => None,
        _ => Some(line),
    });
    let mut filled = lines.collect::<Vec<_>>().join("\n");
    for (name, postgres, sqlite) in IN_BRACES {
        let value = if dialect == Dialect::Postgres { postgres } else { sqlite };
        filled = filled.replace(name, value);
    }
    filled
}

fn sqlite_input(columns: &[(&str, Column)], parameter: usize) -> String {
    let mut text = "(SELECT ".to_owned();
    for (at, (name, column)) in columns.iter().enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        let _ = match column {
            Column::Blob => write!(text, "{comma}unhex(value ->> {at}) AS {name}"),
            Column::Int => write!(text, "{comma}value ->> {at} AS {name}"),
            // So that an index on a text can be used.
            Column::Text => write!(text, "{comma}CAST(value ->> {at} AS TEXT) AS {name}"),
        };
    }
    let _ = write!(text, " FROM json_each(${parameter})) AS input");
    text
}

fn postgres_input(columns: &[(&str, Column)], first: usize) -> String {
    let arrays = columns.iter().enumerate().map(|(at, (_, column))| {
        let of = match column {
            Column::Blob => "bytea",
            Column::Int => "bigint",
            Column::Text => "text",
        };
        format!("${}::{of}[]", first + at)
    });
    let arrays: Vec<_> = arrays.collect();
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    format!("unnest({}) AS input ({})", arrays.join(", "), names.join(", "))
}

/// The greatest number of a parameter in the text.
fn last_parameter(text: &str) -> usize {
    let numbers = text.split('$').skip(1).filter_map(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[..digits].parse().ok()
    });
    numbers.max().unwrap_or(0)
}

const IN_BRACES: [(&str, &str, &str); 11] = [
    ("{blob}", "BYTEA", "BLOB"),
    ("{int}", "BIGINT", "INTEGER"),
    ("{keep webhooks}", " FOR KEY SHARE OF webhook", ""),
    ("{keyed}", "", " STRICT, WITHOUT ROWID"),
    ("{lock devices}", " FOR UPDATE OF device", ""),
    ("{lock}", " FOR UPDATE", ""),
    ("{row}", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT"),
    ("{skip locked}", " FOR UPDATE SKIP LOCKED", ""),
    ("{skip locked shards}", " FOR UPDATE OF shard SKIP LOCKED", ""),
    ("{small}", "SMALLINT", "INTEGER"),
    ("{strict}", "", " STRICT"),
];

#[cfg(test)]
mod tests {
    use super::*;

    static INSERT: Statement = Statement::with_input(
        "INSERT INTO t SELECT a, b, $1 FROM {input} WHERE a > $2",
        &[("a", Column::Int), ("b", Column::Blob)],
    );

    #[test]
    fn an_input_is_json_or_arrays_behind_the_other_parameters() {
        assert_eq!(
            INSERT.text(Dialect::Sqlite),
            "INSERT INTO t SELECT a, b, $1 FROM (SELECT value ->> 0 AS a, unhex(value ->> 1) AS b FROM json_each($3)) AS input WHERE a > $2"
        );
        assert_eq!(
            INSERT.text(Dialect::Postgres),
            "INSERT INTO t SELECT a, b, $1 FROM unnest($3::bigint[], $4::bytea[]) AS input (a, b) WHERE a > $2"
        );
    }

    #[test]
    fn a_line_may_be_for_one_database() {
        let text = "a {int}\n{sqlite}b\n{postgres}c";
        assert_eq!(fill_in(text, Dialect::Sqlite), "a INTEGER\nb");
        assert_eq!(fill_in(text, Dialect::Postgres), "a BIGINT\nc");
    }
}
