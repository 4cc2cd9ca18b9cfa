use std::sync::{Arc, Mutex, PoisonError};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use super::certificate::CertificateFacts;
use crate::{BuildError, Credential, tls};

/// Verifies as every client here does, and remembers what the server showed: also if it was not trusted.
#[derive(Debug)]
pub(super) struct Witness {
    verifier: Arc<WebPkiServerVerifier>,
    seen: Mutex<Option<CertificateFacts>>,
}

impl Witness {
    /// A configuration whose handshakes are witnessed.
    pub(super) fn config(
        credential: &Credential,
        ca_pem: Option<&[u8]>,
    ) -> Result<(Arc<ClientConfig>, Arc<Self>), BuildError> {
        let config = tls::client_config(credential, ca_pem)?;
        let roots = Arc::new(tls::roots(ca_pem)?);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::new(ring::default_provider()))
            .build()
            .map_err(|_| BuildError::NoRoots)?;
        let witness = Arc::new(Self { verifier, seen: Mutex::default() });
        let mut config = ClientConfig::clone(&config);
        config.dangerous().set_certificate_verifier(Arc::clone(&witness) as Arc<dyn ServerCertVerifier>);
        Ok((Arc::new(config), witness))
    }

    /// The certificate that the server showed, if it came that far.
    pub(super) fn seen(&self) -> Option<CertificateFacts> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = CertificateFacts::read(end_entity);
        self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
