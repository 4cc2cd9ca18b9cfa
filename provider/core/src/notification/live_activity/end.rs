use serde::Serialize;

use super::super::{InvalidNotification, NotificationBuilder, rules};
use super::{Event, LiveActivityMessage};
use crate::topic::BundleId;
use crate::unix_time::UnixTime;

/// Builds a notification that ends a Live Activity: push type `liveactivity`, event `end`.
///
/// With a [content state](Self::content_state) it shows that one to the last, without one the state it had.
/// The device token is the activity's own, and is good for nothing afterwards.
///
/// ```
/// use apns_provider_core::{BundleId, LiveActivityEnd, UnixTime};
/// use serde_json::json;
///
/// let now = UnixTime::from_secs(1_700_000_000);
/// let end = LiveActivityEnd::new(BundleId::parse("com.example.ski")?, now)
///     .content_state(json!({ "winner": "Ada" }))
///     .dismissal_date(UnixTime::from_secs(now.as_secs() + 600))
///     .build()?;
/// assert_eq!(
///     end.payload(),
///     concat!(
///         r#"{"aps":{"timestamp":1700000000,"event":"end","#,
///         r#""content-state":{"winner":"Ada"},"dismissal-date":1700000600}}"#
///     )
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type LiveActivityEnd = NotificationBuilder<LiveActivityMessage<End>>;

impl LiveActivityEnd {
    /// Ends one; `timestamp` is when its content state was true.
    pub fn new(bundle_id: BundleId, timestamp: UnixTime) -> Self {
        Self::of(bundle_id, timestamp, End::default())
    }

    /// `dismissal-date`: when it leaves the Lock Screen; a date in the past takes it away at once. Without one
    /// it stays for up to four hours.
    #[must_use]
    pub fn dismissal_date(mut self, date: UnixTime) -> Self {
        self.message.aps.of_event.dismissal_date = Some(date.as_secs());
        self
    }
}

/// What the end of an activity says beyond its last state.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct End {
    #[serde(skip_serializing_if = "Option::is_none")]
    dismissal_date: Option<u64>,
}

impl Event for End {
    const NAME: &'static str = "end";
    const NEEDS_CONTENT_STATE: bool = false;

    fn check(&self) -> Result<(), InvalidNotification> {
        match self.dismissal_date {
            Some(date) => rules::date_is_in_seconds("aps.dismissal-date", date),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_may_leave_the_last_state_and_any_past_date_takes_it_away() {
        let app = BundleId::parse("com.example.app").unwrap();
        let now = UnixTime::from_secs(1_700_000_000);
        let end = LiveActivityEnd::new(app, now).dismissal_date(UnixTime::from_secs(0)).build().unwrap();
        assert_eq!(end.payload(), r#"{"aps":{"timestamp":1700000000,"event":"end","dismissal-date":0}}"#);
    }
}
