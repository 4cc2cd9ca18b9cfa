use serde::Serialize;

use super::NotificationBuilder;
use super::builder::Message;
use crate::payload::{APS, Aps};
use crate::push_type::PushType;

/// Builds a notification of somebody who begins or ceases to speak: push type `pushtotalk`.
///
/// Which of the two, and who, is the app's to say in keys of its own: Apple's sample has `activeSpeaker`. The
/// priority is 10 and the expiration "try once" unless told otherwise, as Apple advises (the
/// PushToTalk framework). The device token is the one of the joined channel.
///
/// ```
/// use apns_provider_core::{BundleId, Expiration, PushToTalkNotification};
///
/// let app = BundleId::parse("com.example.radio")?;
/// let notification = PushToTalkNotification::new(app).custom("activeSpeaker", "Ada").build()?;
/// assert_eq!(notification.topic().as_str(), "com.example.radio.voip-ptt");
/// assert_eq!(notification.expiration(), Some(Expiration::ONCE));
/// assert_eq!(notification.payload(), r#"{"aps":{},"activeSpeaker":"Ada"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type PushToTalkNotification = NotificationBuilder<PushToTalkMessage>;

/// What a Push to Talk push says: `aps`, with nothing in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PushToTalkMessage {
    aps: Aps,
}

impl Message for PushToTalkMessage {
    const PUSH_TYPE: PushType = PushType::PushToTalk;
    const KEYS: &'static [&'static str] = &[APS];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BundleId, Expiration};

    #[test]
    fn an_expiration_of_ones_own_is_kept() {
        let app = BundleId::parse("com.example.radio").unwrap();
        let soon = Expiration::at_secs(1_700_000_000).unwrap();
        let notification = PushToTalkNotification::new(app).expiration(soon).build().unwrap();
        assert_eq!(notification.expiration(), Some(soon));
    }
}
