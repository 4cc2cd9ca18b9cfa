//! TLS of the servers and clients that have no configuration of their own: rustls with ring, ALPN `h2`.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};

use crate::{
    child::{CA_FILE, Explain as _, Failure, HOST_NAME},
    load::{SERVER_CHAIN_FILE, SERVER_KEY_FILE},
};

/// A server with the credentials in `directory`.
pub(super) fn server_config(directory: &Path) -> Result<Arc<ServerConfig>, Failure> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(directory.join(SERVER_CHAIN_FILE))
        .and_then(Iterator::collect)
        .explain("reading the server's certificate")?;
    let key = PrivateKeyDer::from_pem_file(directory.join(SERVER_KEY_FILE)).explain("reading the server's key")?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .explain("configuring the server's TLS")?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}

/// A client that trusts the authority in `directory`.
pub(super) fn client_config(directory: &Path) -> Result<Arc<ClientConfig>, Failure> {
    let ca = CertificateDer::from_pem_file(directory.join(CA_FILE)).explain("reading the authority")?;
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
