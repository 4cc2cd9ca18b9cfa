//! Reading a payload: its values by their documented types, and complaints about those that are of another.

use serde_json::{Map, Number, Value};

use super::{Dropped, Strings, Warning};

/// Reads a payload's values, and collects what is wrong with them: each kind of mistake once, in the order found.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) strings: &'a Strings,
    warnings: Vec<Warning>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(strings: &'a Strings) -> Self {
        Self { strings, warnings: Vec::new() }
    }

    pub(super) fn warn(&mut self, warning: Warning) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    pub(super) fn into_warnings(self) -> Vec<Warning> {
        self.warnings
    }

    /// The payload's dictionary.
    pub(super) fn payload(&mut self, payload: &[u8]) -> Result<Map<String, Value>, Dropped> {
        let dictionary = match serde_json::from_slice(payload) {
            Ok(Value::Object(dictionary)) => return Ok(dictionary),
            Ok(_) => Dropped::NotADictionary,
            Err(_) => Dropped::NotJson,
        };
        self.warn(Warning::MalformedAps);
        Err(dictionary)
    }

    /// The `aps` dictionary in a payload.
    pub(super) fn aps<'p>(
        &mut self,
        payload: &'p Map<String, Value>,
    ) -> Result<&'p Map<String, Value>, Dropped> {
        let dropped = match payload.get("aps") {
            Some(Value::Object(aps)) => return Ok(aps),
            Some(_) => Dropped::ApsNotADictionary,
            None => Dropped::NoAps,
        };
        self.warn(Warning::MalformedAps);
        Err(dropped)
    }

    /// The string under `key`; `complaint` is about anything else that is there.
    pub(super) fn text(
        &mut self,
        from: &Map<String, Value>,
        key: &str,
        complaint: Warning,
    ) -> Option<String> {
        match from.get(key)? {
            Value::String(text) => Some(text.clone()),
            _ => self.complain(complaint),
        }
    }

    /// Whether the flag under `key` is set: the number 1. A Boolean is the same number to the system that decodes it.
    pub(super) fn flag(&mut self, from: &Map<String, Value>, key: &str) -> bool {
        let Some(value) = from.get(key) else { return false };
        match value.as_u64() {
            Some(0) => false,
            Some(1) => true,
            _ => {
                self.warn(Warning::FlagMalformed);
                value.as_bool().unwrap_or(false)
            }
        }
    }

    /// The number under `key`; `complaint` is about anything else that is there.
    pub(super) fn number(
        &mut self,
        from: &Map<String, Value>,
        key: &str,
        complaint: Warning,
    ) -> Option<Number> {
        match from.get(key)? {
            Value::Number(number) => Some(number.clone()),
            _ => self.complain(complaint),
        }
    }

    /// Warns, and has no value to give.
    pub(super) fn complain<T>(&mut self, complaint: Warning) -> Option<T> {
        self.warn(complaint);
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_flag_is_the_number_one() {
        for (value, set, warned) in [
            (json!(1), true, false),
            (json!(0), false, false),
            (json!(true), true, true),
            (json!(false), false, true),
            (json!("1"), false, true),
            (json!(2), false, true),
            (json!(null), false, true),
        ] {
            let strings = Strings::default();
            let mut reader = Reader::new(&strings);
            let from = Map::from_iter([("flag".to_owned(), value.clone())]);
            assert_eq!(reader.flag(&from, "flag"), set, "{value}");
            assert_eq!(!reader.into_warnings().is_empty(), warned, "{value}");
        }
    }

    #[test]
    fn a_mistake_made_twice_is_told_once() {
        let strings = Strings::default();
        let mut reader = Reader::new(&strings);
        reader.warn(Warning::NoPushType);
        reader.warn(Warning::FlagMalformed);
        reader.warn(Warning::NoPushType);
        assert_eq!(reader.into_warnings(), [Warning::NoPushType, Warning::FlagMalformed]);
    }
}
