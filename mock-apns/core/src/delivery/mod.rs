//! Quality of service: what becomes of a push behind its 200.
//!
//! ```text
//!   accepted ──▶ outlook ──┬── Disabled ────▶ discarded
//!                  ▲       ├── Unreachable ─▶ discarded, and from then on the token is answered 410
//!                  │       ├── Deliver ─────▶ to the device, whatever its expiration says
//!                  │       └── Wait ──┬─────▶ expired, or not to be stored: discarded
//!                  │                  └─────▶ the slot of the app on the device; who was there is overwritten
//!      the device connects, has power again,            │
//!      acknowledges, or may be woken again ◀────────────┴──▶ expires there: discarded
//! ```
//!
//! Source: the figures of Apple, "Viewing the status of push notifications using Metrics and APNs".

mod bucket;
mod outlook;
mod slot;
mod timers;

use std::sync::Arc;

pub(crate) use bucket::Bucket;
pub(crate) use slot::{Stored, StoredForm};
pub(crate) use timers::{Timer, TimerId, Timers};

use crate::{
    DeviceToken, Notification, TokenKind, TokenStatus,
    device::{DeviceIndex, Unreachable},
    device_token::TokenIdentity,
    gateway,
    journal::{Cause, DeviceChange, Status},
    rendering::{self, LiveActivityEvent, Shown},
    settings::EndedActivity,
    team::TeamAt,
};
use outlook::{Outlook, Wait};

/// Where a notification comes from when its delivery is tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// From its provider, just now.
    Provider,
    /// From storage, where it had this status.
    Storage(Status),
}

