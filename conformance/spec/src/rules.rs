use serde::Deserialize;

use crate::{
    Certainty, Flaw,
    table::{Row, columns},
};

/// A row of `provider-tokens.toml`, `certificates.toml`, `storage.toml`, `answers.toml` or `connections.toml`: what a number or a
/// word cannot say, in one sentence.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct RuleRow {
    /// `rule-`, what the table is about, and which of its rules it is.
    pub id: String,
    /// What holds, in one sentence.
    pub rule: String,
    /// How well this is known.
    pub certainty: Certainty,
    /// Who says so.
    pub source: String,
    /// What else is worth knowing.
    pub note: Option<String>,
}

impl Row for RuleRow {
    const KIND: &'static str = "rule";
    const NAME_COLUMN: &'static str = "rule";

    columns!(rule);

    fn check(&self) -> Result<(), Flaw> {
        if !self.rule.ends_with('.') {
            let value = self.rule.clone();
            return Err(Flaw::Value { column: "rule", expected: "a sentence", value });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_a_sentence() {
        let row = crate::Spec::load().unwrap().answers()[0].clone();
        let row = RuleRow { rule: "the answer".into(), ..row };
        assert!(matches!(row.check(), Err(Flaw::Value { column: "rule", .. })));
    }
}
