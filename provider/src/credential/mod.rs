//! Who sends: a key for provider tokens, or a certificate.

mod expiry;
mod pkcs12;

use std::{fmt, sync::Arc};

use apns_provider_core::{AuthKey, AuthKeyError, InvalidIdentifier, KeyId, TeamId, UnixTime};
use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use thiserror::Error;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::telemetry;

/// What proves to APNs who a provider is. A connection has one for all its life (C-27). `Debug` shows no
/// secret.
#[derive(Clone)]
pub struct Credential(Kind);

#[derive(Clone)]
enum Kind {
    Token(Arc<AuthKey>),
    Certificate {
        /// The provider's own first.
        chain: Vec<CertificateDer<'static>>,
        key: Arc<PrivateKeyDer<'static>>,
        expires_at: UnixTime,
    },
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
        Self::from_certificate(chain, key)
    }

    /// A certificate with its private key in a PKCS#12 file (`.p12`), as Keychain Access and OpenSSL export
    /// it.
    pub fn from_pkcs12(pkcs12: &[u8], password: &str) -> Result<Self, CredentialError> {
        let (chain, key) = pkcs12::read(pkcs12, password)?;
        Self::from_certificate(chain, key)
    }

    fn from_certificate(
        mut chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, CredentialError> {
        // Files are concatenated by hand; TLS wants the provider's own first (RFC 8446 section 4.4.2). If
        // none of them is, TLS will say that key and certificate do not go together.
        if let Some(own) = chain.iter().position(|certificate| belong_together(certificate, &key)) {
            chain[..=own].rotate_right(1);
        }
        let expires_at = expiry::of(chain.first().ok_or(CredentialError::NoCertificate)?)?;
        Ok(Self(Kind::Certificate { chain, key: Arc::new(key), expires_at }))
    }

    /// The last second in which the certificate is good; `None` for a key, which is good until it is revoked.
    /// A client warns in its log when it is built with less than 30 days to go: nobody is told when pushes
    /// stop one night.
    pub fn certificate_expires_at(&self) -> Option<UnixTime> {
        match &self.0 {
            Kind::Token(_) => None,
            Kind::Certificate { expires_at, .. } => Some(*expires_at),
        }
    }

    /// Warns of a certificate that is over or soon will be. It is no error: APNs' clock decides, and what it
    /// says is an outcome of its own, `NotSent::CertificateRefused`; this machine's clock may be wrong.
    pub(crate) fn warn_of_expiry(&self, now: UnixTime) {
        if let Some(warning) = self.certificate_expires_at().and_then(|at| expiry::warning(at, now)) {
            tracing::warn!("{warning}");
        }
    }

    /// Lets monitoring know when the certificate is over.
    pub(crate) fn tell_expiry(&self) {
        let Some((chain, _)) = self.certificate() else { return };
        let own = chain.first().and_then(|own| X509Certificate::from_der(own).ok());
        if let (Some(expires_at), Some((_, own))) = (self.certificate_expires_at(), own) {
            telemetry::certificate_expires_at(own.raw_serial_as_string(), expires_at);
        }
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
            Kind::Certificate { chain, key, .. } => Some((chain, key)),
        }
    }
}

fn belong_together(certificate: &CertificateDer<'static>, key: &PrivateKeyDer<'static>) -> bool {
    let key = ring::sign::any_supported_type(key);
    key.is_ok_and(|key| CertifiedKey::new(vec![certificate.clone()], key).keys_match().is_ok())
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
    /// The first certificate is not one (X.509, RFC 5280).
    #[error("the certificate cannot be read: {0}")]
    Certificate(String),
    /// The PKCS#12 file.
    #[error(
        "the PKCS#12 file cannot be read: {0}. Check the password; a file in a form that is not known can be converted with \
         `openssl pkcs12 -legacy -in old.p12 -nodes -out certificate.pem`"
    )]
    Pkcs12(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use apns_certs::{
        Authority, Pkcs12Encryption, ProviderCertificateKind, ProviderCertificateRequest, TeamId, Topic,
    };

    const NOW: UnixTime = UnixTime::from_secs(500_000 * 3600);

    fn identity() -> apns_certs::Identity {
        let now = std::time::Duration::from_secs(NOW.as_secs());
        let now = rustls::pki_types::UnixTime::since_unix_epoch(now);
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
            let (expires_at, now) = (credential.certificate_expires_at().unwrap(), NOW.as_secs());
            let days = expires_at.as_secs().checked_sub(now).unwrap() / (24 * 3600);
            assert!((365..400).contains(&days), "13 months: {days} days");
        }
    }

    #[test]
    fn the_order_of_a_pem_text_does_not_matter() {
        let identity = identity();
        let good = Credential::from_pem(identity.to_pem().as_bytes()).unwrap();
        let chain = identity.chain_pem();
        let end = "-----END CERTIFICATE-----\n";
        let mut parts: Vec<&str> = chain.split_inclusive(end).collect();
        parts.reverse();
        assert!(parts.len() > 1, "{chain}");
        let turned = format!("{}{}", parts.concat(), identity.private_key().to_pem());
        let turned = Credential::from_pem(turned.as_bytes()).unwrap();
        assert_eq!(turned.certificate().unwrap().0[0], *identity.certificate());
        assert_eq!(turned.certificate_expires_at(), good.certificate_expires_at());
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

    #[test]
    fn what_is_no_certificate_is_named() {
        let key = identity().private_key().to_pem();
        let pem = format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{key}");
        let error = Credential::from_pem(pem.as_bytes()).unwrap_err();
        assert!(matches!(error, CredentialError::Certificate(_)), "{error:?}");
    }
}
