//! The device gateway: what devices and the service say to each other.
//!
//! A device's connection goes through three states: it is open ([`Service::device_connected`]), it has said `connect`
//! and is the device of a team from then on, and it is closed. The newest connection of a device wins.

mod device_certificate;
mod link;
mod message;
mod requests;

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

pub use device_certificate::DeviceCertificateError;
pub(crate) use link::{Link, LinkForm, arrival, send_away};
pub use message::{
    CloseReason, ConnectedMessage, DeviceMessage, DeviceRequest, ErrorMessage, FromDevice, GatewayErrorCode,
    MessageError, MessageProblem, NotificationMessage, RawJson, ToDevice, TokenMessage,
};
pub(crate) use requests::{GatewayForm, GatewayPeers};

/// Names a device's connection for as long as the service lives; never used again.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct DeviceConnectionId(NonZeroU64);

impl DeviceConnectionId {
    /// The ordinal of the connection, from 1.
    pub const fn ordinal(self) -> u64 {
        self.0.get()
    }
}

impl std::fmt::Display for DeviceConnectionId {
    /// The ordinal of the connection, from 1.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}
