use std::sync::Arc;

use bytes::Bytes;

use crate::apns_id::ApnsId;
use crate::device_token::DeviceToken;
use crate::expiration::Expiration;
use crate::notification::{Broadcast, Push};
use crate::priority::Priority;

/// What goes out on a connection for pushes: to one device, or to all who follow a channel. What becomes one request, and again the
/// same request when it is sent again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outgoing {
    /// To all who follow a channel.
    Broadcast {
        /// What is sent.
        broadcast: Arc<Broadcast>,
        /// The identity of this request, `apns-request-id`.
        request_id: ApnsId,
    },
    /// To one device.
    Push(Push),
}

impl Outgoing {
    /// The body of the request.
    pub fn payload(&self) -> &Bytes {
        match self {
            Self::Broadcast { broadcast, .. } => broadcast.payload(),
            Self::Push(push) => push.notification().payload(),
        }
    }

    /// Whether it goes ahead of whatever waits.
    pub fn is_urgent(&self) -> bool {
        matches!(self, Self::Push(push) if push.is_urgent())
    }

    /// `apns-priority`.
    pub fn priority(&self) -> Priority {
        match self {
            Self::Broadcast { broadcast, .. } => broadcast.priority(),
            Self::Push(push) => push.notification().priority(),
        }
    }

    /// `apns-expiration`.
    pub fn expiration(&self) -> Option<Expiration> {
        match self {
            Self::Broadcast { broadcast, .. } => Some(broadcast.expiration()),
            Self::Push(push) => push.notification().expiration(),
        }
    }

    /// The one device that it goes to, if it does.
    pub fn device_token(&self) -> Option<&DeviceToken> {
        match self {
            Self::Broadcast { .. } => None,
            Self::Push(push) => Some(push.device_token()),
        }
    }

    /// Its identity: `apns-id`, or `apns-request-id` of a broadcast.
    pub fn id(&self) -> &ApnsId {
        match self {
            Self::Broadcast { request_id, .. } => request_id,
            Self::Push(push) => push.apns_id(),
        }
    }
}

impl From<Push> for Outgoing {
    fn from(push: Push) -> Self {
        Self::Push(push)
    }
}
