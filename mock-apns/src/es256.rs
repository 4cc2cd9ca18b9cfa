//! The signature check that the core is given: ES256 (ECDSA on P-256 with SHA-256) by ring.

use mock_apns_core::Signature;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, UnparsedPublicKey, VerificationAlgorithm,
};

/// Whether `signature` over `message` is `public_key`'s. Apple takes both encodings of ECDSA signatures:
/// JOSE's R‖S, and the DER that `openssl dgst -sign` writes.
pub fn verify_es256(public_key: &[u8; 65], message: &[u8], signature: &Signature<'_>) -> bool {
    let (algorithm, bytes): (&'static dyn VerificationAlgorithm, &[u8]) = match signature {
        Signature::RawRs(bytes) => (&ECDSA_P256_SHA256_FIXED, bytes.as_slice()),
        Signature::Der(bytes) => (&ECDSA_P256_SHA256_ASN1, bytes),
    };
    UnparsedPublicKey::new(algorithm, public_key).verify(message, bytes).is_ok()
}
