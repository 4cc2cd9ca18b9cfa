use std::sync::Arc;

use super::Notification;
use crate::apns_id::ApnsId;
use crate::device_token::DeviceToken;

/// One notification to one device: what becomes one request, and again the same request when it is sent
/// again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Push {
    notification: Arc<Notification>,
    device_token: DeviceToken,
    apns_id: ApnsId,
    is_urgent: bool,
}

impl Push {
    /// Addresses a notification. Pass an `Arc` to share one among many recipients. The same `apns_id` stays
    /// for every attempt, so draw it once.
    pub fn new(
        notification: impl Into<Arc<Notification>>,
        device_token: DeviceToken,
        apns_id: ApnsId,
    ) -> Self {
        Self { notification: notification.into(), device_token, apns_id, is_urgent: false }
    }

    /// Lets it go ahead of whatever waits for a stream, priority 10 included: somebody looks at a screen for a code to sign in with, and
    /// the same client has a campaign to send. APNs is told nothing of it.
    #[must_use]
    pub fn urgent(mut self) -> Self {
        self.is_urgent = true;
        self
    }

    /// Whether it goes ahead of others.
    pub fn is_urgent(&self) -> bool {
        self.is_urgent
    }

    /// What is sent.
    pub fn notification(&self) -> &Arc<Notification> {
        &self.notification
    }

    /// To which device.
    pub fn device_token(&self) -> &DeviceToken {
        &self.device_token
    }

    /// The identity of this push.
    pub fn apns_id(&self) -> &ApnsId {
        &self.apns_id
    }
}
