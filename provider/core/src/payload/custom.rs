use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::notification::InvalidNotification;

/// The app's own keys, beside `aps`: sorted, so that the same keys make the same bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CustomKeys {
    values: BTreeMap<String, Value>,
    /// The first value that has no JSON form. Kept until the notification is built, so that builders chain.
    refused: Option<InvalidNotification>,
}

impl CustomKeys {
    /// Sets a key; setting it again replaces its value.
    pub(crate) fn insert(&mut self, key: String, value: impl Serialize) {
        match serde_json::to_value(value) {
            Ok(value) => {
                self.values.insert(key, value);
            }
            Err(error) => {
                let refusal = InvalidNotification::CustomValue { key, why: error.to_string() };
                self.refused.get_or_insert(refusal);
            }
        }
    }

    /// The rule for custom keys: every value has a JSON form, and `aps` is Apple's.
    pub(crate) fn check(&self) -> Result<(), InvalidNotification> {
        if let Some(refused) = &self.refused {
            return Err(refused.clone());
        }
        if self.values.contains_key(APS) {
            return Err(InvalidNotification::CustomKeyIsAps);
        }
        Ok(())
    }
}

impl Serialize for CustomKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.values.serialize(serializer)
    }
}

/// Apple's key.
const APS: &str = "aps";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_with_a_json_form_is_kept_and_the_last_wins() {
        let mut custom = CustomKeys::default();
        custom.insert("order".into(), 1);
        custom.insert("order".into(), BTreeMap::from([("id", 7)]));
        assert_eq!(custom.check(), Ok(()));
        assert_eq!(serde_json::to_string(&custom).unwrap(), r#"{"order":{"id":7}}"#);
    }

    #[test]
    fn aps_is_apples() {
        let mut custom = CustomKeys::default();
        custom.insert("aps".into(), 1);
        assert_eq!(custom.check(), Err(InvalidNotification::CustomKeyIsAps));
    }

    #[test]
    fn a_value_without_json_form_is_named() {
        let mut custom = CustomKeys::default();
        custom.insert("map".into(), BTreeMap::from([((1, 2), 3)]));
        let Err(InvalidNotification::CustomValue { key, .. }) = custom.check() else { panic!("{custom:?}") };
        assert_eq!(key, "map");
    }
}
