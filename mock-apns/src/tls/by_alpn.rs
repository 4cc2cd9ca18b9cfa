//! Two configurations that differ by ALPN alone.

use std::sync::Arc;

use apns_certs::Identity;
use rustls::{Error, ServerConfig, SupportedProtocolVersion, crypto::ring, server::ClientHello};

use super::client_certificates::ProviderCertificateVerifier;
use crate::Certificates;

/// Configurations for clients that offer a protocol, and for those that do not.
#[derive(Clone, Debug)]
pub(super) struct ByAlpn {
    protocol: &'static [u8],
    with: Arc<ServerConfig>,
    without: Arc<ServerConfig>,
}

impl ByAlpn {
    /// Shows `server`, and trusts what the CA of `certificates` has issued to providers and not revoked.
    /// `versions` are those of TLS.
    pub(super) fn new(
        certificates: &Certificates,
        server: &Identity,
        versions: &[&'static SupportedProtocolVersion],
        protocol: &'static [u8],
    ) -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let verifier = ProviderCertificateVerifier::new(certificates, &provider)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_single_cert(server.chain().to_vec(), server.private_key().to_der())?;
        let without = Arc::new(config.clone());
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(Self { protocol, with: Arc::new(config), without })
    }

    /// The configuration that answers `hello`.
    pub(super) fn choose(&self, hello: &ClientHello<'_>) -> Arc<ServerConfig> {
        let is_offered = hello.alpn().is_some_and(|mut offered| offered.any(|it| it == self.protocol));
        Arc::clone(if is_offered { &self.with } else { &self.without })
    }
}
