//! PEM (RFC 7468): DER in base64 between two lines of text.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// One PEM section with `label`, its lines 64 characters long (RFC 7468 section 2), ended by a newline.
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(LINE_CHARACTERS));
        pem.push_str(line);
        pem.push('\n');
        rest = tail;
    }
    pem.push_str("-----END ");
    pem.push_str(label);
    pem.push_str("-----\n");
    pem
}

/// The label of a certificate (RFC 7468 section 5).
pub(crate) const CERTIFICATE: &str = "CERTIFICATE";
/// The label of an unencrypted PKCS#8 key (RFC 7468 section 10); what Apple's `.p8` files carry.
pub(crate) const PRIVATE_KEY: &str = "PRIVATE KEY";
/// The label of a certificate revocation list (RFC 7468 section 6).
pub(crate) const X509_CRL: &str = "X509 CRL";

/// "Generators MUST wrap the base64-encoded lines so that each line consists of exactly 64 characters" (RFC
/// 7468).
const LINE_CHARACTERS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use rustls_pki_types::{CertificateDer, pem::PemObject as _};

    #[test]
    fn lines_are_64_characters_and_what_was_written_is_read_back() {
        for length in [0, 1, 47, 48, 49, 96, 1000] {
            let der: Vec<u8> = (0..length).map(|i: u32| i as u8).collect();
            let pem = encode(CERTIFICATE, &der);
            let body: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
            assert!(body.iter().rev().skip(1).all(|line| line.len() == 64), "{pem}");
            assert_eq!(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().as_ref(), der);
        }
    }
}
