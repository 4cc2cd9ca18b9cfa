//! A rule.

use std::{num::NonZeroU64, time::Duration};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Action, FaultError, FaultName, Matching, Moment, Probability, span};
use crate::{Timestamp, bytes::is_default};

/// A rule that says when something goes wrong, and what.
///
/// It is written in JSON or TOML, and read from it with an error that names what is wrong:
///
/// ```
/// use mock_apns_core::fault::Fault;
///
/// let fault: Fault = serde_json::from_str(
///     r#"{
///         "name": "two-percent-503",
///         "match": { "push-type": "alert" },
///         "probability": 0.02,
///         "action": { "answer": { "status": 503, "retry-after": 5 } }
///     }"#,
/// )?;
/// assert_eq!(fault.name.as_str(), "two-percent-503");
///
/// let wrong = serde_json::from_str::<Fault>(r#"{"name": "x", "action": {"answer": {"statsu": 503}}}"#);
/// assert!(wrong.unwrap_err().to_string().contains("unknown field `statsu`"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fault {
    /// Its name. A team has one rule of a name, and the whole service has.
    pub name: FaultName,
    /// What it is about; left out, everything.
    #[serde(default, rename = "match", skip_serializing_if = "is_default")]
    pub matching: Matching,
    /// When it is looked at; left out, the first moment that its action allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Moment>,
    /// What happens when it fires.
    pub action: Action,
    /// How many matches go by before it fires first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub after: u64,
    /// It fires at every one of so many matches, from the first behind `after` on; left out, at each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<NonZeroU64>,
    /// How often it fires at most; left out, without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// How likely it is to fire when it matches and all of the above allows it; left out, 1.
    #[serde(default, skip_serializing_if = "is_default")]
    pub probability: Probability,
    /// For how long it is there, from when it was added, in the team's time, or the machine's; left out, until it is removed.
    #[serde(default, with = "span::option", skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Duration>,
    /// What its random draws follow from; left out, the double's seed and the rule's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// From JSON.
impl std::str::FromStr for Fault {
    type Err = FaultFormError;

    fn from_str(json: &str) -> Result<Self, FaultFormError> {
        serde_json::from_str(json).map_err(|error| FaultFormError(error.to_string()))
    }
}

/// A text is not a fault in JSON.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("this is not a fault: {0}")]
pub struct FaultFormError(String);

impl Fault {
    /// A rule that always fires.
    pub fn new(name: FaultName, action: Action) -> Self {
        Self {
            name,
            matching: Matching::default(),
            on: None,
            action,
            after: 0,
            every: None,
            times: None,
            probability: Probability::ONE,
            ttl: None,
            seed: None,
        }
    }

    /// When it is looked at.
    pub fn moment(&self) -> Moment {
        self.on.unwrap_or_else(|| self.action.moments()[0])
    }

    /// Whether it can do what it says, and can come to do it, when it is added now to a team or to the whole service.
    pub(super) fn check(&self, of_team: bool, now: Timestamp) -> Result<(), FaultError> {
        let (moment, moments) = (self.moment(), self.action.moments());
        if !moments.contains(&moment) {
            let action = self.action.name();
            return Err(FaultError::WrongMoment { action, moment, moments });
        }
        if of_team && moment < Moment::Connection {
            let what = format!("nobody knows whose connection it is at that moment ({})", moment.as_str());
            return Err(FaultError::NeverMatches(format!("{what}: add it for everyone")));
        }
        let never = |what: &str| Err(FaultError::NeverMatches(what.to_owned()));
        if self.times == Some(0) {
            return never("times is 0");
        }
        if self.ttl == Some(Duration::ZERO) {
            return never("its ttl is 0");
        }
        if let (Some(ttl), Some(begins)) = (self.ttl, self.matching.begins(now))
            && begins >= now.saturating_add(ttl)
        {
            return never("its ttl is over before its time window begins");
        }
        self.matching.check(moment, of_team, now)?;
        self.action.check().map_err(FaultError::ImpossibleAction)
    }
}
