//! What is told: one table.

use std::fmt;

use apns_provider_core::UnixTime;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::NotificationId;

/// Declares [`EventKind`]: its name and what it tells. The name is a `tt`: of what comes as a `literal`, utoipa does not see that it is one.
macro_rules! events {
    ($($variant:ident $name:tt $meaning:literal;)*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = WebhookEvent))]
        pub enum EventKind {
            $(#[doc = $meaning] #[serde(rename = $name)] $variant,)*
        }

        impl EventKind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it tells, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

events! {
    AppTroubled "app.troubled" "Nothing of an app can be sent: its credential is refused, or APNs cannot be reached.";
    DeadLettersAdded "dead-letters.added" "Some recipients are dead letters: somebody should look at them.";
    DevicesRemoved "devices.removed" "Devices were removed, since APNs found their tokens dead.";
    DevicesSuspect "devices.suspect" "Devices' tokens were refused and may be of the other environment; they were not removed.";
    NotificationFinished "notification.finished" "Every recipient of a notification has an outcome.";
    Outcomes "outcomes" "Recipients have outcomes: up to some hundreds in one event.";
    RemovalsSuspended "removals.suspended" "Too many of an app's tokens are invalid at once, and none is removed until somebody has looked.";
    Test "test" "Somebody wants to see whether the webhook works.";
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The identity of an event: the same however often it is delivered, so that its receiver can tell.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct EventId(NotificationId);

impl EventId {
    /// Makes one of a moment and of random bytes, which the caller draws.
    pub fn new(now: UnixTime, random: [u8; 10]) -> Self {
        Self(NotificationId::new(now, random))
    }

    /// The one with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(NotificationId::from_bytes(bytes))
    }

    /// Its bytes, as they are stored.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "msg_{}", self.0)
    }
}

/// What is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: UnixTime,
    /// What there is to say of it.
    pub data: Value,
}

impl Event {
    /// The body of its deliveries.
    pub fn to_body(&self) -> Vec<u8> {
        let body = serde_json::json!({
            "type": self.kind.as_str(), "timestamp": timestamp(self.at), "data": self.data,
        });
        body.to_string().into_bytes()
    }
}

/// A moment as receivers read it.
pub(super) fn timestamp(at: UnixTime) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_has_a_type_a_time_and_data() {
        let event = Event {
            kind: EventKind::DevicesRemoved,
            at: UnixTime::from_millis(1_700_000_000_250),
            data: json!({ "devices": [] }),
        };
        let body: Value = serde_json::from_slice(&event.to_body()).unwrap();
        let expected = json!({ "type": "devices.removed", "timestamp": "2023-11-14T22:13:20.25Z", "data": { "devices": [] } });
        assert_eq!(body, expected);
    }

    #[test]
    fn kinds_are_called_by_dotted_names_and_an_event_by_its_id() {
        for kind in EventKind::ALL {
            let name = kind.as_str();
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || b".-".contains(&byte)), "{kind}");
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        let id = EventId::new(UnixTime::from_millis(1_700_000_000_123), [0; 10]);
        assert_eq!(id.to_string(), "msg_018bcfe5-687b-7000-8000-000000000000");
    }
}
