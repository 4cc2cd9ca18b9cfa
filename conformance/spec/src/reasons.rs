use serde::Deserialize;

use crate::{
    Certainty, Flaw,
    table::{Row, columns},
};

/// A row of `reasons.toml`: why the device API refuses a push or closes a connection. Or of `channel-reasons.toml`: why a
/// broadcast or a channel management request is refused.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ReasonRow {
    /// `reason-` and the word in lower case.
    pub id: String,
    /// The word on the wire, exactly.
    pub reason: String,
    /// The HTTP status that goes with it, 400 to 599.
    pub status: u16,
    /// How well this is known.
    pub certainty: Certainty,
    /// Who says so.
    pub source: String,
    /// What it means, or how it reaches a provider.
    pub note: Option<String>,
}

impl Row for ReasonRow {
    const KIND: &'static str = "reason";
    const NAME_COLUMN: &'static str = "reason";

    columns!(reason);

    fn check(&self) -> Result<(), Flaw> {
        if !(400..=599).contains(&self.status) {
            let value = self.status.to_string();
            return Err(Flaw::Value { column: "status", expected: "an error's, 400 to 599", value });
        }
        Ok(())
    }
}
