//! Webhooks, and what they are still to be told.

mod deliveries;
mod telling;

use std::fmt;

use apns_provider_core::UnixTime;
use apns_provider_server_core::ids::{AppId, Label, TenantId};

use super::{
    Signal, Store, StoreError,
    page::{at_most, rows},
    settings::Weight,
    sql::{Row, Statement, Value, values},
};
pub use deliveries::{ClaimedDeliveries, ClaimedDelivery, DeliveryId, DeliveryRequest};
pub use telling::WAITING_MAX;
pub(super) use telling::{Telling, Told, tell_finished};

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
        let mut values = values_of(&webhook);
        values.push(now.into());
        let id = self.database().insert(&ADD, values).await?;
        Ok(Webhook { id: WebhookId::new(id), webhook, created_at: now })
    }

    /// Changes a webhook of its tenant. `false`: there is no such webhook.
    pub async fn change_webhook(&self, id: WebhookId, webhook: NewWebhook) -> Result<bool, StoreError> {
        let mut values = values_of(&webhook);
        values.push(id.into());
        let is_there = self.database().execute(Weight::Promise, &CHANGE, values).await? > 0;
        if is_there {
            // Of one that is not called any more, what waits is dropped.
            self.tell(Signal::Webhooks).await;
        }
        Ok(is_there)
    }

    /// A tenant's webhook.
    pub async fn webhook(&self, tenant: TenantId, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        let row = self.reader().await?.first(&BY_ID, values![tenant, id]).await?;
        row.as_ref().map(read).transpose()
    }

    /// A tenant's webhooks behind this one, in the order in which they were added.
    pub async fn webhooks(
        &self,
        tenant: TenantId,
        after: WebhookId,
        limit: usize,
    ) -> Result<Vec<Webhook>, StoreError> {
        let rows = self.reader().await?.rows(&PAGE, values![tenant, after, at_most(limit)]).await?;
        rows.iter().map(read).collect()
    }

    /// Removes a tenant's webhook, with what it was still to be told. `false`: there is no such webhook.
    pub async fn remove_webhook(&self, tenant: TenantId, id: WebhookId) -> Result<bool, StoreError> {
        let dropped = self
            .database()
            .write(Weight::Promise, (tenant, id), |(tenant, id), transaction| {
                Box::pin(async {
                    // First the webhook: who is about to tell it something holds it, and has told it then.
                    if transaction.execute(&REMOVE, values![*tenant, *id]).await? == 0 {
                        return Ok(None);
                    }
                    transaction.execute(&deliveries::DROP_ALL, values![*id]).await.map(Some)
                })
            })
            .await?;
        crate::webhooks::count_dropped(dropped.unwrap_or(0));
        Ok(dropped.is_some())
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

fn values_of(webhook: &NewWebhook) -> Vec<Value> {
    let NewWebhook { tenant, app, label, url, secret, events, is_enabled } = webhook;
    values![*tenant, *app, label.as_str(), url.as_str(), secret.as_slice(), events.as_str(), *is_enabled]
}

/// Reads the columns of [`BY_ID`].
fn read(row: &Row) -> Result<Webhook, StoreError> {
    let webhook = NewWebhook {
        tenant: TenantId::new(row.int(1)?),
        app: row.optional_int(2)?.map(AppId::new),
        label: row.parsed(3, Label::parse)?,
        url: row.text(4)?.to_owned(),
        secret: row.blob(5)?.to_vec(),
        events: row.text(6)?.to_owned(),
        is_enabled: row.is_set(7)?,
    };
    Ok(Webhook { id: WebhookId::new(row.int(0)?), webhook, created_at: row.time(8)? })
}

static ADD: Statement = Statement::new(
    "INSERT INTO webhook (tenant_id, app_id, label, url, secret, events, is_enabled, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
);
static CHANGE: Statement = Statement::new(
    "UPDATE webhook SET app_id = $2, label = $3, url = $4, secret = $5, events = $6, is_enabled = $7
     WHERE tenant_id = $1 AND id = $8",
);
static BY_ID: Statement = Statement::new(
    "SELECT id, tenant_id, app_id, label, url, secret, events, is_enabled, created_at FROM webhook
     WHERE tenant_id = $1 AND id = $2",
);
static PAGE: Statement = Statement::new(
    "SELECT id, tenant_id, app_id, label, url, secret, events, is_enabled, created_at FROM webhook
     WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
);
static REMOVE: Statement = Statement::new("DELETE FROM webhook WHERE tenant_id = $1 AND id = $2");
