//! A push to a Live Activity, or to start one.

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::{Banner, Dropped, Warning, aps::Reader, as_json};

/// What a push does to a Live Activity, and the state that it leaves it in.
/// Source: Apple, "Starting and updating Live Activities with ActivityKit push notifications".
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LiveActivity {
    /// Which of the app's activities. `None` for one that is about to start: a [`Screen`](super::Screen) gives it an
    /// identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<u32>,
    /// What happens to it.
    pub event: LiveActivityEvent,
    /// When the state was true, in seconds since 1970: the newest is shown.
    pub timestamp: Number,
    /// What it shows: the app's own dictionary. Only the end of an activity may be without one, and then the last
    /// one stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_state: Option<Value>,
    /// When the state will be out of date, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_date: Option<Number>,
    /// When the ended activity leaves the screen, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dismissal_date: Option<Number>,
    /// Its weight among the app's activities: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relevance_score: Option<Number>,
    /// The app's type that describes it; known of those that a push has started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes_type: Option<String>,
    /// What of it never changes; known of those that a push has started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Value>,
    /// Whether the started activity is to ask for a token for its updates.
    #[serde(skip_serializing_if = "as_json::is_false")]
    pub input_push_token: bool,
    /// The channel that the started activity is to take its updates from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_push_channel: Option<String>,
    /// What alerts the user to the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<Box<Banner>>,
}

impl LiveActivity {
    /// Reads `aps`, sent to the token of `activity` or, without one, to a push-to-start token.
    pub(super) fn read(
        activity: Option<u32>,
        aps: &Map<String, Value>,
        reader: &mut Reader<'_>,
    ) -> Result<Self, Dropped> {
        let event = aps.get("event").and_then(LiveActivityEvent::read).ok_or(Dropped::UnknownEvent)?;
        let starts = event == LiveActivityEvent::Start;
        if starts != activity.is_none() {
            return Err(Dropped::EventNotForToken);
        }
        let timestamp = aps.get("timestamp").and_then(Value::as_number).ok_or(Dropped::NoTimestamp)?;
        if seconds(timestamp) >= MILLISECONDS_FROM {
            reader.warn(Warning::TimestampInMilliseconds);
        }
        let content_state = aps.get("content-state").filter(|state| state.is_object());
        if content_state.is_none() && (event != LiveActivityEvent::End || aps.contains_key("content-state")) {
            return Err(Dropped::NoContentState);
        }
        let alert = aps.get("alert").map(|alert| Banner::read_of_activity(alert, reader));
        let mut read = Self {
            activity,
            event,
            timestamp: timestamp.clone(),
            content_state: content_state.cloned(),
            stale_date: reader.number(aps, "stale-date", Warning::DateMalformed),
            dismissal_date: reader.number(aps, "dismissal-date", Warning::DateMalformed),
            relevance_score: reader.number(aps, "relevance-score", Warning::RelevanceScoreMalformed),
            attributes_type: None,
            attributes: None,
            input_push_token: false,
            input_push_channel: None,
            alert: alert.filter(Banner::has_text).map(Box::new),
        };
        if starts {
            read.read_start(aps, reader)?;
        }
        Ok(read)
    }

    /// Reads what only the start of an activity has.
    fn read_start(&mut self, aps: &Map<String, Value>, reader: &mut Reader<'_>) -> Result<(), Dropped> {
        self.attributes_type = reader.text(aps, "attributes-type", Warning::TextMalformed);
        self.attributes = aps.get("attributes").filter(|attributes| attributes.is_object()).cloned();
        self.input_push_token = reader.flag(aps, "input-push-token");
        self.input_push_channel = reader.text(aps, "input-push-channel", Warning::TextMalformed);
        if self.attributes_type.is_none() || self.attributes.is_none() {
            return Err(Dropped::NoAttributes);
        }
        if self.alert.is_none() { Err(Dropped::StartWithoutAlert) } else { Ok(()) }
    }

    /// Whether this state was true before `other` was.
    pub(super) fn is_older_than(&self, other: &Self) -> bool {
        seconds(&self.timestamp) < seconds(&other.timestamp)
    }
}

/// What a push makes of a Live Activity.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LiveActivityEvent {
    /// It appears.
    Start,
    /// It shows another state.
    Update,
    /// It shows its last state, and leaves the screen sooner or later.
    End,
}

impl LiveActivityEvent {
    fn read(event: &Value) -> Option<Self> {
        match event.as_str()? {
            "start" => Some(Self::Start),
            "update" => Some(Self::Update),
            "end" => Some(Self::End),
            _ => None,
        }
    }
}

/// A number of seconds as iOS keeps it: with fractions.
pub(super) fn seconds(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::MAX)
}

