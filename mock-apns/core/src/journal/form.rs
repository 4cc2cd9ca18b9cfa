//! Events, notifications and requests as they are written in a snapshot: each notification once, by its number elsewhere.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Cause, Compact, DeviceChange, ReceivedRequest, RefusedPush, Status, TurnedAway};
use crate::{
    Clock, ConnectionId, Environment, Expiration, MessageId, Notification, Priority, PushType, Reason,
    Request, Throttling, Timestamp, UniqueId,
    bytes::Text,
    device::DeviceIndex,
    device_token::TokenIdentity,
    fault::{FaultName, KeptFiring},
    rules::DEVICE_RULES,
    snapshot::Problem,
};

/// The notifications that something still speaks of, by their numbers.
pub(crate) type Notifications = BTreeMap<u64, Arc<Notification>>;

/// An event of a journal.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum EventForm {
    Refused(KeptRefusal),
    Goaway {
        connection: ConnectionId,
        reason: Reason,
    },
    Fault(KeptFiring),
    Throttled {
        connection: ConnectionId,
        how: Throttling,
    },
    Notification {
        number: u64,
        status: Status,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Cause>,
    },
    Device {
        device: DeviceIndex,
        change: DeviceChange,
    },
    Clock(Clock),
    Scenario(FaultName),
    Reset,
}

impl EventForm {
    pub(crate) fn of_turned_away(event: &TurnedAway) -> Self {
        match event {
            TurnedAway::Push(refused) => Self::Refused(KeptRefusal(refused.clone())),
            TurnedAway::Connection { connection, reason } => {
                Self::Goaway { connection: *connection, reason: *reason }
            }
            TurnedAway::Fault(firing) => Self::Fault(KeptFiring(firing.clone())),
            TurnedAway::Throttled { connection, how } => {
                Self::Throttled { connection: *connection, how: *how }
            }
        }
    }

    /// The notification that it may be about is added to those that are kept.
    pub(super) fn of(event: &Compact, kept: &mut Notifications) -> Self {
        match event {
            Compact::TurnedAway(turned_away) => Self::of_turned_away(turned_away),
            Compact::Notification { notification, status, cause } => {
                let number = notification.number;
                kept.entry(number).or_insert_with(|| Arc::clone(notification));
                Self::Notification { number, status: *status, because: *cause }
            }
            Compact::Device { device, change } => {
                Self::Device { device: *device, change: (**change).clone() }
            }
            Compact::Clock(clock) => Self::Clock(*clock),
            Compact::Scenario(name) => Self::Scenario(name.clone()),
            Compact::Reset => Self::Reset,
        }
    }

    /// Of one that concerns no team.
    pub(crate) fn turned_away(&self) -> Result<TurnedAway, Problem> {
        match self {
            Self::Refused(KeptRefusal(refused)) => Ok(TurnedAway::Push(refused.clone())),
            Self::Goaway { connection, reason } => {
                Ok(TurnedAway::Connection { connection: *connection, reason: *reason })
            }
            Self::Fault(KeptFiring(firing)) => Ok(TurnedAway::Fault(firing.clone())),
            Self::Throttled { connection, how } => {
                Ok(TurnedAway::Throttled { connection: *connection, how: *how })
            }
            _ => Err(Problem::Misplaced("an event of a team")),
        }
    }

    pub(super) fn compact(&self, devices: usize, kept: &Notifications) -> Result<Compact, Problem> {
        Ok(match self {
            Self::Refused(_) | Self::Goaway { .. } | Self::Throttled { .. } | Self::Fault(_) => {
                Compact::TurnedAway(self.turned_away()?)
            }
            Self::Notification { number, status, because } => {
                let notification = kept.get(number).ok_or(Problem::NoSuch("notification", *number))?;
                Compact::Notification {
                    notification: Arc::clone(notification),
                    status: *status,
                    cause: *because,
                }
            }
            Self::Device { device, .. } if device.0 as usize >= devices => {
                return Err(Problem::NoSuch("device", device.0.into()));
            }
            Self::Device { device, change } => {
                Compact::Device { device: *device, change: Box::new(change.clone()) }
            }
            Self::Clock(clock) => Compact::Clock(*clock),
            Self::Scenario(name) => Compact::Scenario(name.clone()),
            Self::Reset => Compact::Reset,
        })
    }
}

