//! Who sends: a key for provider tokens, or a certificate.

mod pkcs12;

use std::{fmt, sync::Arc};

use apns_provider_core::{AuthKey, AuthKeyError, InvalidIdentifier, KeyId, TeamId};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use thiserror::Error;

/// What proves to APNs who a provider is. A connection has one for all its life (C-27). `Debug` shows no
/// secret.
#[derive(Clone)]
pub struct Credential(Kind);

#[derive(Clone)]
enum Kind {
    Token(Arc<AuthKey>),
    Certificate { chain: Vec<CertificateDer<'static>>, key: Arc<PrivateKeyDer<'static>> },
}

impl Credential {
    /// A key as Apple hands it out (`AuthKey_<KEYID>.p8`); its tokens say that pushes come from the team.
    pub fn from_p8(p8: &[u8], key_id: &str, team_id: &str) -> Result<Self, CredentialError> {
        let key = AuthKey::from_p8(p8, KeyId::parse(key_id)?, TeamId::parse(team_id)?)?;
        Ok(key.into())
    }

    /// A certificate with its private key and its chain, in one PEM text, in any order.
    pub fn from_pem(pem: &[u8]) -> Result<Self, CredentialError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| CredentialError::Pem(error.to_string()))?;
        if chain.is_empty() {
            return Err(CredentialError::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| CredentialError::NoPrivateKey)?;
        Ok(Self(Kind::Certificate { chain, key: Arc::new(key) }))
    }

    /// A certificate with its private key in a PKCS#12 file (`.p12`), as Keychain Access and OpenSSL export
    /// it.
    pub fn from_pkcs12(pkcs12: &[u8], password: &str) -> Result<Self, CredentialError> {
        let (chain, key) = pkcs12::read(pkcs12, password)?;
        Ok(Self(Kind::Certificate { chain, key: Arc::new(key) }))
    }

    pub(crate) fn auth_key(&self) -> Option<&Arc<AuthKey>> {
        match &self.0 {
            Kind::Token(key) => Some(key),
            Kind::Certificate { .. } => None,
        }
    }

    pub(crate) fn certificate(&self) -> Option<(&[CertificateDer<'static>], &PrivateKeyDer<'static>)> {
        match &self.0 {
            Kind::Token(_) => None,
            Kind::Certificate { chain, key } => Some((chain, key)),
        }
    }
}

/// The key's tokens.
impl From<AuthKey> for Credential {
    fn from(key: AuthKey) -> Self {
        Self(Kind::Token(Arc::new(key)))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Token(key) => {
                let (key_id, team_id) = (key.key_id(), key.team_id());
                let (key_id, team_id) = (key_id.as_str(), team_id.as_str());
                f.debug_struct("Token")
                    .field("key_id", &key_id)
                    .field("team_id", &team_id)
                    .finish_non_exhaustive()
            }
            Kind::Certificate { chain, .. } => {
                f.debug_struct("Certificate").field("chain_length", &chain.len()).finish_non_exhaustive()
            }
        }
    }
}

/// Why a credential cannot be used.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum CredentialError {
    /// The `.p8` file.
    #[error(transparent)]
    AuthKey(#[from] AuthKeyError),
    /// The key ID or team ID.
    #[error(transparent)]
    Identifier(#[from] InvalidIdentifier),
    /// The PEM text is damaged.
    #[error("the PEM text cannot be read: {0}")]
    Pem(String),
    /// There is a key at best.
    #[error(
        "there is no certificate in it: it has to have BEGIN CERTIFICATE and the private key in one file"
    )]
    NoCertificate,
    /// There is a certificate, and no private key that can be read.
    #[error("there is no private key in it that can be read: add the key to the file, not encrypted")]
    NoPrivateKey,
    /// The PKCS#12 file.
    #[error(
        "the PKCS#12 file cannot be read: {0}. Check the password; a file in a form that is not known can be converted with \
         `openssl pkcs12 -legacy -in old.p12 -nodes -out certificate.pem`"
    )]
    Pkcs12(String),
}

#[cfg(test)]
mod tests {
    use apns_certs::{
        Authority, Pkcs12Encryption, ProviderCertificateKind, ProviderCertificateRequest, TeamId, Topic,
    };
    use rustls::pki_types::UnixTime;

    use super::*;

    fn identity() -> apns_certs::Identity {
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_hours(500_000));
        let request = ProviderCertificateRequest::new(
            ProviderCertificateKind::Universal,
            Topic::new("com.example.app").unwrap(),
            TeamId::new("MOCKTEAM01").unwrap(),
        );
        Authority::generate(now).unwrap().provider(&request, now).unwrap()
    }

    #[test]
    fn a_certificate_is_read_from_pem_and_from_both_kinds_of_pkcs12() {
        let identity = identity();
        let modern = identity.to_pkcs12("secret", Pkcs12Encryption::Modern).unwrap();
        let legacy = identity.to_pkcs12("secret", Pkcs12Encryption::Legacy).unwrap();
        for credential in [
            Credential::from_pem(identity.to_pem().as_bytes()).unwrap(),
            Credential::from_pkcs12(&modern, "secret").unwrap(),
            Credential::from_pkcs12(&legacy, "secret").unwrap(),
        ] {
            let (chain, key) = credential.certificate().unwrap();
            assert_eq!(chain[0], *identity.certificate());
            assert_eq!(chain.len(), identity.chain().len());
            assert_eq!(key.secret_der(), identity.private_key().to_der().secret_der());
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let identity = identity();
        let pem = |text: String| Credential::from_pem(text.as_bytes()).unwrap_err();
        assert_eq!(pem(identity.chain_pem()), CredentialError::NoPrivateKey);
        assert_eq!(pem(identity.private_key().to_pem()), CredentialError::NoCertificate);
        let pkcs12 = identity.to_pkcs12("secret", Pkcs12Encryption::Modern).unwrap();
        let error = Credential::from_pkcs12(&pkcs12, "wrong").unwrap_err();
        assert!(error.to_string().contains("password"), "{error}");
    }

    #[test]
    fn logs_show_no_key() {
        let identity = identity();
        let debug = format!("{:?}", Credential::from_pem(identity.to_pem().as_bytes()).unwrap());
        assert_eq!(debug, format!("Certificate {{ chain_length: {}, .. }}", identity.chain().len()));
    }
}
