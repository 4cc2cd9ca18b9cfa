//! What may be told of a provider token, however broken: its header and its claims, never its signature.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_PAD_INDIFFERENT, URL_SAFE_PAD_INDIFFERENT},
};
use serde_json::Value;

use super::{bytes, shown};

/// All that may be told.
pub(super) fn whole(token: &[u8]) -> String {
    let parts = token.split(|&byte| byte == b'.').count();
    let parts = if parts == 1 { "1 part".to_owned() } else { format!("{parts} parts") };
    let members = |part: usize, names: &[&str]| match part_of(token, part) {
        Some(Value::Object(_)) => names.iter().map(|name| member(token, part, name)).collect(),
        _ => vec!["no JSON in base64url".to_owned()],
    };
    let [header, claims] = [members(HEADER, &["alg", "kid"]), members(CLAIMS, &["iss", "iat"])];
    format!(
        "{parts}; header: {}; claims: {}; {}",
        header.join(", "),
        claims.join(", "),
        signature_form(token)
    )
}

pub(super) fn alg(token: &[u8]) -> String {
    member(token, HEADER, "alg")
}

pub(super) fn kid(token: &[u8]) -> String {
    member(token, HEADER, "kid")
}

pub(super) fn iss(token: &[u8]) -> String {
    member(token, CLAIMS, "iss")
}

pub(super) fn iat(token: &[u8]) -> String {
    member(token, CLAIMS, "iat")
}

pub(super) fn kid_and_iss(token: &[u8]) -> String {
    format!("{}, {}", kid(token), iss(token))
}

/// Its form, and the key that it is said to be of.
pub(super) fn signature(token: &[u8]) -> String {
    format!("{}, {}", signature_form(token), kid_and_iss(token))
}

/// A member of the header or of the claims, as the JSON that it is.
fn member(token: &[u8], part: usize, name: &str) -> String {
    match part_of(token, part).as_ref().and_then(|json| json.get(name)) {
        Some(value) => format!("{name} {}", shown(value.to_string().as_bytes())),
        None => format!("no {name}"),
    }
}

fn signature_form(token: &[u8]) -> String {
    match token.split(|&byte| byte == b'.').nth(SIGNATURE).map(decode) {
        Some(Some(signature)) => format!("a signature of {}", bytes(signature.len())),
        Some(None) => "a signature that is not base64url".to_owned(),
        None => "no signature".to_owned(),
    }
}

fn part_of(token: &[u8], part: usize) -> Option<Value> {
    let text = token.split(|&byte| byte == b'.').nth(part)?;
    serde_json::from_slice(&decode(text)?).ok()
}

fn decode(part: &[u8]) -> Option<Vec<u8>> {
    let url_safe = URL_SAFE_PAD_INDIFFERENT.decode(part).ok();
    url_safe.or_else(|| STANDARD_PAD_INDIFFERENT.decode(part).ok())
}

/// Where the parts of a JWS stand (RFC 7515, 3.1).
const HEADER: usize = 0;
const CLAIMS: usize = 1;
const SIGNATURE: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_by_its_header_and_claims_however_broken() {
        for (token, told) in [
            ("", "1 part; header: no JSON in base64url; claims: no JSON in base64url; no signature"),
            ("e30.bnVsbA", "2 parts; header: no alg, no kid; claims: no JSON in base64url; no signature"),
            (
                "eyJhbGciOiJub25lIn0.eyJpYXQiOiIxIn0=.AAAA",
                "3 parts; header: alg \"none\", no kid; claims: no iss, iat \"1\"; a signature of 3 bytes",
            ),
            (
                "e30.e30.!.e30",
                "4 parts; header: no alg, no kid; claims: no iss, no iat; a signature that is not base64url",
            ),
        ] {
            assert_eq!(whole(token.as_bytes()), told);
        }
    }
}
