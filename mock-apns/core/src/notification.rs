//! A push that was accepted: what is stored, delivered and told of.

use std::time::Duration;

use crate::{
    Expiration, MessageId, Priority, PushType, ReceivedRequest, Timestamp, TokenKind, UniqueId,
    device_token::TokenIdentity,
};

/// A push that APNs has accepted, on its way to a device.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct Notification {
    /// Its number among those of its team, from 1 in the order of their arrival.
    pub number: u64,
    /// The `apns-id` of the answer.
    pub apns_id: MessageId,
    /// The `apns-unique-id` of the answer, which is given in the sandbox.
    pub apns_unique_id: Option<UniqueId>,
    /// When it was accepted.
    pub received_at: Timestamp,
    pub(crate) token: TokenIdentity,
    /// The `apns-push-type`, if there was one.
    pub push_type: Option<PushType>,
    /// The `apns-priority`, if there was one.
    pub priority: Option<Priority>,
    /// The `apns-expiration`.
    pub expiration: Expiration,
    /// The `apns-collapse-id`, if there was one.
    pub collapse_id: Option<Box<[u8]>>,
    /// What came over the wire.
    pub request: ReceivedRequest,
    /// The cursor of its arrival in its team's journal.
    pub(crate) cursor: u64,
}

impl Notification {
    /// The payload as it came.
    pub fn payload(&self) -> &[u8] {
        self.request.payload()
    }

    /// When APNs gives up: by `apns-expiration`, but [`STORAGE_TIME_MAX`] after its arrival at the latest. One that is
    /// to be tried once gives up at once.
    pub fn expires_at(&self) -> Timestamp {
        let latest = self.received_at.saturating_add(STORAGE_TIME_MAX);
        match self.expiration {
            Expiration::Unstated => latest,
            Expiration::Once => self.received_at,
            Expiration::At(at) => at.min(latest),
        }
    }

    /// Whether the user would see or hear it: what the permission for notifications is about.
    pub(crate) fn is_alert(&self) -> bool {
        self.token.kind == TokenKind::App
            && match self.push_type {
                Some(push_type) => push_type == PushType::Alert,
                None => !self.wakes_in_silence(),
            }
    }

    /// Whether it wakes the app without the user's notice: what the budget of background pushes is about.
    pub(crate) fn is_background(&self) -> bool {
        self.token.kind == TokenKind::App
            && match self.push_type {
                Some(push_type) => push_type == PushType::Background,
                None => self.wakes_in_silence(),
            }
    }

    /// `content-available` with nothing for the user: how a background push was told from an alert before there was a
    /// push type.
    fn wakes_in_silence(&self) -> bool {
        let aps = self.aps();
        let has = |key| aps.get(key).is_some();
        aps.get("content-available").is_some_and(|value| value == 1)
            && !(has("alert") || has("sound") || has("badge"))
    }

    /// `aps.timestamp` of a Live Activity's payload, in milliseconds.
    pub(crate) fn activity_timestamp(&self) -> Option<u64> {
        let seconds = self.aps().get("timestamp").and_then(serde_json::Value::as_f64)?;
        #[expect(clippy::cast_sign_loss, reason = "the conversion stops at both ends: before 1970 is 1970")]
        Some((seconds * 1000.0) as u64)
    }

    fn aps(&self) -> serde_json::Value {
        let payload: Option<serde_json::Value> = serde_json::from_slice(self.payload()).ok();
        payload.and_then(|mut payload| Some(payload.get_mut("aps")?.take())).unwrap_or_default()
    }
}

/// The longest that APNs keeps a notification. Source: Apple, "Viewing the status of push notifications using Metrics and
/// APNs".
pub const STORAGE_TIME_MAX: Duration = Duration::from_hours(30 * 24);
