//! Provider tokens, signed as a case wants them.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine as _,
    engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    },
};

use crate::{Iat, Jwt, Key, MAIN, Signature, Target};

/// Signs the provider tokens of a run. The usual one of each key is signed once: APNs counts how often they change.
pub(super) struct Signer {
    keys: BTreeMap<String, Key>,
    usual: BTreeMap<String, String>,
    /// A key that nobody knows, as PKCS#8.
    stranger: Vec<u8>,
    /// When the run began, after 1970.
    began: Duration,
}

impl Signer {
    pub(super) fn new(target: &Target) -> Self {
        // The randomness of this machine failing is beyond what a case can tell: the signature is empty then.
        let stranger = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let mut signer = Self {
            keys: target.keys.clone(),
            usual: BTreeMap::new(),
            stranger: stranger.map(|key| key.as_ref().to_vec()).unwrap_or_default(),
            began: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        };
        let usual = signer.keys.keys().map(|name| (name.clone(), signer.sign_anew(&usual(), name)));
        signer.usual = usual.collect();
        signer
    }

    /// A provider token.
    pub(super) fn sign(&self, jwt: &Jwt) -> String {
        let is_usual = *jwt == Jwt { key: jwt.key, ..usual() };
        let known = self.usual.get(jwt.key).filter(|_| is_usual).cloned();
        known.unwrap_or_else(|| self.sign_anew(jwt, jwt.key))
    }

    /// The usual one of the key for everything; empty when the target has none, and then no case that needs it runs.
    pub(super) fn usual(&self) -> &str {
        self.usual.get(MAIN).map_or("", String::as_str)
    }

    fn sign_anew(&self, jwt: &Jwt, key: &str) -> String {
        let Some(key) = self.keys.get(key) else { return String::new() };
        let encode =
            |bytes: &[u8]| if jwt.padded { URL_SAFE.encode(bytes) } else { URL_SAFE_NO_PAD.encode(bytes) };
        let (header, claims) = (header(jwt, key), self.claims(jwt, key));
        let signed = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        let mut signature = self.signature(jwt.signature, key, signed.as_bytes());
        if let (Signature::Flipped, Some(byte)) = (jwt.signature, signature.last_mut()) {
            *byte ^= 1;
        }
        let mut signature = encode(&signature);
        if jwt.signature == Signature::Cut {
            signature.truncate(signature.len().saturating_sub(4));
        }
        format!("{signed}.{signature}")
    }

    fn signature(&self, how: Signature, key: &Key, signed: &[u8]) -> Vec<u8> {
        let own = key.key.private_key.to_der();
        match how {
            Signature::Empty => Vec::new(),
            Signature::Stranger => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.stranger, signed),
            Signature::Der => ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING, own.secret_der(), signed),
            Signature::Raw | Signature::Cut | Signature::Flipped => {
                ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, own.secret_der(), signed)
            }
        }
    }

    fn claims(&self, jwt: &Jwt, key: &Key) -> String {
        let now = self.began.as_secs().cast_signed();
        let iss = member("iss", jwt.iss.unwrap_or(&key.team_id));
        let iat = match jwt.iat {
            Iat::Ago(seconds) => format!("\"iat\":{}", now - seconds),
            Iat::StringAgo(seconds) => format!("\"iat\":\"{}\"", now - seconds),
            Iat::Milliseconds => format!("\"iat\":{}", self.began.as_millis()),
            Iat::Json(json) => format!("\"iat\":{json}"),
            Iat::Absent => String::new(),
        };
        format!("{{{}{}}}", joined(&[iss, iat]), jwt.more_claims)
    }
}

fn usual() -> Jwt {
    Jwt::default()
}

fn header(jwt: &Jwt, key: &Key) -> String {
    let alg = jwt.alg.map_or_else(String::new, |alg| format!("\"alg\":{alg}"));
    let kid = member("kid", jwt.kid.unwrap_or(key.key.key_id.as_str()));
    format!("{{{}{}}}", joined(&[alg, kid]), jwt.more_header)
}

/// A member whose value is a string; nothing when that is empty.
fn member(name: &str, value: &str) -> String {
    if value.is_empty() { String::new() } else { format!("\"{name}\":\"{value}\"") }
}

fn joined(members: &[String]) -> String {
    let present: Vec<&str> = members.iter().map(String::as_str).filter(|member| !member.is_empty()).collect();
    present.join(",")
}

fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm, pkcs8: &[u8], signed: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    let signature =
        EcdsaKeyPair::from_pkcs8(algorithm, pkcs8, &random).map(|pair| pair.sign(&random, signed));
    signature.ok().and_then(Result::ok).map_or_else(Vec::new, |signature| signature.as_ref().to_vec())
}
