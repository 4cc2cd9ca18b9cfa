//! Widgets and controls: pushes that say that something changed, and not what.

use serde::Serialize;

use super::NotificationBuilder;
use super::builder::Message;
use crate::payload::{APS, Aps};
use crate::push_type::PushType;

/// Builds a notification that makes the system reload the app's widgets: push type `widgets`, from iOS 26 on.
///
/// `content-changed` is true (Apple, WidgetKit, on widgets that are updated by pushes). The
/// device token is the one that WidgetKit gave for widgets.
///
/// ```
/// use apns_provider_core::{BundleId, WidgetsNotification};
///
/// let notification = WidgetsNotification::new(BundleId::parse("com.example.weather")?).build()?;
/// assert_eq!(notification.topic().as_str(), "com.example.weather.push-type.widgets");
/// assert_eq!(notification.payload(), r#"{"aps":{"content-changed":true}}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type WidgetsNotification = NotificationBuilder<WidgetsMessage>;

/// Builds a notification that makes the system reload the app's controls: push type `controls`, from iOS 18 on.
///
/// `content-changed` is true (Apple, WidgetKit, on controls that are updated by pushes). The device token is
/// the one that WidgetKit gave for controls.
///
/// ```
/// use apns_provider_core::{BundleId, ControlsNotification};
///
/// let notification = ControlsNotification::new(BundleId::parse("com.example.garage")?).build()?;
/// assert_eq!(notification.topic().as_str(), "com.example.garage.push-type.controls");
/// assert_eq!(notification.payload(), r#"{"aps":{"content-changed":true}}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type ControlsNotification = NotificationBuilder<ControlsMessage>;

/// What a push to widgets says: that their content changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WidgetsMessage {
    aps: Aps,
}

/// What a push to controls says: that their content changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ControlsMessage {
    aps: Aps,
}

impl Default for WidgetsMessage {
    fn default() -> Self {
        Self { aps: content_changed() }
    }
}

impl Default for ControlsMessage {
    fn default() -> Self {
        Self { aps: content_changed() }
    }
}

impl Message for WidgetsMessage {
    const PUSH_TYPE: PushType = PushType::Widgets;
    const KEYS: &'static [&'static str] = &[APS];
}

impl Message for ControlsMessage {
    const PUSH_TYPE: PushType = PushType::Controls;
    const KEYS: &'static [&'static str] = &[APS];
}

fn content_changed() -> Aps {
    Aps { content_changed: Some(true), ..Aps::default() }
}
