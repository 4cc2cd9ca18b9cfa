use std::fmt;

use bytes::Bytes;
use thiserror::Error;

use super::live_activity::ToChannel;
use super::options::Options;
use super::{InvalidNotification, LiveActivityMessage, NotificationBuilder, rules};
use crate::channel::{Channel, MessageStoragePolicy};
use crate::channel_id::ChannelId;
use crate::expiration::Expiration;
use crate::payload::to_json;
use crate::priority::Priority;
use crate::push_type::PushType;

/// One message for all who follow a channel with a Live Activity, checked and written out.
///
/// Made by the builders of updates and ends: a broadcast starts no activity. It may have each of the three
/// [priorities](Priority). Pass an `Arc` to send it more than once. `Debug` does not show the payload: it is the user's.
///
/// ```
/// use apns_provider_core::{BundleId, ChannelId, LiveActivityUpdate, Priority, UnixTime};
/// use serde_json::json;
///
/// let goal = LiveActivityUpdate::new(BundleId::parse("com.example.football")?, UnixTime::from_secs(1_700_000_000))
///     .content_state(json!({ "score": "1:0" }))
///     .priority(Priority::PowerFirst)
///     .broadcast(ChannelId::parse("dHN0LXNyY2gtY2hubA==")?)?;
/// assert_eq!(goal.channel_id().as_str(), "dHN0LXNyY2gtY2hubA==");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: Apple, "Sending broadcast push notification requests to APNs".
#[derive(Clone, Eq, PartialEq)]
pub struct Broadcast {
    path: Box<str>,
    channel_id: ChannelId,
    priority: Priority,
    expiration: Expiration,
    /// `expiration` as a header value.
    expiration_text: Box<str>,
    payload: Bytes,
}

#[expect(private_bounds, reason = "sealed: updates and ends")]
impl<E: ToChannel> NotificationBuilder<LiveActivityMessage<E>> {
    /// Checks everything and writes the payload, for all who follow this channel instead of one device.
    ///
    /// Without an [expiration](Self::expiration) it is [`Expiration::ONCE`], which every channel takes; another one only a
    /// channel that stores messages, which [`broadcast_to`](Self::broadcast_to) checks.
    ///
    /// # Errors
    /// What is wrong with the message, or what a broadcast cannot have.
    pub fn broadcast(self, channel_id: ChannelId) -> Result<Broadcast, InvalidBroadcast> {
        self.check_content()?;
        let Self { topic, message, custom, options } = self;
        let Options { priority, expiration, collapse_id } = options;
        if collapse_id.is_some() {
            return Err(InvalidBroadcast::CollapseId);
        }
        let payload = to_json(&message, &custom);
        rules::broadcast_fits_limit(&payload)?;
        // Apple's path has the bundle ID without suffix.
        let suffix = PushType::LiveActivity.topic_suffix();
        let bundle_id = topic.as_str().strip_suffix(suffix).expect("`of` made the topic by adding it");
        let expiration = expiration.unwrap_or(Expiration::ONCE);
        Ok(Broadcast {
            path: format!("/4/broadcasts/apps/{bundle_id}").into(),
            channel_id,
            priority: priority.unwrap_or_else(|| PushType::LiveActivity.default_priority()),
            expiration,
            expiration_text: expiration.as_secs().to_string().into(),
            payload,
        })
    }

    /// The same, and checks that the channel stores messages if this one is to be stored.
    ///
    /// # Errors
    /// Those of [`broadcast`](Self::broadcast), and [`InvalidBroadcast::NothingIsStored`].
    pub fn broadcast_to(self, channel: &Channel) -> Result<Broadcast, InvalidBroadcast> {
        let broadcast = self.broadcast(channel.id.clone())?;
        match (channel.storage, broadcast.expiration) {
            (MessageStoragePolicy::MostRecentMessageStored, _) | (_, Expiration::ONCE) => Ok(broadcast),
            (MessageStoragePolicy::NoMessageStored, later) => {
                Err(InvalidBroadcast::NothingIsStored { secs: later.as_secs() })
            }
        }
    }
}

impl Broadcast {
    /// The most that a payload may have, in bytes (Apple, "Sending broadcast push notification requests to APNs").
    pub const PAYLOAD_BYTES_MAX: usize = 5120;

    /// `apns-channel-id`.
    pub fn channel_id(&self) -> &ChannelId {
        &self.channel_id
    }

    /// `apns-priority`.
    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// `apns-expiration`.
    pub fn expiration(&self) -> Expiration {
        self.expiration
    }

    /// The body of the request.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn expiration_text(&self) -> &str {
        &self.expiration_text
    }
}

