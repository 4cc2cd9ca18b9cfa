//! A device's connection, once it is the device of a team: what was sent and not acknowledged.

use std::{collections::VecDeque, sync::Arc};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{
    CloseReason, DeviceConnectionId, DeviceMessage, NotificationMessage, RawJson, ToDevice,
    requests::token_message,
};
use crate::{
    DeviceState, DeviceToken, Effect, Expiration, Notification, TokenKind,
    delivery::Origin,
    device::DeviceIndex,
    device_token::TokenIdentity,
    journal::{COUNT_MAX, DeviceChange, Notifications, Status},
    rendering::{self, Arrival},
    snapshot::Problem,
    team::{Team, TeamAt},
};

/// What is under way to a connected device. Bounded: by the setting `unacknowledged-pushes` for each app.
#[derive(Debug, Default)]
pub(crate) struct Link {
    in_flight: VecDeque<InFlight>,
    /// How many notifications were sent; the number of the next is one more.
    sent: u64,
}

/// A notification that was sent and is not acknowledged.
#[derive(Debug)]
struct InFlight {
    delivery: u64,
    notification: Arc<Notification>,
    origin: Origin,
}

impl Link {
    /// How many notifications for the app of this token are not acknowledged.
    pub(crate) fn unacknowledged(&self, token: &TokenIdentity) -> usize {
        let same_app = |it: &&InFlight| {
            let other = &it.notification.token;
            (other.app, other.environment) == (token.app, token.environment)
        };
        self.in_flight.iter().filter(same_app).count()
    }
}

impl TeamAt<'_> {
    /// Makes a connection that of a device. An older one of the device is told so and closed; what it has not
    /// acknowledged waits for the new one.
    pub(super) fn link(&mut self, device: DeviceIndex, connection: DeviceConnectionId) {
        self.cut_off(device, CloseReason::Replaced);
        self.team.devices.change(device, |device| device.connection = Some(connection));
        self.team.links.insert(connection, Link::default());
        self.log_device(device, DeviceChange::Connected);
    }

    /// Ends the connection of a device that has one.
    pub(crate) fn cut_off(&mut self, device: DeviceIndex, reason: CloseReason) {
        if let Some(connection) = self.team.devices.at(device).connection {
            close(connection, reason, self.around.effects);
            self.unlink(device, connection);
        }
    }

    /// A device's connection is gone: the device is offline, and what it has not acknowledged waits for it.
    pub(super) fn unlink(&mut self, device: DeviceIndex, connection: DeviceConnectionId) {
        let Some(link) = self.team.links.remove(&connection) else { return };
        self.team.devices.change(device, |device| device.connection = None);
        self.log_device(device, DeviceChange::Disconnected);
        self.set_state(device, DeviceState::Offline);
        link.in_flight.into_iter().for_each(|it| self.take_back(it.notification));
    }

    /// Sends a notification to a connected device, which is to acknowledge it.
    pub(crate) fn send_to_device(
        &mut self,
        connection: DeviceConnectionId,
        notification: &Arc<Notification>,
        origin: Origin,
    ) {
        let Some(link) = self.team.links.get_mut(&connection) else { return };
        link.sent += 1;
        let delivery = link.sent;
        link.in_flight.push_back(InFlight { delivery, notification: Arc::clone(notification), origin });
        let message = notification_message(self.team, delivery, notification, origin);
        self.tell(connection, ToDevice::unasked(DeviceMessage::Notification(Box::new(message))));
    }

    /// A device has acknowledged a notification. `false`: none of this number waits for it.
    pub(super) fn acknowledge(&mut self, connection: DeviceConnectionId, delivery: u64) -> bool {
        let link = self.team.links.get_mut(&connection);
        let found = link.and_then(|link| {
            let at = link.in_flight.iter().position(|it| it.delivery == delivery)?;
            link.in_flight.remove(at)
        });
        let Some(InFlight { notification, origin, .. }) = found else { return false };
        self.delivered(&notification, origin);
        let installation = self.team.installation_place(&notification.token);
        self.release(notification.token.device, installation);
        true
    }

    /// Tells a connected device the token of a Live Activity that a push has started on it.
    pub(crate) fn tell_update_token(&mut self, app: &TokenIdentity, activity: u32, token: &DeviceToken) {
        if let Some(connection) = self.team.devices.connection(app.device) {
            let (bundle_id, kind) = (self.team.bundle_id(app.app).clone(), TokenKind::LiveActivity);
            let message = token_message(bundle_id, app.environment, kind, token, Some(activity));
            self.tell(connection, ToDevice::unasked(message));
        }
    }

    pub(super) fn tell(&mut self, connection: DeviceConnectionId, message: ToDevice) {
        self.around.effects.push_back(Effect::ToDevice { connection, message: Box::new(message) });
    }
}

/// A device's connection, as it is written in a snapshot.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct LinkForm {
    device: DeviceIndex,
    connection: DeviceConnectionId,
    sent: u64,
    in_flight: Vec<InFlightForm>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct InFlightForm {
    delivery: u64,
    notification: u64,
    /// The status that it had in storage, if it comes from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stored: Option<Status>,
}

