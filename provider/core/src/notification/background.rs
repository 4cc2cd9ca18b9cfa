use serde::Serialize;

use super::NotificationBuilder;
use super::builder::Message;
use crate::payload::{APS, Aps, SET, Shape};
use crate::push_type::PushType;

/// Builds a notification that wakes the app in silence: push type `background`.
///
/// `content-available` is 1, there is no way to an `alert`, a `badge` or a `sound`, and the priority is 5:
/// anything else is an error (Apple, "Pushing background updates to your App").
///
/// ```
/// use apns_provider_core::{BackgroundNotification, BundleId, Priority};
///
/// let app = BundleId::parse("com.example.mail")?;
/// let notification = BackgroundNotification::new(app).custom("folder", "inbox").build()?;
/// assert_eq!(notification.priority(), Priority::PowerConsiderate);
/// assert_eq!(notification.payload(), r#"{"aps":{"content-available":1},"folder":"inbox"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type BackgroundNotification = NotificationBuilder<BackgroundMessage>;

/// What a background push says: to the user, nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BackgroundMessage {
    aps: Aps,
}

impl Default for BackgroundMessage {
    fn default() -> Self {
        Self { aps: Aps { content_available: Some(SET), ..Aps::default() } }
    }
}

impl Message for BackgroundMessage {
    const PUSH_TYPE: PushType = PushType::Background;
    const KEYS: &'static [&'static str] = &[APS];

    fn shape(&self) -> Shape {
        self.aps.shape()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BundleId, InvalidNotification, Priority};

    fn app() -> BundleId {
        BundleId::parse("com.example.app").unwrap()
    }

    #[test]
    fn it_is_silent_and_of_priority_5() {
        let notification = BackgroundNotification::new(app()).custom("sync", "mail").build().unwrap();
        assert_eq!(notification.push_type(), PushType::Background);
        assert_eq!(notification.priority(), Priority::PowerConsiderate);
        assert_eq!(notification.topic().as_str(), "com.example.app");
        assert_eq!(notification.payload(), r#"{"aps":{"content-available":1},"sync":"mail"}"#);
    }

    #[test]
    fn it_is_never_urgent() {
        let push_type = PushType::Background;
        for priority in [Priority::Immediate, Priority::PowerFirst] {
            let urgent = BackgroundNotification::new(app()).priority(priority).build();
            assert_eq!(urgent, Err(InvalidNotification::PriorityNotAllowed { push_type, priority }));
        }
    }
}
