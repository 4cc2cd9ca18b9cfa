//! Device certificates in the handshake: a device without a good one is refused here.

use std::sync::Arc;

use apns_certs::Purpose;
use rustls::{
    Error, RootCertStore, ServerConfig,
    crypto::ring,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};

use crate::Certificates;

/// The gateway's configuration: the double's certificate, and a certificate of the device CA wanted from every
/// client.
///
/// Without session resumption: a certificate is looked at each time, and nothing is kept for a device that may
/// never come again.
pub(crate) fn gateway_config(certificates: &Certificates) -> Result<Arc<ServerConfig>, Error> {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(certificates.authority().root(Purpose::Device).clone())?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    let server = certificates.server();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(server.chain().to_vec(), server.private_key().to_der())?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}
