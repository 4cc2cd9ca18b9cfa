use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    ids::{AppId, TenantId},
    outcome::{Ending, Why},
};

use super::{Store, StoreError};

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
        todo!()
    }
}
