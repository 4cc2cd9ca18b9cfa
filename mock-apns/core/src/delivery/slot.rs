//! Storage: one place for each app on each device.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Origin, Timer, TimerId, outlook::Wait};
use crate::{
    Expiration, Notification,
    device::{DeviceData, DeviceIndex},
    journal::{Cause, Notifications, Status},
    snapshot::Problem,
    team::{Team, TeamAt},
};

/// The notification that waits for an app on a device, and the timers that it has.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) notification: Arc<Notification>,
    status: Status,
    expiry: TimerId,
    release: Option<TimerId>,
}

impl TeamAt<'_> {
    /// Stores a notification that cannot be delivered now, unless it is not worth it.
    pub(super) fn store(&mut self, notification: Arc<Notification>, wait: Wait, origin: Origin) {
        let expires_at = notification.expires_at();
        if expires_at <= self.now {
            let once = notification.expiration == Expiration::Once;
            let cause = once.then_some(Cause::ExpirationZero);
            return self.log_status(&notification, Status::DiscardedExpired, cause);
        }
        let device = notification.token.device;
        let installation = self.team.installation_place(&notification.token);
        let slot = &self.team.devices.at(device).installations[installation].slot;
        if let Some(waiting) = slot.as_ref().map(|stored| Arc::clone(&stored.notification)) {
            match overwritten(&waiting, &notification) {
                Overwritten::Newcomer(cause) => {
                    return self.log_status(&notification, Status::DiscardedOverwritten, Some(cause));
                }
                Overwritten::Waiting(cause) => {
                    self.take_stored(device, installation);
                    self.log_status(&waiting, Status::DiscardedOverwritten, Some(cause));
                }
            }
        }
        self.put(device, installation, notification, wait, origin);
    }

    fn put(
        &mut self,
        device: DeviceIndex,
        installation: usize,
        notification: Arc<Notification>,
        wait: Wait,
        origin: Origin,
    ) {
        let status = wait.status();
        if origin != Origin::Storage(status) {
            self.log_status(&notification, status, wait.cause());
        }
        let expiry = self.set_timer(notification.expires_at(), Timer::Expire { device, installation });
        let release =
            wait.until().map(|until| self.set_timer(until, Timer::Release { device, installation }));
        let stored = Box::new(Stored { notification, status, expiry, release });
        self.team.devices.change(device, |device| device.installations[installation].slot = Some(stored));
    }

    /// Empties the place of an app on a device.
    pub(crate) fn take_stored(
        &mut self,
        device: DeviceIndex,
        installation: usize,
    ) -> Option<(Arc<Notification>, Status)> {
        let slot = |device: &mut DeviceData| device.installations[installation].slot.take();
        let stored = self.team.devices.change(device, slot)?;
        self.team.timers.cancel(stored.expiry);
        stored.release.into_iter().for_each(|timer| self.team.timers.cancel(timer));
        Some((stored.notification, stored.status))
    }
}

/// What waits for an app on a device, as it is written in a snapshot.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct StoredForm {
    notification: u64,
    status: Status,
    expiry: TimerId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    release: Option<TimerId>,
}

impl Team {
    /// All that waits. It is added to what is kept.
    pub(crate) fn stored_forms(&self, kept: &mut Notifications) -> Vec<StoredForm> {
        let installations = self.devices.all().flat_map(|(_, device)| &device.installations);
        let stored = installations.filter_map(|installation| installation.slot.as_deref());
        let forms = stored.map(|Stored { notification, status, expiry, release }| {
            kept.entry(notification.number).or_insert_with(|| Arc::clone(notification));
            StoredForm {
                notification: notification.number,
                status: *status,
                expiry: *expiry,
                release: *release,
            }
        });
        forms.collect()
    }

    /// Stores what was stored, with its timers.
    pub(crate) fn restore_stored(&mut self, form: &StoredForm, kept: &Notifications) -> Result<(), Problem> {
        let StoredForm { notification, status, expiry, release } = form;
        let notification = kept.get(notification).ok_or(Problem::NoSuch("notification", *notification))?;
        let token = &notification.token;
        let place = self.devices.get(token.device).and_then(|it| it.position(token.app, token.environment));
        let installation = place.ok_or(Problem::Misplaced("what waits for no app"))?;
        let device = token.device;
        if self.devices.at(device).installations[installation].slot.is_some() {
            return Err(Problem::Twice("what waits for one app"));
        }
        if !status.is_wait() {
            return Err(Problem::Misplaced("what waits with the status of an end"));
        }
        self.timers.restore(*expiry, Timer::Expire { device, installation })?;
        if let Some(release) = release {
            self.timers.restore(*release, Timer::Release { device, installation })?;
        }
        let (notification, status, expiry, release) = (Arc::clone(notification), *status, *expiry, *release);
        let stored = Box::new(Stored { notification, status, expiry, release });
        self.devices.change(device, |device| device.installations[installation].slot = Some(stored));
        Ok(())
    }
}

/// Which of two notifications for one place is lost, and why.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Overwritten {
    Waiting(Cause),
    Newcomer(Cause),
}

/// The latest wins, by the order in which APNs received them; but of two updates of one Live Activity the one with the
/// newer `timestamp`, as on the device.
fn overwritten(waiting: &Notification, newcomer: &Notification) -> Overwritten {
    if waiting.token == newcomer.token && waiting.token.activity != 0 {
        let [of_waiting, of_newcomer] = [waiting, newcomer].map(Notification::activity_timestamp);
        if of_waiting > of_newcomer {
            return Overwritten::Newcomer(Cause::OlderTimestamp { than: waiting.number });
        }
    }
    let same_id = waiting.collapse_id.is_some() && waiting.collapse_id == newcomer.collapse_id;
    let by = waiting.number.max(newcomer.number);
    let cause = if same_id { Cause::Collapsed { by } } else { Cause::Overwritten { by } };
    if newcomer.number > waiting.number { Overwritten::Waiting(cause) } else { Overwritten::Newcomer(cause) }
}
