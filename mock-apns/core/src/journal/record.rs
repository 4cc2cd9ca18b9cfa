//! What the journal says, for whoever reads it.

use std::sync::Arc;

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Cause, Compact, DeviceChange, Entry, RefusedPush, Status};
use crate::{
    BundleId, Clock, DeviceId, DeviceToken, Environment, Expiration, FieldName, Named as _, Notification,
    Timestamp, TokenKind,
    device_token::TokenIdentity,
    gateway,
    rendering::{self, Arrival, Rendering},
    team::Team,
};

/// One thing that happened to a team. It serialises to a JSON object of its own, the same in every run with the same
/// seed and the same calls.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    team: &'a Team,
    /// Its number, from 0 for the team's first. Numbers count up by one and are never used again.
    pub cursor: u64,
    /// When it happened, in the team's time.
    pub at: Timestamp,
    /// What happened.
    pub event: Event<'a>,
}

/// What happened to a team.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A push was refused.
    Refused(&'a RefusedPush),
    /// A notification has reached a status.
    Notification {
        /// Which.
        notification: &'a Arc<Notification>,
        /// What has become of it.
        status: Status,
        /// Why, where the status alone does not tell.
        cause: Option<Cause>,
    },
    /// Something about a device.
    Device {
        /// Which.
        device: &'a DeviceId,
        /// What.
        change: &'a DeviceChange,
    },
    /// The clock was set, advanced, or let go.
    Clock(Clock),
}

/// Where a notification was sent to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Destination<'a> {
    /// The device.
    pub device: &'a DeviceId,
    /// The app on it.
    pub bundle_id: &'a BundleId,
    /// The environment of the build.
    pub environment: Environment,
    /// What the token is for.
    pub kind: TokenKind,
    /// The number of the Live Activity whose token it is.
    pub activity: Option<u32>,
}

impl<'a> Destination<'a> {
    pub(crate) fn new(team: &'a Team, token: &TokenIdentity) -> Self {
        Self {
            device: team.device_id(token.device),
            bundle_id: team.bundle_id(token.app),
            environment: token.environment,
            kind: token.kind,
            activity: (token.activity != 0).then_some(token.activity),
        }
    }

    /// The topic that a push to it needs.
    pub fn topic(&self) -> String {
        self.kind.topic(self.bundle_id)
    }
}

impl<'a> Record<'a> {
    pub(crate) fn new(team: &'a Team, cursor: u64, entry: &'a Entry) -> Self {
        let event = match &entry.event {
            Compact::Refused(refused) => Event::Refused(refused),
            Compact::Notification { notification, status, cause } => {
                Event::Notification { notification, status: *status, cause: *cause }
            }
            Compact::Device { device, change } => Event::Device { device: team.device_id(*device), change },
            Compact::Clock(clock) => Event::Clock(*clock),
        };
        Self { team, cursor, at: entry.at, event }
    }

