//! JSON that is passed on as it is.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// One JSON value in the words of whoever wrote it, on one line.
#[derive(Clone, Debug)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// Reads bytes that are one JSON value in UTF-8. White space around it goes, and line breaks within it, which can
    /// only stand between its tokens, become spaces: a message is a line. All else stays as it was written.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?.replace(['\n', '\r'], " ");
        // RFC 8259, 7: a line break within a string has to be escaped, so none of those replaced was part of one.
        // Had one been, this would have made JSON of what is not: hence the second look at the text as it came.
        serde_json::from_slice::<&RawValue>(bytes).ok()?;
        RawValue::from_string(text.trim().to_owned()).ok().map(Self)
    }

    /// The value of a type of ours.
    pub fn of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for RawJson {
    /// The same text. Values that are equal may be written differently.
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for RawJson {}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(from).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_is_kept_and_lines_are_joined() {
        let parsed = RawJson::parse(b" {\"aps\" :\r\n{\"badge\":1.0e0, \"x\":\"\\u00e9\"}}\n").unwrap();
        assert_eq!(parsed.as_str(), "{\"aps\" :  {\"badge\":1.0e0, \"x\":\"\\u00e9\"}}");
    }

    #[test]
    fn what_is_not_json_is_none() {
        for bytes in [&b""[..], b"{", b"{} {}", b"\"\xff\"", b"\"line\nbreak\"", b"nul"] {
            assert_eq!(RawJson::parse(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn deep_nesting_is_passed_on_even_if_few_could_read_it() {
        let deep = format!("{}{}", "[".repeat(2500), "]".repeat(2500));
        let parsed = RawJson::parse(deep.as_bytes()).unwrap();
        assert_eq!(parsed.as_str(), deep);
        assert!(serde_json::from_str::<serde_json::Value>(parsed.as_str()).is_err());
    }
}
