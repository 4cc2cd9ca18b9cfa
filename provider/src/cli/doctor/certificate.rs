use apns_provider_core::UnixTime;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::cli::dates::date;

/// What a server's certificate says of itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct CertificateFacts {
    subject: String,
    issuer: String,
    not_before: UnixTime,
    not_after: UnixTime,
}

impl CertificateFacts {
    /// Reads it, whether it is trusted or not; nothing if it is no certificate.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        let moment = |secs: i64| UnixTime::from_secs(u64::try_from(secs).unwrap_or_default());
        Some(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            not_before: moment(validity.not_before.timestamp()),
            not_after: moment(validity.not_after.timestamp()),
        })
    }

    pub(super) fn told(&self) -> String {
        let Self { subject, issuer, not_before, not_after } = self;
        let (from, until) = (date(*not_before), date(*not_after));
        format!("certificate of {subject:?} by {issuer:?}, valid from {from} until {until}")
    }
}

#[cfg(test)]
mod tests {
    use apns_certs::Authority;
    use rustls::pki_types::CertificateDer;

    use super::*;

    #[test]
    fn subject_issuer_and_dates_are_told() {
        let now = rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_hours(500_000));
        let root = Authority::generate(now).unwrap().root_pem(apns_certs::Purpose::Server);
        let der = <CertificateDer<'_> as rustls::pki_types::pem::PemObject>::from_pem_slice(root.as_bytes())
            .unwrap();
        let facts = CertificateFacts::read(&der).unwrap();
        assert_eq!(facts.subject, facts.issuer, "a root");
        let now = UnixTime::from_secs(now.as_secs());
        assert!(facts.not_before <= now && now < facts.not_after, "{facts:?}");
        assert!(facts.told().contains("valid from 2027-01-"), "{}", facts.told());
        for der in [&b""[..], b"\x30\x03abc", &der[..der.len() / 2]] {
            assert_eq!(CertificateFacts::read(der), None);
        }
    }
}
