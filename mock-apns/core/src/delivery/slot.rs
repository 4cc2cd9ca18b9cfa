//! Storage: one place for each app on each device.

use std::sync::Arc;

use super::{Origin, Timer, TimerId, outlook::Wait};
use crate::{
    Expiration, Notification,
    device::{DeviceData, DeviceIndex},
    journal::{Cause, Status},
    team::TeamAt,
};

/// The notification that waits for an app on a device, and the timers that it has.
#[derive(Debug)]
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
