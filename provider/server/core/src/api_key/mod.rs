//! API keys: how one is written, what is stored of it, and what it may do.

mod permission;

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

pub use permission::{NoRoles, Permission, Role, Roles};

/// An API key as it is given out once: `apns_`, 32 random bytes and a checksum, both in base64url. `Debug` shows nothing of it.
///
/// ```
/// use apns_provider_server_core::api_key::ApiKeyText;
///
/// let key = ApiKeyText::from_random([7; 32]);
/// assert_eq!(ApiKeyText::parse(key.as_str()).unwrap().hash(), key.hash());
/// assert!(ApiKeyText::parse(&key.as_str()[..50]).is_err());
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct ApiKeyText(Box<str>);

/// The text is no API key.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("it is no API key, or not all of one: a key is `apns_` and 49 characters")]
pub struct InvalidApiKey;

impl ApiKeyText {
    /// Writes a key of random bytes, which the caller draws.
    pub fn from_random(random: [u8; 32]) -> Self {
        let body = BASE64_URL_SAFE_NO_PAD.encode(random);
        Self(format!("{PREFIX}{body}{}", checksum(&body)).into())
    }

    /// Reads a key. One with a typing error is refused here, without a look into the store.
    pub fn parse(text: &str) -> Result<Self, InvalidApiKey> {
        let rest = text.strip_prefix(PREFIX).ok_or(InvalidApiKey)?;
        if rest.len() != BODY_LEN + CHECKSUM_LEN || !rest.is_ascii() {
            return Err(InvalidApiKey);
        }
        let (body, sum) = rest.split_at(BODY_LEN);
        if checksum(body) == sum { Ok(Self(text.into())) } else { Err(InvalidApiKey) }
    }

    /// As text: a secret.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is stored of it. A key is 256 bits of chance: a plain hash of it can be looked up, and tells nothing.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for ApiKeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyText(…)")
    }
}

fn checksum(body: &str) -> String {
    let hash = Sha256::digest(body.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&hash[..CHECKSUM_BYTES])
}

/// By which programs that look for secrets in public places know one of ours.
const PREFIX: &str = "apns_";
/// 32 bytes in base64url.
const BODY_LEN: usize = 43;
const CHECKSUM_BYTES: usize = 4;
/// 4 bytes in base64url.
const CHECKSUM_LEN: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_is_told_from_a_key() {
        let key = ApiKeyText::from_random([0xa5; 32]);
        let text = key.as_str();
        assert_eq!(text.len(), 54);
        for at in 0..text.len() {
            let mut wrong = text.to_owned().into_bytes();
            wrong[at] = if wrong[at] == b'x' { b'y' } else { b'x' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert_eq!(ApiKeyText::parse(&wrong), Err(InvalidApiKey), "{wrong}");
        }
        for wrong in ["", "apns_", &text[1..], &format!("{text}x"), &"é".repeat(27)] {
            assert_eq!(ApiKeyText::parse(wrong), Err(InvalidApiKey), "{wrong}");
        }
    }

    #[test]
    fn logs_show_no_key() {
        assert_eq!(format!("{:?}", ApiKeyText::from_random([1; 32])), "ApiKeyText(…)");
    }
}
