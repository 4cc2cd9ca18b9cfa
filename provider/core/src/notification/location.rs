use serde::Serialize;

use super::NotificationBuilder;
use super::builder::Message;
use crate::payload::{APS, Aps};
use crate::push_type::PushType;

/// Builds a notification that asks for the device's location: push type `location`.
///
/// It starts the app's location push service extension. Use priority 10 if somebody waits for the answer, else
/// 5 (Apple, "Sending notification requests to APNs"). The device token is the one that
/// `startMonitoringLocationPushes` gave, and Apple documents it for provider tokens only.
///
/// ```
/// use apns_provider_core::{BundleId, LocationNotification, Priority};
///
/// let app = BundleId::parse("com.example.family")?;
/// let query = LocationNotification::new(app)
///     .custom("query", 7)
///     .priority(Priority::PowerConsiderate)
///     .build()?;
/// assert_eq!(query.topic().as_str(), "com.example.family.location-query");
/// assert_eq!(query.payload(), r#"{"aps":{},"query":7}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type LocationNotification = NotificationBuilder<LocationMessage>;

/// What a location push says: `aps`, with nothing in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LocationMessage {
    aps: Aps,
}

impl Message for LocationMessage {
    const PUSH_TYPE: PushType = PushType::Location;
    const KEYS: &'static [&'static str] = &[APS];
}
