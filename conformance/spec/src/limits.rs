use serde::Deserialize;

use crate::{
    Certainty, Flaw,
    table::{Row, columns},
};

/// A row of `limits.toml`: a number that bounds a push, a provider token or a connection.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct LimitRow {
    /// `limit-` and what it bounds.
    pub id: String,
    /// How much, at least 1. The value itself is still within bounds.
    pub value: u64,
    /// Of what.
    pub unit: Unit,
    /// How well this is known.
    pub certainty: Certainty,
    /// Who says so.
    pub source: String,
    /// What else is worth knowing.
    pub note: Option<String>,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Streams that are open at the same time.
    Streams,
}

impl Row for LimitRow {
    const KIND: &'static str = "limit";
    /// A limit has no name of Apple's.
    const NAME_COLUMN: &'static str = "id";

    columns!(id);

    fn check(&self) -> Result<(), Flaw> {
        if self.value == 0 {
            return Err(Flaw::Value { column: "value", expected: "at least 1", value: "0".into() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_nothing_is_none() {
        let row = LimitRow { value: 0, ..crate::Spec::load().unwrap().limits()[0].clone() };
        assert!(matches!(row.check(), Err(Flaw::Value { column: "value", .. })));
    }
}