/// A notification. What is public of it does not tell what is secret in its request; this does.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(from = "NotificationForm", into = "NotificationForm")]
pub(crate) struct KeptNotification(pub(crate) Arc<Notification>);

/// A refused push, secrets and all.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "RefusalForm", into = "RefusalForm")]
pub(crate) struct KeptRefusal(Box<RefusedPush>);

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct NotificationForm {
    number: u64,
    apns_id: MessageId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    apns_unique_id: Option<UniqueId>,
    received_at: Timestamp,
    token: TokenIdentity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    push_type: Option<PushType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    priority: Option<Priority>,
    expiration: Expiration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    collapse_id: Option<Text>,
    request: RequestForm,
    cursor: u64,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RefusalForm {
    apns_id: MessageId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    apns_unique_id: Option<UniqueId>,
    reason: Reason,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp: Option<Timestamp>,
    rule: String,
    request: RequestForm,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RequestForm {
    connection: ConnectionId,
    stream: u32,
    environment: Environment,
    fields: Vec<(Text, Text)>,
    payload: Text,
}

impl From<KeptNotification> for NotificationForm {
    fn from(KeptNotification(notification): KeptNotification) -> Self {
        Self {
            number: notification.number,
            apns_id: notification.apns_id,
            apns_unique_id: notification.apns_unique_id,
            received_at: notification.received_at,
            token: notification.token,
            push_type: notification.push_type,
            priority: notification.priority,
            expiration: notification.expiration,
            collapse_id: notification.collapse_id.as_ref().map(|id| Text(id.to_vec())),
            request: (&notification.request).into(),
            cursor: notification.cursor,
        }
    }
}

impl From<NotificationForm> for KeptNotification {
    fn from(form: NotificationForm) -> Self {
        Self(Arc::new(Notification {
            number: form.number,
            apns_id: form.apns_id,
            apns_unique_id: form.apns_unique_id,
            received_at: form.received_at,
            token: form.token,
            push_type: form.push_type,
            priority: form.priority,
            expiration: form.expiration,
            collapse_id: form.collapse_id.map(|Text(id)| id.into()),
            request: form.request.into(),
            cursor: form.cursor,
        }))
    }
}

impl From<KeptRefusal> for RefusalForm {
    fn from(KeptRefusal(refused): KeptRefusal) -> Self {
        Self {
            apns_id: refused.apns_id,
            apns_unique_id: refused.apns_unique_id,
            reason: refused.reason,
            timestamp: refused.timestamp,
            rule: refused.rule.id.to_owned(),
            request: (&refused.request).into(),
        }
    }
}

impl TryFrom<RefusalForm> for KeptRefusal {
    type Error = String;

    fn try_from(form: RefusalForm) -> Result<Self, String> {
        let rule = DEVICE_RULES.iter().find(|rule| rule.id == form.rule);
        let rule = *rule.ok_or_else(|| format!("{:?} is not a rule", form.rule))?;
        let RefusalForm { apns_id, apns_unique_id, reason, timestamp, request, .. } = form;
        let request = request.into();
        Ok(Self(Box::new(RefusedPush { apns_id, apns_unique_id, reason, timestamp, rule, request })))
    }
}

impl From<&ReceivedRequest> for RequestForm {
    fn from(request: &ReceivedRequest) -> Self {
        let text = |bytes: &[u8]| Text(bytes.to_vec());
        Self {
            connection: request.connection(),
            stream: request.stream(),
            environment: request.environment(),
            fields: request.raw_fields().map(|(name, value)| (text(name), text(value))).collect(),
            payload: text(request.payload()),
        }
    }
}

impl From<RequestForm> for ReceivedRequest {
    fn from(form: RequestForm) -> Self {
        let mut request = Request::new();
        for (Text(name), Text(value)) in &form.fields {
            request.field(name, value);
        }
        Self::new(form.connection, form.stream, form.environment, &request, &form.payload.0)
    }
}
