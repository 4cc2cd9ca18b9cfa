//! What the journal says, for whoever reads it.

use std::sync::Arc;

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Cause, Compact, DeviceChange, Entry, ReceivedRequest, RefusedPush, Status, TurnedAway, Wait};
use crate::{
    BundleId, Clock, ConnectionId, DeviceId, DeviceToken, Environment, Expiration, FieldName, MessageId,
    Named as _, Notification, Reason, Throttling, Timestamp, TokenKind, UniqueId,
    bytes::lossy,
    device_token::TokenIdentity,
    fault::{FaultName, FiredAt, Firing},
    gateway,
    rendering::{self, Arrival, Rendering},
    team::Team,
};

/// One thing that happened to a team, or to nobody's push. It serialises to a JSON object of its own, the same in every
/// run with the same seed and the same calls.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// `None`: it concerns no team, and is a push that was refused, or what was done to a connection.
    team: Option<&'a Team>,
    /// Its number in its journal, from 0 for the first. Numbers count up by one and are never used again.
    pub cursor: u64,
    /// When it happened, in the team's time; where it concerns no team, in the machine's.
    pub at: Timestamp,
    /// What happened.
    pub event: Event<'a>,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A push was refused.
    Refused(&'a RefusedPush),
    /// A connection was told to go away, because of its certificate. What is pushed on it all the same gets no answer.
    GoAway {
        /// Which.
        connection: ConnectionId,
        /// Why.
        reason: Reason,
    },
    /// A fault has fired.
    Fault(&'a Firing),
    /// Something was done to a provider by rule: fewer streams, the end of its connection.
    Throttled {
        /// On this connection.
        connection: ConnectionId,
        /// What.
        how: Throttling,
    },
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
    /// A scenario of this name has begun.
    Scenario(&'a FaultName),
    /// The team was reset: what happened before is forgotten.
    Reset,
}

impl Event<'_> {
    /// What kind of event it is, as it is written in JSON and asked for by the filter's key `event`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::GoAway { .. } => "goaway",
            Self::Fault(_) => "fault",
            Self::Throttled { .. } => "throttled",
            Self::Notification { .. } => "notification",
            Self::Device { .. } => "device",
            Self::Clock(_) => "clock",
            Self::Scenario(_) => "scenario",
            Self::Reset => "reset",
        }
    }
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
    pub(crate) fn new(team: &'a Team, cursor: u64, entry: &'a Entry<Compact>) -> Self {
        let event = match &entry.event {
            Compact::TurnedAway(turned_away) => turned_away.into(),
            Compact::Notification { notification, status, cause } => {
                Event::Notification { notification, status: *status, cause: *cause }
            }
            Compact::Device { device, change } => Event::Device { device: team.device_id(*device), change },
            Compact::Clock(clock) => Event::Clock(*clock),
            Compact::Scenario(name) => Event::Scenario(name),
            Compact::Reset => Event::Reset,
        };
        Self { team: Some(team), cursor, at: entry.at, event }
    }

    /// A record of the service's own journal.
    pub(crate) fn unclaimed(cursor: u64, entry: &'a Entry<TurnedAway>) -> Self {
        Self { team: None, cursor, at: entry.at, event: (&entry.event).into() }
    }

    /// All that has become of the push that it is about, but its end: also what the journal has dropped. Nothing, if
    /// it is not about an accepted push.
    pub(super) fn life(&self) -> impl Iterator<Item = Self> {
        let about = self.team.zip(self.notification());
        about.into_iter().flat_map(|(team, notification)| {
            let record = |cursor, at, status, cause| {
                let event = Event::Notification { notification, status, cause };
                Self { team: Some(team), cursor, at, event }
            };
            let arrival = record(notification.cursor, notification.received_at, Status::Received, None);
            let waits = team.journal.waits(notification.number).iter();
            std::iter::once(arrival).chain(
                waits.map(move |Wait { cursor, at, status, cause }| record(*cursor, *at, *status, *cause)),
            )
        })
    }

    /// The cursor with which the push that it is about has arrived, which no other push of the journal has.
    pub(super) fn arrival_cursor(&self) -> Option<u64> {
        match self.event {
            Event::Refused(_) => Some(self.cursor),
            Event::Notification { notification, .. } => Some(notification.cursor),
            Event::Fault(firing) => firing.swallowed().map(|_| self.cursor),
            Event::GoAway { .. }
            | Event::Throttled { .. }
            | Event::Device { .. }
            | Event::Clock(_)
            | Event::Scenario(_)
            | Event::Reset => None,
        }
    }

    /// The `apns-id` of the answer to the push that it is about, and the `apns-unique-id` where there is one.
    pub fn ids(&self) -> Option<(&'a MessageId, Option<&'a UniqueId>)> {
        match self.event {
            Event::Refused(refused) => Some((&refused.apns_id, refused.apns_unique_id.as_ref())),
            Event::Notification { notification, .. } => {
                Some((&notification.apns_id, notification.apns_unique_id.as_ref()))
            }
            Event::Fault(firing) => firing.push().map(|push| (&push.apns_id, push.apns_unique_id.as_ref())),
            Event::GoAway { .. }
            | Event::Throttled { .. }
            | Event::Device { .. }
            | Event::Clock(_)
            | Event::Scenario(_)
            | Event::Reset => None,
        }
    }

    /// Whether it is about a push with this `apns-id` or `apns-unique-id`, in either case.
    pub(crate) fn has_id(&self, id: &str) -> bool {
        self.ids().is_some_and(|(apns_id, unique_id)| {
            apns_id.as_str().eq_ignore_ascii_case(id)
                || unique_id.is_some_and(|it| it.as_str().eq_ignore_ascii_case(id))
        })
    }

    /// What came over the wire for the push that it is about, if that was refused, or a fault has fired at it.
    pub(crate) fn request_turned_away(&self) -> Option<&'a ReceivedRequest> {
        match self.event {
            Event::Refused(refused) => Some(&refused.request),
            Event::Fault(firing) => firing.push().map(|push| &push.request),
            _ => None,
        }
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
        Some(Destination::new(self.team?, &self.notification()?.token))
    }

    /// The device token that the notification was sent to. It is minted again for whoever asks: it is not kept.
    pub fn device_token(&self) -> Option<DeviceToken> {
        let (team, notification) = (self.team?, self.notification()?);
        Some(team.token_of(&notification.token))
    }

    /// What the device makes of the notification, taken by itself, and what is wrong with it: where it was delivered, or
    /// discarded because its user does not let the app show notifications. What the device shows altogether is
    /// [`Team::screen`].
    pub fn rendering(&self) -> Option<Rendering> {
        let is_disabled =
            matches!(self.status(), Some(Status::DiscardedDisabled | Status::DiscardedDisabledFromStorage));
        let notification = self.notification().filter(|_| is_disabled || self.is_delivery())?;
        let arrival = gateway::arrival(self.team?, notification);
        Some(rendering::render(&Arrival { permission: !is_disabled, ..arrival }))
    }

    /// Whether a notification was delivered.
    pub(crate) fn is_delivery(&self) -> bool {
        matches!(self.status(), Some(Status::Delivered | Status::DeliveredFromStorage))
    }
}

