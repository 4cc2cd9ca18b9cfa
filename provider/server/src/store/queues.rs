use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    ids::{NotificationId, TenantId},
    lanes::Lane,
};

use super::{Source, Store, StoreError};

/// A queue with something in it: of an app in an environment and a lane; a campaign has queues of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QueueState {
    /// Whose.
    pub tenant: TenantId,
    /// Of which app and environment.
    pub source: Source,
    /// In which lane.
    pub lane: Lane,
    /// Of which campaign, if of one.
    pub campaign: Option<NotificationId>,
    /// Whether it, or its app, is paused.
    pub is_paused: bool,
    /// Recipients without an outcome, those that are to be sent later among them.
    pub depth: u64,
    /// Since when its first shard that nobody works on is due, or when it will be.
    pub due_at: Option<UnixTime>,
}

impl Store {
    /// Queues with something in them, of a tenant or of all; those that have been due longest first; at most a page.
    pub async fn queues(&self, tenant: Option<TenantId>) -> Result<Vec<QueueState>, StoreError> {
        todo!()
    }
}
