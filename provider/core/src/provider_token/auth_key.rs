use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::SecretKey;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use thiserror::Error;

use super::pem::Pem;
use super::{KeyId, ProviderToken, TeamId};
use crate::unix_time::UnixTime;

/// A team's APNs key, which signs provider tokens. Wiped from memory when dropped; `Debug` shows its IDs
/// alone.
pub struct AuthKey {
    signing_key: SigningKey,
    key_id: KeyId,
    team_id: TeamId,
}

impl AuthKey {
    /// Reads the text of a `.p8` file as Apple hands it out: PEM around PKCS #8 around an EC key on the curve
    /// P-256.
    pub fn from_p8(pem: &[u8], key_id: KeyId, team_id: TeamId) -> Result<Self, AuthKeyError> {
        let text = str::from_utf8(pem).map_err(|_| AuthKeyError::NotPem)?;
        let pem = Pem::find(text).ok_or(AuthKeyError::NotPem)?;
        check_label(&pem)?;
        let der = pem.decode().ok_or(AuthKeyError::Malformed)?;
        let info = PrivateKeyInfoRef::try_from(der.as_slice()).map_err(|_| AuthKeyError::Malformed)?;
        check_algorithm(&info)?;
        let secret_key = SecretKey::try_from(info).map_err(|_| AuthKeyError::Malformed)?;
        Ok(Self { signing_key: SigningKey::from(secret_key), key_id, team_id })
    }

    /// The key's ID.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The team the key belongs to.
    pub fn team_id(&self) -> TeamId {
        self.team_id
    }

    /// Signs a token: `alg` and `kid`, `iss` and `iat`, and nothing else. ES256 (RFC 7518 section 3.4) with
    /// the nonce of RFC 6979, so that the same key and moment give the same bytes.
    pub(super) fn sign(&self, issued_at: UnixTime) -> ProviderToken {
        // IDs are letters and digits, so they need no escaping in JSON.
        let header = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, self.key_id);
        let claims = format!(r#"{{"iss":"{}","iat":{}}}"#, self.team_id, issued_at.as_secs());
        let mut jwt = URL_SAFE_NO_PAD.encode(header);
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut jwt);
        let signature: Signature = self.signing_key.sign(jwt.as_bytes());
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.to_bytes(), &mut jwt);
        ProviderToken::new(&jwt, issued_at)
    }

    /// Whether the signature is this key's.
    pub(super) fn verifies(&self, signed: &[u8], signature: &Signature) -> bool {
        self.signing_key.verifying_key().verify(signed, signature).is_ok()
    }
}

impl fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthKey")
            .field("key_id", &self.key_id.as_str())
            .field("team_id", &self.team_id.as_str())
            .finish_non_exhaustive()
    }
}

/// Why a text is no APNs key, and what to do about it. It never repeats the text.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum AuthKeyError {
    /// It is a certificate.
    #[error(
        "this is a certificate, not a key; use it for a certificate-based connection, or pass the .p8 file"
    )]
    Certificate,
    /// It is encrypted.
    #[error("the key is encrypted; run `openssl pkcs8 -topk8 -nocrypt -in key.pem -out key.p8`")]
    Encrypted,
    /// It is some other PEM.
    #[error("the PEM block is labelled {label:?}, not PRIVATE KEY; pass the .p8 file")]
    Label {
        /// What the block says it is.
        label: String,
    },
    /// It is labelled as a key, and its content is none.
    #[error("the key is damaged: it does not decode as PKCS #8; download or copy the .p8 file again")]
    Malformed,
    /// There is no PEM block in it.
    #[error(
        "this is not PEM: no block begins with -----BEGIN PRIVATE KEY----- and ends; pass the whole .p8 file"
    )]
    NotPem,
    /// It is a key for another signature algorithm.
    #[error("the key's algorithm (OID {oid}) is not elliptic curve; pass the .p8 file from Apple")]
    OtherAlgorithm {
        /// The algorithm's object identifier.
        oid: String,
    },
    /// It is the public half.
    #[error("this is a public key; signing needs the private key, the .p8 file")]
    PublicKey,
    /// It is an RSA key.
    #[error("this is an RSA key; APNs takes ES256 only, so pass the .p8 file from Apple")]
    Rsa,
    /// It is an EC key in the older form of SEC 1.
    #[error("this is an EC key in SEC 1 form; run `openssl pkcs8 -topk8 -nocrypt -in key.pem -out key.p8`")]
    Sec1,
    /// It is an EC key on another curve.
    #[error("the key's curve (OID {oid}) is not P-256 (prime256v1), which APNs takes; pass Apple's .p8 file")]
    WrongCurve {
        /// The curve's object identifier.
        oid: String,
    },
}

