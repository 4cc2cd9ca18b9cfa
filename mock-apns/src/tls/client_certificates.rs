//! Provider certificates in the handshake: what is expired, revoked or foreign is refused here, with the
//! alerts that Apple was seen to send. What a certificate allows is the core's to decide.

use std::{fmt, sync::Arc};

use apns_certs::Purpose;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, UnixTime},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};

use crate::Certificates;

/// rustls's verifier, but for the alert that a foreign certificate gets.
#[derive(Debug)]
pub(super) struct ProviderCertificateVerifier(Arc<dyn ClientCertVerifier>);

impl ProviderCertificateVerifier {
    pub(super) fn new(certificates: &Certificates, provider: &Arc<CryptoProvider>) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        roots.add(certificates.authority().root(Purpose::Provider).clone())?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .with_crls([certificates.revocation_list().der().clone()])
            // One list, of the CA that issues provider certificates; the CA above it has none.
            .only_check_end_entity_revocation()
            .allow_unauthenticated()
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        Ok(Self(verifier))
    }
}

impl ClientCertVerifier for ProviderCertificateVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.0.verify_client_cert(end_entity, intermediates, now).map_err(as_apple_alerts)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Apple answers a foreign certificate with `certificate_unknown` (46) where rustls would say `unknown_ca`
/// (48). Expired (45) and revoked (44) are the same already. Source: the refused handshakes that apns-facts
/// 1.2 lists.
fn as_apple_alerts(error: Error) -> Error {
    match error {
        Error::InvalidCertificate(
            foreign @ (CertificateError::UnknownIssuer
            | CertificateError::BadSignature
            | CertificateError::InvalidPurpose
            | CertificateError::InvalidPurposeContext { .. }
            | CertificateError::BadEncoding),
        ) => {
            Error::InvalidCertificate(CertificateError::Other(rustls::OtherError(Arc::new(Foreign(foreign)))))
        }
        other => other,
    }
}

/// A certificate that no authority of APNs issued.
#[derive(thiserror::Error)]
#[error("not a provider certificate of this mock-apns: {0}")]
struct Foreign(CertificateError);

impl fmt::Debug for Foreign {
    /// rustls shows an error of ours in this form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
