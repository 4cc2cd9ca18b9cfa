//! PKCS#12 files (RFC 7292), modern ones and those of old tools.

use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::CredentialError;

/// The certificate with its chain, leaf first, and the private key.
pub(super) fn read(
    pkcs12: &[u8],
    password: &str,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), CredentialError> {
    // Exports of Keychain Access leave out the marks that tie a key to its certificate; relaxed reading ties
    // them.
    let store = KeyStore::from_pkcs12(pkcs12, password, Pkcs12ImportPolicy::Relaxed)
        .map_err(|error| CredentialError::Pkcs12(error.to_string()))?;
    let (_, entry) = store.private_key_chain().ok_or(CredentialError::NoPrivateKey)?;
    let chain: Vec<_> =
        entry.certs().iter().map(|certificate| CertificateDer::from(certificate.as_der().to_vec())).collect();
    if chain.is_empty() {
        return Err(CredentialError::NoCertificate);
    }
    let key =
        PrivateKeyDer::try_from(entry.key().as_der().to_vec()).map_err(|_| CredentialError::NoPrivateKey)?;
    Ok((chain, key))
}
