//! What a start opens, and what the first one makes.

use std::{fs, io, path::PathBuf, sync::Arc};

use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    api_key::{ApiKeyText, Role, Roles},
    ids::{Label, TenantName},
};
use thiserror::Error;

use crate::{
    config::Config,
    secrets::{Vault, VaultError},
    store::{ApiKeyId, NewApiKey, Place, Store, StoreError},
};

/// What everything else stands on.
#[derive(Debug)]
pub struct Started {
    /// The open database.
    pub store: Store,
    /// What encrypts secrets.
    pub vault: Arc<Vault>,
    /// The operator's first key, if there was none before: to be told now, and never again.
    pub first_key: Option<ApiKeyText>,
}

/// Why it did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The folder.
    #[error("data-dir: {path}: {error}")]
    DataDir {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The key file.
    #[error("secret-key-file: {0}")]
    Vault(#[from] VaultError),
    /// The database.
    #[error("database: {0}")]
    Store(#[from] StoreError),
}

/// Opens the database and the key file, and makes on the first start what a first request needs: a tenant `default`, and a key of the
/// operator.
pub async fn start(config: &Config, now: UnixTime) -> Result<Started, StartError> {
    make_folder(config)?;
    let vault = Arc::new(Vault::open(&config.secret_key_file)?);
    let store = Store::open(&config.store).await?;
    let first_key = first_key(&store, now).await?;
    Ok(Started { store, vault, first_key })
}

/// Who is meant where an operator names nobody.
pub fn default_tenant() -> TenantName {
    TenantName::parse("default").expect("it is a slug")
}

async fn first_key(store: &Store, now: UnixTime) -> Result<Option<ApiKeyText>, StoreError> {
    if !store.api_keys(None, ApiKeyId::new(0), 1).await?.is_empty() {
        return Ok(None);
    }
    store.put_tenant(&default_tenant(), "{}", now).await?;
    let key = ApiKeyText::from_random(rand::random());
    let new = NewApiKey {
        tenant: None,
        label: Label::parse("first start").expect("it is a text"),
        roles: Roles::new([Role::Operator]).expect("there is one").to_string(),
        hash: key.hash(),
    };
    store.add_api_key(new, now).await?;
    Ok(Some(key))
}

fn make_folder(config: &Config) -> Result<(), StartError> {
    let is_used = matches!(&config.store.place, Place::Sqlite { path } if path.starts_with(&config.data_dir))
        || config.secret_key_file.starts_with(&config.data_dir);
    if !is_used {
        return Ok(());
    }
    fs::create_dir_all(&config.data_dir)
        .map_err(|error| StartError::DataDir { path: config.data_dir.clone(), error })
}