fn check_label(pem: &Pem<'_>) -> Result<(), AuthKeyError> {
    match pem.label {
        "PRIVATE KEY" => Ok(()),
        _ if pem.is_encrypted() => Err(AuthKeyError::Encrypted),
        "CERTIFICATE" => Err(AuthKeyError::Certificate),
        // `openssl ecparam -genkey` writes the parameters before the key.
        "EC PARAMETERS" | "EC PRIVATE KEY" => Err(AuthKeyError::Sec1),
        "ENCRYPTED PRIVATE KEY" => Err(AuthKeyError::Encrypted),
        "PUBLIC KEY" => Err(AuthKeyError::PublicKey),
        "RSA PRIVATE KEY" => Err(AuthKeyError::Rsa),
        label => Err(AuthKeyError::Label { label: label.to_owned() }),
    }
}

fn check_algorithm(info: &PrivateKeyInfoRef<'_>) -> Result<(), AuthKeyError> {
    match info.algorithm.oid {
        EC_PUBLIC_KEY => match info.algorithm.parameters_oid() {
            Ok(PRIME256V1) => Ok(()),
            Ok(curve) => Err(AuthKeyError::WrongCurve { oid: curve.to_string() }),
            Err(_) => Err(AuthKeyError::Malformed),
        },
        RSA_ENCRYPTION => Err(AuthKeyError::Rsa),
        other => Err(AuthKeyError::OtherAlgorithm { oid: other.to_string() }),
    }
}

/// RFC 5480 section 2.1.1.
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// P-256 (RFC 5480 section 2.1.1.1).
const PRIME256V1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
/// RFC 8017 appendix A.1.
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

#[cfg(test)]
pub(super) mod tests {
    use base64::engine::general_purpose::STANDARD;
    use p256::pkcs8::{EncodePrivateKey, LineEnding};
    use serde_json::{Value, json};

    use super::*;

    /// A key made from a seed, through the text form that `from_p8` reads.
    pub(crate) fn generated_key(seed: u64) -> AuthKey {
        AuthKey::from_p8(generated_p8(seed).as_bytes(), key_id(), team_id()).unwrap()
    }

    /// Whether the token's signature is the key's.
    pub(in super::super) fn verify(key: &AuthKey, jwt: &str) -> bool {
        let (signed, signature) = jwt.rsplit_once('.').unwrap();
        let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        key.verifies(signed.as_bytes(), &signature)
    }

    #[test]
    fn a_token_says_what_apple_asks_and_nothing_else() {
        let key = generated_key(7);
        let token = key.sign(UnixTime::from_secs(1_700_000_000));
        let parts: Vec<&str> = token.jwt().split('.').collect();
        let json =
            |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
        assert_eq!(json(parts[0]), json!({"alg": "ES256", "kid": "ABC123DEFG"}));
        assert_eq!(json(parts[1]), json!({"iss": "DEF123GHIJ", "iat": 1_700_000_000}));
        assert_eq!(URL_SAFE_NO_PAD.decode(parts[2]).unwrap().len(), 64);
        assert_eq!(parts.len(), 3);
        assert!(verify(&key, token.jwt()));
    }

