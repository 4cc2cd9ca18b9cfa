//! Scenarios: a bad day as a file, with faults and with what happens on a time line.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    BundleId, DeviceId, DeviceState, DeviceToken, Environment, KeyId, SettingError, Timestamp,
    fault::{Fault, FaultError, FaultName, span},
    journal::COUNT_MAX,
    snapshot::Problem,
};

/// A bad day: settings and faults of a team from its beginning on, and what happens to the team then, each thing at its time.
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
    /// What happens to the team.
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

/// Something that happens, and when.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct TimedEvent {
    /// How long after the beginning.
    #[serde(with = "span")]
    pub at: Duration,
    /// What.
    #[serde(flatten)]
    pub event: ScenarioEvent,
}

/// Something that happens to a team.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
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

impl SettingText {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
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
