use serde::Serialize;

use super::NotificationBuilder;
use super::builder::Message;
use crate::push_type::PushType;

/// Builds a notification of an incoming call: push type `voip`.
///
/// The payload is the app's own and may have 5120 bytes. A call that arrives late rings for nobody, so give it
/// an [expiration](Self::expiration), [at once](crate::Expiration::ONCE) or in a few seconds. The device token
/// is the one that PushKit gave for calls (Apple, "Responding to VoIP Notifications from PushKit").
///
/// ```
/// use apns_provider_core::{BundleId, Expiration, VoipNotification};
///
/// let call = VoipNotification::new(BundleId::parse("com.example.calls")?)
///     .custom("caller", "Ada")
///     .expiration(Expiration::ONCE)
///     .build()?;
/// assert_eq!(call.topic().as_str(), "com.example.calls.voip");
/// assert_eq!(call.payload(), r#"{"caller":"Ada"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type VoipNotification = NotificationBuilder<VoipMessage>;

/// What a call's push says: what the app makes of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct VoipMessage {}

impl Message for VoipMessage {
    const PUSH_TYPE: PushType = PushType::Voip;
    const KEYS: &'static [&'static str] = &[];
}
