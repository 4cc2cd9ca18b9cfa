//! TLS of the client's side: whom to trust, as whom to appear, `h2` and nothing else.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::{BuildError, Credential};

/// The one protocol that is offered (C-06).
pub(crate) const ALPN_H2: &[u8] = b"h2";

/// A configuration that trusts `ca_pem`, or the system's roots where it is not given.
pub(crate) fn client_config(
    credential: &Credential,
    ca_pem: Option<&[u8]>,
) -> Result<Arc<ClientConfig>, BuildError> {
    let roots = roots(ca_pem)?;
    let error = |error: rustls::Error| BuildError::Certificate(error.to_string());
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(error)?
        .with_root_certificates(roots);
    let mut config = match credential.certificate() {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            builder.with_client_auth_cert(chain.to_vec(), key.clone_key()).map_err(error)?
        }
    };
    config.alpn_protocols = vec![ALPN_H2.to_vec()];
    Ok(Arc::new(config))
}

/// A configuration for whatever else a provider's program connects to: the system's roots, or Mozilla's where the system has none, and
/// no protocol of its own.
///
/// ```
/// let tls = apns_provider::web_tls();
/// assert!(tls.alpn_protocols.is_empty());
/// ```
pub fn web_tls() -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has what the default versions need")
        .with_root_certificates(system_roots())
        .with_no_client_auth()
}

/// Whom to trust: `ca_pem`, or the system's roots where it is not given.
pub(crate) fn roots(ca_pem: Option<&[u8]>) -> Result<RootCertStore, BuildError> {
    let roots = match ca_pem {
        Some(pem) => only(pem)?,
        None => system_roots(),
    };
    if roots.is_empty() { Err(BuildError::NoRoots) } else { Ok(roots) }
}

fn only(ca_pem: &[u8]) -> Result<RootCertStore, BuildError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem) {
        let certificate = certificate.map_err(|error| BuildError::Ca(error.to_string()))?;
        roots.add(certificate).map_err(|error| BuildError::Ca(error.to_string()))?;
    }
    if roots.is_empty() { Err(BuildError::Ca("it has none".to_owned())) } else { Ok(roots) }
}

/// The system's roots, and Mozilla's where the system has none: Apple changes its root now and then, and a
/// pinned one would break (as many did in February 2025).
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "a system root was passed over");
    }
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}
