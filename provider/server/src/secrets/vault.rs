//! A key in a file, and what it encrypts.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use apns_provider_server_core::{ids::TenantId, worker::Source};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom as _, SystemRandom},
};
use thiserror::Error;
use zeroize::Zeroizing;

/// Encrypts what is stored, with AES-256-GCM and a nonce drawn for each time. What a secret is for is authenticated with it: one that
/// somebody copies to another row cannot be read there.
pub struct Vault {
    key: LessSafeKey,
    random: SystemRandom,
}

/// What a secret is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Secret {
    /// What an app authenticates with in an environment.
    Credential(Source),
    /// What the calls of a tenant's webhook are signed with.
    Webhook(TenantId),
}

/// Why a secret cannot be kept or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The file is there, and is no key.
    #[error(
        "{path} has {len} bytes, and a key has {KEY_LEN}: put the file back that was here when the database was made"
    )]
    NotAKey {
        /// Which file.
        path: PathBuf,
        /// How long it is.
        len: usize,
    },
    /// The file cannot be read or made.
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The system has no randomness to give.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// It was encrypted with another key, for another purpose, or was damaged.
    #[error(
        "it cannot be decrypted: the key file is not the one it was encrypted with, or the database was changed by hand"
    )]
    Unreadable,
}

impl Vault {
    /// Reads the key from its file, or makes one that only its owner can read.
    pub fn open(path: &Path) -> Result<Self, VaultError> {
        let file = |error| VaultError::File { path: path.to_owned(), error };
        let random = SystemRandom::new();
        let key = match fs::read(path) {
            Ok(key) => {
                warn_of_readers(path);
                Zeroizing::new(key)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut key = Zeroizing::new(vec![0; KEY_LEN]);
                random.fill(&mut key).map_err(|_| VaultError::NoRandomness)?;
                create(path, &key).map_err(file)?;
                key
            }
            Err(error) => return Err(file(error)),
        };
        let key = UnboundKey::new(&AES_256_GCM, &key)
            .map_err(|_| VaultError::NotAKey { path: path.to_owned(), len: key.len() })?;
        Ok(Self { key: LessSafeKey::new(key), random })
    }

    /// Encrypts it.
    pub fn seal(&self, what: Secret, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| VaultError::NoRandomness)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        let mut secret = plain.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(nonce, Aad::from(what.name()), &mut secret)
            .map_err(|_| VaultError::Unreadable)?;
        sealed.append(&mut secret);
        Ok(sealed)
    }

    /// Decrypts what was encrypted for the same purpose.
    pub fn unseal(&self, what: Secret, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (version, rest) = sealed.split_first().ok_or(VaultError::Unreadable)?;
        let (nonce, secret) = rest.split_at_checked(NONCE_LEN).ok_or(VaultError::Unreadable)?;
        if *version != VERSION {
            return Err(VaultError::Unreadable);
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::Unreadable)?;
        let mut secret = Zeroizing::new(secret.to_vec());
        let len = self
            .key
            .open_in_place(nonce, Aad::from(what.name()), &mut secret)
            .map_err(|_| VaultError::Unreadable)?
            .len();
        secret.truncate(len);
        Ok(secret)
    }
}

impl Secret {
    fn name(self) -> String {
        match self {
            Self::Credential(Source { app, environment }) => format!("credential:{app}:{environment}"),
            Self::Webhook(tenant) => format!("webhook:{tenant}"),
        }
    }
}

/// A whole key is there, or none: it is written beside, and then gets its name.
fn create(path: &Path, key: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(ONLY_ITS_OWNER).open(&beside)?;
    file.write_all(key)?;
    file.sync_all()?;
    // Fails if another process was faster: then its key is the one.
    let named = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    named
}

fn warn_of_readers(path: &Path) {
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & OTHERS != 0 {
        tracing::warn!(path = %path.display(), "others than its owner may read the key file: chmod 600 it");
    }
}

impl fmt::Debug for Vault {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

const KEY_LEN: usize = 32;
/// The first byte of what is encrypted: how it was.
const VERSION: u8 = 1;
const ONLY_ITS_OWNER: u32 = 0o600;
const OTHERS: u32 = 0o077;

#[cfg(test)]
mod tests {
    use apns_provider_server_core::{device::Environment, ids::AppId};

    use super::*;

    fn credential(app: i64, environment: Environment) -> Secret {
        Secret::Credential(Source { app: AppId::new(app), environment })
    }

    #[test]
    fn the_key_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        let sealed = Vault::open(&path).unwrap().seal(credential(1, Environment::Sandbox), b"hello").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Vault::open(&path).unwrap();
        assert_eq!(**again.unseal(credential(1, Environment::Sandbox), &sealed).unwrap(), *b"hello");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_secret_is_read_for_its_own_purpose_only() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(&folder.path().join("a")).unwrap();
        let mine = credential(1, Environment::Sandbox);
        let sealed = vault.seal(mine, b"hello").unwrap();
        assert!(!sealed.windows(5).any(|window| window == b"hello"));
        assert_ne!(sealed, vault.seal(mine, b"hello").unwrap(), "no nonce is used twice");
        for other in [
            credential(2, Environment::Sandbox),
            credential(1, Environment::Production),
            Secret::Webhook(TenantId::new(1)),
        ] {
            assert!(matches!(vault.unseal(other, &sealed), Err(VaultError::Unreadable)), "{other:?}");
        }
        let other = Vault::open(&folder.path().join("b")).unwrap();
        assert!(matches!(other.unseal(mine, &sealed), Err(VaultError::Unreadable)));
        for len in 0..sealed.len() {
            assert!(vault.unseal(mine, &sealed[..len]).is_err(), "cut to {len}");
        }
    }

    #[test]
    fn what_is_no_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        fs::write(&path, b"short").unwrap();
        let error = Vault::open(&path).unwrap_err().to_string();
        assert!(error.contains("secret.key has 5 bytes"), "{error}");
    }
}
