use serde::Deserialize;

use crate::{
    Certainty, Flaw,
    table::{Row, columns},
};

/// A row of `headers.toml`: a field of a push, when it is needed, and what may stand in it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct HeaderRow {
    /// `header-` and what it says.
    pub id: String,
    /// The field's name; in parentheses behind it, which of its forms the row is about.
    pub header: String,
    /// Whether a push has to have it.
    pub need: HeaderNeed,
    /// Why a push without it is refused.
    pub absent_reason: Option<String>,
    /// Why a push with a malformed value is refused.
    pub reason: String,
    /// What its absence means.
    pub default: Option<String>,
    /// Well-formed values, one of each form. `{token}`, `{topic}` and the like stand for those of a good push.
    pub accepted: Vec<String>,
    /// Malformed values, one of each kind of mistake.
    pub refused: Vec<String>,
    /// How well this is known.
    pub certainty: Certainty,
    /// Who says so.
    pub source: String,
    /// What else is worth knowing.
    pub note: Option<String>,
}

/// Whether a push has to have a field.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
pub enum HeaderNeed {
    /// Every push.
    Always,
    /// A push whose credentials are a provider token.
    WithToken,
    /// None.
    Never,
}

impl HeaderRow {
    /// The field's name on the wire.
    pub fn field_name(&self) -> &str {
        self.header.split_once(' ').map_or(&self.header, |(name, _)| name)
    }
}

impl Row for HeaderRow {
    const KIND: &'static str = "header";
    const NAME_COLUMN: &'static str = "header";

    columns!(header);

    fn check(&self) -> Result<(), Flaw> {
        if self.accepted.is_empty() {
            return Err(Flaw::Value {
                column: "accepted",
                expected: "at least one value",
                value: "[]".into(),
            });
        }
        if let Some(both) = self.accepted.iter().find(|value| self.refused.contains(value)) {
            return Err(Flaw::Value {
                column: "refused",
                expected: "none of `accepted`",
                value: both.clone(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_accepted_or_refused() {
        let row = crate::Spec::load().unwrap().headers()[0].clone();
        let both = HeaderRow { refused: row.accepted.clone(), ..row.clone() };
        assert!(matches!(both.check(), Err(Flaw::Value { column: "refused", .. })));
        let none = HeaderRow { accepted: Vec::new(), ..row };
        assert!(matches!(none.check(), Err(Flaw::Value { column: "accepted", .. })));
    }

    #[test]
    fn a_form_is_no_part_of_the_name() {
        let spec = crate::Spec::load().unwrap();
        let row = spec.headers().iter().find(|row| row.id == "header-id-upper-case").unwrap();
        assert_eq!(row.field_name(), "apns-id");
    }
}