    /// A release that signed other bytes would make a fleet in the middle of an update send two tokens. The
    /// expected signature was computed by an implementation of RFC 6979 apart from this one.
    #[test]
    fn the_bytes_of_a_token_never_change() {
        let token = generated_key(7).sign(UnixTime::from_secs(1_700_000_000));
        let (signed, signature) = token.jwt().rsplit_once('.').unwrap();
        let parts: Vec<Vec<u8>> =
            signed.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
        assert_eq!(parts[0], br#"{"alg":"ES256","kid":"ABC123DEFG"}"#);
        assert_eq!(parts[1], br#"{"iss":"DEF123GHIJ","iat":1700000000}"#);
        let expected =
            "FNGED8NMfl_I42ShuiBuXjfZemWIc1wpbSgMZ36-VccmJxAxAGfU65E2La4eTrSXsu2Djh40A5LRbG9-VWRgyA";
        assert_eq!(signature, expected);
    }

    #[test]
    fn other_keys_are_refused_by_name() {
        let labels = [
            ("CERTIFICATE", AuthKeyError::Certificate),
            ("EC PARAMETERS", AuthKeyError::Sec1),
            ("EC PRIVATE KEY", AuthKeyError::Sec1),
            ("ENCRYPTED PRIVATE KEY", AuthKeyError::Encrypted),
            ("PRIVATE KEY", AuthKeyError::Malformed),
            ("PUBLIC KEY", AuthKeyError::PublicKey),
            ("RSA PRIVATE KEY", AuthKeyError::Rsa),
            ("X509 CRL", AuthKeyError::Label { label: "X509 CRL".into() }),
        ];
        for (label, error) in labels {
            assert_eq!(refusal(&pem(label, &[1, 2, 3])), error, "{label}");
        }
        let old_encryption = pem("EC PRIVATE KEY", &[]).replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n");
        assert_eq!(refusal(&old_encryption), AuthKeyError::Encrypted);
        assert_eq!(refusal("AuthKey_ABC123DEFG.p8"), AuthKeyError::NotPem);
        assert_eq!(AuthKey::from_p8(&[0x30, 0xff], key_id(), team_id()).unwrap_err(), AuthKeyError::NotPem);
    }

    #[test]
    fn other_algorithms_and_curves_are_refused_by_name() {
        let p384 = ObjectIdentifier::new_unwrap("1.3.132.0.34");
        let ed25519 = ObjectIdentifier::new_unwrap("1.3.101.112");
        let refused = |algorithm, parameters| refusal(&pem("PRIVATE KEY", &pkcs8(algorithm, parameters)));
        assert_eq!(refused(RSA_ENCRYPTION, None), AuthKeyError::Rsa);
        assert_eq!(refused(ed25519, None), AuthKeyError::OtherAlgorithm { oid: "1.3.101.112".into() });
        let wrong_curve = AuthKeyError::WrongCurve { oid: "1.3.132.0.34".into() };
        assert_eq!(refused(EC_PUBLIC_KEY, Some(p384)), wrong_curve);
        assert_eq!(refused(EC_PUBLIC_KEY, Some(PRIME256V1)), AuthKeyError::Malformed);
    }

    #[test]
    fn a_cut_key_is_damaged_not_a_panic() {
        let p8 = generated_p8(3);
        let lines: Vec<&str> = p8.lines().collect();
        let cut = [&lines[..2], &lines[lines.len() - 1..]].concat().join("\n");
        assert_eq!(refusal(&cut), AuthKeyError::Malformed);
    }

    /// Compiles only while the one field that holds the secret is wiped when dropped.
    #[test]
    fn the_secret_is_wiped_when_dropped() {
        fn wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        wiped(&generated_key(1).signing_key);
    }

    #[test]
    fn logs_show_the_ids_alone() {
        let key = generated_key(1);
        assert_eq!(format!("{key:?}"), r#"AuthKey { key_id: "ABC123DEFG", team_id: "DEF123GHIJ", .. }"#);
    }

    fn key_id() -> KeyId {
        KeyId::parse("ABC123DEFG").unwrap()
    }

    fn team_id() -> TeamId {
        TeamId::parse("DEF123GHIJ").unwrap()
    }

    fn refusal(text: &str) -> AuthKeyError {
        AuthKey::from_p8(text.as_bytes(), key_id(), team_id()).unwrap_err()
    }

    /// Below the curve's order as long as the first byte is not 0xff, and not zero by its last.
    fn generated_p8(seed: u64) -> String {
        let mut scalar = [1; 32];
        scalar[8..16].copy_from_slice(&seed.to_be_bytes());
        let secret_key = SecretKey::from_slice(&scalar).unwrap();
        secret_key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
    }

    fn pem(label: &str, der: &[u8]) -> String {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
    }

    /// A PKCS #8 structure with no key in it.
    fn pkcs8(algorithm: ObjectIdentifier, parameters: Option<ObjectIdentifier>) -> Vec<u8> {
        let oid = |oid: ObjectIdentifier| tlv(0x06, oid.as_bytes());
        let parameters = parameters.map(oid).unwrap_or_default();
        let algorithm = tlv(0x30, &[oid(algorithm), parameters].concat());
        tlv(0x30, &[tlv(0x02, &[0]), algorithm, tlv(0x04, &[0x30, 0x00])].concat())
    }

    /// One DER element shorter than 128 bytes.
    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }
}
