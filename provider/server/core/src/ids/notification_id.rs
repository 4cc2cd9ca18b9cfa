use std::fmt;

use apns_provider_core::{ApnsId, UnixTime};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::uuid;

/// The identity of a notification: a UUID of version 7 (RFC 9562 section 5.7), so that those of one time stand together in an index.
///
/// ```
/// use apns_provider_core::UnixTime;
/// use apns_provider_server_core::ids::NotificationId;
///
/// let id = NotificationId::new(UnixTime::from_millis(1_700_000_000_123), [0xff; 10]);
/// assert_eq!(id.to_string(), "018bcfe5-687b-7fff-bfff-ffffffffffff");
/// assert_eq!(id.made_at(), UnixTime::from_millis(1_700_000_000_123));
/// assert_eq!(NotificationId::parse(&id.to_string()), Ok(id));
/// ```
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct NotificationId {
    bytes: [u8; 16],
}

/// The text is no notification's.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error(
    "it is no notification's ID; write the UUID as it was given out: 36 characters as 8-4-4-4-12 hexadecimal digits"
)]
pub struct InvalidNotificationId;

impl NotificationId {
    /// Makes an ID of a moment and of random bytes, which the caller draws.
    pub fn new(now: UnixTime, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&now.as_millis().to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        bytes[6] = bytes[6] & 0x0f | 0x70; // version 7
        bytes[8] = bytes[8] & 0x3f | 0x80; // the variant of RFC 9562
        Self { bytes }
    }

    /// Reads the canonical form. Of any version: one of another is none that was ever given out, and is not found.
    pub fn parse(text: &str) -> Result<Self, InvalidNotificationId> {
        uuid::read(text).map(Self::from_bytes).ok_or(InvalidNotificationId)
    }

    /// The ID as it is stored.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self { bytes }
    }

    /// The ID to store: bytes that sort by time.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.bytes
    }

    /// When it was made, by the clock of the process that made it.
    pub fn made_at(self) -> UnixTime {
        let millis = self.bytes[..6].iter().fold(0, |millis, byte| millis << 8 | u64::from(*byte));
        UnixTime::from_millis(millis)
    }

    /// The apns-id of the push to one recipient: a hash of what names it. After any crash it is the same, so that APNs and the device
    /// can tell a push that came twice, and nothing has to be stored for it.
    ///
    /// It has the form of a UUID of version 4, as all of an engine's have: nobody has to know how it was made.
    pub fn apns_id(self, shard: u32, position: u16) -> ApnsId {
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        hash.update(self.bytes);
        hash.update(shard.to_be_bytes());
        hash.update(position.to_be_bytes());
        let hash: [u8; 32] = hash.finalize().into();
        let (half, _) = hash.split_first_chunk().expect("32 bytes have 16");
        ApnsId::from_random(*half)
    }
}

impl fmt::Display for NotificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = uuid::write(self.bytes);
        f.write_str(str::from_utf8(&text).expect("only hexadecimal digits and hyphens are written"))
    }
}

impl fmt::Debug for NotificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NotificationId({self})")
    }
}

impl From<NotificationId> for String {
    fn from(id: NotificationId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for NotificationId {
    type Error = InvalidNotificationId;

    fn try_from(text: String) -> Result<Self, InvalidNotificationId> {
        Self::parse(&text)
    }
}

/// Keeps these hashes apart from any others of the same bytes. Never to be changed: pushes under way would get other IDs. With what
/// follows it fits one block of the hash.
const DOMAIN: &[u8] = b"apns-provider/apns-id/1\0";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ID: NotificationId = NotificationId::from_bytes([7; 16]);

    #[test]
    fn later_ids_sort_later() {
        let early = NotificationId::new(UnixTime::from_millis(1_700_000_000_000), [0xff; 10]);
        let late = NotificationId::new(UnixTime::from_millis(1_700_000_000_001), [0; 10]);
        assert!(early < late && early.to_string() < late.to_string());
    }

    #[test]
    fn the_apns_id_of_a_recipient_never_changes() {
        // Not to be adapted: an update of the server in the middle of a campaign keeps its IDs.
        assert_eq!(ID.apns_id(3, 14).as_str(), "11511f88-36d8-4c64-a570-430be4b15259");
    }

    #[test]
    fn each_recipient_has_its_own() {
        let other = NotificationId::from_bytes([8; 16]);
        let ids: BTreeSet<_> = [ID, other]
            .into_iter()
            .flat_map(|id| {
                (0..50).flat_map(move |shard| (0..50).map(move |position| id.apns_id(shard, position)))
            })
            .collect();
        assert_eq!(ids.len(), 5_000);
    }

    #[test]
    fn what_is_no_uuid_is_refused() {
        assert_eq!(NotificationId::parse("7"), Err(InvalidNotificationId));
        let refused = serde_json::from_str::<NotificationId>(r#""7""#).unwrap_err();
        assert!(refused.to_string().starts_with("it is no notification's ID"), "{refused}");
    }
}