impl TeamAt<'_> {
    /// Takes on a notification that its provider has got a 200 for.
    pub(crate) fn accept(&mut self, notification: Arc<Notification>) {
        self.team.count_accepted();
        self.count_against_flood_limit(&notification.token);
        self.log_status(&notification, Status::Received, None);
        self.deliver_or_store(notification, Origin::Provider);
    }

    /// What waits for an app on a device is tried again: something has changed.
    pub(crate) fn release(&mut self, device: DeviceIndex, installation: usize) {
        if let Some((notification, status)) = self.take_stored(device, installation) {
            self.deliver_or_store(notification, Origin::Storage(status));
        }
    }

    /// What was sent to a device is not acknowledged any more: it waits as if it had never been sent.
    pub(crate) fn take_back(&mut self, notification: Arc<Notification>) {
        self.store(notification, Wait::ConnectionLost, Origin::Provider);
    }

    pub(crate) fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Release { device, installation } => self.release(device, installation),
            Timer::Expire { device, installation } => {
                if let Some((notification, _)) = self.take_stored(device, installation) {
                    self.log_status(&notification, Status::DiscardedExpired, None);
                }
            }
        }
    }

    fn deliver_or_store(&mut self, notification: Arc<Notification>, origin: Origin) {
        match outlook::of(self.team, self.now, &notification) {
            Outlook::Deliver => self.deliver(&notification, origin),
            Outlook::Wait(wait) => self.store(notification, wait, origin),
            Outlook::Disabled => {
                let status = origin.of(Status::DiscardedDisabled, Status::DiscardedDisabledFromStorage);
                self.log_status(&notification, status, None);
            }
            Outlook::Unreachable(why) => {
                self.learn_that_token_is_gone(notification.token, why);
                let status =
                    origin.of(Status::DiscardedUnregistered, Status::DiscardedUnregisteredFromStorage);
                self.log_status(&notification, status, Some(why.into()));
            }
        }
    }

    fn deliver(&mut self, notification: &Arc<Notification>, origin: Origin) {
        self.spend_background_budget(notification);
        match self.team.devices.connection(notification.token.device) {
            Some(connection) => self.send_to_device(connection, notification, origin),
            None => self.delivered(notification, origin),
        }
    }

    /// A device has acknowledged a notification.
    pub(crate) fn delivered(&mut self, notification: &Arc<Notification>, origin: Origin) {
        self.update_activity(notification);
        self.log_status(notification, origin.of(Status::Delivered, Status::DeliveredFromStorage), None);
    }

    /// A device has said that it has nothing for a token. From now on, or after the delay that is set, the token is
    /// answered 410 with the time of it.
    fn learn_that_token_is_gone(&mut self, token: TokenIdentity, why: Unreachable) {
        let since = self.now.saturating_add(self.team.settings.unregistered_delay());
        let status = match (why, self.team.settings.ended_live_activity) {
            (Unreachable::ActivityEnded, EndedActivity::Accept) => return,
            (Unreachable::ActivityEnded, EndedActivity::ExpiredToken) => TokenStatus::Expired { since },
            _ => TokenStatus::Unregistered { since },
        };
        self.team.gone.entry(token).or_insert(status);
    }

    fn count_against_flood_limit(&mut self, token: &TokenIdentity) {
        let limit = self.team.settings.flood_limit();
        if limit.burst > 0 {
            let now = self.now;
            self.team.change_installation(token, |app| {
                let full_at = limit.take(app.flood(token.kind, token.activity), now);
                app.set_flood(token.kind, token.activity, full_at);
            });
        }
    }

    fn spend_background_budget(&mut self, notification: &Notification) {
        let budget = self.team.settings.background_budget();
        if budget.burst > 0 && notification.is_background() {
            let now = self.now;
            self.team.change_installation(&notification.token, |app| {
                app.set_background(budget.take(app.background(), now));
            });
        }
    }

    /// What a push does to Live Activities on the device: it starts one, moves its newest `timestamp` on, or ends it.
    fn update_activity(&mut self, notification: &Notification) {
        let token = &notification.token;
        if token.kind != TokenKind::LiveActivity {
            return;
        }
        let Shown::LiveActivity(update) = rendering::render(&gateway::arrival(self.team, notification)).shown
        else {
            return; // the device drops it
        };
        if update.event == LiveActivityEvent::Start {
            let (activity, update_token) = self.begin_activity(token, Some(notification.number));
            self.tell_update_token(token, activity, &update_token);
            return;
        }
        let timestamp = notification.activity_timestamp();
        let ends = update.event == LiveActivityEvent::End;
        let ended = self.team.change_installation(token, |app| {
            let current = app.activity_mut(token.activity).filter(|activity| timestamp >= activity.newest);
            current.is_some_and(|activity| {
                activity.newest = timestamp;
                activity.ended |= ends;
                ends
            })
        });
        if ended {
            let app = self.team.bundle_id(token.app).clone();
            let (environment, activity) = (token.environment, token.activity);
            self.log_device(token.device, DeviceChange::ActivityEnded { app, environment, activity });
        }
    }

    /// A Live Activity begins, by the app itself or by a push to its push-to-start token: its number and its token.
    pub(crate) fn begin_activity(
        &mut self,
        app: &TokenIdentity,
        started_by: Option<u64>,
    ) -> (u32, DeviceToken) {
        let (activity, generation) =
            self.team.change_installation(app, |app| (app.start_activity(), app.generation));
        let token = self.team.token_of(&TokenIdentity {
            kind: TokenKind::LiveActivity,
            generation,
            activity,
            ..*app
        });
        let change = DeviceChange::ActivityStarted {
            app: self.team.bundle_id(app.app).clone(),
            environment: app.environment,
            activity,
            token: token.to_string(),
            started_by,
        };
        self.log_device(app.device, change);
        (activity, token)
    }
}

impl Origin {
    fn of(self, from_provider: Status, from_storage: Status) -> Status {
        match self {
            Self::Provider => from_provider,
            Self::Storage(_) => from_storage,
        }
    }

    pub(crate) fn is_storage(self) -> bool {
        matches!(self, Self::Storage(_))
    }
}

impl From<Unreachable> for Cause {
    fn from(why: Unreachable) -> Self {
        match why {
            Unreachable::Uninstalled => Self::Uninstalled,
            Unreachable::NewToken => Self::NewToken,
            Unreachable::Unregistered => Self::Unregistered,
            Unreachable::ActivityEnded => Self::ActivityEnded,
        }
    }
}
