use serde::Serialize;

use super::options::Options;
use super::{InvalidNotification, Notification};
use crate::collapse_id::CollapseId;
use crate::expiration::Expiration;
use crate::payload::{Aps, CustomKeys, SET, to_json};
use crate::push_type::PushType;
use crate::topic::{BundleId, Topic};

/// Builds a notification that wakes the app in silence: push type `background`.
///
/// `content-available` is 1, there is no `alert`, `badge` or `sound`, and the priority is 5: anything else is
/// an error (Apple, "Pushing background updates to your App"), so there is no way to ask for it.
#[derive(Clone, Debug, PartialEq)]
pub struct BackgroundNotification {
    bundle_id: BundleId,
    custom: CustomKeys,
    options: Options,
}

impl BackgroundNotification {
    /// A notification that wakes this app.
    pub fn new(bundle_id: BundleId) -> Self {
        Self { bundle_id, custom: CustomKeys::default(), options: Options::default() }
    }

    /// One of the app's own keys, beside `aps`. The last value of a key wins; the payload lists them sorted.
    #[must_use]
    pub fn custom(mut self, key: impl Into<String>, value: impl Serialize) -> Self {
        self.custom.insert(key.into(), value);
        self
    }

    /// How long APNs may keep it.
    #[must_use]
    pub fn expiration(mut self, expiration: Expiration) -> Self {
        self.options.expiration = Some(expiration);
        self
    }

    /// Lets a newer one take its place.
    #[must_use]
    pub fn collapse_id(mut self, collapse_id: CollapseId) -> Self {
        self.options.collapse_id = Some(collapse_id);
        self
    }

    /// Checks everything and writes the payload.
    pub fn build(self) -> Result<Notification, InvalidNotification> {
        let Self { bundle_id, custom, options } = self;
        custom.check()?;
        let aps = Aps { content_available: Some(SET), ..Aps::default() };
        let topic = Topic::of(&bundle_id, PushType::Background);
        Notification::check(PushType::Background, topic, options, aps.shape(), to_json(&aps, &custom))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::priority::Priority;

    #[test]
    fn nothing_can_be_said_to_the_user_beside_it() {
        let app = BundleId::parse("com.example.app").unwrap();
        let loud = BackgroundNotification::new(app).custom("aps", "alert").build();
        assert_eq!(loud, Err(InvalidNotification::CustomKeyIsAps));
    }

    #[test]
    fn it_is_silent_and_of_priority_5() {
        let app = BundleId::parse("com.example.app").unwrap();
        let notification = BackgroundNotification::new(app).custom("sync", "mail").build().unwrap();
        assert_eq!(notification.push_type(), PushType::Background);
        assert_eq!(notification.priority(), Priority::PowerConsiderate);
        assert_eq!(notification.topic().as_str(), "com.example.app");
        assert_eq!(notification.payload(), r#"{"aps":{"content-available":1},"sync":"mail"}"#);
    }
}
