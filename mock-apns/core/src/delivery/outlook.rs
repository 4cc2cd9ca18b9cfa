//! Whether a notification can be delivered now, and if not, what it waits for.

use crate::{
    DeviceState, Notification, Priority, Timestamp,
    device::Unreachable,
    journal::{Cause, Status},
    team::Team,
};

/// What can be done about a notification now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outlook {
    Deliver,
    Wait(Wait),
    /// The user does not let the app show notifications.
    Disabled,
    /// The device has nothing for the token.
    Unreachable(Unreachable),
}

/// What a notification waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wait {
    /// For the device to connect.
    Offline,
    /// For the device to have power.
    Power,
    /// For the app to have background pushes left.
    Budget { until: Timestamp },
    /// For the device to acknowledge what it was sent before.
    Unacknowledged,
    /// For the device to connect again: its connection ended before it had acknowledged.
    ConnectionLost,
}

/// What can be done about a notification at `now`.
///
/// First what APNs knows by itself (is the push enabled?), then whether the device can be asked, then what it says. The
/// expiration is not looked at: a device that can be reached is served, however late it is.
pub(super) fn of(team: &Team, now: Timestamp, notification: &Notification) -> Outlook {
    let token = &notification.token;
    let budget = team.settings.background_budget();
    if budget.burst == 0 && team.devices.takes_at_once(token) {
        return Outlook::Deliver;
    }
    let (device, installation) = team.installation(token);
    if installation.known_disabled && notification.is_alert() {
        return Outlook::Disabled;
    }
    let priority = notification.priority.unwrap_or_default();
    match device.state {
        DeviceState::Offline => return Outlook::Wait(Wait::Offline),
        DeviceState::PowerSaving if priority < Priority::Immediate => return Outlook::Wait(Wait::Power),
        DeviceState::PowerSaving | DeviceState::Online => {}
    }
    if let Err(why) = installation.reaches(token) {
        return Outlook::Unreachable(why);
    }
    if !installation.permission && notification.is_alert() {
        return Outlook::Disabled;
    }
    if budget.burst > 0 && notification.is_background() {
        let until = budget.next_at(installation.background(), now);
        if until > now {
            return Outlook::Wait(Wait::Budget { until });
        }
    }
    let full = device.connection.is_some_and(|connection| team.is_window_full(connection, token));
    if full { Outlook::Wait(Wait::Unacknowledged) } else { Outlook::Deliver }
}

impl Wait {
    pub(super) fn status(self) -> Status {
        match self {
            Self::Offline | Self::Unacknowledged | Self::ConnectionLost => Status::StoredDeviceOffline,
            Self::Power | Self::Budget { .. } => Status::StoredPowerConsiderations,
        }
    }

    pub(super) fn cause(self) -> Option<Cause> {
        match self {
            Self::Offline | Self::Power => None,
            Self::Budget { .. } => Some(Cause::BackgroundBudget),
            Self::Unacknowledged => Some(Cause::Unacknowledged),
            Self::ConnectionLost => Some(Cause::ConnectionLost),
        }
    }

    /// When the wait ends by itself.
    pub(super) fn until(self) -> Option<Timestamp> {
        match self {
            Self::Budget { until } => Some(until),
            _ => None,
        }
    }
}
