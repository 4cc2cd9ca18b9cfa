use apns_provider_core::UnixTime;
use apns_provider_server_core::ids::{Label, TenantId};

use super::{Store, StoreError, page::rows};

rows! {
    /// An API key in the store.
    ApiKeyId;
}

/// An API key to be stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewApiKey {
    /// Whose it is; without one it is the operator's.
    pub tenant: Option<TenantId>,
    /// What people call it.
    pub label: Label,
    /// What it may do, as the core writes it: the store does not look into it.
    pub roles: String,
    /// The hash of the key. The key itself is not stored anywhere.
    pub hash: [u8; 32],
}

/// An API key, without the key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApiKey {
    /// Its row.
    pub id: ApiKeyId,
    /// Whose it is; without one it is the operator's.
    pub tenant: Option<TenantId>,
    /// What people call it.
    pub label: Label,
    /// What it may do.
    pub roles: String,
    /// Since when it is there.
    pub created_at: UnixTime,
    /// Since when it is not valid any more.
    pub revoked_at: Option<UnixTime>,
}

impl Store {
    /// Adds a key.
    pub async fn add_api_key(&self, key: NewApiKey, now: UnixTime) -> Result<ApiKey, StoreError> {
        todo!()
    }

    /// The key with this hash, revoked or not.
    pub async fn api_key(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        todo!()
    }

    /// The keys of a tenant, or the operator's, behind this one.
    pub async fn api_keys(
        &self,
        tenant: Option<TenantId>,
        after: ApiKeyId,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StoreError> {
        todo!()
    }

    /// Makes a tenant's key, or one of the operator's, invalid. `false`: there is none, or it was revoked before.
    pub async fn revoke_api_key(
        &self,
        tenant: Option<TenantId>,
        key: ApiKeyId,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        todo!()
    }
}
