use serde_json::Value;

use crate::reason::Reason;
use crate::unix_time::UnixTime;

/// What APNs says in the body of a refusal, and in the debug data of a GOAWAY:
/// `{"reason":"…","timestamp":…}`.
///
/// Whatever the bytes are, reading them succeeds: a body that is absent, cut, no JSON or somebody else's must
/// never cost the status.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ErrorBody {
    /// The word, if there is one.
    pub reason: Option<Reason>,
    /// With status 410: when APNs found the device token dead. On the wire milliseconds since 1970, as a
    /// number or a text.
    pub timestamp: Option<UnixTime>,
}

impl ErrorBody {
    /// The most that is read, in bytes; what is longer is not APNs' and counts as nothing. Apple's bodies
    /// have some hundred. Shells stop collecting here.
    pub const BYTES_MAX: usize = 64 * 1024;

    /// Reads whatever there is.
    pub fn parse(body: &[u8]) -> Self {
        if body.len() > Self::BYTES_MAX {
            return Self::default();
        }
        let Ok(Value::Object(body)) = serde_json::from_slice(body) else { return Self::default() };
        let reason = match body.get("reason") {
            Some(Value::String(word)) if !word.is_empty() => Some(Reason::from_wire(word)),
            _ => None,
        };
        let millis = match body.get("timestamp") {
            Some(Value::Number(millis)) => millis.as_u64(),
            Some(Value::String(millis)) => millis.parse().ok(),
            _ => None,
        };
        Self { reason, timestamp: millis.map(UnixTime::from_millis) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_and_timestamp_of_a_dead_token() {
        let expected = ErrorBody {
            reason: Some(Reason::Unregistered),
            timestamp: Some(UnixTime::from_millis(1_508_249_865_488)),
        };
        assert_eq!(ErrorBody::parse(br#"{"reason":"Unregistered","timestamp":1508249865488}"#), expected);
        assert_eq!(ErrorBody::parse(br#"{"timestamp":"1508249865488", "reason":"Unregistered"}"#), expected);
    }

    #[test]
    fn other_bodies_say_nothing_and_do_no_harm() {
        let deep = "[".repeat(ErrorBody::BYTES_MAX);
        let long = format!(r#"{{"reason":"{}"}}"#, "x".repeat(ErrorBody::BYTES_MAX));
        for body in [
            b"".as_slice(),
            b"<html>502 Bad Gateway</html>",
            b"\x1f\x8b\x08",
            b"{\"reason\":\"\xff\"}",
            br#"{"reason":400}"#,
            br#"{"reason":""}"#,
            br#"["reason"]"#,
            br#"{"reason":"Shutdown""#,
            deep.as_bytes(),
            long.as_bytes(),
        ] {
            assert_eq!(ErrorBody::parse(body), ErrorBody::default(), "{:?}", &body[..body.len().min(40)]);
        }
    }

    #[test]
    fn a_timestamp_that_is_none_leaves_the_reason() {
        for timestamp in ["null", "-1", "1.5", "\"soon\"", "{}"] {
            let body = ErrorBody::parse(
                format!(r#"{{"reason":"ExpiredToken","timestamp":{timestamp}}}"#).as_bytes(),
            );
            assert_eq!(
                body,
                ErrorBody { reason: Some(Reason::ExpiredToken), timestamp: None },
                "{timestamp}"
            );
        }
    }
}
