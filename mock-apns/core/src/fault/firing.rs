//! That a rule has fired, as the journal has it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Action, FaultName, Moment, Strike};
use crate::{
    Answer, ConnectionId, MessageId, Reason, ReceivedRequest, Timestamp, UniqueId, answer::STATUS_OK,
};

/// That a rule has fired.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Firing {
    pub(super) strike: Strike,
    /// At what.
    pub at: FiredAt,
}

/// At what a rule has fired.
#[derive(Clone, Debug, PartialEq)]
pub enum FiredAt {
    /// At the door, where there is no connection yet.
    Door {
        /// How many connections had been opened before.
        opened: u64,
    },
    /// At a connection.
    Connection {
        /// Which.
        connection: ConnectionId,
        /// How many requests had come on it.
        requests: u64,
    },
    /// At a request.
    Request(Box<FaultyPush>),
}

/// A push that a rule has fired at.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FaultyPush {
    /// The `apns-id` of the answer.
    pub apns_id: MessageId,
    /// The `apns-unique-id` of the answer, where the setting of that name asks for it.
    pub apns_unique_id: Option<UniqueId>,
    /// The `:status` of the answer; `None`: there is none.
    pub status: Option<u16>,
    /// The reason in the answer, of Apple's list or any other.
    pub reason: Option<Box<str>>,
    /// What the answer would have been without the rule.
    pub otherwise: Otherwise,
    /// Whether the service has done what it would have done without the rule: an entry of its own tells what.
    pub took_effect: bool,
    /// What came over the wire.
    pub request: ReceivedRequest,
}

/// What an answer would have been.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", from = "OtherwiseForm", into = "OtherwiseForm")]
pub struct Otherwise {
    /// Why the push would have been refused; `None`: it would have been accepted.
    pub reason: Option<Reason>,
    /// The `timestamp` of a 410.
    pub timestamp: Option<Timestamp>,
}

#[derive(Deserialize, Serialize)]
struct OtherwiseForm {
    /// For whoever reads it: it follows from the reason.
    #[serde(default)]
    status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp: Option<Timestamp>,
}

impl From<OtherwiseForm> for Otherwise {
    fn from(OtherwiseForm { reason, timestamp, .. }: OtherwiseForm) -> Self {
        Self { reason, timestamp }
    }
}

impl From<Otherwise> for OtherwiseForm {
    fn from(it: Otherwise) -> Self {
        Self { status: it.status(), reason: it.reason, timestamp: it.timestamp }
    }
}

impl Otherwise {
    pub(crate) fn of(answer: &Answer) -> Self {
        Self { reason: answer.reason, timestamp: answer.timestamp }
    }

    /// The `:status`.
    pub fn status(&self) -> u16 {
        self.reason.map_or(STATUS_OK, Reason::status)
    }
}

impl FaultyPush {
    /// What stands in the path where a device token belongs.
    pub fn device_token(&self) -> Option<Cow<'_, str>> {
        self.request.device_token()
    }
}

impl Firing {
    /// Which rule.
    pub fn fault(&self) -> &FaultName {
        self.strike.name()
    }

    /// When the rule was looked at.
    pub fn moment(&self) -> Moment {
        self.strike.moment()
    }

    /// What has happened: the rule's action, where what is left to chance is as it was drawn.
    pub fn action(&self) -> Action {
        self.strike.as_drawn()
    }

    /// The connection that it happened to; `None`: to none, as there was none yet.
    pub fn connection(&self) -> Option<ConnectionId> {
        match &self.at {
            FiredAt::Door { .. } => None,
            FiredAt::Connection { connection, .. } => Some(*connection),
            FiredAt::Request(push) => Some(push.request.connection()),
        }
    }

    /// The push that it happened to, if it was to one.
    pub fn push(&self) -> Option<&FaultyPush> {
        match &self.at {
            FiredAt::Request(push) => Some(push),
            _ => None,
        }
    }

    /// The push that it was about, if no entry of its own is.
    pub fn swallowed(&self) -> Option<&FaultyPush> {
        self.push().filter(|push| !push.took_effect)
    }
}
