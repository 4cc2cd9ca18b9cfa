//! What can be done to the devices of a team, and to the apps on them.

use super::TeamAt;
use crate::{
    BundleId, CloseReason, DeviceError, DeviceId, DeviceState, DeviceToken, Environment, NewTokens,
    TokenKind,
    app::AppIndex,
    device::{DeviceIndex, Installation},
    device_token::TokenIdentity,
    journal::{Cause, DeviceChange, Status},
    recording::{self, TeamCall},
};

/// An app on a device that there is.
#[derive(Clone, Copy, Debug)]
struct Place {
    device: DeviceIndex,
    app: AppIndex,
    environment: Environment,
    installation: usize,
}

impl TeamAt<'_> {
    /// Adds a device. It is online, and acknowledges by itself whatever it is sent until it connects to the device
    /// gateway.
    pub fn add_device(&mut self, id: DeviceId) -> Result<(), DeviceError> {
        self.record(|| TeamCall::AddDevice(id.clone()));
        self.add(id).map(|_| ())
    }

    pub(crate) fn add(&mut self, id: DeviceId) -> Result<DeviceIndex, DeviceError> {
        let device = self.team.devices.add(id)?;
        self.log_device(device, DeviceChange::Added);
        Ok(device)
    }

    /// Removes a device: its tokens are answered `BadDeviceToken`, and what waits for it is discarded.
    pub fn remove_device(&mut self, id: &DeviceId) -> Result<(), DeviceError> {
        self.record(|| TeamCall::RemoveDevice(id.clone()));
        let device = self.device(id)?;
        self.cut_off(device, CloseReason::TakenOffline);
        for installation in 0..self.team.devices.at(device).installations.len() {
            if let Some((notification, _)) = self.take_stored(device, installation) {
                let status = Status::DiscardedUnregisteredFromStorage;
                self.log_status(&notification, status, Some(Cause::DeviceRemoved));
            }
        }
        self.log_device(device, DeviceChange::Removed);
        self.team.devices.remove(device);
        self.team.devices.change(device, |device| device.installations.clear());
        Ok(())
    }

    /// Lets a device be reached, or not. Taken offline, its connection to the device gateway ends.
    pub fn set_device_state(&mut self, id: &DeviceId, state: DeviceState) -> Result<(), DeviceError> {
        self.record(|| TeamCall::SetDeviceState(id.clone(), state));
        let device = self.device(id)?;
        if state == DeviceState::Offline {
            self.cut_off(device, CloseReason::TakenOffline);
        }
        self.set_state(device, state);
        Ok(())
    }

    /// Puts an app on a device, of a build for one environment. Put back after it was uninstalled, it gets new tokens.
    /// Where it is already, nothing changes.
    pub fn install(
        &mut self,
        id: &DeviceId,
        app: &BundleId,
        environment: Environment,
    ) -> Result<(), DeviceError> {
        self.record(|| TeamCall::Install(recording::Place::new(id, app, environment)));
        let device = self.device(id)?;
        let index = self.app(app)?;
        let is_new = self.team.devices.change(device, |device| {
            let is_offline = device.state == DeviceState::Offline;
            match device.position(index, environment).map(|place| &mut device.installations[place]) {
                Some(present) if present.installed => return false,
                Some(gone) => {
                    gone.reinstall();
                    // A device that is online tells that the app may show notifications.
                    gone.known_disabled &= is_offline;
                }
                None => device.installations.push(Installation::new(index, environment)),
            }
            true
        });
        if is_new {
            self.log_device(device, DeviceChange::Installed { app: app.clone(), environment });
        }
        Ok(())
    }

    /// Takes an app off a device. APNs does not know: it learns when it next has something for one of its tokens and
    /// can reach the device.
    pub fn uninstall(
        &mut self,
        id: &DeviceId,
        app: &BundleId,
        environment: Environment,
    ) -> Result<(), DeviceError> {
        self.record(|| TeamCall::Uninstall(recording::Place::new(id, app, environment)));
        let place = self.place(id, app, environment)?;
        self.change(place, Installation::uninstall);
        self.log_device(place.device, DeviceChange::Uninstalled { app: app.clone(), environment });
        Ok(())
    }

    /// Says whether the user lets an app show notifications.
    pub fn set_permission(
        &mut self,
        id: &DeviceId,
        app: &BundleId,
        environment: Environment,
        allowed: bool,
    ) -> Result<(), DeviceError> {
        self.record(|| TeamCall::SetPermission(recording::Place::new(id, app, environment), allowed));
        let place = self.place(id, app, environment)?;
        let is_online = self.team.devices.at(place.device).state != DeviceState::Offline;
        self.change(place, |app| {
            app.permission = allowed;
            app.known_disabled = if is_online { !allowed } else { app.known_disabled };
        });
        let change = DeviceChange::Permission { app: app.clone(), environment, allowed };
        self.log_device(place.device, change);
        Ok(())
    }

    /// Registers an app for pushes of a kind, and returns its token: the same until something makes it another. For a
    /// Live Activity it is the token that starts one.
    pub fn register(
        &mut self,
        id: &DeviceId,
        app: &BundleId,
        environment: Environment,
        kind: TokenKind,
    ) -> Result<DeviceToken, DeviceError> {
        self.record(|| TeamCall::Register(recording::Place::new(id, app, environment), kind));
        let place = self.place(id, app, environment)?;
        self.require_kind(app, place.app, kind)?;
        Ok(self.enrol(place, kind))
    }

    fn enrol(&mut self, place: Place, kind: TokenKind) -> DeviceToken {
        self.change(place, |app| app.set_registered(kind, true));
        let identity = place.token(kind, self.installation(place).generation, 0);
        // What APNs had learned of the token before is history.
        self.team.gone.remove(&identity);
        let token = self.team.token_of(&identity);
        let (app, environment) = (self.team.bundle_id(place.app).clone(), place.environment);
        let change = DeviceChange::Registered { app, environment, kind, token: token.to_string() };
        self.log_device(place.device, change);
        token
    }

    /// Registers an app under a token of the caller's choice, for tests that have their tokens written down. Once
    /// something makes the token another, it is a minted one.
    pub fn register_as(
        &mut self,
        id: &DeviceId,
        app: &BundleId,
        environment: Environment,
        kind: TokenKind,
        token: DeviceToken,
    ) -> Result<(), DeviceError> {
        self.record(|| {
            TeamCall::RegisterAs(recording::Place::new(id, app, environment), kind, token.clone())
        });
        let place = self.place(id, app, environment)?;
        let identity = place.token(kind, self.installation(place).generation, 0);
        if self.team.identify(token.as_bytes()).is_some_and(|other| other != identity) {
            return Err(DeviceError::TokenInUse(token));
        }
        self.require_kind(app, place.app, kind)?;
        if let Some(former) = self.team.given_to.insert(identity, token.clone()) {
            self.team.given_tokens.remove(&former);
        }
        self.team.given_tokens.insert(token, identity);
        self.enrol(place, kind);
        Ok(())
    }

    /// Takes an app's registration for a kind back. Registered again, it has the same token.
    pub fn unregister(
        &mut self,
        id: &DeviceId,
        app: &BundleId,
        environment: Environment,
        kind: TokenKind,
    ) -> Result<(), DeviceError> {
        self.record(|| TeamCall::Unregister(recording::Place::new(id, app, environment), kind));
        let place = self.place(id, app, environment)?;
        if !self.installation(place).is_registered(kind) {
            let (device, bundle_id) = (id.clone(), app.clone());
            return Err(DeviceError::NotRegistered { device, bundle_id, environment, kind });
        }
        self.change(place, |app| app.set_registered(kind, false));
        self.log_device(place.device, DeviceChange::Unregistered { app: app.clone(), environment, kind });
        Ok(())
    }

    /// Starts a Live Activity: its number, and its token.
    pub fn start_activity(
        &mut self,
        id: &DeviceId,
        app: &BundleId,
        environment: Environment,
    ) -> Result<(u32, DeviceToken), DeviceError> {
        self.record(|| TeamCall::StartActivity(recording::Place::new(id, app, environment)));
        let place = self.place(id, app, environment)?;
        self.require_kind(app, place.app, TokenKind::LiveActivity)?;
        Ok(self.begin_activity(&place.token(TokenKind::LiveActivity, 0, 0), None))
    }

    /// Ends a Live Activity on the device, as its user does.
    pub fn end_activity(
        &mut self,
        id: &DeviceId,
        app: &BundleId,
        environment: Environment,
        activity: u32,
    ) -> Result<(), DeviceError> {
        self.record(|| TeamCall::EndActivity(recording::Place::new(id, app, environment), activity));
        let place = self.place(id, app, environment)?;
        let was_under_way = self.change(place, |app| match app.activity_mut(activity) {
            Some(known) => !std::mem::replace(&mut known.ended, true),
            None => false,
        });
        if !was_under_way {
            let (device, bundle_id) = (id.clone(), app.clone());
            return Err(DeviceError::UnknownActivity { device, bundle_id, environment, activity });
        }
        let change = DeviceChange::ActivityEnded { app: app.clone(), environment, activity };
        self.log_device(place.device, change);
        Ok(())
    }

    /// Makes the device forget its tokens: every app on it gets others when it registers next.
    pub fn new_tokens(&mut self, id: &DeviceId, cause: NewTokens) -> Result<(), DeviceError> {
        self.record(|| TeamCall::NewTokens(id.clone(), cause));
        let device = self.device(id)?;
        self.team.devices.change(device, |device| {
            device.installations.iter_mut().for_each(Installation::forget_tokens);
        });
        self.log_device(device, DeviceChange::NewTokens { cause });
        Ok(())
    }
}

