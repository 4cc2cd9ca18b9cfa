//! TLS as Apple's servers do it: version 1.2 or later. Providers are offered ALPN `h2`, and a certificate is
//! asked of them and none accepted too; devices need one.

mod by_alpn;
mod client_certificates;
mod device_certificates;
mod flawed;

use std::sync::Arc;

use mock_apns_core::fault::ServerCertificate;
use rustls::{DEFAULT_VERSIONS, ServerConfig, server::ClientHello};

use crate::Certificates;
use by_alpn::ByAlpn;
pub(crate) use device_certificates::gateway_config;
pub(crate) use flawed::FlawedTlsError;
use flawed::{Flaw, Flawed};

/// The one protocol of the provider API.
const ALPN_H2: &[u8] = b"h2";

/// The configurations of a provider's handshakes.
#[derive(Clone, Debug)]
pub(crate) struct ServerTls {
    usual: ByAlpn,
    flawed: Arc<Flawed>,
}

impl ServerTls {
    /// Shows the double's certificate to providers, and trusts what its CA has issued and not revoked.
    pub(crate) fn new(certificates: &Certificates) -> Result<Self, rustls::Error> {
        let usual = ByAlpn::new(certificates, certificates.server(), DEFAULT_VERSIONS, ALPN_H2)?;
        Ok(Self { usual, flawed: Arc::new(Flawed::new(certificates.clone())) })
    }

    /// The configuration that answers `hello`. A client that offers only `http/1.1`, or nothing, is not
    /// refused: Apple speaks HTTP/2 to it all the same, and it finds out there (apns-facts 1.2).
    pub(crate) fn choose(&self, hello: &ClientHello<'_>) -> Arc<ServerConfig> {
        self.usual.choose(hello)
    }

    /// The same, but another certificate is shown.
    pub(crate) fn choose_showing(
        &self,
        certificate: ServerCertificate,
        hello: &ClientHello<'_>,
    ) -> Result<Arc<ServerConfig>, FlawedTlsError> {
        Ok(self.flawed.get(Flaw::Showing(certificate))?.choose(hello))
    }

    /// The same, but with TLS 1.2 alone.
    pub(crate) fn choose_tls12(&self, hello: &ClientHello<'_>) -> Result<Arc<ServerConfig>, FlawedTlsError> {
        Ok(self.flawed.get(Flaw::Tls12)?.choose(hello))
    }

    /// The same, but with `http/1.1` in the place of `h2`. HTTP/2 is spoken all the same.
    pub(crate) fn choose_http11(&self, hello: &ClientHello<'_>) -> Result<Arc<ServerConfig>, FlawedTlsError> {
        Ok(self.flawed.get(Flaw::Http11)?.choose(hello))
    }
}
