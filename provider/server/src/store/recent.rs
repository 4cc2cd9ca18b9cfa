use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    ids::{AppId, TenantId},
    outcome::{Ending, Why},
};

use super::{
    PAGE_MAX, Store, StoreError,
    outcomes::MINUTE_MS,
    sql::{Row, Statement, values},
};

/// How many recipients of an app ended so, in some time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recent {
    /// Of which app.
    pub app: AppId,
    /// How they ended.
    pub ending: Ending,
    /// The HTTP status of the answer; 0 if there was none.
    pub status: u16,
    /// Why, if there was something to say.
    pub why: Option<Why>,
    /// How many.
    pub count: u64,
}

impl Store {
    /// What became of recipients since a moment, counted by whole minutes, of a tenant's apps or of all; at most a page, the most frequent
    /// first.
    pub async fn recent(&self, tenant: Option<TenantId>, since: UnixTime) -> Result<Vec<Recent>, StoreError> {
        let tenant = tenant.map_or(ALL, TenantId::get);
        let minute = since.as_millis() / MINUTE_MS;
        let rows = self.reader().await?.rows(&RECENT, values![tenant, minute, PAGE_MAX]).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<Recent, StoreError> {
    Ok(Recent {
        app: AppId::new(row.int(0)?),
        ending: row.numbered(1, Ending::from_number)?,
        status: row.number(2)?,
        why: Some(row.text(3)?).filter(|why| !why.is_empty()).map(Why::parse),
        count: row.number(4)?,
    })
}

/// Stands for every tenant.
const ALL: i64 = 0;

static RECENT: Statement = Statement::new(
    "SELECT r.app_id, r.ending, r.status, r.why, CAST(sum(r.count) AS BIGINT)
     FROM recent r JOIN app ON app.id = r.app_id
     WHERE r.minute >= $2 AND ($1 = 0 OR app.tenant_id = $1)
     GROUP BY r.app_id, r.ending, r.status, r.why ORDER BY sum(r.count) DESC, r.app_id, r.ending LIMIT $3",
);
