//! A push that was refused, as far as it is written down.

use super::ReceivedRequest;
use crate::{
    Answer, MessageId, Reason, Timestamp, UniqueId,
    rules::{Refusal, Rule},
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
    /// The `timestamp` of the answer: with status 410, always.
    pub timestamp: Option<Timestamp>,
    /// The rule that did not hold.
    pub rule: &'static Rule,
    /// What came over the wire.
    pub request: ReceivedRequest,
}

impl RefusedPush {
    /// It got this answer.
    pub(crate) fn new(answer: &Answer, refusal: Refusal, request: ReceivedRequest) -> Self {
        let Answer { apns_id, apns_unique_id, timestamp, .. } = *answer;
        let Refusal { rule, reason } = refusal;
        Self { apns_id, apns_unique_id, reason, timestamp, rule, request }
    }
}
