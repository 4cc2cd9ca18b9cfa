use apns_provider_core::UnixTime;
use apns_provider_server_core::ids::{TenantId, TenantName};

use super::{Put, Store, StoreError};

/// Who shares nothing with others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tenant {
    /// Its row.
    pub id: TenantId,
    /// What it is called.
    pub name: TenantName,
    /// Its limits and whatever else is set: JSON, which the store does not look into.
    pub settings: String,
    /// Since when it is there.
    pub created_at: UnixTime,
}

impl Store {
    /// Adds a tenant, or changes its settings.
    pub async fn put_tenant(
        &self,
        name: &TenantName,
        settings: &str,
        now: UnixTime,
    ) -> Result<Put<Tenant>, StoreError> {
        todo!()
    }

    /// The tenant of this name.
    pub async fn tenant(&self, name: &TenantName) -> Result<Option<Tenant>, StoreError> {
        todo!()
    }

    /// The tenant with this number.
    pub async fn tenant_by_id(&self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        todo!()
    }

    /// Tenants behind this one, in the order in which they were added.
    pub async fn tenants(&self, after: TenantId, limit: usize) -> Result<Vec<Tenant>, StoreError> {
        todo!()
    }
}
