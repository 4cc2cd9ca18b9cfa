mod flaw;

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use p256::ecdsa::Signature;
use serde_json::{Map, Number, Value};

use self::flaw::JWT_BYTES_MAX;
pub use self::flaw::{TokenFlaw, TokenMismatch};
use super::{AuthKey, BEARER, KeyId, ProviderToken, TeamId};
use crate::clock_skew::ServerClock;
use crate::expiration::SECS_MAX;
use crate::unix_time::UnixTime;

/// What a provider token says, and what APNs would hold against it; read without a key and without believing
/// anything. `Debug` does not show the token.
///
/// ```
/// use apns_provider_core::{Reason, TokenFlaw, TokenInspection, UnixTime};
///
/// let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3MDAwMDAwMDB9.AAAA";
/// let inspection = TokenInspection::new(jwt, UnixTime::from_secs(1_700_000_000));
/// assert_eq!(inspection.issued_at(), Some(UnixTime::from_secs(1_700_000_000)));
/// assert_eq!(inspection.flaws()[0].to_string(), "alg is \"HS256\"; APNs takes ES256 only");
/// assert_eq!(inspection.flaws()[0].answer(), Some(Reason::InvalidProviderToken));
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct TokenInspection {
    header: Option<Map<String, Value>>,
    claims: Option<Map<String, Value>>,
    issued_at: Option<UnixTime>,
    /// The bytes that are signed, and the signature.
    signature: Option<(Vec<u8>, Signature)>,
    flaws: Vec<TokenFlaw>,
}

