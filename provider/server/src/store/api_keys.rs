use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    api_key::KeyHash,
    ids::{Label, TenantId},
};

use super::{
    Store, StoreError,
    page::{at_most, rows},
    settings::Weight,
    sql::{Row, Statement, values},
};

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
    pub hash: KeyHash,
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
        let NewApiKey { tenant, label, roles, hash } = key;
        let id = self
            .database()
            .insert(&ADD, values![tenant, label.as_str(), roles.as_str(), hash.as_bytes().to_vec(), now])
            .await?;
        Ok(ApiKey { id: ApiKeyId::new(id), tenant, label, roles, created_at: now, revoked_at: None })
    }

    /// The key with this hash, revoked or not, and the settings of its tenant, if it is a tenant's.
    pub async fn api_key(&self, hash: &KeyHash) -> Result<Option<(ApiKey, Option<String>)>, StoreError> {
        let row = self.reader().await?.first(&BY_HASH, values![hash.as_bytes().to_vec()]).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((read(&row)?, row.optional_text(6)?.map(str::to_owned))))
    }

    /// The keys of a tenant, or the operator's, behind this one.
    pub async fn api_keys(
        &self,
        tenant: Option<TenantId>,
        after: ApiKeyId,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StoreError> {
        let rows = self.reader().await?.rows(&PAGE, values![tenant, after, at_most(limit)]).await?;
        rows.iter().map(read).collect()
    }

    /// Makes a tenant's key, or one of the operator's, invalid. `false`: there is none, or it was revoked before.
    pub async fn revoke_api_key(
        &self,
        tenant: Option<TenantId>,
        key: ApiKeyId,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        let values = values![tenant, key, now];
        Ok(self.database().execute(Weight::Promise, &REVOKE, values).await? > 0)
    }
}

fn read(row: &Row) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: ApiKeyId::new(row.int(0)?),
        tenant: row.optional_int(1)?.map(TenantId::new),
        label: row.parsed(2, Label::parse)?,
        roles: row.text(3)?.to_owned(),
        created_at: row.time(4)?,
        revoked_at: row.optional_time(5)?,
    })
}

static ADD: Statement = Statement::new(
    "INSERT INTO api_key (tenant_id, label, roles, hash, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id",
);
static BY_HASH: Statement = Statement::new(
    "SELECT k.id, k.tenant_id, k.label, k.roles, k.created_at, k.revoked_at, tenant.settings
     FROM api_key k LEFT JOIN tenant ON tenant.id = k.tenant_id WHERE k.hash = $1",
);
static PAGE: Statement = Statement::new(
    "SELECT id, tenant_id, label, roles, created_at, revoked_at FROM api_key
     WHERE tenant_id IS NOT DISTINCT FROM $1 AND id > $2 ORDER BY id LIMIT $3",
);
static REVOKE: Statement = Statement::new(
    "UPDATE api_key SET revoked_at = $3 WHERE tenant_id IS NOT DISTINCT FROM $1 AND id = $2 AND revoked_at IS NULL",
);
