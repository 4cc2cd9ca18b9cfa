//! API keys: how one is written, what is stored of it, and what it may do.

mod permission;
mod request;

use std::fmt;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

pub use permission::{NoRoles, Permission, Role, Roles};
pub use request::{KeyRequest, NewKey};

/// An API key as it is given out once: `apns_`, 32 characters that were drawn, and 8 that check them. `Debug` shows nothing of it.
///
/// It says nothing of its tenant, so that a key that is found says nothing to its finder. The characters are digits and letters without
/// those that look alike (Crockford's base 32), a double click selects all of it, and scanners for secrets know it by its beginning. The
/// store has only its [hash](Self::hash).
///
/// ```
/// use apns_provider_server_core::api_key::ApiKeyText;
///
/// let key = ApiKeyText::from_random([7; 20]);
/// assert_eq!(ApiKeyText::parse(key.as_str()).unwrap().hash(), key.hash());
/// assert!(ApiKeyText::parse(&key.as_str()[..40]).is_err());
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct ApiKeyText(Box<str>);

/// What is stored of a key: its SHA-256. A key has 160 random bits, so that nobody finds it by trying, and a slow hash would only slow
/// down each request.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub struct KeyHash([u8; 32]);

/// Why a text is no key. It never repeats the text.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum InvalidApiKey {
    /// A character was changed, or two.
    #[error("the API key is not right: a character was changed or lost; copy it again")]
    Checksum,
    /// It begins with something else.
    #[error("it is no API key: those begin with apns_")]
    Prefix,
    /// It is too short, too long, or has other characters.
    #[error("it is no API key: those are apns_ and {BODY_CHARS} letters and digits; was it copied whole?")]
    Shape,
}

impl ApiKeyText {
    /// Makes a key of 20 random bytes, which the caller draws from a source that nobody can guess.
    pub fn from_random(random: [u8; RANDOM_BYTES]) -> Self {
        let mut bytes = [0; BODY_BYTES];
        bytes[..RANDOM_BYTES].copy_from_slice(&random);
        bytes[RANDOM_BYTES..].copy_from_slice(&checksum(&random));
        Self((PREFIX.to_owned() + &encode(&bytes)).into())
    }

    /// Reads a key. One with a typing error is refused here, without a look into the store; whether it is known is another question.
    pub fn parse(text: &str) -> Result<Self, InvalidApiKey> {
        let body = text.strip_prefix(PREFIX).ok_or(InvalidApiKey::Prefix)?;
        let bytes = decode(body).ok_or(InvalidApiKey::Shape)?;
        let (random, check) = bytes.split_at(RANDOM_BYTES);
        if check != checksum(random) {
            return Err(InvalidApiKey::Checksum);
        }
        Ok(Self(text.into()))
    }

    /// The whole key: shown once, to whoever has made it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What to store, and to look for.
    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for ApiKeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyText(…)")
    }
}

impl KeyHash {
    /// As it is stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

fn checksum(random: &[u8]) -> [u8; CHECK_BYTES] {
    let mut hash = Sha256::new();
    hash.update(CHECK_DOMAIN);
    hash.update(random);
    let hash: [u8; 32] = hash.finalize().into();
    let (check, _) = hash.split_first_chunk().expect("32 bytes have 5");
    *check
}

/// Five bytes are eight characters.
fn encode(bytes: &[u8; BODY_BYTES]) -> String {
    let mut text = String::with_capacity(BODY_CHARS);
    for chunk in bytes.chunks_exact(5) {
        let number = chunk.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        for at in (0..8).rev() {
            text.push(char::from(ALPHABET[(number >> (at * 5) & 0x1f) as usize]));
        }
    }
    text
}

fn decode(text: &str) -> Option<[u8; BODY_BYTES]> {
    if text.len() != BODY_CHARS {
        return None;
    }
    let mut bytes = [0; BODY_BYTES];
    for (five, eight) in bytes.chunks_exact_mut(5).zip(text.as_bytes().chunks_exact(8)) {
        let mut number = 0_u64;
        for character in eight {
            let value = ALPHABET.iter().position(|known| known == character)?;
            number = number << 5 | value as u64;
        }
        five.copy_from_slice(&number.to_be_bytes()[3..]);
    }
    Some(bytes)
}

const PREFIX: &str = "apns_";
const RANDOM_BYTES: usize = 20;
const CHECK_BYTES: usize = 5;
const BODY_BYTES: usize = RANDOM_BYTES + CHECK_BYTES;
const BODY_CHARS: usize = BODY_BYTES / 5 * 8;
const CHECK_DOMAIN: &[u8] = b"apns-provider/api-key/1\0";
/// Without `i`, `l`, `o` and `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_is_known_by_its_beginning_and_never_changes_its_form() {
        // Not to be adapted: keys of this form are in use.
        let key = ApiKeyText::from_random(std::array::from_fn(|at| at as u8));
        assert_eq!(key.as_str(), "apns_000g40r40m30e209185gr38e1w8124gkw6ba05fb");
    }

    #[test]
    fn what_was_not_copied_whole_is_told() {
        let key = ApiKeyText::from_random([9; 20]);
        let text = key.as_str();
        assert_eq!(ApiKeyText::parse(""), Err(InvalidApiKey::Prefix));
        assert_eq!(ApiKeyText::parse("Bearer x"), Err(InvalidApiKey::Prefix));
        assert_eq!(ApiKeyText::parse(&text[..44]), Err(InvalidApiKey::Shape));
        assert_eq!(ApiKeyText::parse(&format!("{text}0")), Err(InvalidApiKey::Shape));
        assert_eq!(ApiKeyText::parse(&text.replace('1', "l")), Err(InvalidApiKey::Shape));
        assert_eq!(ApiKeyText::parse(&format!("apns_{}", "é".repeat(20))), Err(InvalidApiKey::Shape));
    }

    #[test]
    fn logs_show_neither_key_nor_hash() {
        let key = ApiKeyText::from_random([200; 20]);
        assert_eq!(format!("{key:?} {:?}", key.hash()), "ApiKeyText(…) KeyHash(…)");
        assert_ne!(key.hash(), ApiKeyText::from_random([201; 20]).hash());
    }

    proptest! {
        #[test]
        fn every_key_is_read_and_none_that_was_changed(
            random: [u8; 20], at in 5..45_usize, to in proptest::sample::select(ALPHABET.to_vec()),
        ) {
            let key = ApiKeyText::from_random(random);
            prop_assert_eq!(ApiKeyText::parse(key.as_str()), Ok(key.clone()));
            let mut changed = key.as_str().as_bytes().to_vec();
            changed[at] = to;
            let changed = String::from_utf8(changed).unwrap();
            if changed != key.as_str() {
                prop_assert_eq!(ApiKeyText::parse(&changed), Err(InvalidApiKey::Checksum));
            }
        }
    }
}
