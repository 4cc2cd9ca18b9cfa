//! Secrets at rest: encrypted before the store sees them, and readable only by whoever has the key file.

mod credential;
mod vault;

pub use credential::{OpenError, StoredCredential};
pub use vault::{Secret, Vault, VaultError};
