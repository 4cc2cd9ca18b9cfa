use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};

use crate::child::{Explain as _, Failure, KEY_ID, TEAM_ID};

/// A provider token: the JWT that says since `issued_at` (seconds of the Unix epoch) that its bearer is [`TEAM_ID`], signed with the
/// key of a `.p8` file.
///
/// Fails when the key is not one of P-256 in PKCS#8.
pub fn provider_token(p8: &[u8], issued_at: u64) -> Result<String, Failure> {
    let key = PrivatePkcs8KeyDer::from_pem_slice(p8).explain("reading the key")?;
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.secret_pkcs8_der(), &random)
        .explain("reading the key")?;
    let header = format!(r#"{{"alg":"ES256","kid":"{KEY_ID}"}}"#);
    let claims = format!(r#"{{"iss":"{TEAM_ID}","iat":{issued_at}}}"#);
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = key.sign(&random, signed.as_bytes()).explain("signing the provider token")?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
