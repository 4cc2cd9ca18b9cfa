use apns_provider_core::UnixTime;
use apns_provider_server_core::ids::TenantId;

use super::{Store, StoreError, page::rows};

rows! {
    /// An entry of the audit log. A later one has a greater number.
    AuditId;
}

/// Who did what: to be kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewAuditEntry {
    /// Whose it is; without one it is the operator's.
    pub tenant: Option<TenantId>,
    /// When it was.
    pub at: UnixTime,
    /// Who did it.
    pub actor: String,
    /// What they did.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What else is to be said: JSON, which the store does not look into.
    pub detail: String,
}

/// Who did what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditEntry {
    /// Its row.
    pub id: AuditId,
    /// What was kept.
    pub entry: NewAuditEntry,
}

impl Store {
    /// Keeps an entry.
    pub async fn append_audit(&self, entry: NewAuditEntry) -> Result<(), StoreError> {
        todo!()
    }

    /// The latest entries of a tenant, or the operator's, before this one; the latest first.
    pub async fn audit(
        &self,
        tenant: Option<TenantId>,
        before: Option<AuditId>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        todo!()
    }
}
