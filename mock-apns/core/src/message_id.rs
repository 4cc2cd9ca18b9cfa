//! The identifiers in an answer: `apns-id` and `apns-unique-id`.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

/// The `apns-id` of a push: what the provider sent, byte for byte, else what the service made up.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct MessageId([u8; UUID_BYTES]);

impl MessageId {
    /// Reads a header value: a canonical UUID, 8-4-4-4-12 hexadecimal digits in either case.
    /// Source: Apple, "Sending notification requests to APNs".
    pub fn parse(value: &[u8]) -> Option<Self> {
        let bytes: [u8; UUID_BYTES] = value.try_into().ok()?;
        let well_formed = bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
        well_formed.then_some(Self(bytes))
    }

    /// The value of the header.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("ASCII by construction")
    }

    /// The value of the header, as bytes.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MessageId({})", self.as_str())
    }
}

/// The `apns-unique-id` of a push: the key to Apple's delivery log, a UUID in lower case.
/// Source: Apple, "Testing notifications using the Push Notification Console".
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct UniqueId([u8; UUID_BYTES]);

impl UniqueId {
    /// Reads a header value: a canonical UUID in lower case.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let id = MessageId::parse(value)?;
        (!value.iter().any(u8::is_ascii_uppercase)).then_some(Self(id.0))
    }

    /// The value of the header.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("ASCII by construction")
    }

    /// The value of the header, as bytes.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Display for UniqueId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for UniqueId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UniqueId({})", self.as_str())
    }
}

/// Makes identifiers from a seed. Each kind has a stream of its own, so that a setting which switches one kind off
/// does not shift the other.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Identifiers {
    #[serde(with = "state")]
    message_ids: Xoshiro256PlusPlus,
    #[serde(with = "state")]
    unique_ids: Xoshiro256PlusPlus,
}

impl Identifiers {
    pub(crate) fn new(seed: u64) -> Self {
        let message_ids = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut unique_ids = message_ids.clone();
        unique_ids.jump();
        Self { message_ids, unique_ids }
    }

    /// Passes over those message IDs that are taken, as far as they would come next.
    pub(crate) fn skip_taken(&mut self, is_taken: impl Fn(&MessageId) -> bool) {
        while is_taken(&self.clone().message_id()) {
            self.message_id();
        }
    }

    /// 128 random bits in upper case: Apple's are no version-4 UUIDs. Observed in transcripts of 2021 to 2026.
    pub(crate) fn message_id(&mut self) -> MessageId {
        MessageId(uuid_text(random_bytes(&mut self.message_ids), b"0123456789ABCDEF"))
    }

    /// A version-4 UUID in lower case, which Apple's console asks for.
    pub(crate) fn unique_id(&mut self) -> UniqueId {
        let mut bytes = random_bytes(&mut self.unique_ids);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        UniqueId(uuid_text(bytes, b"0123456789abcdef"))
    }
}

/// A generator is written as the 32 bytes of its state in hexadecimal: numbers of 64 bits are not safe with all that reads
/// JSON.
pub(crate) mod state {
    use serde::{Deserialize, Deserializer, Serializer, de, ser};

    use super::{SeedableRng, Xoshiro256PlusPlus};
    use crate::bytes::hex;

    pub(crate) fn serialize<S: Serializer>(from: &Xoshiro256PlusPlus, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Deserialize)]
        struct State {
            s: [u64; 4],
        }
        let State { s } =
            serde_json::to_value(from).and_then(serde_json::from_value).map_err(ser::Error::custom)?;
        let mut bytes = [0; 32];
        for (bytes, word) in bytes.chunks_mut(8).zip(s) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        hex::serialize(&bytes, to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Xoshiro256PlusPlus, D::Error> {
        let state: [u8; 32] = hex::deserialize(from)?;
        if state == [0; 32] {
            return Err(de::Error::custom("a generator of zeros makes nothing but zeros"));
        }
        Ok(Xoshiro256PlusPlus::from_seed(state))
    }
}

fn random_bytes(from: &mut Xoshiro256PlusPlus) -> [u8; 16] {
    let bits = (u128::from(from.next_u64()) << 64) | u128::from(from.next_u64());
    bits.to_be_bytes()
}

fn uuid_text(bytes: [u8; 16], digits: &[u8; 16]) -> [u8; UUID_BYTES] {
    let mut text = [b'-'; UUID_BYTES];
    let mut at = 0;
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = digits[usize::from(byte >> 4)];
        text[at + 1] = digits[usize::from(byte & 0x0f)];
        at += 2;
    }
    text
}

/// Characters in a UUID: 32 digits and four hyphens.
const UUID_BYTES: usize = 36;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canonical_uuid_of_either_case_is_kept_byte_for_byte() {
        let mixed = b"123e4567-E89B-12d3-a456-42665544000f";
        assert_eq!(MessageId::parse(mixed).unwrap().as_bytes(), mixed);
    }

    #[test]
    fn anything_else_is_no_message_id() {
        for value in [
            &b""[..],
            b"123e4567e89b12d3a45642665544000f",
            b"123e4567-e89b-12d3-a456-42665544000",
            b"123e4567-e89b-12d3-a456-42665544000g",
            b"{23e4567-e89b-12d3-a456-426655440000}",
            b"123e4567e-89b-12d3-a456-426655440000",
        ] {
            assert_eq!(MessageId::parse(value), None, "{}", String::from_utf8_lossy(value));
        }
    }

    #[test]
    fn made_up_message_ids_are_upper_case_and_unique_ids_lower_case() {
        let mut identifiers = Identifiers::new(7);
        for _ in 0..100 {
            let id = identifiers.message_id();
            assert_eq!(MessageId::parse(id.as_bytes()), Some(id));
            assert!(!id.as_bytes().iter().any(u8::is_ascii_lowercase));
            let unique = identifiers.unique_id();
            assert!(MessageId::parse(unique.as_bytes()).is_some());
            assert!(!unique.as_bytes().iter().any(u8::is_ascii_uppercase));
            assert_eq!(&unique.as_str()[14..15], "4");
        }
    }

    #[test]
    fn the_two_kinds_are_not_made_of_the_same_bits() {
        let mut identifiers = Identifiers::new(7);
        let (id, unique) = (identifiers.message_id(), identifiers.unique_id());
        assert!(!id.as_str()[..8].eq_ignore_ascii_case(&unique.as_str()[..8]), "{id:?} {unique:?}");
    }

    #[test]
    fn the_two_kinds_do_not_shift_each_other() {
        let (mut both, mut one) = (Identifiers::new(7), Identifiers::new(7));
        both.unique_id();
        assert_eq!(both.message_id(), one.message_id());
        assert_ne!(both.message_id(), Identifiers::new(8).message_id());
    }
}
