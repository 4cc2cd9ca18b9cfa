//! Devices: what a registration says, and what it does to what is there.

mod environment;
mod kind;
mod registering;
mod registration;
mod standing;

use std::collections::BTreeSet;

use apns_provider_core::{DeviceToken, UnixTime};

pub use environment::{Environment, UnknownEnvironment};
pub use kind::{Kind, UnknownKind};
pub use registering::{Change, DEVICES_PER_USER, Registered, Registering, WhyRemoved};
pub use registration::{
    NewRegistration, REGISTRATIONS_MAX, Registration, RegistrationRequest, RegistrationsRequest, TAGS_MAX,
};
pub use standing::{Current, Planned, Standing};

use crate::{
    ids::{AppVersion, DeviceId, Locale, RegistrationNumber, Tag, UserId},
    schedule::TimeZoneName,
};

/// A device as it is stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Device {
    /// Its row, which stays while its token is replaced.
    pub id: DeviceId,
    /// What is known of it.
    pub record: DeviceRecord,
}

/// What is known of a device.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeviceRecord {
    /// Its address. There is one device for each token and environment of an app.
    pub token: DeviceToken,
    /// Where the token works.
    pub environment: Environment,
    /// What it was issued for.
    pub kind: Kind,
    /// Who uses it, if somebody has signed in.
    pub user: Option<UserId>,
    /// In which language it wants to be spoken to.
    pub locale: Option<Locale>,
    /// Where its clock is.
    pub time_zone: Option<TimeZoneName>,
    /// What else it can be addressed by.
    pub tags: BTreeSet<Tag>,
    /// Which version of the app it has.
    pub app_version: Option<AppVersion>,
    /// When the app last registered it. Never goes back, whatever the clock does: what APNs found dead before is not dead any more.
    pub registered_at: UnixTime,
    /// Which registration that was.
    pub number: RegistrationNumber,
    /// The registration with which its user became its user: a push that was planned before was meant for somebody else.
    pub user_since: RegistrationNumber,
}
