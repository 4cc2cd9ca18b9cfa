//! TLS of the servers and clients that have no configuration of their own: rustls with ring, ALPN `h2`.

use std::sync::Arc;

use apns_certs::Identity;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

use crate::child::{Explain as _, Failure, HOST_NAME, Job};

/// A server with this certificate.
pub(super) fn server_config(identity: &Identity) -> Result<Arc<ServerConfig>, Failure> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(identity.chain().to_vec(), identity.private_key().to_der())
        })
        .explain("configuring the server's TLS")?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}

/// A client that trusts the authority of a job.
pub(super) fn client_config(job: &Job) -> Result<Arc<ClientConfig>, Failure> {
    let ca = CertificateDer::from_pem_slice(&job.ca()?).explain("reading the authority")?;
    let mut roots = RootCertStore::empty();
    roots.add(ca).explain("trusting the authority")?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)
        .explain("configuring the client's TLS")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}

/// The name that clients check the server's certificate against.
pub(super) fn server_name() -> ServerName<'static> {
    ServerName::try_from(HOST_NAME).expect("the constant is a DNS name")
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

const ALPN: &[u8] = b"h2";
const VERSIONS: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];
