//! Provider tokens: the JWTs that a provider sends in `authorization`.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{FieldName, KeyId, Request, TeamId, Timestamp};

/// Verifies an ES256 signature (P-256, SHA-256; RFC 7518, 3.4) of `message` by the uncompressed `public_key`.
///
/// The shell hands the service one. What a signature decides is the core's; the arithmetic is not, and so the core
/// needs no cryptography.
pub type VerifyEs256 = fn(public_key: &[u8; 65], message: &[u8], signature: &Signature<'_>) -> bool;

/// An ECDSA signature in either of the encodings that APNs takes: Apple's page on command-line tools signs with
/// `openssl dgst`, which writes DER.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signature<'a> {
    /// R and S, 32 bytes each: the encoding of JOSE (RFC 7518, 3.4).
    RawRs([u8; 64]),
    /// An ASN.1 `ECDSA-Sig-Value` (RFC 3279, 2.2.3), not yet read.
    Der(&'a [u8]),
}

/// A provider token as read, its signature not yet verified.
/// Source: Apple, "Establishing a token-based connection to APNs".
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ProviderToken<'a> {
    /// Whether `alg` is `ES256`, the only one that APNs takes.
    pub(crate) is_es256: bool,
    /// The key that signed it, as it says.
    pub(crate) key_id: KeyId,
    /// The team whose token it is, as it says: `iss`.
    pub(crate) team_id: TeamId,
    /// When it was issued: `iat`, in whole seconds.
    pub(crate) issued_at: Timestamp,
    /// Whether `iat` is a JSON string.
    pub(crate) iat_is_string: bool,
    /// Whether its parts are base64url without padding, as RFC 7515 section 2 wants them.
    pub(crate) is_base64url: bool,
    /// What the signature is of.
    pub(crate) signed: &'a [u8],
    signature: Vec<u8>,
}

impl<'a> ProviderToken<'a> {
    /// Reads a JWS in compact serialisation (RFC 7515, 3.1): three parts in base64url, or in what shipped clients write
    /// for it. Other members of the header and other claims are tolerated, as shipped clients send them.
    pub(crate) fn parse(token: &'a [u8]) -> Option<Self> {
        let mut parts = token.split(|&byte| byte == b'.');
        let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let signed = &token[..header.len() + 1 + claims.len()];
        let header: Header = json_part(header)?;
        let claims: Claims = json_part(claims)?;
        let iat_is_string = matches!(claims.iat, IssuedAt::Text(_));
        Some(Self {
            is_es256: header.alg == "ES256",
            key_id: KeyId::parse(&header.kid).ok()?,
            team_id: TeamId::parse(&claims.iss).ok()?,
            issued_at: Timestamp::from_secs(claims.iat.seconds()?),
            iat_is_string,
            is_base64url: !token.iter().any(|byte| matches!(byte, b'+' | b'/' | b'=')),
            signed,
            signature: decode(signature)?,
        })
    }

    /// The signature, if its length or its first byte says how it is encoded.
    pub(crate) fn signature(&self) -> Option<Signature<'_>> {
        match <[u8; 64]>::try_from(self.signature.as_slice()) {
            Ok(raw) => Some(Signature::RawRs(raw)),
            Err(_) if self.signature.first() == Some(&DER_SEQUENCE) => Some(Signature::Der(&self.signature)),
            Err(_) => None,
        }
    }
}

/// The token in a request's `authorization`: behind the scheme `bearer`, in any case (RFC 9110, 11.1), and not empty.
pub(crate) fn bearer_token(request: &Request) -> Option<&[u8]> {
    let authorization = request.get(FieldName::Authorization)?;
    let (scheme, token) = authorization.split_at_checked(BEARER.len())?;
    (scheme.eq_ignore_ascii_case(BEARER) && !token.is_empty()).then_some(token)
}

/// The team that a value of `authorization` names by its `iss`, whatever else is wrong with it: a scheme that is missing, a
/// header that cannot be read, a signature that is not the key's.
pub(crate) fn issuer(authorization: &[u8]) -> Option<TeamId> {
    let token = authorization.rsplit(|&byte| byte == b' ').next()?;
    let Issuer { iss } = json_part(token.split(|&byte| byte == b'.').nth(1)?)?;
    TeamId::parse(&iss).ok()
}

