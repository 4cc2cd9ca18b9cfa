use thiserror::Error;

use crate::InvalidProxy;

/// Why a client could not be built. Nothing was sent anywhere.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum BuildError {
    /// The builder was given no credential.
    #[error("no credential: give the client a .p8 key or a certificate")]
    NoCredential,
    /// The CA file has no certificate that can be read.
    #[error("the CA has no certificate that can be read: {0}; it has to be PEM, with BEGIN CERTIFICATE")]
    Ca(String),
    /// Neither the system nor the caller gave a root to trust.
    #[error("there is no root certificate to trust")]
    NoRoots,
    /// No push could ever be sent, or more than can be counted.
    #[error("{0} pushes in hand at once: give at least one, and not more than a machine has memory for")]
    InHand(usize),
    /// TLS does not take the certificate and its key together.
    #[error("TLS does not take the certificate: {0}")]
    Certificate(String),
    /// A variable of the environment names a proxy that cannot be used.
    #[error("{variable}: {error}")]
    ProxyVariable {
        /// Its name, such as `HTTPS_PROXY`.
        variable: &'static str,
        /// What is wrong with it.
        error: InvalidProxy,
    },
}
