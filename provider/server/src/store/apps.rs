//! Apps, and what they authenticate with.

use std::fmt;

use apns_provider_core::{BundleId, UnixTime};
use apns_provider_server_core::{
    device::Environment,
    ids::{AppId, TenantId},
};

use super::{Source, Store, StoreError};

/// An app of a tenant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct App {
    /// Its row.
    pub id: AppId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What it is called by within its tenant.
    pub bundle_id: BundleId,
    /// Whether nothing of it is sent until it is resumed.
    pub is_paused: bool,
    /// Its defaults and limits: JSON, which the store does not look into.
    pub settings: String,
    /// Since when it is there.
    pub created_at: UnixTime,
}

/// What an app authenticates with in an environment.
#[derive(Clone, Eq, PartialEq)]
pub struct Credential {
    /// The key or certificate, encrypted by whoever stored it.
    pub secret: Vec<u8>,
    /// What may be shown of it: JSON, which the store does not look into.
    pub about: String,
    /// When it was stored.
    pub updated_at: UnixTime,
}

/// What was put, and whether it is new.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Put<T> {
    /// As it is now.
    pub now: T,
    /// Whether there was none before.
    pub is_new: bool,
}

impl Store {
    /// Adds an app, or changes its settings.
    pub async fn put_app(
        &self,
        tenant: TenantId,
        bundle_id: &BundleId,
        settings: &str,
        now: UnixTime,
    ) -> Result<Put<App>, StoreError> {
        todo!()
    }

    /// A tenant's app. Another tenant's is not there.
    pub async fn app(&self, tenant: TenantId, bundle_id: &BundleId) -> Result<Option<App>, StoreError> {
        todo!()
    }

    /// The app with this number, whosever it is: for workers.
    pub async fn app_by_id(&self, app: AppId) -> Result<Option<App>, StoreError> {
        todo!()
    }

    /// A tenant's apps behind this one, in the order in which they were added.
    pub async fn apps(&self, tenant: TenantId, after: AppId, limit: usize) -> Result<Vec<App>, StoreError> {
        todo!()
    }

    /// Stops handing out shards of an app, or goes on with it. `false`: there is no such app.
    pub async fn pause_app(&self, app: AppId, is_paused: bool) -> Result<bool, StoreError> {
        todo!()
    }

    /// Stores what an app authenticates with. Everybody who listens is told.
    pub async fn put_credential(
        &self,
        source: Source,
        secret: Vec<u8>,
        about: &str,
        now: UnixTime,
    ) -> Result<(), StoreError> {
        todo!()
    }

    /// What an app authenticates with in an environment.
    pub async fn credential(&self, source: Source) -> Result<Option<Credential>, StoreError> {
        todo!()
    }

    /// What an app has, by environment.
    pub async fn credentials(&self, app: AppId) -> Result<Vec<(Environment, Credential)>, StoreError> {
        todo!()
    }

    /// Forgets what an app authenticates with in an environment. `false`: it had nothing.
    pub async fn remove_credential(&self, source: Source) -> Result<bool, StoreError> {
        todo!()
    }
}

impl fmt::Debug for Credential {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("about", &self.about)
            .field("updated_at", &self.updated_at)
            .finish_non_exhaustive()
    }
}
