//! Scenarios: a bad day as a file, with faults and with what happens on a time line.

use std::{collections::BTreeMap, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, IntoDeserializer as _, value::MapAccessDeserializer},
};
use thiserror::Error;

use crate::{
    BundleId, DeviceId, DeviceState, DeviceToken, Environment, KeyId, SettingError, Timestamp,
    fault::{
        Fault, FaultError, FaultName,
        span::{self, Span},
    },
    journal::COUNT_MAX,
    snapshot::Problem,
};

/// A bad day: settings and faults of a team, and faults for everyone, from its beginning on, and what happens then, each thing at its
/// time.
///
/// It is played by [`TeamAt::play`](crate::TeamAt::play). Times count from then on, by the team's clock.
///
/// ```
/// use mock_apns_core::Scenario;
///
/// let scenario: Scenario = serde_json::from_str(
///     r#"{
///         "name": "the-phone-goes-home",
///         "about": "The phone is offline for an hour, and 2 % of the pushes are answered 503 meanwhile.",
///         "faults": [{"name": "busy", "probability": 0.02, "ttl": "1h", "action": {"answer": {"status": 503}}}],
///         "events": [
///             {"at": "0s", "device": {"name": "phone", "state": "offline"}},
///             {"at": "1h", "device": {"name": "phone", "state": "online"}}
///         ]
///     }"#,
/// )?;
/// assert_eq!(scenario.events.len(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Scenario {
    /// Its name, of the same letters as a fault's.
    pub name: FaultName,
    /// What it plays, in a sentence or two.
    pub about: String,
    /// Where it was seen, or asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Settings by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, SettingText>,
    /// Faults, behind those that the team has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// Faults for everyone, behind those that there are: for all teams, and for what happens before anybody is known. Times in them
    /// are the machine's. They name no team.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults_for_everyone: Vec<Fault>,
    /// What happens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<TimedEvent>,
}

/// The value of a setting.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged, expecting = "the value of a setting is a text or a whole number")]
pub enum SettingText {
    /// A text.
    Text(String),
    /// A number.
    Number(u32),
}

/// Something that happens, and when: an object with `at`, and the event's name as its only other key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimedEvent {
    /// How long after the beginning.
    #[serde(with = "span")]
    pub at: Duration,
    /// What.
    #[serde(flatten)]
    pub event: ScenarioEvent,
}

/// Something that happens to a team, or by its scenario to everyone.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ScenarioEvent {
    /// APNs finds out that a device token is dead: 410 `Unregistered` from then on.
    TokenGone {
        /// The token, in hexadecimal.
        token: DeviceToken,
    },
    /// A device token has expired: 410 `ExpiredToken` from then on.
    TokenExpired {
        /// The token, in hexadecimal.
        token: DeviceToken,
    },
    /// A device can be reached, or not.
    Device {
        /// Its name.
        name: DeviceId,
        /// Which of the three.
        state: DeviceState,
    },
    /// An app is taken off a device. Its token goes on being answered 200 until a delivery has failed.
    Uninstall {
        /// The device's name.
        device: DeviceId,
        /// The app.
        app: BundleId,
        /// The environment of its build.
        environment: Environment,
    },
    /// A key of the team is revoked.
    RevokeKey {
        /// Its ID.
        key_id: KeyId,
    },
    /// Settings change.
    Settings(BTreeMap<String, SettingText>),
    /// A fault begins.
    Fault(Box<Fault>),
    /// A fault ends.
    FaultEnds {
        /// Its name.
        name: FaultName,
    },
    /// A fault for everyone begins.
    FaultForEveryone(Box<Fault>),
    /// A fault for everyone ends that a scenario of the team has begun.
    FaultForEveryoneEnds {
        /// Its name.
        name: FaultName,
    },
}

/// A scenario could not be played. Nothing of it is.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ScenarioError {
    /// A setting cannot have that value.
    #[error("settings: {0}")]
    Setting(#[from] SettingError),
    /// A fault cannot be added.
    #[error("faults[{at}]: {error}")]
    Fault {
        /// Its place in the list.
        at: usize,
        /// Why.
        error: FaultError,
    },
    /// A fault for everyone cannot be added.
    #[error("faults-for-everyone[{at}]: {error}")]
    FaultForEveryone {
        /// Its place in the list.
        at: usize,
        /// Why.
        error: FaultError,
    },
    /// Something that happens is about what there is not.
    #[error("events[{at}]: the team has no {what}")]
    Unknown {
        /// Its place in the list.
        at: usize,
        /// What there is not.
        what: String,
    },
    /// An event changes settings or faults as they cannot be.
    #[error("events[{at}]: {what}")]
    BadEvent {
        /// Its place in the list.
        at: usize,
        /// What is wrong.
        what: String,
    },
    /// More is to happen than is kept.
    #[error("the team has {EVENTS_MAX} events before it, which is as many as may be")]
    TooMany,
}

/// Events that a team has before it: a script that somebody has written, and not a load test.
pub(crate) const EVENTS_MAX: usize = 10_000;

impl Scenario {
    /// One in which nothing happens yet.
    pub fn new(name: FaultName, about: impl Into<String>) -> Self {
        Self {
            name,
            about: about.into(),
            sources: Vec::new(),
            settings: BTreeMap::new(),
            faults: Vec::new(),
            faults_for_everyone: Vec::new(),
            events: Vec::new(),
        }
    }
}

impl SettingText {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }
}

impl<'de> Deserialize<'de> for TimedEvent {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Visitor)
    }
}

