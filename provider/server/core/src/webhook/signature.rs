//! Signing what is told, so that its receiver knows who tells it.

use std::{fmt, time::Duration};

use apns_provider_core::UnixTime;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use thiserror::Error;

use super::EventId;

/// What a webhook's deliveries are signed with: `whsec_` and base64, 24 to 64 bytes.
#[derive(Clone, Eq, PartialEq)]
pub struct SigningSecret(Box<[u8]>);

/// The text is no secret.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("it is no webhook secret; those are whsec_ and 24 to 64 bytes in base64")]
pub struct InvalidSigningSecret;

/// The headers of a delivery.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedHeaders {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`: seconds since 1970.
    pub timestamp: String,
    /// `webhook-signature`: one for each secret, with spaces between.
    pub signature: String,
}

/// How far a delivery's time may be from its receiver's clock: what was recorded cannot be played again later.
pub const TOLERANCE: Duration = Duration::from_mins(5);

impl SigningSecret {
    /// Makes a secret of 32 random bytes, which the caller draws.
    pub fn from_random(random: [u8; 32]) -> Self {
        Self(random.into())
    }

    /// Reads a secret.
    pub fn parse(text: &str) -> Result<Self, InvalidSigningSecret> {
        let encoded = text.strip_prefix(PREFIX).ok_or(InvalidSigningSecret)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| InvalidSigningSecret)?;
        if (BYTES_MIN..=BYTES_MAX).contains(&bytes.len()) {
            Ok(Self(bytes.into()))
        } else {
            Err(InvalidSigningSecret)
        }
    }

    /// The whole secret: to be stored, and shown to its owner.
    pub fn to_text(&self) -> String {
        PREFIX.to_owned() + &STANDARD.encode(&self.0)
    }

    fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }
}

impl SignedHeaders {
    /// Signs a delivery that is made now. While a secret is replaced there are two, and each receiver finds the one it knows.
    pub fn sign(secrets: &[SigningSecret], id: EventId, now: UnixTime, body: &[u8]) -> Self {
        let (id, timestamp) = (id.to_string(), now.as_secs().to_string());
        let signatures: Vec<String> = secrets
            .iter()
            .map(|secret| {
                let signature = secret.sign(&id, &timestamp, body).finalize().into_bytes();
                VERSION.to_owned() + &STANDARD.encode(signature)
            })
            .collect();
        Self { id, timestamp, signature: signatures.join(" ") }
    }

    /// What a receiver does: whether one of the signatures is this secret's, and the delivery is of now.
    pub fn is_signed_by(&self, secret: &SigningSecret, now: UnixTime, body: &[u8]) -> bool {
        let Ok(at) = self.timestamp.parse().map(UnixTime::from_secs) else { return false };
        let is_of_now = now.saturating_since(at) <= TOLERANCE && at.saturating_since(now) <= TOLERANCE;
        is_of_now
            && self.signature.split(' ').any(|signature| {
                let bytes = signature.strip_prefix(VERSION).and_then(|encoded| STANDARD.decode(encoded).ok());
                // In constant time.
                bytes.is_some_and(|bytes| {
                    secret.sign(&self.id, &self.timestamp, body).verify_slice(&bytes).is_ok()
                })
            })
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

const PREFIX: &str = "whsec_";
const VERSION: &str = "v1,";
const BYTES_MIN: usize = 24;
const BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_614_265_330);

    fn later(secs: u64) -> UnixTime {
        UnixTime::from_secs(NOW.as_secs() + secs)
    }

    fn signed(secrets: &[SigningSecret]) -> SignedHeaders {
        SignedHeaders::sign(secrets, EventId::new(NOW, [0; 10]), NOW, b"{}")
    }

    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        // The example of the specification's own libraries.
        let secret = SigningSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mac = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        assert_eq!(
            STANDARD.encode(mac.finalize().into_bytes()),
            "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_receiver_knows_its_own_and_nothing_that_was_changed_or_is_old() {
        let (secret, other) = (SigningSecret::from_random([1; 32]), SigningSecret::from_random([2; 32]));
        let headers = signed(std::slice::from_ref(&secret));
        assert!(headers.is_signed_by(&secret, later(300), b"{}"));
        assert!(!headers.is_signed_by(&other, NOW, b"{}"));
        assert!(!headers.is_signed_by(&secret, NOW, b"{ }"));
        assert!(!headers.is_signed_by(&secret, later(301), b"{}"), "recorded, and played again");
        let moved = SignedHeaders { timestamp: later(200).as_secs().to_string(), ..headers };
        assert!(!moved.is_signed_by(&secret, later(200), b"{}"));
    }

    #[test]
    fn while_a_secret_is_replaced_both_are_known() {
        let (old, new) = (SigningSecret::from_random([1; 32]), SigningSecret::from_random([2; 32]));
        let headers = signed(&[new.clone(), old.clone()]);
        assert!(headers.is_signed_by(&old, NOW, b"{}") && headers.is_signed_by(&new, NOW, b"{}"));
    }

    #[test]
    fn a_secret_is_stored_as_text_and_shown_in_no_log() {
        let secret = SigningSecret::from_random([7; 32]);
        assert_eq!(SigningSecret::parse(&secret.to_text()), Ok(secret.clone()));
        assert_eq!(format!("{secret:?}"), "SigningSecret(…)");
        for text in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!"] {
            assert_eq!(SigningSecret::parse(text), Err(InvalidSigningSecret), "{text}");
        }
    }
}
