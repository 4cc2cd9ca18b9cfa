//! One line of a journal, as far as it says what a provider was told.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Answer, MessageId, Reason, Timestamp, UniqueId,
    bytes::is_default,
    fault::{Action, Answering, FaultName, Moment, Otherwise, REPLAY, Strike},
    journal::Status,
};

/// One line of a journal. Keys that are not here are passed over: there are many, and more to come.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Line {
    event: String,
    /// A number in an answer, a word in what became of a notification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<StatusText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) apns_id: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    apns_unique_id: Option<UniqueId>,

    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<FaultName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    action: Option<Action>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    otherwise: Option<Otherwise>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) took_effect: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connection: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after_requests: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after_connections: Option<u64>,

    #[serde(default, skip_serializing_if = "Option::is_none")]
    entries: Option<u64>,

    #[serde(default, rename = ":method", skip_serializing_if = "Option::is_none")]
    pub(super) method: Option<String>,
    #[serde(default, rename = ":path", skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) apns_topic: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) apns_push_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) apns_priority: Option<PriorityText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) apns_collapse_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) payload: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged, expecting = "a status is a number or a text")]
enum StatusText {
    Answer(u16),
    Delivery(String),
}

/// As it stood in the field, or the number that it was.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged, expecting = "apns-priority is a number or a text")]
pub(super) enum PriorityText {
    Number(u64),
    Text(String),
}

impl fmt::Display for PriorityText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// At what something was done.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum LineAt {
    /// At a request, which is the same when its key is.
    Request,
    /// At a connection: the number of it among all, from 0, and how many requests had come on it.
    Connection { moment: Moment, connection: u64, requests: u64 },
    /// At the door: how many connections had been opened before.
    Door { moment: Moment, opened: u64 },
}

impl Line {
    /// Whether it says what a provider was told, or what was done to its connection.
    pub(super) fn is_to_be_replayed(&self) -> bool {
        match &*self.event {
            "refused" | "fault" => true,
            "notification" => {
                matches!(&self.status, Some(StatusText::Delivery(status)) if status == Status::Received.as_str())
            }
            _ => false,
        }
    }

    /// How many entries it says to be missing in its place.
    pub(super) fn missing(&self) -> u64 {
        self.entries.filter(|_| self.event == "evicted").unwrap_or_default()
    }

    /// Whether it is what the service itself has answered.
    pub(super) fn is_own(&self) -> bool {
        self.event != "fault"
    }

    /// Whether it says all that is needed.
    pub(super) fn check(&self) -> Result<(), String> {
        let has_none = |what: &str, of: &str| Err(format!("{of} has {what}, and this one has none"));
        if self.event == "refused" {
            match self.reason.as_deref().map(Reason::from_wire) {
                Some(Some(_)) => {}
                Some(None) => {
                    return Err("a refusal's reason is one of Apple's, and this one is none".to_owned());
                }
                None => return has_none("a reason", "a refusal"),
            }
        }
        if self.event == "fault" {
            let (Some(action), Some(_)) = (&self.action, &self.fault) else {
                return has_none("a name and an action", "a fault");
            };
            let Some(moment) = self.on else { return has_none("a moment (on)", "a fault") };
            if !action.moments().contains(&moment) {
                return Err(format!("{} cannot happen at the moment {}", action.name(), moment.as_str()));
            }
            action.check()?;
        }
        match self.at() {
            Some(LineAt::Request) if self.path.is_none() => has_none("a :path", "an answer"),
            Some(_) => Ok(()),
            None => has_none(
                "a place (connection and after-requests, or after-connections)",
                "a fault at no request",
            ),
        }
    }

    /// At what it was done.
    pub(super) fn at(&self) -> Option<LineAt> {
        match self.on {
            None | Some(Moment::Request) => Some(LineAt::Request),
            Some(moment @ (Moment::Accept | Moment::Handshake)) => {
                Some(LineAt::Door { moment, opened: self.after_connections? })
            }
            Some(moment @ (Moment::Connection | Moment::Clock)) => {
                let (connection, requests) = (self.connection?, self.after_requests?);
                Some(LineAt::Connection { moment, connection, requests })
            }
        }
    }

    pub(super) fn replayed(&self) -> Replayed {
        Replayed {
            apns_id: self.apns_id,
            apns_unique_id: self.apns_unique_id,
            own: match (&*self.event, &self.reason) {
                ("refused", Some(reason)) => {
                    Otherwise { reason: Reason::from_wire(reason), timestamp: self.timestamp }
                }
                _ => self.otherwise.unwrap_or_default(),
            },
            strike: self.strike(),
        }
    }

    /// The fault that has fired, if one has.
    pub(super) fn strike(&self) -> Option<Strike> {
        let name = self.fault.clone()?;
        let is_replay = name.as_str() == REPLAY;
        let strike = Strike::again(name, self.on?, self.action.clone()?);
        Some(if is_replay { strike.unnamed() } else { strike })
    }
}

/// What a request was answered, and is to be answered again.
#[derive(Clone, Debug)]
pub(crate) struct Replayed {
    pub(crate) apns_id: Option<MessageId>,
    pub(crate) apns_unique_id: Option<UniqueId>,
    /// What the service itself has answered, or would have without the fault.
    own: Otherwise,
    strike: Option<Strike>,
}

impl Replayed {
    /// Whether its provider had shown who it was.
    pub(crate) fn has_authenticated(&self) -> bool {
        self.own.status() != FORBIDDEN
    }

    /// Makes `answer`, which is the service's own now, what it was then. The fault that fires at it, if one has, and if none has
    /// but the service would answer otherwise now, one that is called `replay` and answers as it did then.
    pub(crate) fn put_into(self, answer: &mut Answer) -> Option<Strike> {
        let Otherwise { reason, timestamp } = self.own;
        let is_other = Otherwise::of(answer) != self.own;
        answer.timestamp = timestamp;
        if is_other {
            (answer.status, answer.reason, answer.rule) = (self.own.status(), reason, None);
        }
        self.strike.or_else(|| is_other.then(|| answers(self.own)))
    }
}

/// The status of whoever has not shown who it is, whatever the reason.
const FORBIDDEN: u16 = 403;

/// The service's own answer of then.
fn answers(own: Otherwise) -> Strike {
    let Otherwise { reason, timestamp } = own;
    let name = FaultName::parse(REPLAY).expect("letters alone");
    let action = Action::Answering(Answering {
        status: Some(own.status()),
        reason: reason.map(|reason| reason.as_str().to_owned()),
        timestamp,
        no_timestamp: timestamp.is_none(),
        takes_effect: Some(false),
        ..Answering::default()
    });
    Strike::again(name, Moment::Request, action).unnamed()
}