impl TokenInspection {
    /// Reads whatever there is, a JWT with or without `bearer` before it. `now` is what its age is told by.
    pub fn new(token: &str, now: UnixTime) -> Self {
        let jwt = token.trim();
        let jwt = match jwt.get(..BEARER.len()) {
            Some(scheme) if scheme.eq_ignore_ascii_case(BEARER) => jwt[BEARER.len()..].trim_start(),
            _ => jwt,
        };
        let mut found = Self::default();
        if jwt.len() > JWT_BYTES_MAX {
            found.flaws.push(TokenFlaw::TooLong { len: jwt.len() });
            return found;
        }
        let parts: Vec<&str> = jwt.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            found.flaws.push(TokenFlaw::NotThreeParts { parts: parts.len() });
            return found;
        };
        found.header = found.object("header", header);
        found.claims = found.object("claims", claims);
        found.look_at_header();
        found.look_at_claims(now);
        let signed = &jwt[..header.len() + 1 + claims.len()];
        found.look_at_signature(signed, signature);
        found
    }

    /// The header: an object with `alg` and `kid`.
    pub fn header(&self) -> Option<&Map<String, Value>> {
        self.header.as_ref()
    }

    /// The claims: an object with `iss` and `iat`.
    pub fn claims(&self) -> Option<&Map<String, Value>> {
        self.claims.as_ref()
    }

    /// The claim `iat`, in whole seconds.
    pub fn issued_at(&self) -> Option<UnixTime> {
        self.issued_at
    }

    /// Until when APNs takes it, all else being well.
    pub fn expires_at(&self) -> Option<UnixTime> {
        let age_max = ProviderToken::AGE_MAX.as_secs();
        self.issued_at.map(|issued_at| UnixTime::from_secs(issued_at.as_secs().saturating_add(age_max)))
    }

    /// What is wrong with it, in the order in which it is read. Whether the signature is right is for a key
    /// to [say](Self::check).
    pub fn flaws(&self) -> &[TokenFlaw] {
        &self.flaws
    }

    /// Compares it with the key that is said to have signed it.
    pub fn check(&self, key: &AuthKey) -> Vec<TokenMismatch> {
        let mut mismatches = Vec::new();
        let text = |object: Option<&Map<String, Value>>, name: &str| {
            object.and_then(|object| object.get(name)?.as_str().map(str::to_owned))
        };
        let (key_id, team_id) = (key.key_id().to_string(), key.team_id().to_string());
        let found = text(self.header(), KID);
        if found.as_deref() != Some(key_id.as_str()) {
            mismatches.push(TokenMismatch::KeyId { found, expected: key_id });
        }
        let found = text(self.claims(), ISS);
        if found.as_deref() != Some(team_id.as_str()) {
            mismatches.push(TokenMismatch::TeamId { found, expected: team_id });
        }
        if !self.signature.as_ref().is_some_and(|(signed, signature)| key.verifies(signed, signature)) {
            mismatches.push(TokenMismatch::Signature);
        }
        mismatches
    }

    fn object(&mut self, part: &'static str, text: &str) -> Option<Map<String, Value>> {
        let json = self.decode(part, text)?;
        let object = serde_json::from_slice(&json).ok();
        if object.is_none() {
            self.flaws.push(TokenFlaw::NotJsonObject { part });
        }
        object
    }

    /// Undoes base64url, and what is taken for it by some.
    fn decode(&mut self, part: &'static str, text: &str) -> Option<Vec<u8>> {
        let bare = text.trim_end_matches('=');
        let is_standard = bare.contains(['+', '/']);
        let engine = if is_standard { &STANDARD_NO_PAD } else { &URL_SAFE_NO_PAD };
        let Ok(bytes) = engine.decode(bare) else {
            self.flaws.push(TokenFlaw::NotBase64Url { part });
            return None;
        };
        if is_standard {
            self.flaws.push(TokenFlaw::StandardBase64 { part });
        } else if bare.len() < text.len() {
            self.flaws.push(TokenFlaw::Padded { part });
        }
        Some(bytes)
    }

    fn look_at_header(&mut self) {
        let Some(header) = &self.header else { return };
        match header.get(ALG) {
            Some(Value::String(alg)) if alg == ES256 => {}
            found => self.flaws.push(TokenFlaw::Algorithm { found: shown(found) }),
        }
        match header.get(KID) {
            Some(Value::String(kid)) if KeyId::parse(kid).is_ok() => {}
            found => self.flaws.push(TokenFlaw::KeyId { found: shown(found) }),
        }
    }

    fn look_at_claims(&mut self, now: UnixTime) {
        let Some(claims) = &self.claims else { return };
        match claims.get(ISS) {
            Some(Value::String(iss)) if TeamId::parse(iss).is_ok() => {}
            found => self.flaws.push(TokenFlaw::TeamId { found: shown(found) }),
        }
        let (secs, flaw) = match claims.get(IAT) {
            Some(Value::Number(number)) => match number.as_u64() {
                Some(secs) => (Some(secs), None),
                None => (whole_secs(number), Some(TokenFlaw::IssuedAtIsFraction)),
            },
            Some(Value::String(text)) => (text.parse().ok(), Some(TokenFlaw::IssuedAtIsText)),
            _ => (None, None),
        };
        let Some(secs) = secs else {
            self.flaws.push(TokenFlaw::IssuedAt { found: shown(claims.get(IAT)) });
            return;
        };
        self.flaws.extend(flaw);
        let issued_at = UnixTime::from_secs(secs);
        self.issued_at = Some(issued_at);
        let (age, ahead) = (now.saturating_since(issued_at), issued_at.saturating_since(now));
        if secs > SECS_MAX {
            self.flaws.push(TokenFlaw::IssuedAtInMilliseconds { iat: secs });
        } else if age > ProviderToken::AGE_MAX {
            self.flaws.push(TokenFlaw::TooOld { age });
        } else if ahead > ServerClock::TOLERANCE {
            self.flaws.push(TokenFlaw::InTheFuture { ahead });
        }
    }

    fn look_at_signature(&mut self, signed: &str, text: &str) {
        let Some(bytes) = self.decode("signature", text) else { return };
        let (signature, flaw) = match (Signature::from_slice(&bytes), Signature::from_der(&bytes)) {
            (Ok(signature), _) => (Some(signature), None),
            (_, Ok(signature)) => (Some(signature), Some(TokenFlaw::SignatureInDer)),
            _ if bytes.len() == SIGNATURE_BYTES => (None, Some(TokenFlaw::SignatureOutOfRange)),
            _ => (None, Some(TokenFlaw::SignatureLength { len: bytes.len() })),
        };
        self.flaws.extend(flaw);
        self.signature = signature.map(|signature| (signed.as_bytes().to_vec(), signature));
    }
}

impl fmt::Debug for TokenInspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenInspection")
            .field("issued_at", &self.issued_at)
            .field("flaws", &self.flaws)
            .finish_non_exhaustive()
    }
}

/// The whole seconds of a number that is not written as a whole one.
fn whole_secs(number: &Number) -> Option<u64> {
    Duration::try_from_secs_f64(number.as_f64()?).ok().map(|since_epoch| since_epoch.as_secs())
}

/// A value for a message: as JSON, and not endless.
fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "missing".to_owned() };
    let json = value.to_string();
    match json.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &json[..end]),
        None => json,
    }
}

