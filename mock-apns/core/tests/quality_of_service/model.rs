//! The rules of storage and delivery, written down a second time: from what Apple says of them, not from the double.
//!
//! Nothing here happens by itself. A push that waits carries the time at which it expires, and whoever looks next sees
//! that it has: there are no timers that could be wrong.
//!
//! Sources: Apple, "Sending notification requests to APNs", "Viewing the status of push notifications using Metrics and
//! APNs", "Handling notification responses from APNs", "Registering your app with APNs".

use std::collections::BTreeMap;

use mock_apns_core::{Cause, DeviceState, Status, Timestamp};

use crate::{
    app::App,
    call::{Call, DEVICES, Line, Outcome, Place, Push, Returned, Token},
};

pub(crate) struct Model {
    pub(crate) now: u64,
    /// How long APNs takes to learn that a token is dead, from the delivery on that has found it so.
    unregistered_delay: u64,
    accepted: u64,
    devices: [DeviceState; DEVICES],
    apps: BTreeMap<Place, App>,
    /// The one push that waits for an app on a device.
    stored: BTreeMap<Place, Stored>,
    /// The tokens that were found dead, and when APNs learns of it.
    dead: BTreeMap<Token, u64>,
    lines: Vec<Line>,
}

#[derive(Clone, Copy)]
struct Notification {
    number: u64,
    push: Push,
    expires_at: u64,
}

struct Stored {
    notification: Notification,
    status: Status,
}

/// What is to be done with a push at this moment.
enum Fate {
    Disabled,
    Waits(Status),
    Unregistered(Cause),
    Delivered,
}

const THIRTY_DAYS: u64 = 30 * 24 * 3600 * 1000;

impl Model {
    /// Two devices that are online, with all apps installed and registered.
    pub(crate) fn new(now: Timestamp, unregistered_delay: u32) -> Self {
        Self {
            now: now.as_millis(),
            unregistered_delay: 1000 * u64::from(unregistered_delay),
            accepted: 0,
            devices: [DeviceState::Online; DEVICES],
            apps: Place::all().map(|place| (place, App::new())).collect(),
            stored: BTreeMap::new(),
            dead: BTreeMap::new(),
            lines: Vec::new(),
        }
    }

    pub(crate) fn call(&mut self, call: Call) -> Outcome {
        let returned = match call {
            Call::Push(push) => self.push(push),
            Call::State(device, state) => self.set_state(device, state),
            Call::NewTokens(device, _) => {
                let on_device = self.apps.iter_mut().filter(|(place, _)| place.device == device);
                on_device.for_each(|(_, app)| app.forget_tokens());
                Returned::Done
            }
            Call::Advance(by) => self.advance(by),
            Call::Install(place) => {
                self.app(place).install();
                self.tell(place);
                Returned::Done
            }
            Call::Uninstall(place) => self.app(place).uninstall(),
            Call::Permission(place, allowed) => {
                let returned = self.app(place).set_permission(allowed);
                self.tell(place);
                returned
            }
            Call::Unregister(place) => self.app(place).unregister(),
            Call::Register(place) => match self.app(place).register() {
                Some(nth) => self.registered(Token { place, nth }),
                None => Returned::NotInstalled,
            },
        };
        Outcome { returned, lines: std::mem::take(&mut self.lines) }
    }

    /// How many tokens a place was given.
    pub(crate) fn tokens(&self, place: Place) -> usize {
        self.apps[&place].tokens()
    }

    /// When the next push expires that waits.
    pub(crate) fn next_expiry(&self) -> Option<u64> {
        self.stored.values().map(|stored| stored.notification.expires_at).min()
    }

    /// A token that is known to be dead is answered 410. Any other push is accepted, whatever becomes of it.
    fn push(&mut self, push: Push) -> Returned {
        match self.dead.get(&push.token) {
            Some(&timestamp) if timestamp <= self.now => {
                return Returned::Unregistered { timestamp };
            }
            _ => {}
        }
        self.accepted += 1;
        let latest = self.now + THIRTY_DAYS;
        let expires_at = push.expiration.map_or(latest, |seconds| latest.min(seconds * 1000));
        let notification = Notification { number: self.accepted, push, expires_at };
        self.log(&notification, Status::Received, None);
        match self.fate(&push) {
            Fate::Disabled => self.log(&notification, Status::DiscardedDisabled, None),
            Fate::Unregistered(cause) => self.log(&notification, Status::DiscardedUnregistered, Some(cause)),
            Fate::Delivered => self.log(&notification, Status::Delivered, None),
            Fate::Waits(_) if expires_at <= self.now => {
                let cause = (push.expiration == Some(0)).then_some(Cause::ExpirationZero);
                self.log(&notification, Status::DiscardedExpired, cause);
            }
            Fate::Waits(status) => self.store(notification, status),
        }
        Returned::Accepted
    }

