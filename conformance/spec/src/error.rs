use thiserror::Error;

/// Why a table cannot be used: which file, which row, what to mend.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum SpecError {
    /// The file as a whole is not rows under one name.
    #[error("conformance/spec/tables/{file} is not a list of [[{kind}]] tables: {message}")]
    File {
        /// The file's name.
        file: &'static str,
        /// What its rows are called.
        kind: &'static str,
        /// What is there instead.
        message: String,
    },
    /// One row is not well-formed.
    #[error("conformance/spec/tables/{file}, {row}: {flaw}")]
    Row {
        /// The file's name.
        file: &'static str,
        /// The row's id; its number, from 1, when it has none.
        row: String,
        /// What is wrong with it.
        flaw: Flaw,
    },
}

/// What is wrong with a row.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Flaw {
    /// A column is missing, unknown, or has a value of the wrong type.
    #[error("{0}")]
    Columns(String),
    /// The id is not of the table's form.
    #[error("`id` must be {kind}- and more lower-case words or numbers, joined by hyphens")]
    Id {
        /// What rows of the table are called.
        kind: &'static str,
    },
    /// Two rows are about the same thing.
    #[error("an earlier row has the same {column}, `{value}`")]
    Repeated {
        /// The column that tells rows apart.
        column: &'static str,
        /// What both rows have there.
        value: String,
    },
    /// Nobody says that the row is true.
    #[error("`source` is empty: name the page that says so, or who saw it")]
    Source,
    /// A value that cannot be.
    #[error("`{column}` must be {expected}, not {value}")]
    Value {
        /// The column.
        column: &'static str,
        /// What may stand there.
        expected: &'static str,
        /// What stands there.
        value: String,
    },
}
