//! TLS as Apple's servers do it: version 1.2 or later. Providers are offered ALPN `h2`, and a certificate is
//! asked of them and none accepted too; devices need one.

mod client_certificates;
mod device_certificates;

use std::sync::Arc;

use rustls::{ServerConfig, crypto::ring, server::ClientHello};

use crate::Certificates;
use client_certificates::ProviderCertificateVerifier;
pub(crate) use device_certificates::gateway_config;

/// The one protocol of the provider API.
const ALPN_H2: &[u8] = b"h2";

/// The configurations of a provider's handshakes.
#[derive(Clone, Debug)]
pub(crate) struct ServerTls {
    with_alpn: Arc<ServerConfig>,
    without_alpn: Arc<ServerConfig>,
}

impl ServerTls {
    /// Shows the double's certificate to providers, and trusts what its CA has issued and not revoked.
    pub(crate) fn new(certificates: &Certificates) -> Result<Self, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let verifier = ProviderCertificateVerifier::new(certificates, &provider)?;
        let server = certificates.server();
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_single_cert(server.chain().to_vec(), server.private_key().to_der())?;
        let without_alpn = Arc::new(config.clone());
        config.alpn_protocols = vec![ALPN_H2.to_vec()];
        Ok(Self { with_alpn: Arc::new(config), without_alpn })
    }

    /// The configuration that answers `hello`. A client that offers only `http/1.1`, or nothing, is not
    /// refused: Apple speaks HTTP/2 to it all the same, and it finds out there (apns-facts 1.2).
    pub(crate) fn choose(&self, hello: &ClientHello<'_>) -> Arc<ServerConfig> {
        let offers_h2 = hello.alpn().is_some_and(|mut offered| offered.any(|protocol| protocol == ALPN_H2));
        Arc::clone(if offers_h2 { &self.with_alpn } else { &self.without_alpn })
    }
}
