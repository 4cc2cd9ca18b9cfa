use apns_provider_core::UnixTime;
use apns_provider_server_core::{audit::AuditEntry, ids::TenantId};

use super::{
    Store, StoreError,
    page::{at_most, rows},
    settings::Weight,
    sql::{Row, Statement, values},
    stored::write_json,
};

rows! {
    /// An entry of the audit log. A later one has a greater number.
    AuditId;
}

/// Who did what, as it was kept: perhaps by a process of a later version, which knows more actors and actions than this one. So it is
/// shown as it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredAuditEntry {
    /// Its row.
    pub id: AuditId,
    /// Whose it is; without one it is the operator's.
    pub tenant: Option<TenantId>,
    /// When it was.
    pub at: UnixTime,
    /// Who did it: JSON.
    pub actor: String,
    /// What they did.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What else is to be said: JSON.
    pub detail: String,
}

impl Store {
    /// Keeps an entry of a tenant, or of the operator.
    pub async fn append_audit(&self, tenant: Option<TenantId>, entry: AuditEntry) -> Result<(), StoreError> {
        let AuditEntry { at, actor, action, subject, detail } = entry;
        let (actor, detail) = (write_json(&actor), detail.to_string());
        let values = values![number_of(tenant), at, actor, action.as_str(), subject, detail];
        self.database().execute(Weight::Promise, &APPEND, values).await.map(drop)
    }

    /// The latest entries of a tenant, or the operator's, before this one; the latest first.
    pub async fn audit(
        &self,
        tenant: Option<TenantId>,
        before: Option<AuditId>,
        limit: usize,
    ) -> Result<Vec<StoredAuditEntry>, StoreError> {
        let before = before.map_or(i64::MAX, AuditId::get);
        let rows =
            self.reader().await?.rows(&PAGE, values![number_of(tenant), before, at_most(limit)]).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<StoredAuditEntry, StoreError> {
    Ok(StoredAuditEntry {
        id: AuditId::new(row.int(0)?),
        tenant: Some(row.int(1)?).filter(|number| *number != OPERATOR).map(TenantId::new),
        at: row.time(2)?,
        actor: row.text(3)?.to_owned(),
        action: row.text(4)?.to_owned(),
        subject: row.text(5)?.to_owned(),
        detail: row.text(6)?.to_owned(),
    })
}

fn number_of(tenant: Option<TenantId>) -> i64 {
    tenant.map_or(OPERATOR, TenantId::get)
}

/// Stands for no tenant.
const OPERATOR: i64 = 0;

static APPEND: Statement = Statement::new(
    "INSERT INTO audit (tenant_id, at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5, $6)",
);
static PAGE: Statement = Statement::new(
    "SELECT id, tenant_id, at, actor, action, subject, detail FROM audit
     WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
);
