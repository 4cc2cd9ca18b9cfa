//! What the tests beneath each module share.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::Oid;

/// 2023-11-14T22:13:20Z: a present for tests that need only some present.
pub(crate) const NOW: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(1_700_000_000));

pub(crate) fn parse<'a>(der: &'a CertificateDer<'_>) -> X509Certificate<'a> {
    let (rest, certificate) = x509_parser::parse_x509_certificate(der).unwrap();
    assert!(rest.is_empty());
    certificate
}

/// The DER of the extension with `oid`, if the certificate has it.
pub(crate) fn extension<'a>(certificate: &'a X509Certificate<'_>, oid: &[u64]) -> Option<&'a [u8]> {
    let oid = Oid::from(oid).unwrap();
    certificate.get_extension_unique(&oid).unwrap().map(|extension| extension.value)
}

/// The subject as `TYPE=value` in the order of the certificate, with the attribute names that OpenSSL uses.
pub(crate) fn subject(certificate: &X509Certificate<'_>) -> Vec<String> {
    let name = |oid: String| match oid.as_str() {
        "0.9.2342.19200300.100.1.1" => "UID",
        "2.5.4.3" => "CN",
        "2.5.4.6" => "C",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        _ => panic!("unexpected attribute {oid}"),
    };
    let attributes = certificate.subject().iter_attributes();
    attributes.map(|a| format!("{}={}", name(a.attr_type().to_id_string()), a.as_str().unwrap())).collect()
}
