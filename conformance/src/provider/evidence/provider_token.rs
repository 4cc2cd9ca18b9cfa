//! Provider tokens as they came: JSON Web Tokens (RFC 7519) that ECDSA has signed. By the suite's own hands, and ring's.

use std::collections::BTreeMap;

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::Value;

/// A key that the double knows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KnownKey {
    /// The team whose it is.
    pub(crate) team_id: String,
    /// Its public half: an uncompressed point.
    pub(crate) public_key: Vec<u8>,
}

/// The keys that the double knows, by their IDs.
pub(crate) type KnownKeys = BTreeMap<String, KnownKey>;

/// A provider token, read as kindly as it can be: what is wrong with its form [can be asked](Self::check).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ProviderToken<'a> {
    text: &'a str,
    header: Value,
    claims: Value,
    signature: Vec<u8>,
}

impl<'a> ProviderToken<'a> {
    /// Takes it apart.
    ///
    /// # Errors
    /// It has not three parts of base64url, or no JSON in them: why.
    pub(crate) fn read(text: &'a str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return Err(format!("{} parts, and not 3", parts.len()));
        };
        let bytes = |name, part: &str| {
            let part = part.replace('+', "-").replace('/', "_");
            KIND.decode(part).map_err(|error| format!("{name}: {error}"))
        };
        let json = |name, part| {
            serde_json::from_slice(&bytes(name, part)?).map_err(|error| format!("{name}: {error}"))
        };
        Ok(Self {
            text,
            header: json("its header", header)?,
            claims: json("its claims", claims)?,
            signature: bytes("its signature", signature)?,
        })
    }

    /// When it says that it was issued: seconds since 1970, also where they are no whole number or in a text.
    pub(crate) fn issued_at(&self) -> Option<i64> {
        let iat = &self.claims["iat"];
        #[expect(clippy::cast_possible_truncation, reason = "a date that is no i64 is none")]
        let rounded = iat.as_f64().map(|secs| secs.floor() as i64);
        iat.as_i64().or(rounded).or_else(|| iat.as_str()?.parse().ok())
    }

    /// The key's ID.
    pub(crate) fn key_id(&self) -> Option<&str> {
        self.header["kid"].as_str()
    }

    /// The team's ID.
    pub(crate) fn team_id(&self) -> Option<&str> {
        self.claims["iss"].as_str()
    }

    /// Whether it is as every reader takes it: exactly `alg` and `kid`, beside which a `typ` may say that it is a JWT, exactly `iss` and a whole `iat`, no padding, 64 bytes of
    /// signature, which the key has made.
    ///
    /// # Errors
    /// It is not: why. Nothing of the token is in it but names of fields, and values that are no secret.
    pub(crate) fn check(&self, keys: &KnownKeys) -> Result<(), String> {
        if let Some(odd) = self.text.chars().find(|char| "=+/".contains(*char)) {
            return Err(format!("{odd} in the base64url"));
        }
        let is_typed = self.header["typ"] == "JWT";
        has_only("header", &self.header, if is_typed { &["alg", "kid", "typ"] } else { &["alg", "kid"] })?;
        has_only("claims", &self.claims, &["iss", "iat"])?;
        if self.header["alg"] != "ES256" {
            return Err(format!("alg is {}", self.header["alg"]));
        }
        if !self.claims["iat"].is_u64() {
            return Err(format!("iat is {}", self.claims["iat"]));
        }
        let known = self.key_id().and_then(|id| keys.get(id));
        let known = known.ok_or_else(|| format!("kid is {}, which is no key's ID", self.header["kid"]))?;
        if self.team_id() != Some(&known.team_id) {
            return Err(format!("iss is {}, and not the key's team {}", self.claims["iss"], known.team_id));
        }
        if self.signature.len() != SIGNATURE_BYTES {
            return Err(format!("a signature of {} bytes", self.signature.len()));
        }
        let signed = self.text.rsplit_once('.').map_or("", |(signed, _)| signed);
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &known.public_key);
        key.verify(signed.as_bytes(), &self.signature)
            .map_err(|_| "a signature that does not verify".to_owned())
    }
}

/// Whether an object has these members and no others.
fn has_only(what: &str, object: &Value, names: &[&str]) -> Result<(), String> {
    let members = object.as_object().ok_or_else(|| format!("its {what} is no object"))?;
    if let Some(missing) = names.iter().find(|name| !members.contains_key(**name)) {
        return Err(format!("no {missing} in its {what}"));
    }
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        Some(other) => Err(format!("{other} in its {what}")),
        None => Ok(()),
    }
}

