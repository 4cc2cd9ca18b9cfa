use bytes::Bytes;
use serde_json::{Map, Value};

use super::{APS, Shape};
use crate::notification::InvalidNotification;

/// A payload written by somebody else: sent byte for byte, after the same checks as one built here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RawPayload {
    json: Bytes,
    /// What the bytes say.
    object: Map<String, Value>,
    shape: Shape,
}

impl RawPayload {
    /// Reads the payload: UTF-8 JSON without a byte order mark, an object whose `aps`, if there, is an
    /// object.
    pub(crate) fn parse(json: Bytes) -> Result<Self, InvalidNotification> {
        if json.is_empty() {
            return Err(InvalidNotification::PayloadEmpty);
        }
        let value: Value = serde_json::from_slice(&json)
            .map_err(|error| InvalidNotification::PayloadNotJson { why: error.to_string() })?;
        let Value::Object(object) = value else { return Err(InvalidNotification::PayloadNotAnObject) };
        let shape = match object.get(APS) {
            None => Shape::default(),
            Some(Value::Object(aps)) => shape(aps),
            Some(_) => return Err(InvalidNotification::ApsNotAnObject),
        };
        Ok(Self { json, object, shape })
    }

    pub(crate) fn object(&self) -> &Map<String, Value> {
        &self.object
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    pub(crate) fn into_json(self) -> Bytes {
        self.json
    }
}

fn shape(aps: &Map<String, Value>) -> Shape {
    let user_key = ["alert", "badge", "sound"].into_iter().find(|key| aps.contains_key(*key));
    let content_available = aps.get("content-available").is_some_and(|value| value.as_f64() == Some(1.0));
    Shape { user_key, content_available }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: impl Into<Bytes>) -> Result<RawPayload, InvalidNotification> {
        RawPayload::parse(json.into())
    }

    #[test]
    fn the_bytes_stay_as_they_are() {
        let json = "{ \"z\": 1.50, \"aps\" : {\"content-available\":1, \"new-key\":[]} , \"a\":null }\n";
        let payload = parse(json).unwrap();
        assert_eq!(payload.shape(), Shape { user_key: None, content_available: true });
        assert_eq!(payload.into_json(), json);
    }

    #[test]
    fn what_is_no_payload_is_refused() {
        assert_eq!(parse(""), Err(InvalidNotification::PayloadEmpty));
        assert_eq!(parse("[]"), Err(InvalidNotification::PayloadNotAnObject));
        assert_eq!(parse(r#"{"aps":[]}"#), Err(InvalidNotification::ApsNotAnObject));
        assert_eq!(parse(r#"{"aps":null}"#), Err(InvalidNotification::ApsNotAnObject));
        let deep = "[".repeat(4096);
        for json in [b"{".as_slice(), b"{} {}", b"\xef\xbb\xbf{}", b"{\"a\":\"\xff\"}", deep.as_bytes()] {
            let refused = parse(Bytes::copy_from_slice(json));
            assert!(matches!(refused, Err(InvalidNotification::PayloadNotJson { .. })), "{refused:?}");
        }
    }
}
