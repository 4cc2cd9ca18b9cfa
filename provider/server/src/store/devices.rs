//! Devices: registering, finding, removing.

use apns_provider_core::{DeviceToken, UnixTime};
use apns_provider_server_core::{
    device::{Device, Registered, Registration, WhyRemoved},
    ids::{AppId, DeviceId, RegistrationNumber, UserId},
};

use super::{Source, Store, StoreError};

/// What a registration has done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RegisteredDevice {
    /// The device as it is now.
    pub device: Device,
    /// What the registration was.
    pub registered: Registered,
    /// Devices that went with it.
    pub removed: Vec<(Device, WhyRemoved)>,
}

/// A device that was removed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RemovedDevice {
    /// Whose app it was.
    pub source: Source,
    /// Its row.
    pub device: DeviceId,
    /// Its token.
    pub token: DeviceToken,
    /// Whose it was.
    pub user: Option<UserId>,
}

impl Store {
    /// Registers a device: reads what is there, lets the core decide, and does it, in one transaction. Of two registrations of one token or
    /// one user at once, one sees what the other did.
    pub async fn register_device(
        &self,
        app: AppId,
        registration: Registration,
        devices_per_user: u16,
        now: UnixTime,
    ) -> Result<RegisteredDevice, StoreError> {
        todo!()
    }

    /// The device with this token.
    pub async fn device(&self, source: Source, token: &DeviceToken) -> Result<Option<Device>, StoreError> {
        todo!()
    }

    /// A user's devices, at most a page: a user has fewer.
    pub async fn devices_of_user(&self, app: AppId, user: &UserId) -> Result<Vec<Device>, StoreError> {
        todo!()
    }

    /// An app's devices behind this one, in the order of their rows.
    pub async fn devices(
        &self,
        app: AppId,
        after: DeviceId,
        limit: usize,
    ) -> Result<Vec<Device>, StoreError> {
        todo!()
    }

    /// Removes the device with this token, whichever registration it is.
    pub async fn remove_device(
        &self,
        source: Source,
        token: &DeviceToken,
    ) -> Result<Option<RemovedDevice>, StoreError> {
        todo!()
    }

    /// Removes a device if its registration still is this one.
    pub async fn remove_registration(
        &self,
        device: DeviceId,
        number: RegistrationNumber,
    ) -> Result<Option<RemovedDevice>, StoreError> {
        todo!()
    }

    /// Removes the device with this token if it has not been registered after this moment.
    pub async fn remove_device_not_registered_after(
        &self,
        source: Source,
        token: &DeviceToken,
        moment: UnixTime,
    ) -> Result<Option<RemovedDevice>, StoreError> {
        todo!()
    }

    /// Removes all devices of a user. Returns how many there were.
    pub async fn remove_user(&self, app: AppId, user: &UserId) -> Result<u64, StoreError> {
        todo!()
    }

    /// Takes note that the app was seen on a device, as if it had registered again with nothing changed. `false`: there is no such device.
    pub async fn touch_device(
        &self,
        source: Source,
        token: &DeviceToken,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        todo!()
    }
}
