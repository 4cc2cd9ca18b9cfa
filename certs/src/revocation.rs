//! Revocation: the list by which an authority takes certificates back (RFC 5280 section 5).

use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevocationReason, RevokedCertParams};
use rustls_pki_types::{CertificateRevocationListDer, UnixTime};

use crate::validity::{LEAF_LIFETIME, Validity};
use crate::{Authority, Error, Purpose, SerialNumber, pem};

/// A signed list of revoked provider certificates.
///
/// It speaks for leaves only, so a verifier is told to check the end entity alone: rustls with
/// `only_check_end_entity_revocation`, OpenSSL with `-crl_check`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList(CertificateRevocationListDer<'static>);

impl RevocationList {
    /// The list in DER, in the type that rustls takes.
    pub fn der(&self) -> &CertificateRevocationListDer<'static> {
        &self.0
    }

    /// The list in PEM (`BEGIN X509 CRL`).
    pub fn to_pem(&self) -> String {
        pem::encode(pem::X509_CRL, &self.0)
    }
}

impl Authority {
    /// Lists the provider certificates with these serial numbers as revoked. Empty: nothing is revoked.
    ///
    /// The list is in force, and the certificates are revoked, from a day before `now`, so that a clock that
    /// is behind sees it too. It lasts as long as a certificate made at `now`; one made later has a greater
    /// number (RFC 5280 section 5.2.3). Fails with [`Error::DateOutOfRange`] or [`Error::Crypto`].
    pub fn revocation_list(&self, revoked: &[SerialNumber], now: UnixTime) -> Result<RevocationList, Error> {
        let validity = Validity::current(now, LEAF_LIFETIME)?;
        let entry = |serial: &SerialNumber| RevokedCertParams {
            serial_number: serial.to_rcgen(),
            revocation_time: validity.not_before,
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: validity.not_before,
            next_update: validity.not_after,
            crl_number: now.as_secs().into(),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let issuer = self.hierarchy(Purpose::Provider).issuer();
        let list = list.signed_by(issuer).map_err(Error::crypto("a revocation list"))?;
        Ok(RevocationList(list.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{NOW, parse};
    use crate::{ProviderCertificateKind, ProviderCertificateRequest, TeamId, Topic};
    use x509_parser::parse_x509_crl;

    #[test]
    fn it_lists_the_serial_numbers_and_is_signed_by_the_provider_authority() {
        let authority = Authority::generate(NOW).unwrap();
        let request = ProviderCertificateRequest::new(
            ProviderCertificateKind::Universal,
            Topic::new("com.example.app").unwrap(),
            TeamId::new("DEF123GHIJ").unwrap(),
        );
        let revoked = authority.provider(&request, NOW).unwrap();
        let list = authority.revocation_list(&[revoked.serial_number()], NOW).unwrap();
        let (_, parsed) = parse_x509_crl(list.der()).unwrap();
        let serials: Vec<_> =
            parsed.iter_revoked_certificates().map(|entry| entry.raw_serial().to_vec()).collect();
        assert_eq!(serials, [parse(revoked.certificate()).raw_serial()]);
        parsed.verify_signature(parse(&revoked.chain()[1]).public_key()).unwrap();
    }

    #[test]
    fn an_empty_list_revokes_nothing() {
        let authority = Authority::generate(NOW).unwrap();
        let list = authority.revocation_list(&[], NOW).unwrap();
        let (_, parsed) = parse_x509_crl(list.der()).unwrap();
        assert_eq!(parsed.iter_revoked_certificates().count(), 0);
    }
}
