use bytes::Bytes;

use super::{InvalidNotification, Notification, NotificationBuilder, required, rules};
use crate::payload::RawPayload;
use crate::push_type::PushType;

/// Builds a notification around a payload written elsewhere; begun by [`Notification::raw`].
///
/// The payload is sent byte for byte. The checks are those of the typed builders, as far as they can be made
/// from outside: JSON, size, topic suffix, priority, and the keys without which a push of its type does
/// nothing.
///
/// ```
/// use apns_provider_core::{Notification, PushType, Topic};
///
/// let topic = Topic::parse("com.example.app.voip")?;
/// let call = Notification::raw(PushType::Voip, topic, r#"{ "caller": "Ada" }"#).build()?;
/// assert_eq!(call.payload(), r#"{ "caller": "Ada" }"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type RawNotification = NotificationBuilder<RawMessage>;

impl RawNotification {
    /// Checks everything.
    pub fn build(self) -> Result<Notification, InvalidNotification> {
        let Self { topic, message: RawMessage { push_type, payload }, options, .. } = self;
        // Before the payload is read, so that nobody makes us parse a gigabyte.
        rules::payload_fits_limit(&payload, push_type)?;
        rules::topic_fits_type(&topic, push_type)?;
        let payload = RawPayload::parse(payload)?;
        required::check(push_type, payload.object())?;
        Notification::check(push_type, topic, options, payload.shape(), payload.into_json())
    }
}

/// What a payload written elsewhere says: anything.
#[derive(Clone, Debug, PartialEq)]
pub struct RawMessage {
    pub(super) push_type: PushType,
    pub(super) payload: Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Expiration, Priority, Topic};

    fn raw(push_type: PushType, topic: &str, payload: &'static str) -> RawNotification {
        Notification::raw(push_type, Topic::parse(topic).unwrap(), payload)
    }

    #[test]
    fn a_payload_of_ones_own_is_sent_byte_for_byte() {
        let payload = "{\"aps\": {\"alert\": \"Hi\", \"new-in-2027\": {}}}";
        let notification = raw(PushType::Alert, "com.example.app", payload).build().unwrap();
        assert_eq!(notification.payload(), payload);
        assert_eq!(notification.priority(), Priority::Immediate);
    }

    #[test]
    fn every_type_can_be_sent_raw() {
        let call = raw(PushType::Voip, "com.example.app.voip", r#"{"caller":"Ada"}"#)
            .expiration(Expiration::ONCE)
            .build()
            .unwrap();
        assert_eq!(call.topic().as_str(), "com.example.app.voip");
        let mdm = raw(PushType::Mdm, "com.apple.mgmt.External.b1a6", r#"{"mdm":"magic"}"#);
        assert!(mdm.build().is_ok());
    }

    #[test]
    fn the_checks_are_those_of_the_typed_builders() {
        let topic = "com.example.app";
        let loud = raw(PushType::Background, topic, r#"{"aps":{"content-available":1,"sound":"default"}}"#);
        assert_eq!(loud.build(), Err(InvalidNotification::NotSilent { key: "sound" }));
        let asleep = raw(PushType::Background, topic, r#"{"aps":{"content-available":0}}"#);
        assert_eq!(asleep.build(), Err(InvalidNotification::MissingContentAvailable));
        let idle = raw(PushType::Widgets, "a.push-type.widgets", r#"{"aps":{}}"#);
        let push_type = PushType::Widgets;
        let refused = InvalidNotification::MissingKey { push_type, key: "aps.content-changed" };
        assert_eq!(idle.build(), Err(refused));
        let unmanaged = raw(PushType::Mdm, topic, r#"{"mdm":"magic"}"#);
        assert_eq!(unmanaged.build(), Err(InvalidNotification::TopicNotOfMdm));
        let bare = raw(PushType::Voip, topic, "{}");
        let refused = InvalidNotification::TopicSuffixMissing { push_type: PushType::Voip };
        assert_eq!(bare.build(), Err(refused));
        let urgent = raw(PushType::Background, topic, r#"{"aps":{"content-available":1}}"#)
            .priority(Priority::Immediate)
            .build();
        let refused = InvalidNotification::PriorityNotAllowed {
            push_type: PushType::Background,
            priority: Priority::Immediate,
        };
        assert_eq!(urgent, Err(refused));
        let large =
            Notification::raw(PushType::Voip, Topic::parse("a.voip").unwrap(), vec![b' '; 5121]).build();
        let refused =
            InvalidNotification::PayloadTooLarge { push_type: PushType::Voip, len: 5121, limit: 5120 };
        assert_eq!(large, Err(refused));
    }
}
