//! A certificate with its chain and its private key: what Apple's Security framework calls an identity.

use std::fmt;

use ring::rand::{SecureRandom as _, SystemRandom};
use rustls_pki_types::CertificateDer;

use crate::{Error, PrivateKey, pem};

/// A certificate, the intermediates that lead to its root, and its private key.
///
/// Made by [`Authority`](crate::Authority). Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Identity {
    /// What a person calls it; the friendly name of a PKCS#12 file.
    pub(crate) common_name: String,
    /// The leaf first, then what issued it, without the root; never empty.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) private_key: PrivateKey,
    pub(crate) serial_number: SerialNumber,
}

impl Identity {
    /// The leaf first, then its intermediates, without the root: what a TLS peer presents (RFC 8446 section
    /// 4.4.2).
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The leaf alone.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.chain[0]
    }

    /// The private key that belongs to the leaf.
    pub fn private_key(&self) -> &PrivateKey {
        &self.private_key
    }

    /// The leaf's serial number, which is what a revocation list names it by.
    pub fn serial_number(&self) -> SerialNumber {
        self.serial_number
    }

    /// The leaf's common name.
    pub fn common_name(&self) -> &str {
        &self.common_name
    }

    /// The chain in PEM, the leaf first.
    pub fn chain_pem(&self) -> String {
        self.chain.iter().map(|certificate| pem::encode(pem::CERTIFICATE, certificate)).collect()
    }

    /// The chain and the private key in one text, as many providers want them. Secret.
    pub fn to_pem(&self) -> String {
        self.chain_pem() + &self.private_key.to_pem()
    }
}

/// The number that tells a certificate from its issuer's others: 16 random bytes, read as a positive number
/// (RFC 5280 section 4.1.2.2 allows 20). Apple's certificates have 16 too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SerialNumber([u8; SERIAL_NUMBER_BYTES]);

impl SerialNumber {
    /// The number, most significant byte first. The first byte is between 1 and 127, so that DER neither
    /// drops nor adds one.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn random() -> Result<Self, Error> {
        let mut bytes = [0; SERIAL_NUMBER_BYTES];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| Error::crypto("a serial number")(rcgen::Error::RingUnspecified))?;
        bytes[0] = (bytes[0] & 0x7f).max(1);
        Ok(Self(bytes))
    }

    pub(crate) fn to_rcgen(self) -> rcgen::SerialNumber {
        rcgen::SerialNumber::from_slice(&self.0)
    }
}

/// Upper-case hexadecimal, as `openssl x509 -serial` prints it.
impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({self})")
    }
}

/// The length of a serial number, in bytes.
const SERIAL_NUMBER_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_positive_differ_and_print_as_openssl_does() {
        let (one, other) = (SerialNumber::random().unwrap(), SerialNumber::random().unwrap());
        assert_ne!(one, other);
        assert!((1..0x80).contains(&one.as_bytes()[0]));
        let mut bytes = [0; SERIAL_NUMBER_BYTES];
        (bytes[0], bytes[15]) = (0x0a, 0xff);
        assert_eq!(SerialNumber(bytes).to_string(), "0A0000000000000000000000000000FF");
    }
}
