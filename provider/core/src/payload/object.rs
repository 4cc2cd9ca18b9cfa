use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::notification::InvalidNotification;

/// A dictionary of the app's own under one of Apple's keys. What is none is kept until the notification is
/// built, so that builders chain.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    value: Result<Value, NoJsonForm>,
}

impl Object {
    /// Whatever it serialises as.
    pub(crate) fn from_value(value: impl Serialize) -> Self {
        Self { value: serde_json::to_value(value).map_err(|error| NoJsonForm { why: error.to_string() }) }
    }

    /// The rule for the app's dictionaries: it is one. `key` is where it stands.
    pub(crate) fn check(&self, key: &'static str) -> Result<(), InvalidNotification> {
        match &self.value {
            Ok(Value::Object(_)) => Ok(()),
            Ok(_) => Err(InvalidNotification::NotAnObject { key }),
            Err(NoJsonForm { why }) => Err(InvalidNotification::NoJsonForm { key, why: why.clone() }),
        }
    }
}

/// Only what was checked is sent, so what has no JSON form is `null` here.
impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.as_ref().ok().serialize(serializer)
    }
}

/// The serializer's words.
#[derive(Clone, Debug, PartialEq)]
struct NoJsonForm {
    why: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_dictionary_stays_as_it_is_and_nothing_else_is_one() {
        let object = Object::from_value(json!({ "a": [1, null] }));
        assert_eq!(object.check("k"), Ok(()));
        assert_eq!(serde_json::to_string(&object).unwrap(), r#"{"a":[1,null]}"#);
        for value in [json!(1), json!([]), json!(null), json!("{}")] {
            let refused = Object::from_value(value).check("k");
            assert_eq!(refused, Err(InvalidNotification::NotAnObject { key: "k" }));
        }
    }
}
