//! Notifications that are valid by construction: push type, topic, priority and payload fit one another.

mod alert;
mod background;
mod broadcast;
mod builder;
mod complication;
mod file_provider;
mod invalid;
mod live_activity;
mod location;
mod mdm;
mod options;
mod push;
mod push_to_talk;
mod raw;
mod reload;
mod required;
mod rules;
mod shorten;
mod voip;

use std::{fmt, sync::Arc};

use bytes::Bytes;

pub use alert::{AlertMessage, AlertNotification};
pub use background::{BackgroundMessage, BackgroundNotification};
pub use broadcast::{Broadcast, InvalidBroadcast};
pub use builder::NotificationBuilder;
pub use complication::{ComplicationMessage, ComplicationNotification};
pub use file_provider::{FileProviderMessage, FileProviderNotification};
pub use invalid::InvalidNotification;
pub use live_activity::{
    End, LiveActivityEnd, LiveActivityMessage, LiveActivityStart, LiveActivityUpdate, Start, Update,
};
pub use location::{LocationMessage, LocationNotification};
pub use mdm::{MdmMessage, MdmNotification};
pub use push::Push;
pub use push_to_talk::{PushToTalkMessage, PushToTalkNotification};
pub use raw::{RawMessage, RawNotification};
pub use reload::{ControlsMessage, ControlsNotification, WidgetsMessage, WidgetsNotification};
pub use shorten::Cut;
pub use voip::{VoipMessage, VoipNotification};

use crate::collapse_id::CollapseId;
use crate::expiration::Expiration;
use crate::payload::Shape;
use crate::priority::Priority;
use crate::push_type::PushType;
use crate::topic::Topic;

use options::Options;

/// One notification for any number of devices, checked and written out.
///
/// Made by the [builder](NotificationBuilder) of its push type or, from a payload written elsewhere, by
/// [`Notification::raw`]. Everything is written once and shared: a clone copies nothing, and nor does a [`Push`].
/// `Debug` does not show the payload: it is the user's.
#[derive(Clone, Eq, PartialEq)]
pub struct Notification {
    push_type: PushType,
    topic: Topic,
    priority: Priority,
    expiration: Option<Expiration>,
    /// `expiration` as a header value, written once instead of once a push.
    expiration_text: Option<Arc<str>>,
    collapse_id: Option<CollapseId>,
    payload: Bytes,
}

impl Notification {
    /// Begins a notification of any type with a payload that is sent byte for byte. `topic` is whole: the
    /// bundle ID and the push type's suffix.
    pub fn raw(push_type: PushType, topic: Topic, payload: impl Into<Bytes>) -> RawNotification {
        RawNotification::about(topic, RawMessage { push_type, payload: payload.into() })
    }

    /// `apns-push-type`.
    pub fn push_type(&self) -> PushType {
        self.push_type
    }

    /// `apns-topic`.
    pub fn topic(&self) -> &Topic {
        &self.topic
    }

    /// `apns-priority`.
    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// `apns-expiration`; without one, APNs' own storage time applies.
    pub fn expiration(&self) -> Option<Expiration> {
        self.expiration
    }

    /// `apns-collapse-id`.
    pub fn collapse_id(&self) -> Option<&CollapseId> {
        self.collapse_id.as_ref()
    }

    /// The body of the request.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    pub(crate) fn expiration_text(&self) -> Option<&str> {
        self.expiration_text.as_deref()
    }

    /// The one way to a notification: every rule that a payload, its type and its options share.
    fn check(
        push_type: PushType,
        topic: Topic,
        options: Options,
        shape: Shape,
        payload: Bytes,
    ) -> Result<Self, InvalidNotification> {
        let Options { priority, expiration, collapse_id } = options;
        let priority = priority.unwrap_or_else(|| push_type.default_priority());
        let expiration = expiration.or_else(|| push_type.default_expiration());
        rules::topic_fits_mdm(&topic, push_type)?;
        rules::priority_fits_type(priority, push_type)?;
        rules::payload_fits_type(shape, push_type, &topic)?;
        rules::payload_fits_limit(&payload, push_type)?;
        let expiration_text = expiration.map(|expiration| expiration.as_secs().to_string().into());
        Ok(Self { push_type, topic, priority, expiration, expiration_text, collapse_id, payload })
    }
}

impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notification")
            .field("push_type", &self.push_type)
            .field("topic", &self.topic)
            .field("priority", &self.priority)
            .field("expiration", &self.expiration)
            .field("collapse_id", &self.collapse_id)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic::BundleId;

    #[test]
    fn logs_do_not_show_what_the_user_reads() {
        let app = BundleId::parse("com.example.app").unwrap();
        let notification = AlertNotification::new(app).alert("Your code is 4711").build().unwrap();
        let log = format!("{notification:?}");
        assert!(!log.contains("4711"), "{log}");
        assert!(log.contains("com.example.app"), "{log}");
    }
}
