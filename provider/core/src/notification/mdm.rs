use serde::Serialize;

use super::builder::Message;
use super::{InvalidNotification, NotificationBuilder, rules};
use crate::push_type::PushType;
use crate::topic::Topic;

/// Builds a notification that makes a managed device contact its MDM server: push type `mdm`.
///
/// The topic is not a bundle ID but the UID in the subject of the MDM push certificate, which begins with
/// `com.apple.mgmt.`; the device told it, its token and its push magic when it enrolled (Apple, "Mobile Device
/// Management Protocol Reference"). That certificate is the credential, too.
///
/// ```
/// use apns_provider_core::{MdmNotification, Topic};
///
/// let topic = Topic::parse("com.apple.mgmt.External.b1a6e8a5-0000-4000-8000-000000000000")?;
/// let check_in = MdmNotification::new(topic, "3F1B5A5B-1B0A-4C7F-8C38-2B8B5A6D2C11").build()?;
/// assert_eq!(check_in.payload(), r#"{"mdm":"3F1B5A5B-1B0A-4C7F-8C38-2B8B5A6D2C11"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type MdmNotification = NotificationBuilder<MdmMessage>;

impl MdmNotification {
    /// Wakes the device that enrolled with this push magic.
    pub fn new(topic: Topic, push_magic: impl Into<String>) -> Self {
        Self::about(topic, MdmMessage { mdm: push_magic.into() })
    }
}

/// What an MDM push says: the magic, by which the device knows its server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MdmMessage {
    mdm: String,
}

impl Message for MdmMessage {
    const PUSH_TYPE: PushType = PushType::Mdm;
    const KEYS: &'static [&'static str] = &["mdm"];

    fn check(&self) -> Result<(), InvalidNotification> {
        rules::text_is_not_empty("mdm", &self.mdm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_id_is_no_topic_of_mdm_and_nothing_is_no_magic() {
        let app = Topic::parse("com.example.app").unwrap();
        let refused = MdmNotification::new(app, "magic").build();
        assert_eq!(refused, Err(InvalidNotification::TopicNotOfMdm));
        let topic = Topic::parse("com.apple.mgmt.External.b1a6").unwrap();
        let refused = MdmNotification::new(topic, "").build();
        assert_eq!(refused, Err(InvalidNotification::EmptyText { key: "mdm" }));
    }
}
