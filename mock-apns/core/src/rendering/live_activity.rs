//! A push to a Live Activity, or to start one.

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::{Banner, Dropped, Warning, aps::Reader};

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
