//! Provider tokens for the curl command that a newcomer pastes. Providers mint their own.

use apns_certs::AuthKey;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mock_apns_core::Timestamp;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};

/// A JWT of `team_id`, issued `now` and signed with `key`.
pub(crate) fn mint(key: &AuthKey, team_id: &str, now: Timestamp) -> Result<String, MintError> {
    let header = serde_json::json!({ "alg": "ES256", "kid": key.key_id.as_str() });
    let claims = serde_json::json!({ "iss": team_id, "iat": now.as_secs() });
    let encode = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let signed = format!("{}.{}", encode(header), encode(claims));

    let random = SystemRandom::new();
    let pkcs8 = key.private_key.to_der();
    let key_pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.secret_der(), &random)
        .map_err(|_| MintError)?;
    let signature = key_pair.sign(&random, signed.as_bytes()).map_err(|_| MintError)?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// ring takes no key that the certificates crate makes, or the system has no randomness: neither happens on a
/// machine in order.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the key or the system's random numbers cannot be used")]
pub struct MintError;
