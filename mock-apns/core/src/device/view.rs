//! A device as its team's user sees it.

use super::{DeviceData, DeviceId, DeviceIndex, DeviceState, Installation};
use crate::{
    App, BundleId, DeviceToken, Environment, Notification, TokenKind, device_token::TokenIdentity, team::Team,
};

/// A simulated device.
#[derive(Clone, Copy, Debug)]
pub struct Device<'a> {
    pub(crate) team: &'a Team,
    pub(crate) index: DeviceIndex,
}

/// An app that is installed on a device.
#[derive(Clone, Copy, Debug)]
pub struct InstalledApp<'a> {
    device: Device<'a>,
    installation: &'a Installation,
}

impl<'a> Device<'a> {
    /// Its name.
    pub fn id(&self) -> &'a DeviceId {
        self.team.device_id(self.index)
    }

    /// Whether it can be reached.
    pub fn state(&self) -> DeviceState {
        self.data().state
    }

    /// Whether it is connected to the device gateway. One that is not acknowledges by itself whatever it is sent.
    pub fn is_connected(&self) -> bool {
        self.data().connection.is_some()
    }

    /// The apps that are installed on it, in the order in which they first were.
    pub fn apps(self) -> impl Iterator<Item = InstalledApp<'a>> {
        let installed = self.data().installations.iter().filter(|it| it.installed);
        installed.map(move |installation| InstalledApp { device: self, installation })
    }

    fn data(&self) -> &'a DeviceData {
        self.team.devices.at(self.index)
    }
}

impl<'a> InstalledApp<'a> {
    /// The app.
    pub fn app(&self) -> &'a App {
        self.device.team.app(self.installation.app)
    }

    /// Its bundle identifier.
    pub fn bundle_id(&self) -> &'a BundleId {
        &self.app().bundle_id
    }

    /// The environment of the build.
    pub fn environment(&self) -> Environment {
        self.installation.environment
    }

    /// Whether the user lets it show notifications.
    pub fn permission(&self) -> bool {
        self.installation.permission
    }

    /// The tokens that it is registered under, but those of Live Activities.
    pub fn tokens(self) -> impl Iterator<Item = (TokenKind, DeviceToken)> {
        let kinds = TokenKind::ALL.iter().copied().filter(move |kind| self.installation.is_registered(*kind));
        kinds.map(move |kind| {
            let Installation { app, environment, generation, .. } = *self.installation;
            let device = self.device.index;
            let identity = TokenIdentity { device, app, environment, kind, generation, activity: 0 };
            (kind, self.device.team.token_of(&identity))
        })
    }

    /// The notification that waits for it.
    pub fn stored(&self) -> Option<&'a Notification> {
        self.installation.slot.as_ref().map(|stored| &*stored.notification)
    }
}
