//! Live Activities: what start, update and end have in common, and the three.
//!
//! Source: Apple, ActivityKit, "Starting and updating Live Activities with ActivityKit push notifications".

mod end;
mod start;
mod update;

use serde::Serialize;

pub use end::{End, LiveActivityEnd};
pub use start::{LiveActivityStart, Start};
pub use update::{LiveActivityUpdate, Update};

use super::builder::Message;
use super::{InvalidNotification, NotificationBuilder, rules};
use crate::payload::{APS, LiveActivityAlert, Object};
use crate::push_type::PushType;
use crate::topic::BundleId;
use crate::unix_time::UnixTime;

/// What a Live Activity's push says; `E` is what its event adds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiveActivityMessage<E> {
    aps: Aps<E>,
}

#[expect(private_bounds, reason = "sealed: there are these three events")]
impl<E: Event> NotificationBuilder<LiveActivityMessage<E>> {
    /// What the activity shows, `content-state`: a dictionary that the app decodes to its `ContentState`. To
    /// start or update an activity there has to be one.
    #[must_use]
    pub fn content_state(mut self, state: impl Serialize) -> Self {
        self.message.aps.content_state = Some(Object::from_value(state));
        self
    }

    /// `stale-date`: when what the activity shows will be out of date.
    #[must_use]
    pub fn stale_date(mut self, date: UnixTime) -> Self {
        self.message.aps.stale_date = Some(date.as_secs());
        self
    }

    /// `relevance-score`: which of the app's activities has the Dynamic Island: any number, the highest wins.
    #[must_use]
    pub fn relevance_score(mut self, score: f64) -> Self {
        self.message.aps.relevance_score = Some(score);
        self
    }

    /// What alerts the user to the change. To start an activity there has to be one.
    #[must_use]
    pub fn alert(mut self, alert: LiveActivityAlert) -> Self {
        self.message.aps.alert = Some(alert);
        self
    }

    fn of(bundle_id: BundleId, timestamp: UnixTime, event: E) -> Self {
        let aps = Aps {
            timestamp: timestamp.as_secs(),
            event: E::NAME,
            content_state: None,
            stale_date: None,
            relevance_score: None,
            alert: None,
            of_event: event,
        };
        Self::to_app(bundle_id, LiveActivityMessage { aps })
    }
}

/// An event that all who follow a channel may be told of: a broadcast starts no activity (Apple, "Starting and updating Live
/// Activities with ActivityKit push notifications").
pub(super) trait ToChannel: Event {}

impl ToChannel for End {}
impl ToChannel for Update {}

/// What happens to the activity: serialises as the keys that only this event has.
pub(super) trait Event: Serialize {
    /// The value of `event`.
    const NAME: &'static str;
    /// Whether an alert is due.
    const NEEDS_ALERT: bool = false;
    /// Whether there is nothing to show without a state.
    const NEEDS_CONTENT_STATE: bool = true;

    /// The rules for its own keys.
    fn check(&self) -> Result<(), InvalidNotification>;
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Aps<E> {
    timestamp: u64,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_state: Option<Object>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stale_date: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relevance_score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<LiveActivityAlert>,
    #[serde(flatten)]
    of_event: E,
}

impl<E: Event> Message for LiveActivityMessage<E> {
    const PUSH_TYPE: PushType = PushType::LiveActivity;
    const KEYS: &'static [&'static str] = &[APS];

    fn check(&self) -> Result<(), InvalidNotification> {
        let Aps { timestamp, event: _, content_state, stale_date, relevance_score, alert, of_event } =
            &self.aps;
        rules::date_is_in_seconds("aps.timestamp", *timestamp)?;
        if let Some(date) = stale_date {
            rules::date_is_in_seconds("aps.stale-date", *date)?;
        }
        object("aps.content-state", E::NEEDS_CONTENT_STATE, content_state.as_ref())?;
        if E::NEEDS_ALERT && alert.is_none() {
            return Err(missing("aps.alert"));
        }
        if let Some(alert) = alert {
            rules::live_activity_alert_says_something(alert)?;
            rules::volume_in_range(alert.sound_of())?;
        }
        rules::number_is_finite("aps.relevance-score", *relevance_score)?;
        of_event.check()
    }
}

