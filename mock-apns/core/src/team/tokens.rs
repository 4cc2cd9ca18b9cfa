//! The device tokens of a team: what they stand for, and whether they still lead somewhere.

use super::Team;
use crate::{
    Destination, DeviceToken, Timestamp, TokenStatus,
    device::{DeviceData, Installation},
    device_token::TokenIdentity,
};

impl Team {
    /// What is answered for a device token at `now`, the team's time; `None`: it is none of the team's.
    pub fn token_status(&self, token: &DeviceToken, now: Timestamp) -> Option<TokenStatus> {
        self.identify(token.as_bytes()).map(|identity| self.status_of(&identity, now))
    }

    /// What a device token stands for; `None`: it is none of the team's.
    pub fn destination(&self, token: &DeviceToken) -> Option<Destination<'_>> {
        self.identify(token.as_bytes()).map(|identity| Destination::new(self, &identity))
    }
}

impl Team {
    /// What a device token stands for, if it is one of a device that there is.
    pub(crate) fn identify(&self, token: &[u8]) -> Option<TokenIdentity> {
        let identity = match self.token_key.read(token) {
            Some(identity) => identity,
            None => *self.given_tokens.get(token)?,
        };
        if self.devices.takes_at_once(&identity) {
            return Some(identity);
        }
        let device = self.devices.get(identity.device)?;
        device.position(identity.app, identity.environment).map(|_| identity)
    }

    pub(crate) fn status_of(&self, identity: &TokenIdentity, now: Timestamp) -> TokenStatus {
        match self.gone.get(identity) {
            Some(TokenStatus::Unregistered { since } | TokenStatus::Expired { since }) if *since > now => {
                TokenStatus::Active
            }
            Some(status) => *status,
            None => TokenStatus::Active,
        }
    }

    /// The token of a registration: the one that it was given, or the one that its identity encrypts to.
    pub(crate) fn token_of(&self, identity: &TokenIdentity) -> DeviceToken {
        let given = self.given_to.get(identity).cloned();
        given.unwrap_or_else(|| self.token_key.mint(*identity, self.settings.device_token_length))
    }

    /// The device and the installation of a token that [`identify`](Self::identify) has found.
    pub(crate) fn installation(&self, token: &TokenIdentity) -> (&DeviceData, &Installation) {
        let device = self.devices.at(token.device);
        (device, &device.installations[self.installation_place(token)])
    }

    /// Changes the installation of a token that [`identify`](Self::identify) has found.
    pub(crate) fn change_installation<R>(
        &mut self,
        token: &TokenIdentity,
        change: impl FnOnce(&mut Installation) -> R,
    ) -> R {
        let place = self.installation_place(token);
        self.devices.change(token.device, |device| change(&mut device.installations[place]))
    }

    pub(crate) fn installation_place(&self, token: &TokenIdentity) -> usize {
        let device = self.devices.at(token.device);
        device
            .position(token.app, token.environment)
            .expect("an identified token has an installation, for ever")
    }
}
