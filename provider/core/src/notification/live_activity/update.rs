use serde::Serialize;

use super::super::{InvalidNotification, NotificationBuilder};
use super::{Event, LiveActivityMessage};
use crate::topic::BundleId;
use crate::unix_time::UnixTime;

/// Builds a notification that updates a Live Activity: push type `liveactivity`, event `update`.
///
/// It needs a [content state](Self::content_state). Of several updates the device shows the one with the
/// latest timestamp. At priority 10 it counts against the activity's budget, at 5 it does not. The device token
/// is the activity's own.
///
/// ```
/// use apns_provider_core::{BundleId, LiveActivityUpdate, Priority, UnixTime};
/// use serde_json::json;
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let update = LiveActivityUpdate::new(BundleId::parse("com.example.ski")?, now)
///     .content_state(json!({ "leader": "Grace" }))
///     .stale_date(UnixTime::from_secs(now.as_secs() + 60))
///     .priority(Priority::PowerConsiderate)
///     .build()?;
/// assert_eq!(
///     update.payload(),
///     concat!(
///         r#"{"aps":{"timestamp":1700000000,"event":"update","#,
///         r#""content-state":{"leader":"Grace"},"stale-date":1700000060}}"#
///     )
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type LiveActivityUpdate = NotificationBuilder<LiveActivityMessage<Update>>;

impl LiveActivityUpdate {
    /// Updates one; `timestamp` is when its content state was true.
    pub fn new(bundle_id: BundleId, timestamp: UnixTime) -> Self {
        Self::of(bundle_id, timestamp, Update {})
    }
}

/// What the update of an activity says beyond its new state: nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Update {}

impl Event for Update {
    const NAME: &'static str = "update";

    fn check(&self) -> Result<(), InvalidNotification> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_shows_something() {
        let app = BundleId::parse("com.example.app").unwrap();
        let empty = LiveActivityUpdate::new(app, UnixTime::from_secs(1_700_000_000)).build();
        assert_eq!(empty, Err(super::super::missing("aps.content-state")));
    }
}
