//! What the service answers to one request.

use std::io::Write as _;

use crate::{MessageId, Reason, Timestamp, UniqueId, rules::Rule};

/// The answer to one request. Source of its shape: Apple, "Handling notification responses from APNs", and
/// transcripts of the real service.
///
/// On the wire a 200 has no body and ends with its field section; any other answer has a body, in one DATA frame
/// that carries END_STREAM: an empty DATA frame behind it breaks clients.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The `:status`.
    pub status: u16,
    /// Why the push was refused; `None` with status 200.
    pub reason: Option<Reason>,
    /// The `apns-id` field; there on every answer.
    pub apns_id: MessageId,
    /// The `apns-unique-id` field, where the setting of that name asks for it.
    pub apns_unique_id: Option<UniqueId>,
    /// When the device token was found dead: with status 410, always.
    pub timestamp: Option<Timestamp>,
    /// The `content-type` field, where the setting `error-content-type` asks for it.
    pub content_type: Option<&'static str>,
    /// The rule that refused the push: for logs, not for the wire.
    pub rule: Option<&'static Rule>,
}

impl Answer {
    /// Appends the body to `out`: compact JSON as observed, nothing with status 200. Milliseconds, where there is a
    /// timestamp.
    pub fn body(&self, out: &mut Vec<u8>) {
        let Some(reason) = self.reason else { return };
        out.extend_from_slice(b"{\"reason\":\"");
        out.extend_from_slice(reason.as_str().as_bytes());
        out.push(b'"');
        if let Some(timestamp) = self.timestamp {
            write!(out, ",\"timestamp\":{}", timestamp.as_millis()).expect("a Vec takes every write");
        }
        out.push(b'}');
    }
}

/// The status of an accepted push.
pub(crate) const STATUS_OK: u16 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn body_of(reason: Option<Reason>, timestamp: Option<Timestamp>) -> String {
        let answer = Answer {
            status: reason.map_or(STATUS_OK, Reason::status),
            reason,
            apns_id: MessageId::parse(b"00000000-0000-0000-0000-000000000000").unwrap(),
            apns_unique_id: None,
            timestamp,
            content_type: None,
            rule: None,
        };
        let mut body = Vec::new();
        answer.body(&mut body);
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn an_accepted_push_has_no_body() {
        assert_eq!(body_of(None, None), "");
    }

    #[test]
    fn a_refusal_is_compact_json() {
        assert_eq!(body_of(Some(Reason::BadTopic), None), r#"{"reason":"BadTopic"}"#);
    }

    #[test]
    fn a_410_tells_the_milliseconds() {
        assert_eq!(
            body_of(Some(Reason::Unregistered), Some(Timestamp::from_millis(1_508_249_865_488))),
            r#"{"reason":"Unregistered","timestamp":1508249865488}"#
        );
    }
}
