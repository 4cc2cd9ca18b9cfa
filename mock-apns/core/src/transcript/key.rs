//! When two requests are the same.

use std::borrow::Cow;

use super::Line;
use crate::{FieldName, ReceivedRequest, bytes::lossy};

/// What two requests have in common that get the same answer: all that a provider says of a notification but what it makes anew
/// each time (`apns-id`, `apns-expiration`, `authorization`).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct RequestKey {
    target: Target,
    topic: Option<String>,
    push_type: Option<String>,
    priority: Option<String>,
    collapse_id: Option<String>,
    payload: String,
}

/// Where a request goes to.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Target {
    method: Option<String>,
    path: Option<String>,
}

impl RequestKey {
    pub(super) fn of(request: &ReceivedRequest) -> Self {
        let text = |name| request.text(name).map(Cow::into_owned);
        Self {
            target: Target { method: text(FieldName::Method), path: text(FieldName::Path) },
            topic: text(FieldName::ApnsTopic),
            push_type: text(FieldName::ApnsPushType),
            priority: text(FieldName::ApnsPriority),
            collapse_id: text(FieldName::ApnsCollapseId),
            payload: lossy(request.payload()).into_owned(),
        }
    }

    pub(super) fn of_line(line: &Line) -> Self {
        Self {
            target: Target { method: line.method.clone(), path: line.path.clone() },
            topic: line.apns_topic.clone(),
            push_type: line.apns_push_type.clone(),
            priority: line.apns_priority.as_ref().map(ToString::to_string),
            collapse_id: line.apns_collapse_id.clone(),
            payload: line.payload.clone().unwrap_or_default(),
        }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }
}
