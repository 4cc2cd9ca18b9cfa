//! Provider tokens, a new one each time.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use serde_json::{Value, json};

use crate::Trouble;

/// A key for provider tokens.
pub(crate) struct Signer {
    key: EcdsaKeyPair,
    key_id: String,
    team_id: String,
}

impl Signer {
    /// The key of a `configure`, if it has one.
    pub(crate) fn of(credential: &Value) -> Option<Self> {
        let p8 = PrivatePkcs8KeyDer::from_pem_slice(credential["p8"].as_str()?.as_bytes()).ok()?;
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, p8.secret_pkcs8_der(), &random)
            .ok()?;
        let text = |name: &str| credential[name].as_str().map(ToOwned::to_owned);
        Some(Self { key, key_id: text("key-id")?, team_id: text("team-id")? })
    }

    pub(crate) fn provider_token(&self) -> Result<String, Trouble> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let head = part(json!({"alg": "ES256", "kid": self.key_id}));
        let signed = format!("{head}.{}", part(json!({"iss": self.team_id, "iat": now})));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.map_err(|_| "the key signs nothing")?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