/// From here on a number of seconds since 1970 is surely one of milliseconds: the year 5138, or March 1973.
const MILLISECONDS_FROM: f64 = 1e11;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rendering::{Sound, Strings, sent::Sent};

    #[test]
    fn a_start_has_attributes_a_state_and_an_alert() {
        let mut aps = start();
        aps["input-push-token"] = json!(1);
        aps["input-push-channel"] = json!("channel");
        let sent = Sent { permission: false, ..Sent::activity(None, &aps) };
        let it = sent.live_activity();
        assert_eq!(
            (it.event, it.activity, it.timestamp.as_u64()),
            (LiveActivityEvent::Start, None, Some(100))
        );
        assert_eq!(
            (it.content_state, it.attributes),
            (Some(json!({ "score": 0 })), Some(json!({ "team": "A" })))
        );
        assert_eq!(it.attributes_type.as_deref(), Some("Match"));
        assert_eq!((it.input_push_token, it.input_push_channel.as_deref()), (true, Some("channel")));
        assert_eq!(it.alert.unwrap().title.as_deref(), Some("Kick-off"));
        assert_eq!(sent.warnings(), []);
    }

    #[test]
    fn a_start_lacks_nothing() {
        for (key, why) in [
            ("event", Dropped::UnknownEvent),
            ("timestamp", Dropped::NoTimestamp),
            ("content-state", Dropped::NoContentState),
            ("attributes-type", Dropped::NoAttributes),
            ("attributes", Dropped::NoAttributes),
            ("alert", Dropped::StartWithoutAlert),
        ] {
            let mut aps = start();
            aps.as_object_mut().unwrap().remove(key);
            assert_eq!(Sent::activity(None, &aps).dropped(), why, "{key}");
        }
    }

    #[test]
    fn an_update_has_a_state_and_dates() {
        let sent = Sent::activity(
            Some(7),
            &json!({
                "event": "update", "timestamp": 100.5, "content-state": { "score": 1 },
                "stale-date": 200, "dismissal-date": 300, "relevance-score": 75,
            }),
        );
        let json = json!({
            "activity": 7, "event": "update", "timestamp": 100.5, "content-state": { "score": 1 },
            "stale-date": 200, "dismissal-date": 300, "relevance-score": 75,
        });
        assert_eq!(serde_json::to_value(sent.live_activity()).unwrap(), json);
        assert_eq!(sent.warnings(), []);
    }

    #[test]
    fn a_state_that_is_no_dictionary_shows_nothing() {
        for (event, state) in
            [("update", json!(null)), ("update", json!("score")), ("update", json!([1])), ("end", json!(1))]
        {
            let aps = json!({ "event": event, "timestamp": 100, "content-state": state });
            assert_eq!(Sent::activity(Some(7), &aps).dropped(), Dropped::NoContentState, "{event} {state}");
        }
    }

    #[test]
    fn an_end_may_leave_the_state_as_it_is() {
        let it = Sent::activity(Some(7), &json!({ "event": "end", "timestamp": 100 })).live_activity();
        assert_eq!((it.event, it.content_state), (LiveActivityEvent::End, None));
    }

    #[test]
    fn each_kind_of_token_takes_its_own_events() {
        let update = json!({ "event": "update", "timestamp": 100, "content-state": {} });
        assert_eq!(Sent::activity(None, &update).dropped(), Dropped::EventNotForToken);
        assert_eq!(Sent::activity(Some(7), &start()).dropped(), Dropped::EventNotForToken);
        let unknown = json!({ "event": "stop", "timestamp": 100, "content-state": {} });
        assert_eq!(Sent::activity(Some(7), &unknown).dropped(), Dropped::UnknownEvent);
    }

    #[test]
    fn an_alert_has_its_localisation_in_the_text_and_its_sound_inside() {
        let aps = json!({
            "event": "update", "timestamp": 100, "content-state": {},
            "alert": {
                "title": { "loc-key": "%@ is down!", "loc-args": ["Panda"] },
                "body": { "loc-key": "HELP", "loc-args": ["Panda"] },
                "sound": "down.caf",
            },
        });
        let strings = Strings::from_iter([("HELP", "Help %@ up")]);
        let sent = Sent { strings, ..Sent::activity(Some(7), &aps) };
        let alert = sent.live_activity().alert.unwrap();
        assert_eq!(alert.title.as_deref(), Some("Panda is down!"));
        assert_eq!(alert.body.as_deref(), Some("Help Panda up"));
        assert_eq!(alert.sound, Some(Sound { name: "down.caf".to_owned(), critical: false, volume: None }));
        assert_eq!(sent.warnings(), [Warning::MissingLocalization]);
    }

    #[test]
    fn an_alert_without_text_alerts_nobody() {
        let aps = json!({ "event": "update", "timestamp": 100, "content-state": {}, "alert": {} });
        let sent = Sent::activity(Some(7), &aps);
        assert_eq!((sent.live_activity().alert, sent.warnings()), (None, vec![Warning::AlertWithoutText]));
    }

    #[test]
    fn a_date_that_is_no_number_is_left_out() {
        for key in ["stale-date", "dismissal-date"] {
            let aps = json!({ "event": "end", "timestamp": 100, (key): "2026-01-01T00:00:00Z" });
            let sent = Sent::activity(Some(7), &aps);
            let it = sent.live_activity();
            assert_eq!((it.stale_date, it.dismissal_date), (None, None));
            assert_eq!(sent.warnings(), [Warning::DateMalformed]);
        }
    }

    #[test]
    fn a_timestamp_in_milliseconds_is_warned_of() {
        for (timestamp, warnings) in
            [(1_700_000_000_u64, vec![]), (1_700_000_000_000, vec![Warning::TimestampInMilliseconds])]
        {
            let aps = json!({ "event": "end", "timestamp": timestamp });
            assert_eq!(Sent::activity(Some(7), &aps).warnings(), warnings);
        }
    }

    fn start() -> Value {
        json!({
            "event": "start", "timestamp": 100, "content-state": { "score": 0 }, "attributes-type": "Match",
            "attributes": { "team": "A" }, "alert": { "title": "Kick-off", "body": "A plays" },
        })
    }
}