const ALG: &str = "alg";
const ES256: &str = "ES256";
const KID: &str = "kid";
const ISS: &str = "iss";
const IAT: &str = "iat";
/// r and s of P-256, 32 bytes each (RFC 7518 section 3.4).
const SIGNATURE_BYTES: usize = 64;
/// Characters of a value that a message repeats.
const SHOWN_CHARS: usize = 60;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::TokenSource;
    use super::super::auth_key::tests::generated_key;
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn jwt(header: &Value, claims: &Value, signature: &[u8]) -> String {
        [header.to_string().as_bytes(), claims.to_string().as_bytes(), signature]
            .map(|part| URL_SAFE_NO_PAD.encode(part))
            .join(".")
    }

    /// The flaws of a token that is well but for these header and claims.
    fn flaws(header: &Value, claims: &Value) -> Vec<TokenFlaw> {
        TokenInspection::new(&jwt(header, claims, &[1; 64]), NOW).flaws
    }

    fn header() -> Value {
        json!({ "alg": "ES256", "kid": "ABC123DEFG" })
    }

    fn claims(iat: impl Into<Value>) -> Value {
        json!({ "iss": "DEF123GHIJ", "iat": iat.into() })
    }

    #[test]
    fn a_token_of_ours_has_no_flaw_and_is_its_keys() {
        let token = TokenSource::new(generated_key(7)).token(NOW).unwrap();
        for text in [token.jwt(), token.authorization(), &format!("Bearer  {}\n", token.jwt())] {
            let inspection = TokenInspection::new(text, NOW);
            assert_eq!(inspection.flaws(), []);
            assert_eq!(inspection.issued_at(), Some(token.issued_at()));
            assert_eq!(inspection.expires_at().unwrap().as_secs(), token.issued_at().as_secs() + 3600);
            assert_eq!(inspection.header().unwrap()["kid"], "ABC123DEFG");
            assert_eq!(inspection.check(&generated_key(7)), []);
            assert_eq!(inspection.check(&generated_key(8)), [TokenMismatch::Signature]);
        }
    }

    #[test]
    fn a_changed_token_is_nobodys() {
        let token = TokenSource::new(generated_key(7)).token(NOW).unwrap();
        let (_, rest) = token.jwt().split_once('.').unwrap();
        let other_header = json!({ "alg": "ES256", "kid": "ZZZ123DEFG" }).to_string();
        let changed = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(other_header));
        let mismatches = TokenInspection::new(&changed, NOW).check(&generated_key(7));
        let expected = "ABC123DEFG".to_owned();
        assert_eq!(
            mismatches,
            [
                TokenMismatch::KeyId { found: Some("ZZZ123DEFG".to_owned()), expected },
                TokenMismatch::Signature
            ]
        );
        assert_eq!(TokenInspection::new("", NOW).check(&generated_key(7)).len(), 3);
    }

    #[test]
    fn the_age_is_counted_from_iat_in_seconds() {
        let now = NOW.as_secs();
        assert_eq!(flaws(&header(), &claims(now)), []);
        assert_eq!(flaws(&header(), &claims(now - 3600)), []);
        assert_eq!(
            flaws(&header(), &claims(now - 3601)),
            [TokenFlaw::TooOld { age: Duration::from_secs(3601) }]
        );
        assert_eq!(flaws(&header(), &claims(now + 60)), []);
        let ahead = Duration::from_secs(61);
        assert_eq!(flaws(&header(), &claims(now + 61)), [TokenFlaw::InTheFuture { ahead }]);
        let iat = now * 1000;
        assert_eq!(flaws(&header(), &claims(iat)), [TokenFlaw::IssuedAtInMilliseconds { iat }]);
        assert_eq!(flaws(&header(), &claims(now.to_string())), [TokenFlaw::IssuedAtIsText]);
        for iat in [json!(null), json!(-1.5), json!(-1), json!(1e300), json!("soon"), json!("1.5")] {
            let found = iat.to_string();
            assert_eq!(flaws(&header(), &claims(iat)), [TokenFlaw::IssuedAt { found }]);
        }
    }

    /// As Python's `time.time()` gives it.
    #[test]
    fn an_iat_with_a_fraction_is_odd_and_its_age_is_judged() {
        let now = 1_700_000_000.25;
        let inspection = TokenInspection::new(&jwt(&header(), &claims(now), &[1; 64]), NOW);
        assert_eq!(inspection.flaws(), [TokenFlaw::IssuedAtIsFraction]);
        assert_eq!(inspection.issued_at(), Some(NOW));
        let age = Duration::from_hours(2);
        assert_eq!(
            flaws(&header(), &claims(now - 7_200.0)),
            [TokenFlaw::IssuedAtIsFraction, TokenFlaw::TooOld { age }]
        );
        let in_milliseconds = TokenFlaw::IssuedAtInMilliseconds { iat: 1_700_000_000_250 };
        assert_eq!(flaws(&header(), &claims(now * 1000.0)), [TokenFlaw::IssuedAtIsFraction, in_milliseconds]);
    }

    #[test]
    fn logs_do_not_show_the_token() {
        let token = TokenSource::new(generated_key(7)).token(NOW).unwrap();
        let shown = format!("{:?}", TokenInspection::new(token.jwt(), NOW));
        let issued_at = token.issued_at();
        assert_eq!(shown, format!("TokenInspection {{ issued_at: Some({issued_at:?}), flaws: [], .. }}"));
    }

    #[test]
    fn each_field_has_its_rule() {
        let of_header = |header: Value| flaws(&header, &claims(NOW.as_secs()));
        let algorithm = |found: &str| TokenFlaw::Algorithm { found: found.to_owned() };
        assert_eq!(of_header(json!({ "alg": "none", "kid": "ABC123DEFG" })), [algorithm("\"none\"")]);
        assert_eq!(of_header(json!({ "kid": "ABC123DEFG" })), [algorithm("missing")]);
        let found = "\"short\"".to_owned();
        assert_eq!(of_header(json!({ "alg": "ES256", "kid": "short" })), [TokenFlaw::KeyId { found }]);
        let found = "7".to_owned();
        assert_eq!(
            flaws(&header(), &json!({ "iss": 7, "iat": NOW.as_secs() })),
            [TokenFlaw::TeamId { found }]
        );
        let long = flaws(&json!({ "alg": "é".repeat(500), "kid": "ABC123DEFG" }), &claims(NOW.as_secs()));
        assert!(long[0].to_string().len() < 200, "{long:?}");
    }

    #[test]
    fn each_form_of_base64_is_told_by_name() {
        let good = jwt(&header(), &claims(NOW.as_secs()), &[0xfb; 64]);
        let flaws = |jwt: &str| TokenInspection::new(jwt, NOW).flaws;
        assert!(good.contains('-') && flaws(&good).is_empty(), "{good}");
        assert_eq!(flaws(&format!("{good}==")), [TokenFlaw::Padded { part: "signature" }]);
        let standard = good.replace('-', "+").replace('_', "/");
        assert_eq!(flaws(&standard), [TokenFlaw::StandardBase64 { part: "signature" }]);
        assert_eq!(flaws(&format!("{good}!")), [TokenFlaw::NotBase64Url { part: "signature" }]);
        assert_eq!(flaws(&format!("{good}.")), [TokenFlaw::NotThreeParts { parts: 4 }]);
        assert_eq!(flaws(""), [TokenFlaw::NotThreeParts { parts: 1 }]);
        assert_eq!(flaws(&"x".repeat(8001)), [TokenFlaw::TooLong { len: 8001 }]);
    }

    #[test]
    fn a_signature_is_64_bytes() {
        let flaws =
            |bytes: &[u8]| TokenInspection::new(&jwt(&header(), &claims(NOW.as_secs()), bytes), NOW).flaws;
        assert_eq!(flaws(&[1; 63]), [TokenFlaw::SignatureLength { len: 63 }]);
        assert_eq!(flaws(&[]), [TokenFlaw::SignatureLength { len: 0 }]);
        assert_eq!(flaws(&[0; 64]), [TokenFlaw::SignatureOutOfRange]);
        let der = Signature::from_slice(&[1; 64]).unwrap().to_der();
        assert_eq!(flaws(der.as_bytes()), [TokenFlaw::SignatureInDer]);
    }

    proptest! {
        /// What comes from outside is told, never panicked over.
        #[test]
        fn no_token_does_harm(token in ".{0,200}", now: u64) {
            let inspection = TokenInspection::new(&token, UnixTime::from_millis(now));
            prop_assert!(inspection.issued_at().is_some() || !inspection.flaws().is_empty());
        }

        #[test]
        fn no_content_does_harm(
            header in "\\{\"alg\":[^}]{0,40}\\}", iat: u64, signature in prop::collection::vec(any::<u8>(), 0..80), now: u64
        ) {
            let parts = [header.as_bytes(), format!(r#"{{"iat":{iat}}}"#).as_bytes(), &signature]
                .map(|part| URL_SAFE_NO_PAD.encode(part));
            let inspection = TokenInspection::new(&parts.join("."), UnixTime::from_millis(now));
            prop_assert_eq!(inspection.issued_at(), Some(UnixTime::from_secs(iat)));
            prop_assert!(inspection.expires_at() >= inspection.issued_at());
            prop_assert!(inspection.check(&generated_key(1)).contains(&TokenMismatch::Signature));
            let shown: Vec<String> = inspection.flaws().iter().map(ToString::to_string).collect();
            prop_assert!(shown.iter().all(|flaw| !flaw.is_empty()));
        }
    }
}