/// What the device gateway does to devices.
impl TeamAt<'_> {
    /// A device can be reached now, or cannot. When it can, it tells what its user has switched off, and gets what waits
    /// for it.
    pub(crate) fn set_state(&mut self, index: DeviceIndex, state: DeviceState) {
        let (former, installations) = self.team.devices.change(index, |device| {
            let former = std::mem::replace(&mut device.state, state);
            if former == DeviceState::Offline && state != former {
                device.installations.iter_mut().for_each(|it| it.known_disabled = !it.permission);
            }
            (former, device.installations.len())
        });
        if former == state {
            return;
        }
        self.log_device(index, DeviceChange::State { state });
        if state != DeviceState::Offline {
            (0..installations).for_each(|installation| self.release(index, installation));
        }
    }

    pub(crate) fn device(&self, id: &DeviceId) -> Result<DeviceIndex, DeviceError> {
        self.team.devices.index_of(id).ok_or_else(|| DeviceError::UnknownDevice(id.clone()))
    }

    fn app(&self, bundle_id: &BundleId) -> Result<AppIndex, DeviceError> {
        self.team.app_index(bundle_id).ok_or_else(|| DeviceError::UnknownApp(bundle_id.clone()))
    }

    fn place(
        &self,
        id: &DeviceId,
        bundle_id: &BundleId,
        environment: Environment,
    ) -> Result<Place, DeviceError> {
        let device = self.device(id)?;
        let app = self.app(bundle_id)?;
        let position = self.team.devices.at(device).position(app, environment);
        let is_installed = |place: &usize| self.team.devices.at(device).installations[*place].installed;
        let Some(installation) = position.filter(is_installed) else {
            let (device, bundle_id) = (id.clone(), bundle_id.clone());
            return Err(DeviceError::NotInstalled { device, bundle_id, environment });
        };
        Ok(Place { device, app, environment, installation })
    }

    fn installation(&self, place: Place) -> &Installation {
        &self.team.devices.at(place.device).installations[place.installation]
    }

    fn change<R>(&mut self, place: Place, change: impl FnOnce(&mut Installation) -> R) -> R {
        self.team.devices.change(place.device, |device| change(&mut device.installations[place.installation]))
    }

    fn require_kind(&self, bundle_id: &BundleId, app: AppIndex, kind: TokenKind) -> Result<(), DeviceError> {
        if self.team.app(app).takes(kind) {
            Ok(())
        } else {
            Err(DeviceError::KindNotReceived { bundle_id: bundle_id.clone(), kind })
        }
    }
}

impl Place {
    fn token(self, kind: TokenKind, generation: u32, activity: u32) -> TokenIdentity {
        let Self { device, app, environment, .. } = self;
        TokenIdentity { device, app, environment, kind, generation, activity }
    }
}