/// By hand, because a derived reader would pass over a key that it does not know, and over a second event.
struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = TimedEvent;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an event: an object with `at`, and with what happens as its only other key")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<TimedEvent, A::Error> {
        let (mut at, mut event) = (None, None);
        while let Some(Key(key)) = map.next_key()? {
            if key == AT {
                at = Some(map.next_value::<Span>()?.0);
            } else if event.is_none() {
                let one = OneEntry { key: Some(key), map: &mut map };
                event = Some(ScenarioEvent::deserialize(MapAccessDeserializer::new(one))?);
            } else {
                return Err(de::Error::custom(format_args!("{key}: one event has one thing that happens")));
            }
        }
        let at = at.ok_or_else(|| de::Error::missing_field("at"))?;
        let event = event.ok_or_else(|| de::Error::custom("nothing happens: name one event beside `at`"))?;
        Ok(TimedEvent { at, event })
    }
}

/// A key of an event. An unknown one is refused while it is read, so that the error has its line.
struct Key(&'static str);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let known = KEYS.iter().find(|known| **known == text);
        known.map(|known| Self(known)).ok_or_else(|| de::Error::unknown_field(&text, KEYS))
    }
}

const AT: &str = "at";
/// `at`, and the names of [`ScenarioEvent`].
const KEYS: &[&str] = &[
    AT,
    "token-gone",
    "token-expired",
    "device",
    "uninstall",
    "revoke-key",
    "settings",
    "fault",
    "fault-ends",
    "fault-for-everyone",
    "fault-for-everyone-ends",
];

/// One entry of a map whose key has been read, as a map of its own.
struct OneEntry<'a, A> {
    key: Option<&'static str>,
    map: &'a mut A,
}

impl<'de, A: de::MapAccess<'de>> de::MapAccess<'de> for OneEntry<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.key.take().map(|key| seed.deserialize(key.into_deserializer())).transpose()
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// What is to happen to a team, in order.
#[derive(Debug, Default)]
pub(crate) struct Script {
    due: BTreeMap<(Timestamp, u64), ScenarioEvent>,
    set: u64,
}

impl Script {
    pub(crate) fn add(&mut self, at: Timestamp, event: ScenarioEvent) {
        self.due.insert((at, self.set), event);
        self.set += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.due.len()
    }

    /// When the next thing happens.
    pub(crate) fn due_at(&self) -> Option<Timestamp> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes what happens next.
    pub(crate) fn take_first(&mut self) -> Option<ScenarioEvent> {
        self.due.pop_first().map(|(_, event)| event)
    }

    pub(crate) fn to_form(&self) -> ScriptForm {
        let due = self.due.iter().map(|((at, number), event)| (*at, *number, event.clone())).collect();
        ScriptForm { due, set: self.set }
    }

    pub(crate) fn from_form(form: &ScriptForm) -> Result<Self, Problem> {
        if form.set > COUNT_MAX || form.due.len() > EVENTS_MAX {
            return Err(Problem::TooMany);
        }
        let mut script = Self { due: BTreeMap::new(), set: form.set };
        for (at, number, event) in &form.due {
            if *number >= form.set || script.due.insert((*at, *number), event.clone()).is_some() {
                return Err(Problem::Twice("an event of a scenario"));
            }
        }
        Ok(script)
    }
}

/// As it is written in a snapshot.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScriptForm {
    due: Vec<(Timestamp, u64, ScenarioEvent)>,
    set: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: &str) -> Result<TimedEvent, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn an_event_is_read_back_as_written() {
        for json in [
            r#"{"at":"1m","token-gone":{"token":"00ff"}}"#,
            r#"{"at":"0s","device":{"name":"phone","state":"offline"}}"#,
            r#"{"at":"1s","revoke-key":{"key-id":"KEY0000001"}}"#,
            r#"{"at":"1h 5m","settings":{"future-iat":"accept","journal-entries":50}}"#,
            r#"{"at":"5s","fault":{"name":"busy","action":{"answer":{"status":503}}}}"#,
            r#"{"at":"6s","fault-ends":{"name":"busy"}}"#,
            r#"{"at":"7s","fault-for-everyone":{"name":"shut","action":{"accept":"reset"}}}"#,
            r#"{"at":"8s","fault-for-everyone-ends":{"name":"shut"}}"#,
        ] {
            assert_eq!(serde_json::to_string(&event(json).unwrap()).unwrap(), json);
        }
    }

    #[test]
    fn the_keys_are_those_of_the_events() {
        let error = serde_json::from_str::<ScenarioEvent>(r#"{"nothing": {}}"#).unwrap_err().to_string();
        let names: Vec<_> = KEYS[1..].iter().map(|name| format!("`{name}`")).collect();
        assert!(error.contains(&format!("expected one of {} at", names.join(", "))), "{error}");
    }

    #[test]
    fn what_is_no_event_is_refused_with_the_reason() {
        let device = r#""device":{"name":"phone","state":"offline"}"#;
        for (json, why) in [
            (format!(r#"{{"at":"0s",{device},"colour":1}}"#), "unknown field `colour`"),
            (
                format!(r#"{{"at":"0s",{device},"revoke-key":{{"key-id":"KEY0000001"}}}}"#),
                "revoke-key: one event",
            ),
            (format!("{{{device}}}"), "missing field `at`"),
            (r#"{"at":"0s"}"#.to_owned(), "nothing happens"),
            (r#"{"at":"5",}"#.to_owned(), "is not a duration"),
            (
                r#"{"at":"0s","devcie":{"name":"phone"}}"#.to_owned(),
                "unknown field `devcie`, expected one of `at`, `token-gone`",
            ),
            (r#"{"at":"0s","device":{"name":"phone","stat":"offline"}}"#.to_owned(), "unknown field `stat`"),
        ] {
            let error = event(&json).unwrap_err();
            assert!(error.contains(why), "{json}: {error}");
        }
    }
}