/// Base64url once it is read, with padding or not and whatever the last bits are: what is strict is said by [`ProviderToken::check`].
const KIND: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
/// R and S (RFC 7518, 3.4).
const SIGNATURE_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use apns_certs::{AuthKey, KeyId};
    use base64::engine::general_purpose::{URL_SAFE as PADDED, URL_SAFE_NO_PAD as PLAIN};
    use ring::{
        rand::SystemRandom,
        signature::{
            ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair,
            EcdsaSigningAlgorithm,
        },
    };

    use super::*;

    const HEADER: &str = r#"{"alg":"ES256","kid":"SOMEKEY001"}"#;
    const CLAIMS: &str = r#"{"iss":"SOMETEAM01","iat":1700000000}"#;

    struct Signer {
        key: AuthKey,
        known: KnownKeys,
    }

    impl Signer {
        fn new() -> Self {
            let key = AuthKey::generate(KeyId::new("SOMEKEY001").unwrap()).unwrap();
            let public_key = key.private_key.public_key().to_vec();
            let known = KnownKey { team_id: "SOMETEAM01".to_owned(), public_key };
            Self { key, known: KnownKeys::from([("SOMEKEY001".to_owned(), known)]) }
        }

        fn token(&self, header: &str, claims: &str) -> String {
            self.signed(&ECDSA_P256_SHA256_FIXED_SIGNING, header, claims)
        }

        fn signed(&self, how: &'static EcdsaSigningAlgorithm, header: &str, claims: &str) -> String {
            let der = self.key.private_key.to_der();
            let random = SystemRandom::new();
            let pair = EcdsaKeyPair::from_pkcs8(how, der.secret_der(), &random).unwrap();
            let signed = format!("{}.{}", PLAIN.encode(header), PLAIN.encode(claims));
            let signature = pair.sign(&random, signed.as_bytes()).unwrap();
            format!("{signed}.{}", PLAIN.encode(signature))
        }

        fn check(&self, token: &str) -> Result<(), String> {
            ProviderToken::read(token)?.check(&self.known)
        }
    }

    #[test]
    fn the_form_that_every_reader_takes_is_taken() {
        let signer = Signer::new();
        let text = signer.token(HEADER, CLAIMS);
        let token = ProviderToken::read(&text).unwrap();
        assert_eq!(token.check(&signer.known), Ok(()));
        let told = (token.key_id(), token.team_id(), token.issued_at());
        assert_eq!(told, (Some("SOMEKEY001"), Some("SOMETEAM01"), Some(1_700_000_000)));
    }

    #[test]
    fn what_is_more_or_less_or_other_than_that_is_named() {
        let signer = Signer::new();
        for (header, claims, why) in [
            (r#"{"alg":"ES256","kid":"SOMEKEY001","typ":"JOSE"}"#, CLAIMS, "typ in its header"),
            (r#"{"alg":"ES256","kid":"SOMEKEY001","x5t":"JWT"}"#, CLAIMS, "x5t in its header"),
            (r#"{"alg":"ES256"}"#, CLAIMS, "no kid in its header"),
            (r#"{"alg":"ES384","kid":"SOMEKEY001"}"#, CLAIMS, r#"alg is "ES384""#),
            (r#"{"alg":"ES256","kid":"SOMEKEY002"}"#, CLAIMS, r#"kid is "SOMEKEY002", which is no key's ID"#),
            (HEADER, r#"{"iss":"SOMETEAM01","iat":"1700000000"}"#, r#"iat is "1700000000""#),
            (HEADER, r#"{"iss":"SOMETEAM01","iat":1700000000.5}"#, "iat is 1700000000.5"),
            (HEADER, r#"{"iss":"SOMETEAM01","iat":1700000000,"exp":1}"#, "exp in its claims"),
            (
                HEADER,
                r#"{"iss":"OTHERTEAM1","iat":1700000000}"#,
                "iss is \"OTHERTEAM1\", and not the key's team SOMETEAM01",
            ),
            (HEADER, "[]", "its claims is no object"),
        ] {
            assert_eq!(signer.check(&signer.token(header, claims)), Err(why.to_owned()), "{header} {claims}");
        }
    }

    #[test]
    fn a_signature_that_is_der_or_anothers_is_refused() {
        let (signer, other) = (Signer::new(), Signer::new());
        let der = signer.signed(&ECDSA_P256_SHA256_ASN1_SIGNING, HEADER, CLAIMS);
        assert!(signer.check(&der).unwrap_err().starts_with("a signature of 7"), "70 to 72 bytes");
        let stranger = other.token(HEADER, CLAIMS);
        assert_eq!(signer.check(&stranger), Err("a signature that does not verify".to_owned()));
    }

    #[test]
    fn base64_that_is_not_base64url_is_read_and_named() {
        let signer = Signer::new();
        let text = signer.token(HEADER, CLAIMS);
        let padded: Vec<String> =
            text.split('.').map(|part| PADDED.encode(PLAIN.decode(part).unwrap())).collect();
        for (other, odd) in [(padded.join("."), '='), (format!("{text}++"), '+'), (format!("{text}//"), '/')]
        {
            assert_eq!(ProviderToken::read(&other).unwrap().issued_at(), Some(1_700_000_000), "{odd}");
            assert_eq!(signer.check(&other), Err(format!("{odd} in the base64url")));
        }
    }

    #[test]
    fn a_date_is_understood_in_other_forms_too() {
        let signer = Signer::new();
        for iat in ["1700000000", "\"1700000000\"", "1700000000.9"] {
            let text = signer.token(HEADER, &format!(r#"{{"iss":"SOMETEAM01","iat":{iat}}}"#));
            assert_eq!(ProviderToken::read(&text).unwrap().issued_at(), Some(1_700_000_000), "{iat}");
        }
    }

    #[test]
    fn what_is_no_json_web_token_is_no_panic() {
        for text in
            ["", ".", "..", "a.b.c", "!.!.!", "e30.e30", "e30.e30.", "e30.e30.AA.AA", "bnVsbA.bnVsbA.AA"]
        {
            let read = ProviderToken::read(text);
            let issued_at = read.as_ref().ok().and_then(ProviderToken::issued_at);
            assert_eq!(issued_at, None, "{text:?}");
            assert!(read.and_then(|token| token.check(&KnownKeys::new())).is_err(), "{text:?}");
        }
    }
}
