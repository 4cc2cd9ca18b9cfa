//! Devices as they are written in a snapshot.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{DeviceData, DeviceId, DeviceIndex, DeviceState, Devices, Installation};
use crate::snapshot::{Problem, SnapshotError};

/// A device. Its connection is written with the team's links, and what waits for it with what is stored.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DeviceForm {
    name: DeviceId,
    #[serde(default, skip_serializing_if = "crate::bytes::is_default")]
    removed: bool,
    #[serde(default = "online", skip_serializing_if = "is_online")]
    state: DeviceState,
    #[serde(default, skip_serializing_if = "SmallVec::is_empty")]
    installations: SmallVec<[Installation; 1]>,
}

impl Devices {
    /// All that ever were, each at its place.
    pub(crate) fn to_forms(&self) -> Vec<DeviceForm> {
        let form = |(index, device): (DeviceIndex, &DeviceData)| {
            let mut installations = device.installations.clone();
            installations.iter_mut().for_each(|installation| installation.slot = None);
            let name = self.name(index).clone();
            DeviceForm {
                removed: self.index_of(&name) != Some(index),
                name,
                state: device.state,
                installations,
            }
        };
        self.all().map(form).collect()
    }

    /// As they were, of a team with so many apps.
    pub(crate) fn from_forms(forms: &[DeviceForm], apps: usize) -> Result<Self, SnapshotError> {
        let mut devices = Self::default();
        for (at, form) in forms.iter().enumerate() {
            devices.restore(form, apps).map_err(|problem| problem.at(&format!("devices[{at}]")))?;
        }
        Ok(devices)
    }

    fn restore(&mut self, form: &DeviceForm, apps: usize) -> Result<(), Problem> {
        let DeviceForm { name, removed, state, installations } = form;
        for (at, installation) in installations.iter().enumerate() {
            let same = |other: &Installation| {
                (other.app, other.environment) == (installation.app, installation.environment)
            };
            if usize::from(installation.app.0) >= apps {
                return Err(Problem::NoSuch("app", installation.app.0.into()));
            }
            if !installation.is_sound() {
                return Err(Problem::TooMany);
            }
            if installations[..at].iter().any(same) {
                return Err(Problem::Twice("an installation"));
            }
        }
        if *removed && !installations.is_empty() {
            return Err(Problem::Misplaced("an installation on a device that was removed"));
        }
        let index = self.push(name.clone()).ok_or(Problem::TooMany)?;
        if !removed && !self.enter(index) {
            return Err(Problem::Twice("a device of this name"));
        }
        self.change(index, |device| {
            device.state = *state;
            device.installations.clone_from(installations);
        });
        Ok(())
    }
}

fn online() -> DeviceState {
    DeviceState::Online
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_online(state: &DeviceState) -> bool {
    *state == DeviceState::Online
}
