use apns_provider_core::UnixTime;
use apns_provider_server_core::ids::{TenantId, TenantName};

use super::{
    Put, Store, StoreError,
    page::at_most,
    settings::Weight,
    sql::{Connection, Row, Statement, values},
};

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
        let data = (name.clone(), settings.to_owned(), now);
        self.database()
            .write(Weight::Promise, data, |data, transaction| Box::pin(put(data, transaction)))
            .await
    }

    /// The tenant of this name.
    pub async fn tenant(&self, name: &TenantName) -> Result<Option<Tenant>, StoreError> {
        let row = self.reader().await?.first(&BY_NAME, values![name.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Tenants behind this one, in the order in which they were added.
    pub async fn tenants(&self, after: TenantId, limit: usize) -> Result<Vec<Tenant>, StoreError> {
        let rows = self.reader().await?.rows(&PAGE, values![after, at_most(limit)]).await?;
        rows.iter().map(read).collect()
    }
}

async fn put(
    (name, settings, now): &(TenantName, String, UnixTime),
    transaction: &mut Connection,
) -> Result<Put<Tenant>, StoreError> {
    let changed = transaction.first(&CHANGE, values![name.as_str(), settings.as_str()]).await?;
    if let Some(row) = changed {
        return Ok(Put { now: read(&row)?, is_new: false });
    }
    let row = transaction.one(&ADD, values![name.as_str(), settings.as_str(), *now]).await?;
    Ok(Put { now: read(&row)?, is_new: true })
}

fn read(row: &Row) -> Result<Tenant, StoreError> {
    Ok(Tenant {
        id: TenantId::new(row.int(0)?),
        name: row.parsed(1, TenantName::parse)?,
        settings: row.text(2)?.to_owned(),
        created_at: row.time(3)?,
    })
}

static CHANGE: Statement = Statement::new(
    "UPDATE tenant SET settings = $2 WHERE name = $1 RETURNING id, name, settings, created_at",
);
static ADD: Statement = Statement::new(
    "INSERT INTO tenant (name, settings, created_at) VALUES ($1, $2, $3)
     ON CONFLICT (name) DO UPDATE SET settings = excluded.settings RETURNING id, name, settings, created_at",
);
static BY_NAME: Statement =
    Statement::new("SELECT id, name, settings, created_at FROM tenant WHERE name = $1");
static PAGE: Statement =
    Statement::new("SELECT id, name, settings, created_at FROM tenant WHERE id > $1 ORDER BY id LIMIT $2");