impl<'a> From<&'a TurnedAway> for Event<'a> {
    fn from(turned_away: &'a TurnedAway) -> Self {
        match turned_away {
            TurnedAway::Push(refused) => Self::Refused(refused),
            TurnedAway::Connection { connection, reason } => {
                Self::GoAway { connection: *connection, reason: *reason }
            }
            TurnedAway::Fault(firing) => Self::Fault(firing),
            TurnedAway::Throttled { connection, how } => {
                Self::Throttled { connection: *connection, how: *how }
            }
        }
    }
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("cursor", &self.cursor)?;
        map.serialize_entry("at", &self.at)?;
        map.serialize_entry("event", self.event.name())?;
        match self.event {
            Event::Refused(refused) => {
                map.serialize_entry("apns-id", refused.apns_id.as_str())?;
                if let Some(unique_id) = &refused.apns_unique_id {
                    map.serialize_entry("apns-unique-id", unique_id.as_str())?;
                }
                map.serialize_entry("status", &refused.reason.status())?;
                map.serialize_entry("reason", refused.reason.as_str())?;
                if let Some(timestamp) = refused.timestamp {
                    map.serialize_entry("timestamp", &timestamp)?;
                }
                map.serialize_entry("rule", refused.rule.id)?;
                serialize_request(&mut map, &refused.request)?;
            }
            Event::GoAway { connection, reason } => {
                map.serialize_entry("reason", reason.as_str())?;
                map.serialize_entry("connection", &connection)?;
            }
            Event::Fault(firing) => serialize_firing(&mut map, firing)?,
            Event::Throttled { connection, how } => {
                map.serialize_entry("how", how.as_str())?;
                map.serialize_entry("setting", how.setting())?;
                map.serialize_entry("connection", &connection)?;
            }
            Event::Notification { notification, status, cause } => {
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
                map.serialize_entry("device", device)?;
                map.serialize_entry("change", change)?;
            }
            Event::Clock(clock) => match clock {
                Clock::Machine { ahead } => map.serialize_entry("ahead", &(ahead.as_millis() as u64))?,
                Clock::Manual { now } => map.serialize_entry("manual", &now)?,
            },
            Event::Scenario(name) => map.serialize_entry("scenario", name)?,
            Event::Reset => {}
        }
        map.end()
    }
}

