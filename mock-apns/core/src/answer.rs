//! What the service answers to one request.

use crate::{MessageId, Reason, Timestamp, UniqueId, fault::FaultName, rules::Rule};

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
    /// The `mock-apns-fault` field, unless the setting `pure` is on: the fault that has fired at the request.
    pub fault: Option<FaultName>,
}

impl Answer {
    /// Gives each field but `mock-apns-fault`, in Apple's order, with `status` as the `:status`.
    pub(crate) fn each_field(&self, status: u16, mut give: impl FnMut(&str, &str)) {
        give(":status", &status.to_string());
        give("apns-id", self.apns_id.as_str());
        if let Some(unique_id) = &self.apns_unique_id {
            give("apns-unique-id", unique_id.as_str());
        }
        if let Some(content_type) = self.content_type {
            give("content-type", content_type);
        }
    }

    /// Appends the body to `out`: that of its [`Reason`], nothing with status 200.
    pub fn body(&self, out: &mut Vec<u8>) {
        if let Some(reason) = self.reason {
            reason.body(self.timestamp, out);
        }
    }
}

/// The status of an accepted push.
pub(crate) const STATUS_OK: u16 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_that_of_the_reason_and_an_accepted_push_has_none() {
        let mut answer = Answer {
            status: STATUS_OK,
            reason: None,
            apns_id: MessageId::parse(b"00000000-0000-0000-0000-000000000000").unwrap(),
            apns_unique_id: None,
            timestamp: None,
            content_type: None,
            rule: None,
            fault: None,
        };
        let mut body = Vec::new();
        answer.body(&mut body);
        assert_eq!(body, b"");
        answer.reason = Some(Reason::Unregistered);
        answer.timestamp = Some(Timestamp::from_millis(1));
        answer.body(&mut body);
        assert_eq!(body, br#"{"reason":"Unregistered","timestamp":1}"#);
    }
}
