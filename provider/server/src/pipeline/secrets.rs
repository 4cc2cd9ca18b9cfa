//! How credentials are opened, which the store has only encrypted.

use std::fmt;

use apns_provider::Credential;
use apns_provider_server_core::worker::Source;
use thiserror::Error;

use crate::secrets::{StoredCredential, Vault};

/// Opens what an app authenticates with.
pub trait Secrets: fmt::Debug + Send + Sync {
    /// The key or certificate that was stored for this app and environment.
    ///
    /// # Errors
    /// It was encrypted under another key, or is damaged.
    fn open(&self, source: Source, secret: &[u8]) -> Result<Credential, SecretError>;
}

impl Secrets for Vault {
    fn open(&self, source: Source, secret: &[u8]) -> Result<Credential, SecretError> {
        StoredCredential::open(self, source, secret).map_err(|error| SecretError(error.to_string()))
    }
}

/// A secret could not be opened. The text says why, and nothing of the secret.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("the app's credential cannot be opened: {0}")]
pub struct SecretError(pub String);
