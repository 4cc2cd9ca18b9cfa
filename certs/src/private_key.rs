//! The EC P-256 private key under every certificate and token here.

use std::fmt;
use std::sync::Arc;

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{Error, pem};

/// An EC P-256 private key. Cheap to clone; its `Debug` shows the public half only.
#[derive(Clone)]
pub struct PrivateKey(Arc<KeyPair>);

impl PrivateKey {
    /// Makes a new key from the operating system's randomness.
    pub fn generate() -> Result<Self, Error> {
        let pair = KeyPair::generate().map_err(Error::crypto("a private key"))?;
        Ok(Self(Arc::new(pair)))
    }

    /// Reads an unencrypted PKCS#8 key, as in Apple's `.p8` files. Fails with [`Error::UnreadableKey`], also
    /// for a key of another curve and for one without its public half (RFC 5915 section 3 makes that
    /// optional; every tool writes it).
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let pair = KeyPair::from_pkcs8_pem_and_sign_algo(pem, &PKCS_ECDSA_P256_SHA256);
        Ok(Self(Arc::new(pair.map_err(Error::UnreadableKey)?)))
    }

    /// The key as PKCS#8 in PEM (`BEGIN PRIVATE KEY`). Secret.
    pub fn to_pem(&self) -> String {
        pem::encode(pem::PRIVATE_KEY, self.0.serialized_der())
    }

    /// The key as PKCS#8 in DER, in the type that rustls takes. Secret.
    pub fn to_der(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.0.serialize_der()).into()
    }

    /// The public half as an uncompressed point: `04`, x, y (SEC 1 section 2.3.3); what ring and p256 verify
    /// with.
    pub fn public_key(&self) -> [u8; PUBLIC_KEY_BYTES] {
        self.0.public_key_raw().try_into().expect("a P-256 key has an uncompressed point of 65 bytes")
    }

    /// The key for rcgen, which puts its public half into a certificate.
    pub(crate) fn pair(&self) -> &KeyPair {
        &self.0
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("public_key", &self.public_key()).finish_non_exhaustive()
    }
}

/// The length of an uncompressed P-256 point, in bytes.
const PUBLIC_KEY_BYTES: usize = 65;

#[cfg(test)]
mod tests {
    use super::*;
    use p256::pkcs8::DecodePrivateKey as _;

    #[test]
    fn what_is_written_is_read_back_as_the_same_key() {
        let key = PrivateKey::generate().unwrap();
        let again = PrivateKey::from_pem(&key.to_pem()).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert_eq!(again.to_pem(), key.to_pem());
    }

    #[test]
    fn p256_reads_it_and_derives_the_same_public_key() {
        let key = PrivateKey::generate().unwrap();
        let other = p256::ecdsa::SigningKey::from_pkcs8_pem(&key.to_pem()).unwrap();
        assert_eq!(other.verifying_key().to_sec1_point(false).as_bytes(), key.public_key());
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = PrivateKey::generate().unwrap();
        let secret = p256::ecdsa::SigningKey::from_pkcs8_pem(&key.to_pem()).unwrap().to_bytes();
        let secret = secret.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        let debug = format!("{key:?}");
        assert!(debug.starts_with("PrivateKey { public_key: [4, "), "{debug}");
        assert!(!debug.contains(&secret));
    }

    #[test]
    fn another_curve_and_no_key_at_all_are_refused() {
        let p384 = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        for pem in [p384.serialize_pem(), String::new(), "hello".to_owned()] {
            assert!(matches!(PrivateKey::from_pem(&pem), Err(Error::UnreadableKey(_))));
        }
    }
}
