//! What an app authenticates with, as it is kept.

use std::fmt;

use apns_provider::{Credential, CredentialError};
use apns_provider_server_core::worker::Source;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{Secret, Vault, VaultError};

/// What an app authenticates with: what is encrypted and kept. `Debug` shows no secret.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum StoredCredential {
    /// A key for provider tokens.
    #[serde(rename_all = "kebab-case")]
    P8 {
        /// The file, as Apple hands it out.
        p8: String,
        /// The key's ID.
        key_id: String,
        /// The team's ID.
        team_id: String,
    },
    /// A certificate with its private key, as PKCS#12.
    P12 {
        /// The file, in base64.
        p12: String,
        /// Its password.
        password: String,
    },
    /// A certificate with its private key, as PEM.
    Pem {
        /// The text.
        pem: String,
    },
}

/// Why a credential that is stored cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It cannot be decrypted.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// What was decrypted is none.
    #[error("the stored credential is damaged: {0}; put it again")]
    Damaged(String),
    /// It was good once.
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

impl StoredCredential {
    /// Reads it, as a client takes it: so it is checked.
    pub fn to_credential(&self) -> Result<Credential, CredentialError> {
        match self {
            Self::P8 { p8, key_id, team_id } => Credential::from_p8(p8.as_bytes(), key_id, team_id),
            Self::P12 { p12, password } => {
                let p12 = Zeroizing::new(
                    BASE64_STANDARD
                        .decode(p12)
                        .map_err(|error| CredentialError::Pkcs12(error.to_string()))?,
                );
                Credential::from_pkcs12(&p12, password)
            }
            Self::Pem { pem } => Credential::from_pem(pem.as_bytes()),
        }
    }

    /// Encrypts it for where it works.
    pub fn seal(&self, vault: &Vault, source: Source) -> Result<Vec<u8>, VaultError> {
        let plain = Zeroizing::new(serde_json::to_vec(self).expect("texts have a JSON form"));
        vault.seal(Secret::Credential(source), &plain)
    }

    /// What the store has for this app and environment, ready for a client.
    pub fn open(vault: &Vault, source: Source, sealed: &[u8]) -> Result<Credential, OpenError> {
        let plain = vault.unseal(Secret::Credential(source), sealed)?;
        let credential: Self =
            serde_json::from_slice(&plain).map_err(|error| OpenError::Damaged(error.to_string()))?;
        Ok(credential.to_credential()?)
    }
}

impl fmt::Debug for StoredCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P8 { .. } => "P8",
            Self::P12 { .. } => "P12",
            Self::Pem { .. } => "Pem",
        })
    }
}
