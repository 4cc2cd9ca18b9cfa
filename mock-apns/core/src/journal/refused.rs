//! A push that was refused, as far as it is written down.

use std::borrow::Cow;

use super::ReceivedRequest;
use crate::{
    FieldName, MessageId, Priority, PushType, Reason, UniqueId,
    rules::{DEVICE_PATH, Refusal, Rule},
};

/// A push that got an answer other than 200.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RefusedPush {
    /// The `apns-id` of the answer.
    pub apns_id: MessageId,
    /// The `apns-unique-id` of the answer, where the setting of that name asks for it.
    pub apns_unique_id: Option<UniqueId>,
    /// The answer's reason.
    pub reason: Reason,
    /// The rule that did not hold.
    pub rule: &'static Rule,
    /// What came over the wire.
    pub request: ReceivedRequest,
}

impl RefusedPush {
    /// `apns_id` and `apns_unique_id` are those of the answer.
    pub(crate) fn new(
        apns_id: MessageId,
        apns_unique_id: Option<UniqueId>,
        refusal: Refusal,
        request: ReceivedRequest,
    ) -> Self {
        let Refusal { rule, reason } = refusal;
        Self { apns_id, apns_unique_id, reason, rule, request }
    }

    /// What stands in the path where a device token belongs.
    pub fn device_token(&self) -> Option<Cow<'_, str>> {
        let path = self.request.field(FieldName::Path)?;
        path.strip_prefix(DEVICE_PATH).map(String::from_utf8_lossy)
    }

    /// The `apns-push-type`, if there was one that APNs knows.
    pub fn push_type(&self) -> Option<PushType> {
        self.request.field(FieldName::ApnsPushType).and_then(PushType::parse)
    }

    /// The `apns-priority`, if there was one that APNs knows.
    pub fn priority(&self) -> Option<Priority> {
        self.request.field(FieldName::ApnsPriority).and_then(Priority::parse)
    }
}