/// A dictionary that may or has to be there.
fn object(key: &'static str, needed: bool, object: Option<&Object>) -> Result<(), InvalidNotification> {
    match object {
        Some(object) => object.check(key),
        None if needed => Err(missing(key)),
        None => Ok(()),
    }
}

fn missing(key: &'static str) -> InvalidNotification {
    InvalidNotification::MissingKey { push_type: PushType::LiveActivity, key }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Priority, Sound};

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn app() -> BundleId {
        BundleId::parse("com.example.app").unwrap()
    }

    fn update() -> LiveActivityUpdate {
        LiveActivityUpdate::new(app(), NOW).content_state(json!({ "score": 1 }))
    }

    #[test]
    fn dates_are_whole_seconds() {
        let update = update()
            .stale_date(UnixTime::from_millis(1_700_000_060_999))
            .relevance_score(75.5)
            .build()
            .unwrap();
        assert_eq!(
            update.payload(),
            concat!(
                r#"{"aps":{"timestamp":1700000000,"event":"update","content-state":{"score":1},"#,
                r#""stale-date":1700000060,"relevance-score":75.5}}"#
            )
        );
    }

    #[test]
    fn milliseconds_for_seconds_are_told() {
        let millis = UnixTime::from_secs(1_700_000_000_000);
        let error = |key| Err(InvalidNotification::DateTooFar { key, secs: 1_700_000_000_000 });
        let late = LiveActivityUpdate::new(app(), millis).content_state(json!({})).build();
        assert_eq!(late, error("aps.timestamp"));
        assert_eq!(update().stale_date(millis).build(), error("aps.stale-date"));
        let end = LiveActivityEnd::new(app(), NOW).dismissal_date(millis).build();
        assert_eq!(end, error("aps.dismissal-date"));
    }

    #[test]
    fn a_state_is_a_dictionary() {
        for state in [json!([1]), json!("goal"), json!(null)] {
            let refused = update().content_state(state).build();
            assert_eq!(refused, Err(InvalidNotification::NotAnObject { key: "aps.content-state" }));
        }
        let formless = std::collections::BTreeMap::from([((1, 2), 3)]);
        let Err(InvalidNotification::NoJsonForm { key, .. }) = update().content_state(formless).build()
        else {
            panic!("a map with keys that are no texts has no JSON form")
        };
        assert_eq!(key, "aps.content-state");
    }

    #[test]
    fn a_score_is_any_number_that_json_has() {
        assert!(update().relevance_score(-1.0).build().is_ok());
        for score in [f64::NAN, f64::INFINITY] {
            let refused = update().relevance_score(score).build();
            let Err(InvalidNotification::NotFinite { key }) = refused else { panic!("{refused:?}") };
            assert_eq!(key, "aps.relevance-score");
        }
    }

    #[test]
    fn power_first_is_for_broadcasts() {
        let refused = update().priority(Priority::PowerFirst).build();
        let push_type = PushType::LiveActivity;
        let priority = Priority::PowerFirst;
        assert_eq!(refused, Err(InvalidNotification::PriorityNotAllowed { push_type, priority }));
        assert!(update().priority(Priority::PowerConsiderate).build().is_ok());
    }

    #[test]
    fn an_alert_has_a_text_and_a_sound_that_can_be_played() {
        let silent = update().alert(LiveActivityAlert::new("", "")).build();
        let push_type = PushType::LiveActivity;
        assert_eq!(silent, Err(InvalidNotification::AlertWithoutText { push_type }));
        let loud = LiveActivityAlert::new("Goal", "1:0").sound(Sound::critical("horn", 2.0));
        assert_eq!(update().alert(loud).build(), Err(InvalidNotification::Volume { volume: 2.0 }));
    }
}
