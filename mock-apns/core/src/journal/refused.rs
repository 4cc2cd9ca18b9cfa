//! A push that was refused, as far as it is written down.

use crate::{FieldName, MessageId, Priority, PushType, Reason, Request, rules::Rule};

/// A push that got an answer other than 200.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RefusedPush {
    /// The `apns-id` of the answer.
    pub apns_id: MessageId,
    /// The answer's reason.
    pub reason: Reason,
    /// The rule that did not hold.
    pub rule: &'static Rule,
    /// The fields that APNs reads, each as it came first, but `authorization`: secrets are not written down. What is not
    /// UTF-8 in them is replaced by U+FFFD.
    pub fields: Vec<(FieldName, String)>,
    /// The payload as it came; of one that was too large the beginning.
    pub payload: Box<[u8]>,
}

impl RefusedPush {
    pub(crate) fn new(
        apns_id: MessageId,
        reason: Reason,
        rule: &'static Rule,
        request: &Request,
        payload: &[u8],
    ) -> Self {
        let names = FieldName::ALL.iter().filter(|name| **name != FieldName::Authorization);
        let field =
            |name: &FieldName| Some((*name, String::from_utf8_lossy(request.get(*name)?).into_owned()));
        Self { apns_id, reason, rule, fields: names.filter_map(field).collect(), payload: payload.into() }
    }

    /// The value of a field.
    pub fn field(&self, name: FieldName) -> Option<&str> {
        self.fields.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
    }

    /// What stands in the path where a device token belongs.
    pub fn device_token(&self) -> Option<&str> {
        self.field(FieldName::Path)?.strip_prefix("/3/device/")
    }

    /// The `apns-push-type`, if there was one that APNs knows.
    pub fn push_type(&self) -> Option<PushType> {
        self.field(FieldName::ApnsPushType).and_then(|value| PushType::parse(value.as_bytes()))
    }

    /// The `apns-priority`, if there was one that APNs knows.
    pub fn priority(&self) -> Option<Priority> {
        self.field(FieldName::ApnsPriority).and_then(|value| Priority::parse(value.as_bytes()))
    }
}