impl fmt::Debug for Broadcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast")
            .field("path", &self.path)
            .field("channel_id", &self.channel_id)
            .field("priority", &self.priority)
            .field("expiration", &self.expiration)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// Why a broadcast is not sent at all: what APNs would refuse.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum InvalidBroadcast {
    /// It has a collapse ID, which broadcasts have not.
    #[error(
        "apns-collapse-id: broadcasts have none; leave it out, a channel stores the latest message alone"
    )]
    CollapseId,
    /// The message itself is wrong.
    #[error(transparent)]
    Message(#[from] InvalidNotification),
    /// It expires later than at once, and the channel stores nothing.
    #[error(
        "apns-expiration {secs}: the channel stores no messages, so it has to be 0; use Expiration::ONCE"
    )]
    NothingIsStored {
        /// What was given.
        secs: u64,
    },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::collapse_id::CollapseId;
    use crate::notification::{LiveActivityEnd, LiveActivityUpdate};
    use crate::topic::BundleId;
    use crate::unix_time::UnixTime;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn app() -> BundleId {
        BundleId::parse("com.example.app").unwrap()
    }

    fn channel(storage: MessageStoragePolicy) -> Channel {
        Channel { id: ChannelId::parse("dHN0LXNyY2gtY2hubA==").unwrap(), storage }
    }

    fn update() -> LiveActivityUpdate {
        LiveActivityUpdate::new(app(), NOW).content_state(json!({ "score": 1 }))
    }

    #[test]
    fn c67_the_payload_is_that_of_the_same_push() {
        let channel = channel(MessageStoragePolicy::NoMessageStored);
        let both = update().custom("k", 1);
        let payload = both.clone().build().unwrap().payload().clone();
        assert_eq!(*both.broadcast_to(&channel).unwrap().payload(), payload);
        let end = LiveActivityEnd::new(app(), NOW).broadcast_to(&channel).unwrap();
        assert_eq!(end.payload(), r#"{"aps":{"timestamp":1700000000,"event":"end"}}"#);
    }

    #[test]
    fn c67_a_broadcast_has_any_priority_and_is_immediate_unless_said() {
        let id = channel(MessageStoragePolicy::NoMessageStored).id;
        assert_eq!(update().broadcast(id.clone()).unwrap().priority(), Priority::Immediate);
        for priority in [Priority::Immediate, Priority::PowerConsiderate, Priority::PowerFirst] {
            assert_eq!(update().priority(priority).broadcast(id.clone()).unwrap().priority(), priority);
        }
    }

    #[test]
    fn c67_what_a_channel_does_not_store_expires_at_once() {
        let later = Expiration::at_secs(1_700_000_060).unwrap();
        let stores = channel(MessageStoragePolicy::MostRecentMessageStored);
        let forgets = channel(MessageStoragePolicy::NoMessageStored);
        for channel in [&stores, &forgets] {
            assert_eq!(update().broadcast_to(channel).unwrap().expiration(), Expiration::ONCE);
        }
        let kept = update().expiration(later);
        assert_eq!(kept.clone().broadcast_to(&stores).unwrap().expiration(), later);
        let refused = Err(InvalidBroadcast::NothingIsStored { secs: 1_700_000_060 });
        assert_eq!(kept.clone().broadcast_to(&forgets), refused);
        assert!(kept.broadcast(forgets.id).is_ok(), "its policy is not known");
    }

    #[test]
    fn c67_a_broadcast_may_be_larger_than_a_push() {
        let id = channel(MessageStoragePolicy::NoMessageStored).id;
        let of = |bytes: usize| {
            let empty = update().custom("k", "").broadcast(id.clone()).unwrap().payload().len();
            update().custom("k", "x".repeat(bytes - empty))
        };
        assert_eq!(of(5120).broadcast(id.clone()).unwrap().payload().len(), 5120);
        let (push_type, limit) = (PushType::LiveActivity, Broadcast::PAYLOAD_BYTES_MAX);
        let too_large = InvalidNotification::PayloadTooLarge { push_type, len: 5121, limit };
        assert_eq!(of(5121).broadcast(id.clone()), Err(too_large.into()));
        assert!(of(5120).build().is_err(), "a push to a device has 4096");
    }

    #[test]
    fn what_is_wrong_with_the_message_is_told() {
        let id = channel(MessageStoragePolicy::NoMessageStored).id;
        let idle = LiveActivityUpdate::new(app(), NOW).broadcast(id.clone());
        assert!(matches!(idle, Err(InvalidBroadcast::Message(InvalidNotification::MissingKey { .. }))));
        let collapsing = update().collapse_id(CollapseId::parse("c").unwrap()).broadcast(id);
        assert_eq!(collapsing, Err(InvalidBroadcast::CollapseId));
    }

    #[test]
    fn logs_do_not_show_what_the_user_reads() {
        let secret = LiveActivityUpdate::new(app(), NOW).content_state(json!({ "code": 4711 }));
        let broadcast = secret.broadcast(channel(MessageStoragePolicy::NoMessageStored).id).unwrap();
        let log = format!("{broadcast:?}");
        assert!(!log.contains("4711") && log.contains("com.example.app"), "{log}");
    }
}
