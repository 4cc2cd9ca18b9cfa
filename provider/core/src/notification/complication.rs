use serde::Serialize;

use super::NotificationBuilder;
use super::builder::Message;
use crate::push_type::PushType;

/// Builds a notification with new data for a watch face's complication: push type `complication`.
///
/// The payload is the app's own. The device token is the one that PushKit gave for complications.
///
/// ```
/// use apns_provider_core::{BundleId, ComplicationNotification};
///
/// let app = BundleId::parse("com.example.weather")?;
/// let notification = ComplicationNotification::new(app).custom("degrees", 21).build()?;
/// assert_eq!(notification.topic().as_str(), "com.example.weather.complication");
/// assert_eq!(notification.payload(), r#"{"degrees":21}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type ComplicationNotification = NotificationBuilder<ComplicationMessage>;

/// What a complication's push says: what the app makes of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ComplicationMessage {}

impl Message for ComplicationMessage {
    const PUSH_TYPE: PushType = PushType::Complication;
    const KEYS: &'static [&'static str] = &[];
}
