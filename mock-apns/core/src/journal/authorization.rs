//! What is told of `authorization`: enough to see what was meant, and nothing that opens a door.

/// A value of `authorization` without what is secret.
///
/// Of a JWT the header and the claims are told, behind the scheme if there is one: whoever reads them learns what was
/// claimed, and cannot claim it. Of anything else, which may be a password, the scheme and the number of bytes are told.
/// So they are of a JWT that is not whole: where its signature ends is not known.
pub fn without_secret(value: &[u8]) -> Vec<u8> {
    let token_at = value.iter().position(|byte| *byte == b' ').map_or(0, |space| space + 1);
    let (scheme, token) = value.split_at(token_at);
    match signature_at(token) {
        Some(at) => [scheme, &token[..at], WITHHELD.as_bytes()].concat(),
        None => [scheme, format!("{WITHHELD} ({} bytes)", token.len()).as_bytes()].concat(),
    }
}

/// Where the signature of a JWS in compact serialisation begins (RFC 7515, 3.1): three parts, of which the first is
/// JSON by its beginning.
fn signature_at(token: &[u8]) -> Option<usize> {
    let mut parts = token.split(|byte| *byte == b'.');
    let (header, claims) = (parts.next()?, parts.next()?);
    let is_whole = parts.next().is_some() && parts.next().is_none();
    let is_json = JSON_BEGINNINGS.iter().any(|beginning| header.starts_with(beginning));
    (is_whole && is_json).then_some(header.len() + claims.len() + 2)
}

/// How `{` begins in base64url, by what follows it: a quote or a blank, a line break or a tab, the closing brace.
const JSON_BEGINNINGS: [&[u8]; 3] = [b"ey", b"ew", b"e3"];

/// In place of what is not written down.
const WITHHELD: &str = "…";

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(value: &str) -> String {
        String::from_utf8(without_secret(value.as_bytes())).unwrap()
    }

    #[test]
    fn a_jwt_keeps_header_and_claims_with_or_without_a_scheme() {
        for (value, expected) in [
            ("bearer eyJhIjoxfQ.eyJiIjoyfQ.c2VjcmV0", "bearer eyJhIjoxfQ.eyJiIjoyfQ.…"),
            ("Bearer ewogICJhIjoxfQ.e30.c2VjcmV0==", "Bearer ewogICJhIjoxfQ.e30.…"),
            ("eyJhIjoxfQ.eyJiIjoyfQ.c2VjcmV0", "eyJhIjoxfQ.eyJiIjoyfQ.…"),
            ("bearer e30.e30.", "bearer e30.e30.…"),
        ] {
            assert_eq!(kept(value), expected);
        }
    }

    #[test]
    fn of_anything_else_the_scheme_and_the_length_are_told() {
        for (value, expected) in [
            ("Basic c2VjcmV0", "Basic … (8 bytes)"),
            ("hunter2", "… (7 bytes)"),
            ("", "… (0 bytes)"),
            ("bearer ", "bearer … (0 bytes)"),
            ("bearer  eyJ9.eyJ9.c2VjcmV0", "bearer … (19 bytes)"),
            ("bearer eyJ9.eyJ9", "bearer … (9 bytes)"),
            ("bearer eyJ9.a.b.c", "bearer … (10 bytes)"),
            ("key one.two.three", "key … (13 bytes)"),
        ] {
            assert_eq!(kept(value), expected);
        }
    }
}