impl Record<'_> {
    /// Where the notification was sent to, key by key.
    pub(super) fn serialize_destination<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
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

/// Which rule, at what, and what the provider was told.
fn serialize_firing<M: SerializeMap>(map: &mut M, firing: &Firing) -> Result<(), M::Error> {
    map.serialize_entry("fault", firing.fault())?;
    map.serialize_entry("on", &firing.moment())?;
    map.serialize_entry("action", &firing.action())?;
    let push = match &firing.at {
        FiredAt::Door { opened } => return map.serialize_entry("after-connections", opened),
        FiredAt::Connection { connection, requests } => {
            map.serialize_entry("connection", connection)?;
            return map.serialize_entry("after-requests", requests);
        }
        FiredAt::Request(push) => push,
    };
    map.serialize_entry("connection", &push.request.connection())?;
    map.serialize_entry("stream", &push.request.stream())?;
    map.serialize_entry("apns-id", push.apns_id.as_str())?;
    if let Some(unique_id) = &push.apns_unique_id {
        map.serialize_entry("apns-unique-id", unique_id.as_str())?;
    }
    if let Some(status) = push.status {
        map.serialize_entry("status", &status)?;
    }
    if let Some(reason) = &push.reason {
        map.serialize_entry("reason", reason)?;
    }
    map.serialize_entry("otherwise", &push.otherwise)?;
    map.serialize_entry("took-effect", &push.took_effect)?;
    serialize_request(map, &push.request)
}

/// The headers in their own names but those that stand elsewhere or are secret, and the payload.
fn serialize_request<M: SerializeMap>(map: &mut M, request: &ReceivedRequest) -> Result<(), M::Error> {
    let left_out = [FieldName::Authorization, FieldName::ApnsId];
    for name in FieldName::ALL.iter().filter(|name| !left_out.contains(name)) {
        if let Some(value) = request.text(*name) {
            map.serialize_entry(name.as_str(), &value)?;
        }
    }
    map.serialize_entry("payload", &lossy(request.payload()))
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
    for name in [FieldName::Method, FieldName::Path, FieldName::ApnsTopic] {
        if let Some(value) = notification.request.text(name) {
            map.serialize_entry(name.as_str(), &value)?;
        }
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
    map.serialize_entry("payload", &lossy(notification.payload()))
}

#[cfg(test)]
mod tests {
    use crate::bench::{Bench, NOW, TOKEN};

    /// Whoever reads the journal's lines has programs for them.
    #[test]
    fn a_refusal_has_the_headers_as_keys_and_no_authorization() {
        let mut bench = Bench::new();
        let id = "123e4567-e89b-12d3-a456-42665544000f";
        let push = bench.push().with("apns-id", id).and("x-other", "1").and("apns-topic", "com.second");
        bench.answer(&push.with_body("{\"a\": 1}"));
        let team = bench.team_at();
        let record = team.team().journal(0).next_back().unwrap();
        let expected = format!(
            r#"{{"cursor":4,"at":{NOW},"event":"refused","apns-id":"{id}","status":400,"reason":"DuplicateHeaders","#
        ) + r#""rule":"headers-are-single",":method":"POST",":path":"/3/device/"#
            + TOKEN
            + r#"",":scheme":"https",":authority":"localhost:2197","apns-topic":"com.example.app","#
            + r#""apns-push-type":"alert","payload":"{\"a\": 1}"}"#;
        assert_eq!(serde_json::to_string(&record).unwrap(), expected);
    }
}