    /// The notification that it is about.
    pub fn notification(&self) -> Option<&'a Arc<Notification>> {
        match self.event {
            Event::Notification { notification, .. } => Some(notification),
            _ => None,
        }
    }

    /// The status that a notification has reached.
    pub fn status(&self) -> Option<Status> {
        match self.event {
            Event::Notification { status, .. } => Some(status),
            _ => None,
        }
    }

    /// Where the notification was sent to.
    pub fn destination(&self) -> Option<Destination<'a>> {
        self.notification().map(|notification| Destination::new(self.team, &notification.token))
    }

    /// The device token that the notification was sent to. It is minted again for whoever asks: it is not kept.
    pub fn device_token(&self) -> Option<DeviceToken> {
        self.notification().map(|notification| self.team.token_of(&notification.token))
    }

    /// What the device makes of the notification, taken by itself, and what is wrong with it: where it was delivered, or
    /// discarded because its user does not let the app show notifications. What the device shows altogether is
    /// [`Team::screen`].
    pub fn rendering(&self) -> Option<Rendering> {
        let is_disabled =
            matches!(self.status(), Some(Status::DiscardedDisabled | Status::DiscardedDisabledFromStorage));
        let notification = self.notification().filter(|_| is_disabled || self.is_delivery())?;
        let arrival = gateway::arrival(self.team, notification);
        Some(rendering::render(&Arrival { permission: !is_disabled, ..arrival }))
    }

    /// Whether a notification was delivered.
    pub(crate) fn is_delivery(&self) -> bool {
        matches!(self.status(), Some(Status::Delivered | Status::DeliveredFromStorage))
    }
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("cursor", &self.cursor)?;
        map.serialize_entry("at", &self.at)?;
        match self.event {
            Event::Refused(refused) => {
                map.serialize_entry("event", "refused")?;
                map.serialize_entry("apns-id", refused.apns_id.as_str())?;
                map.serialize_entry("status", &refused.reason.status())?;
                map.serialize_entry("reason", refused.reason.as_str())?;
                map.serialize_entry("rule", refused.rule.id)?;
                for (name, value) in refused.fields.iter().filter(|(name, _)| *name != FieldName::ApnsId) {
                    map.serialize_entry(name.as_str(), value)?;
                }
                map.serialize_entry("payload", &String::from_utf8_lossy(&refused.payload))?;
            }
            Event::Notification { notification, status, cause } => {
                map.serialize_entry("event", "notification")?;
                map.serialize_entry("status", &status)?;
                if let Some(cause) = cause {
                    map.serialize_entry("because", &cause)?;
                }
                self.serialize_destination(&mut map)?;
                serialize_notification(&mut map, notification, status)?;
                if let Some(Rendering { shown, warnings }) = self.rendering() {
                    map.serialize_entry("shown", &shown)?;
                    map.serialize_entry("warnings", &warnings)?;
                }
            }
            Event::Device { device, change } => {
                map.serialize_entry("event", "device")?;
                map.serialize_entry("device", device)?;
                map.serialize_entry("change", change)?;
            }
            Event::Clock(clock) => {
                map.serialize_entry("event", "clock")?;
                match clock {
                    Clock::Machine { ahead } => map.serialize_entry("ahead", &(ahead.as_millis() as u64))?,
                    Clock::Manual { now } => map.serialize_entry("manual", &now)?,
                }
            }
        }
        map.end()
    }
}

impl Record<'_> {
    fn serialize_destination<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let Some(to) = self.destination() else { return Ok(()) };
        map.serialize_entry("device", to.device)?;
        map.serialize_entry("app", to.bundle_id.as_str())?;
        map.serialize_entry("environment", to.environment.name())?;
        map.serialize_entry("kind", to.kind.name())?;
        if let Some(activity) = to.activity {
            map.serialize_entry("activity", &activity)?;
        }
        map.serialize_entry("token", &self.device_token().map(|token| token.to_string()))
    }
}

/// The headers in their own names, and the payload where the notification came in.
fn serialize_notification<M: SerializeMap>(
    map: &mut M,
    notification: &Notification,
    status: Status,
) -> Result<(), M::Error> {
    map.serialize_entry("number", &notification.number)?;
    map.serialize_entry("apns-id", notification.apns_id.as_str())?;
    if let Some(unique_id) = &notification.apns_unique_id {
        map.serialize_entry("apns-unique-id", unique_id.as_str())?;
    }
    if status != Status::Received {
        return Ok(());
    }
    if let Some(push_type) = notification.push_type {
        map.serialize_entry("apns-push-type", push_type.as_str())?;
    }
    if let Some(priority) = notification.priority {
        map.serialize_entry("apns-priority", &priority.number())?;
    }
    match notification.expiration {
        Expiration::Unstated => {}
        Expiration::Once => map.serialize_entry("apns-expiration", &0)?,
        Expiration::At(at) => map.serialize_entry("apns-expiration", &at.as_secs())?,
    }
    if let Some(collapse_id) = &notification.collapse_id {
        map.serialize_entry("apns-collapse-id", &String::from_utf8_lossy(collapse_id))?;
    }
    map.serialize_entry("payload", &String::from_utf8_lossy(&notification.payload))
}