#[derive(Deserialize)]
struct Issuer {
    iss: String,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    iat: IssuedAt,
}

/// The forms in which shipped clients write `iat`.
#[derive(Deserialize)]
#[serde(untagged)]
enum IssuedAt {
    Integer(u64),
    Float(f64),
    Text(String),
}

impl IssuedAt {
    /// Whole seconds since the Unix epoch. What lies before it stays at it: long expired in any case.
    fn seconds(&self) -> Option<u64> {
        match self {
            Self::Integer(seconds) => Some(*seconds),
            #[expect(clippy::cast_sign_loss, reason = "the conversion saturates, which is what is wanted")]
            Self::Float(seconds) => Some(*seconds as u64),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

fn json_part<T: DeserializeOwned>(part: &[u8]) -> Option<T> {
    serde_json::from_slice(&decode(part)?).ok()
}

/// Decodes base64url, or base64 of the standard alphabet, with padding or without.
fn decode(part: &[u8]) -> Option<Vec<u8>> {
    let unpadded = (0..=PADDING_MAX).find_map(|padding| {
        let (text, end) = part.split_at_checked(part.len().checked_sub(padding)?)?;
        (end.iter().all(|&byte| byte == b'=') && !text.ends_with(b"=")).then_some(text)
    })?;
    let url_safe = |&byte: &u8| match byte {
        b'+' => b'-',
        b'/' => b'_',
        other => other,
    };
    BASE64_URL_SAFE_NO_PAD.decode(unpadded.iter().map(url_safe).collect::<Vec<u8>>()).ok()
}

/// Base64 ends in two padding characters at most (RFC 4648, 4).
const PADDING_MAX: usize = 2;

/// The authentication scheme and the space behind it (RFC 6750, 2.1).
const BEARER: &[u8] = b"bearer ";

/// The first byte of an ASN.1 SEQUENCE in DER.
const DER_SEQUENCE: u8 = 0x30;

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"alg":"ES256","kid":"KEY0000001"}"#;
    const CLAIMS: &str = r#"{"iss":"TEAM000001","iat":1700000000}"#;

    fn jwt(header: &str, claims: &str, signature: &[u8]) -> Vec<u8> {
        let encode = |part: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(part);
        let parts = [encode(header.as_bytes()), encode(claims.as_bytes()), encode(signature)];
        parts.join(".").into_bytes()
    }

    fn issued_at(iat: &str) -> Option<u64> {
        let claims = format!(r#"{{"iss":"TEAM000001","iat":{iat}}}"#);
        ProviderToken::parse(&jwt(HEADER, &claims, &[0; 64])).map(|token| token.issued_at.as_secs())
    }

    #[test]
    fn a_plain_token_is_read() {
        let text = jwt(HEADER, CLAIMS, &[7; 64]);
        let token = ProviderToken::parse(&text).unwrap();
        assert!(token.is_es256 && !token.iat_is_string);
        assert_eq!((token.key_id.as_str(), token.team_id.as_str()), ("KEY0000001", "TEAM000001"));
        assert_eq!(token.issued_at, Timestamp::from_secs(1_700_000_000));
        assert_eq!(token.signature(), Some(Signature::RawRs([7; 64])));
        let last_dot = text.iter().rposition(|&byte| byte == b'.').unwrap();
        assert_eq!(token.signed, &text[..last_dot]);
    }

    #[test]
    fn more_members_and_more_claims_are_tolerated() {
        let header = r#"{"typ":"JWT","alg":"ES256","kid":"KEY0000001","x":[1]}"#;
        let claims = r#"{"iss":"TEAM000001","iat":1,"exp":2,"kid":"KEY0000001"}"#;
        assert!(ProviderToken::parse(&jwt(header, claims, &[0; 64])).is_some());
    }

    #[test]
    fn iat_may_be_an_integer_a_float_or_a_string() {
        assert_eq!(issued_at("1700000000"), Some(1_700_000_000));
        assert_eq!(issued_at("1700000000.9"), Some(1_700_000_000));
        assert_eq!(issued_at("1.7e9"), Some(1_700_000_000));
        assert_eq!(issued_at("\"1700000000\""), Some(1_700_000_000));
        assert_eq!(issued_at("-5"), Some(0));
        for iat in ["null", "true", "[1]", "\"\"", "\"soon\"", "\"-5\""] {
            assert_eq!(issued_at(iat), None, "{iat}");
        }
    }

    #[test]
    fn another_algorithm_is_read_and_told() {
        let header = r#"{"alg":"HS256","kid":"KEY0000001"}"#;
        assert!(!ProviderToken::parse(&jwt(header, CLAIMS, &[0; 32])).unwrap().is_es256);
    }

    #[test]
    fn standard_base64_and_padding_are_read_and_told() {
        let text = String::from_utf8(jwt(HEADER, CLAIMS, &[0xfb; 64])).unwrap();
        assert!(ProviderToken::parse(text.as_bytes()).unwrap().is_base64url && text.contains('-'));
        for other in [format!("{text}=="), text.replace('-', "+").replace('_', "/")] {
            let token = ProviderToken::parse(other.as_bytes()).unwrap();
            assert_eq!(token.signature(), Some(Signature::RawRs([0xfb; 64])));
            assert!(!token.is_base64url, "{other}");
        }
    }

    #[test]
    fn what_is_no_provider_token_is_not_read() {
        let good = String::from_utf8(jwt(HEADER, CLAIMS, &[0; 64])).unwrap();
        let two_parts = good.rsplit_once('.').unwrap().0;
        for text in
            ["", "..", "a.b.c", two_parts, &format!("{good}.e30"), &format!("{good}==="), &format!(" {good}")]
        {
            assert_eq!(ProviderToken::parse(text.as_bytes()), None, "{text}");
        }
        for header in ["{}", r#"{"alg":"ES256"}"#, r#"{"alg":"ES256","kid":"short"}"#, "[]", "ES256"] {
            assert_eq!(ProviderToken::parse(&jwt(header, CLAIMS, &[0; 64])), None, "{header}");
        }
        for claims in ["{}", r#"{"iss":"TEAM000001"}"#, r#"{"iat":1}"#, r#"{"iss":"T","iat":1}"#] {
            assert_eq!(ProviderToken::parse(&jwt(HEADER, claims, &[0; 64])), None, "{claims}");
        }
    }

    #[test]
    fn a_der_signature_is_told_by_its_first_byte() {
        let der = [&[DER_SEQUENCE][..], &[0; 69]].concat();
        let text = jwt(HEADER, CLAIMS, &der);
        assert_eq!(ProviderToken::parse(&text).unwrap().signature(), Some(Signature::Der(&der)));
        let text = jwt(HEADER, CLAIMS, &[0; 70]);
        assert_eq!(ProviderToken::parse(&text).unwrap().signature(), None);
    }

    #[test]
    fn the_issuer_is_read_of_a_token_that_is_none() {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(CLAIMS);
        for value in
            [&format!("bearer a.{claims}.b"), &format!("a.{claims}"), &format!("Bearer .{claims}=..")]
        {
            assert_eq!(issuer(value.as_bytes()).unwrap().as_str(), "TEAM000001", "{value}");
        }
        for value in ["", "bearer ", "a.b.c", &claims, "bearer a.e30.c", &format!("bearer a.{claims} b")] {
            assert_eq!(issuer(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn the_scheme_is_bearer_in_any_case() {
        let request_with = |value: &str| {
            let mut request = Request::new();
            request.field(b"authorization", value.as_bytes());
            request
        };
        for value in ["bearer abc", "Bearer abc", "BEARER abc"] {
            assert_eq!(bearer_token(&request_with(value)), Some(&b"abc"[..]));
        }
        for value in ["", "bearer", "bearer ", "Basic abc", "abc"] {
            assert_eq!(bearer_token(&request_with(value)), None, "{value}");
        }
        assert_eq!(bearer_token(&Request::new()), None);
    }
}
