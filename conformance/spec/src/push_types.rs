use serde::Deserialize;

use crate::{
    Certainty, Flaw,
    table::{Row, columns},
};

/// A row of `push-types.toml`: what a push type asks of topic, priority, payload and credentials.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct PushTypeRow {
    /// `push-type-` and the value.
    pub id: String,
    /// The value of `apns-push-type`, exactly.
    pub push_type: String,
    /// What follows the bundle ID in `apns-topic`: nothing, or a dot and more.
    pub topic_suffix: String,
    /// The priorities that Apple's pages name for the type, the usual one first; empty when they name none.
    pub priorities: Vec<u8>,
    /// The priority that Apple's pages call an error.
    pub refused_priority: Option<u8>,
    /// The longest payload of a push to a device, in bytes.
    pub body_bytes_max: usize,
    /// Whether Apple documents the type for provider tokens only.
    pub token_only: bool,
    /// How well this is known.
    pub certainty: Certainty,
    /// Who says so.
    pub source: String,
    /// What else is worth knowing.
    pub note: Option<String>,
}

impl Row for PushTypeRow {
    const KIND: &'static str = "push-type";
    const NAME_COLUMN: &'static str = "push-type";

    columns!(push_type);

    fn check(&self) -> Result<(), Flaw> {
        let mut priorities = self.priorities.iter().chain(&self.refused_priority);
        if let Some(other) = priorities.find(|priority| !PRIORITIES.contains(priority)) {
            let value = other.to_string();
            return Err(Flaw::Value { column: "priorities", expected: "of 10, 5 and 1", value });
        }
        if !self.topic_suffix.is_empty() && !self.topic_suffix.starts_with('.') {
            let value = self.topic_suffix.clone();
            return Err(Flaw::Value { column: "topic-suffix", expected: "empty or begin with a dot", value });
        }
        Ok(())
    }
}

/// Every value of `apns-priority`. Source: Apple, "Sending notification requests to APNs".
const PRIORITIES: [u8; 3] = [10, 5, 1];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_and_suffix_are_checked() {
        let row = crate::Spec::load().unwrap().push_types()[0].clone();
        let flawed = |row: PushTypeRow| match row.check() {
            Err(Flaw::Value { column, value, .. }) => (column, value),
            other => panic!("{other:?}"),
        };
        let seven = PushTypeRow { priorities: vec![10, 7], ..row.clone() };
        assert_eq!(flawed(seven), ("priorities", "7".into()));
        let refused = PushTypeRow { refused_priority: Some(0), ..row.clone() };
        assert_eq!(flawed(refused), ("priorities", "0".into()));
        let suffix = PushTypeRow { topic_suffix: "voip".into(), ..row };
        assert_eq!(flawed(suffix), ("topic-suffix", "voip".into()));
    }
}
