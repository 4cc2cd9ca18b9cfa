use std::fmt;

use apns_provider_core::UnixTime;
use apns_provider_server_core::ids::{AppId, Label, TenantId};

use super::{Store, StoreError, page::rows};

rows! {
    /// A webhook in the store.
    WebhookId;
}

/// A webhook to be stored.
#[derive(Clone, Eq, PartialEq)]
pub struct NewWebhook {
    /// Whose it is.
    pub tenant: TenantId,
    /// Only what happens to this app; `None` is all of the tenant.
    pub app: Option<AppId>,
    /// What people call it.
    pub label: Label,
    /// Where it is called.
    pub url: String,
    /// What its calls are signed with, encrypted by whoever stored it.
    pub secret: Vec<u8>,
    /// What it is told: JSON, which the store does not look into.
    pub events: String,
    /// Whether it is called.
    pub is_enabled: bool,
}

/// A webhook.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Webhook {
    /// Its row.
    pub id: WebhookId,
    /// What was stored.
    pub webhook: NewWebhook,
    /// Since when it is there.
    pub created_at: UnixTime,
}

impl Store {
    /// Adds a webhook.
    pub async fn add_webhook(&self, webhook: NewWebhook, now: UnixTime) -> Result<Webhook, StoreError> {
        todo!()
    }

    /// Changes a webhook of its tenant. `false`: there is no such webhook.
    pub async fn change_webhook(&self, id: WebhookId, webhook: NewWebhook) -> Result<bool, StoreError> {
        todo!()
    }

    /// A tenant's webhook.
    pub async fn webhook(&self, tenant: TenantId, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        todo!()
    }

    /// A tenant's webhooks behind this one, in the order in which they were added.
    pub async fn webhooks(
        &self,
        tenant: TenantId,
        after: WebhookId,
        limit: usize,
    ) -> Result<Vec<Webhook>, StoreError> {
        todo!()
    }

    /// Removes a tenant's webhook. `false`: there is no such webhook.
    pub async fn remove_webhook(&self, tenant: TenantId, id: WebhookId) -> Result<bool, StoreError> {
        todo!()
    }
}

impl fmt::Debug for NewWebhook {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewWebhook")
            .field("tenant", &self.tenant)
            .field("app", &self.app)
            .field("label", &self.label)
            .field("url", &self.url)
            .field("events", &self.events)
            .field("is_enabled", &self.is_enabled)
            .finish_non_exhaustive()
    }
}
