use serde::Deserialize;

use crate::{
    Certainty, Flaw,
    table::{Row, columns},
};

/// A row of `checks.toml`: one check of a push. Its place in the table is its place in the order.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct CheckRow {
    /// `check-` and the check.
    pub id: String,
    /// What must hold.
    pub check: String,
    /// What is answered when it does not.
    pub reason: String,
    /// How well its place in the order is known.
    pub certainty: Certainty,
    /// Who says so.
    pub source: String,
    /// What else is worth knowing.
    pub note: Option<String>,
}

impl Row for CheckRow {
    const KIND: &'static str = "check";
    const NAME_COLUMN: &'static str = "check";

    columns!(check);

    fn check(&self) -> Result<(), Flaw> {
        if self.id.strip_prefix("check-") != Some(&self.check) {
            let value = self.check.clone();
            return Err(Flaw::Value { column: "check", expected: "what follows check- in the id", value });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_called_as_its_id_says() {
        let row = crate::Spec::load().unwrap().checks()[0].clone();
        let row = CheckRow { check: "another".into(), ..row };
        assert!(matches!(row.check(), Err(Flaw::Value { column: "check", .. })));
    }
}