    /// The flow that Apple draws. Expiration is none of its questions: what can be delivered is.
    fn fate(&mut self, push: &Push) -> Fate {
        let app = &self.apps[&push.token.place];
        if push.alert && app.is_known_disabled() {
            return Fate::Disabled;
        }
        match self.devices[push.token.place.device] {
            DeviceState::Offline => return Fate::Waits(Status::StoredDeviceOffline),
            DeviceState::PowerSaving if matches!(push.priority, Some(1 | 5)) => {
                return Fate::Waits(Status::StoredPowerConsiderations);
            }
            DeviceState::PowerSaving | DeviceState::Online => {}
        }
        if let Some(cause) = app.knows_nothing_of(push.token.nth) {
            self.dead.entry(push.token).or_insert(self.now + self.unregistered_delay);
            return Fate::Unregistered(cause);
        }
        Fate::Delivered
    }

    /// The later one wins.
    fn store(&mut self, notification: Notification, status: Status) {
        let place = notification.push.token.place;
        let collapse_id = notification.push.collapse_id;
        let by = notification.number;
        if let Some(Stored { notification: earlier, .. }) = self.stored.remove(&place) {
            let collapsed = collapse_id.is_some() && collapse_id == earlier.push.collapse_id;
            let cause = if collapsed { Cause::Collapsed { by } } else { Cause::Overwritten { by } };
            self.log(&earlier, Status::DiscardedOverwritten, Some(cause));
        }
        self.log(&notification, status, None);
        self.stored.insert(place, Stored { notification, status });
    }

    /// A device that can be reached again, or that can spare the power again, gets what waits for it.
    fn set_state(&mut self, device: usize, state: DeviceState) -> Returned {
        let before = std::mem::replace(&mut self.devices[device], state);
        let connects = before == DeviceState::Offline && state != DeviceState::Offline;
        let has_power = before == DeviceState::PowerSaving && state == DeviceState::Online;
        if connects {
            Place::all().filter(|place| place.device == device).for_each(|place| self.tell(place));
        }
        if connects || has_power {
            Place::all().filter(|place| place.device == device).for_each(|place| self.try_again(place));
        }
        Returned::Done
    }

    fn try_again(&mut self, place: Place) {
        let Some(Stored { notification, status }) = self.stored.remove(&place) else { return };
        match self.fate(&notification.push) {
            Fate::Disabled => self.log(&notification, Status::DiscardedDisabledFromStorage, None),
            Fate::Unregistered(cause) => {
                self.log(&notification, Status::DiscardedUnregisteredFromStorage, Some(cause));
            }
            Fate::Delivered => self.log(&notification, Status::DeliveredFromStorage, None),
            Fate::Waits(now) => {
                if now != status {
                    self.log(&notification, now, None);
                }
                self.stored.insert(place, Stored { notification, status: now });
            }
        }
    }

    /// A device that is connected tells what its user has switched off.
    fn tell(&mut self, place: Place) {
        if self.devices[place.device] != DeviceState::Offline {
            self.app(place).tell();
        }
    }

    /// A token that was dead leads somewhere again.
    fn registered(&mut self, token: Token) -> Returned {
        self.dead.remove(&token);
        Returned::Registered(token)
    }

    /// What has expired by now did so at its time, and not when somebody looked.
    fn advance(&mut self, by: u64) -> Returned {
        self.now += by;
        let mut expired: Vec<Notification> = self.stored.values().map(|stored| stored.notification).collect();
        expired.retain(|notification| notification.expires_at <= self.now);
        expired.sort_by_key(|notification| (notification.expires_at, notification.number));
        for notification in expired {
            self.stored.remove(&notification.push.token.place);
            let Notification { number, expires_at: at, .. } = notification;
            self.lines.push(Line { at, number, status: Status::DiscardedExpired, because: None });
        }
        Returned::Done
    }

    fn app(&mut self, place: Place) -> &mut App {
        self.apps.get_mut(&place).expect("there is an app at each place")
    }

    fn log(&mut self, notification: &Notification, status: Status, because: Option<Cause>) {
        self.lines.push(Line { at: self.now, number: notification.number, status, because });
    }
}
