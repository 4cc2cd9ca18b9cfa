use crate::{Certainty, table::Row};

/// What all rows have in common, whatever they are about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Known<'a> {
    /// The row's id, which no other row of any table has.
    pub id: &'a str,
    /// How well it is known.
    pub certainty: Certainty,
    /// Who says so.
    pub source: &'a str,
}

impl<'a> Known<'a> {
    pub(crate) fn of<R: Row>(row: &'a R) -> Self {
        Self { id: row.id(), certainty: row.certainty(), source: row.source() }
    }
}
