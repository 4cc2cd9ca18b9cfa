use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::APS;
use crate::notification::InvalidNotification;
use crate::push_type::PushType;

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

    /// The rule for custom keys: every value has a JSON form, `aps` is Apple's, and `taken` are the keys that
    /// a message of this type writes itself.
    pub(crate) fn check(&self, push_type: PushType, taken: &[&str]) -> Result<(), InvalidNotification> {
        if let Some(refused) = &self.refused {
            return Err(refused.clone());
        }
        match [APS].iter().chain(taken).find(|key| self.values.contains_key(**key)) {
            Some(key) => Err(InvalidNotification::CustomKeyTaken { push_type, key: (*key).to_owned() }),
            None => Ok(()),
        }
    }
}

impl Serialize for CustomKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.values.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_with_a_json_form_is_kept_and_the_last_wins() {
        let mut custom = CustomKeys::default();
        custom.insert("order".into(), 1);
        custom.insert("order".into(), BTreeMap::from([("id", 7)]));
        assert_eq!(check(&custom), Ok(()));
        assert_eq!(serde_json::to_string(&custom).unwrap(), r#"{"order":{"id":7}}"#);
    }

    #[test]
    fn aps_is_apples_and_some_keys_are_the_messages() {
        for key in ["aps", "mdm"] {
            let mut custom = CustomKeys::default();
            custom.insert(key.into(), 1);
            let error = InvalidNotification::CustomKeyTaken { push_type: PushType::Mdm, key: key.into() };
            assert_eq!(check(&custom), Err(error));
        }
    }

    #[test]
    fn a_value_without_json_form_is_named() {
        let mut custom = CustomKeys::default();
        custom.insert("map".into(), BTreeMap::from([((1, 2), 3)]));
        let Err(InvalidNotification::CustomValue { key, .. }) = check(&custom) else { panic!("{custom:?}") };
        assert_eq!(key, "map");
    }

    fn check(custom: &CustomKeys) -> Result<(), InvalidNotification> {
        custom.check(PushType::Mdm, &["mdm"])
    }
}
