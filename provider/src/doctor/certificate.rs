use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// What a server's certificate says of itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct CertificateFacts {
    subject: String,
    issuer: String,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
}

impl CertificateFacts {
    /// Reads it, whether it is trusted or not; nothing if it is no certificate.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        Some(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            not_before: validity.not_before.to_datetime(),
            not_after: validity.not_after.to_datetime(),
        })
    }

    pub(super) fn told(&self) -> String {
        let Self { subject, issuer, not_before, not_after } = self;
        let (from, until) = (date(*not_before), date(*not_after));
        format!("certificate of {subject:?} by {issuer:?}, valid from {from} until {until}")
    }
}

/// As in `2023-11-14T22:13:20Z`: dates of certificates are of UTC.
fn date(moment: OffsetDateTime) -> String {
    moment.format(&Rfc3339).unwrap_or_else(|_| moment.to_string())
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
        let now = OffsetDateTime::from_unix_timestamp(now.as_secs().cast_signed()).unwrap();
        assert!(facts.not_before <= now && now < facts.not_after, "{facts:?}");
        assert!(facts.told().contains("valid from 2027-01-"), "{}", facts.told());
        for der in [&b""[..], b"\x30\x03abc", &der[..der.len() / 2]] {
            assert_eq!(CertificateFacts::read(der), None);
        }
    }
}
