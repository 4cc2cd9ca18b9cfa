//! Simulated devices: whether they can be reached, and what is installed on them.

mod devices;
mod form;
mod installation;
mod usual;
mod view;

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use thiserror::Error;

use crate::{BundleId, DeviceConnectionId, Environment, TokenKind, app::AppIndex};
pub(crate) use devices::Devices;
pub(crate) use form::DeviceForm;
pub(crate) use installation::{Installation, Unreachable};
pub use view::{Device, InstalledApp};

/// The name of a device, unique in its team: the common name of its certificate. Cheap to clone.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DeviceId(Arc<str>);

impl DeviceId {
    /// Reads a name: 1 to [`DEVICE_ID_BYTES_MAX`] printable ASCII characters.
    pub fn parse(text: &str) -> Result<Self, DeviceIdError> {
        let printable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        let fits = (1..=DEVICE_ID_BYTES_MAX).contains(&text.len());
        if fits && text.bytes().all(printable) {
            Ok(Self(text.into()))
        } else {
            Err(DeviceIdError { text: text.chars().take(2 * DEVICE_ID_BYTES_MAX).collect() })
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceId({:?})", self.as_str())
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text is not the name of a device.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error(
    "{text:?} is not a device ID: 1 to {DEVICE_ID_BYTES_MAX} printable ASCII characters, such as \"alice-iphone\""
)]
pub struct DeviceIdError {
    text: String,
}

/// Longest name of a device, in bytes: the longest common name of a certificate (RFC 5280, appendix A.1).
pub const DEVICE_ID_BYTES_MAX: usize = 64;

/// Whether APNs can reach a device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeviceState {
    /// Switched off, or without a network.
    Offline,
    /// It takes whatever comes.
    Online,
    /// It takes what is urgent; pushes of priority 5 and 1 wait for it.
    PowerSaving,
}

/// What makes the apps of a device get new tokens when they register next, beside installing an app again.
/// Source: Apple, "Registering your app with APNs".
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NewTokens {
    /// It was restored from a backup.
    Restore,
    /// Its operating system was installed again.
    OsReinstall,
    /// Something else, which Apple calls "other system events".
    System,
}

/// What is kept of a device, beside its name.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct DeviceData {
    /// Its connection to the device gateway, if a device out there is it.
    pub(crate) connection: Option<DeviceConnectionId>,
    pub(crate) state: DeviceState,
    /// All that were ever installed: an app that is gone has tokens that lead nowhere. Mostly one, which then lies here.
    pub(crate) installations: SmallVec<[Installation; 1]>,
}

impl DeviceData {
    fn new() -> Self {
        Self { connection: None, state: DeviceState::Online, installations: SmallVec::new() }
    }

    pub(crate) fn position(&self, app: AppIndex, environment: Environment) -> Option<usize> {
        self.installations.iter().position(|it| it.app == app && it.environment == environment)
    }
}

/// Where a device stands in its team. Devices keep their place when others are removed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct DeviceIndex(pub(crate) u32);

/// A device could not do, or be made to do, what was asked.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum DeviceError {
    /// The team has a device of this name.
    #[error("the team has a device {0} already: give each device a name of its own")]
    DuplicateDevice(DeviceId),
    /// The team has no such device.
    #[error("the team has no device {0}: add it first, or connect as it to the device gateway")]
    UnknownDevice(DeviceId),
    /// The team has no such app.
    #[error("the team has no app {0}: add the app to the team first")]
    UnknownApp(BundleId),
    /// The app does not receive pushes of this kind.
    #[error(
        "{bundle_id} gets no {kind} tokens: none of the push types that it was built to receive needs one"
    )]
    KindNotReceived {
        /// The app.
        bundle_id: BundleId,
        /// The kind.
        kind: TokenKind,
    },
    /// The app is not on the device.
    #[error("{bundle_id} ({environment}) is not installed on {device}: install it, or let it register")]
    NotInstalled {
        /// The device.
        device: DeviceId,
        /// The app.
        bundle_id: BundleId,
        /// The environment of the build that was asked for.
        environment: Environment,
    },
    /// The app has no token of this kind on the device.
    #[error("{bundle_id} ({environment}) on {device} is not registered for {kind}: register it first")]
    NotRegistered {
        /// The device.
        device: DeviceId,
        /// The app.
        bundle_id: BundleId,
        /// The environment of the build.
        environment: Environment,
        /// The kind.
        kind: TokenKind,
    },
    /// The Live Activity is none of the app's, or has ended.
    #[error("{bundle_id} ({environment}) on {device} has no Live Activity {activity} that is under way")]
    UnknownActivity {
        /// The device.
        device: DeviceId,
        /// The app.
        bundle_id: BundleId,
        /// The environment of the build.
        environment: Environment,
        /// The number of the Live Activity.
        activity: u32,
    },
    /// A token was to be given to an app under a text that is another's token.
    #[error("the device token {0} is in use: give each registration a token of its own")]
    TokenInUse(crate::DeviceToken),
    /// There are as many devices as tokens can name.
    #[error("a team has at most {} devices", u32::MAX)]
    TooManyDevices,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_a_certificate_can_hold() {
        for name in ["a", "Alice's iPhone 17", &"x".repeat(64)] {
            assert_eq!(DeviceId::parse(name).unwrap().as_str(), name);
        }
        for name in ["", "\n", "iphone-é", &"x".repeat(65)] {
            let message = DeviceId::parse(name).unwrap_err().to_string();
            assert!(message.contains("is not a device ID"), "{message}");
        }
    }

    /// A million of them are nothing unusual.
    #[test]
    fn a_device_is_a_cache_line() {
        assert_eq!(size_of::<DeviceData>(), 64);
    }
}