impl Team {
    /// The connections of its devices. What is under way is added to what is kept.
    pub(crate) fn link_forms(&self, kept: &mut Notifications) -> Vec<LinkForm> {
        let connected = self.devices.all().filter_map(|(index, device)| Some((index, device.connection?)));
        let form = |(device, connection): (DeviceIndex, DeviceConnectionId)| {
            let link = self.links.get(&connection)?;
            let in_flight = link.in_flight.iter().map(|InFlight { delivery, notification, origin }| {
                kept.entry(notification.number).or_insert_with(|| Arc::clone(notification));
                let stored = match origin {
                    Origin::Provider => None,
                    Origin::Storage(status) => Some(*status),
                };
                InFlightForm { delivery: *delivery, notification: notification.number, stored }
            });
            Some(LinkForm { device, connection, sent: link.sent, in_flight: in_flight.collect() })
        };
        connected.filter_map(form).collect()
    }

    /// Connects a device that was connected, by a connection of which `is_open` knows.
    pub(crate) fn restore_link(
        &mut self,
        form: &LinkForm,
        kept: &Notifications,
        is_open: impl Fn(DeviceConnectionId, DeviceIndex) -> bool,
    ) -> Result<(), Problem> {
        let LinkForm { device, connection, sent, in_flight } = form;
        if !is_open(*connection, *device) {
            return Err(Problem::Misplaced("a connection that is not open, or is another device's"));
        }
        if !self.devices.is_there(*device) {
            return Err(Problem::NoSuch("device", device.0.into()));
        }
        if *sent > COUNT_MAX {
            return Err(Problem::TooMany);
        }
        let mut link = Link { in_flight: VecDeque::with_capacity(in_flight.len()), sent: *sent };
        for InFlightForm { delivery, notification, stored } in in_flight {
            let notification =
                kept.get(notification).ok_or(Problem::NoSuch("notification", *notification))?;
            let token = &notification.token;
            let is_there = self.devices.at(*device).position(token.app, token.environment).is_some();
            if token.device != *device || !is_there || *delivery > *sent {
                return Err(Problem::Misplaced("a notification that cannot be under way to the device"));
            }
            let origin = stored.map_or(Origin::Provider, Origin::Storage);
            let notification = Arc::clone(notification);
            link.in_flight.push_back(InFlight { delivery: *delivery, notification, origin });
        }
        let former = self.devices.change(*device, |device| device.connection.replace(*connection));
        if former.is_some() || self.links.insert(*connection, link).is_some() {
            return Err(Problem::Twice("a device's connection"));
        }
        Ok(())
    }
}

/// Closes the connections of devices whose team is no more, or is another.
pub(crate) fn send_away(links: FxHashMap<DeviceConnectionId, Link>, effects: &mut VecDeque<Effect>) {
    let mut connections: Vec<DeviceConnectionId> = links.into_keys().collect();
    connections.sort_unstable();
    for connection in connections {
        close(connection, CloseReason::TakenOffline, effects);
    }
}

/// Tells a device why, and closes its connection.
fn close(connection: DeviceConnectionId, reason: CloseReason, effects: &mut VecDeque<Effect>) {
    let closed = ToDevice::unasked(DeviceMessage::Closed { reason });
    effects.push_back(Effect::ToDevice { connection, message: Box::new(closed) });
    effects.push_back(Effect::CloseDevice { connection });
}

fn notification_message(
    team: &Team,
    delivery: u64,
    notification: &Notification,
    origin: Origin,
) -> NotificationMessage {
    let token = &notification.token;
    let app = team.app(token.app);
    let (payload, payload_text) = NotificationMessage::payload_fields(notification.payload());
    let rendering = rendering::render(&arrival(team, notification));
    NotificationMessage {
        delivery,
        app: app.bundle_id.clone(),
        environment: token.environment,
        kind: token.kind,
        activity: (token.activity != 0).then_some(token.activity),
        topic: token.kind.topic(&app.bundle_id),
        apns_id: notification.apns_id.as_str().to_owned(),
        apns_unique_id: notification.apns_unique_id.map(|id| id.as_str().to_owned()),
        push_type: notification.push_type,
        priority: notification.priority.unwrap_or_default(),
        collapse_id: notification.collapse_id.as_deref().map(|id| String::from_utf8_lossy(id).into_owned()),
        expiration: match notification.expiration {
            Expiration::Unstated => None,
            Expiration::Once => Some(0),
            Expiration::At(at) => Some(at.as_secs()),
        },
        received_at: notification.received_at,
        from_storage: origin.is_storage(),
        payload,
        payload_text,
        shown: RawJson::of(&rendering).expect("a rendering has string keys and no values that fail"),
        text: rendering.to_string(),
    }
}

/// What arrives at a device with a notification.
pub(crate) fn arrival<'a>(team: &'a Team, notification: &'a Notification) -> Arrival<'a> {
    let token = &notification.token;
    Arrival {
        kind: token.kind,
        push_type: notification.push_type,
        priority: notification.priority,
        collapse_id: notification.collapse_id.as_deref(),
        payload: notification.payload(),
        // What the user does not want to see is discarded before it is delivered.
        permission: true,
        strings: &team.app(token.app).strings,
        activity: (token.activity != 0).then_some(token.activity),
    }
}
