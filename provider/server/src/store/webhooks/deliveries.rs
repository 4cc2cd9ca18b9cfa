//! Claiming what webhooks are to be told, and what becomes of it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use apns_provider_core::UnixTime;
use apns_provider_server_core::webhook::{Delivered, EventId};

use super::{Webhook, WebhookId, read};
use crate::store::{
    Owner, Store, StoreError,
    page::rows,
    settings::Weight,
    sql::{Column, Connection, Row, Statement, Table, values},
    times::later,
};

rows! {
    /// One event that is to be delivered to one webhook.
    DeliveryId;
}

/// What is to be claimed.
#[derive(Clone, Debug)]
pub struct DeliveryRequest {
    /// By whom.
    pub owner: Owner,
    /// So many at most.
    pub limit: usize,
    /// So many of one webhook at once, those that are under way among them: one that is slow leaves room for others.
    pub each: usize,
    /// Those that are under way.
    pub under_way: BTreeMap<WebhookId, usize>,
    /// For how long.
    pub lease: Duration,
    /// Now.
    pub now: UnixTime,
}

/// What was claimed.
#[derive(Clone, Debug, Default)]
pub struct ClaimedDeliveries {
    /// Those that were due, leased to the owner.
    pub deliveries: Vec<ClaimedDelivery>,
    /// When the next one is due, or a lease ends, of webhooks that have no more now.
    pub next_at: Option<UnixTime>,
    /// Whether more may be due, for which there was no room.
    pub is_more: bool,
}

/// An event that is to be delivered to a webhook.
#[derive(Clone, Debug)]
pub struct ClaimedDelivery {
    /// Which.
    pub id: DeliveryId,
    /// To whom.
    pub webhook: Arc<Webhook>,
    /// Which event.
    pub event: EventId,
    /// What it says.
    pub body: String,
    /// How often it was tried.
    pub attempts: u16,
}

impl Store {
    /// Leases deliveries that are due, of webhooks whose first one has been due longest first. What waits for a webhook that is not called
    /// any more is dropped.
    pub async fn claim_deliveries(&self, request: DeliveryRequest) -> Result<ClaimedDeliveries, StoreError> {
        let (claimed, dropped) = self
            .database()
            .write(Weight::Progress, request, |request, it| Box::pin(claim(request, it)))
            .await?;
        crate::webhooks::count_dropped(dropped);
        Ok(claimed)
    }

    /// Stores what came of a delivery. `false`: it is not this owner's any more, or dropped, and nothing was stored.
    pub async fn end_delivery(
        &self,
        owner: Owner,
        delivery: DeliveryId,
        delivered: Delivered,
    ) -> Result<bool, StoreError> {
        let data = (owner, delivery, delivered);
        let (is_stored, dropped) = self
            .database()
            .write(Weight::Progress, data, |(owner, delivery, delivered), it| {
                Box::pin(end(*owner, *delivery, *delivered, it))
            })
            .await?;
        crate::webhooks::count_dropped(dropped);
        Ok(is_stored)
    }

    /// Gives deliveries back that were not made: they are due at once.
    pub async fn release_deliveries(
        &self,
        owner: Owner,
        deliveries: &[DeliveryId],
        now: UnixTime,
    ) -> Result<(), StoreError> {
        let mut input = Table::new(1);
        for delivery in deliveries {
            input.push([(*delivery).into()]);
        }
        self.database()
            .write(Weight::Progress, (owner, input, now), |(owner, input, now), transaction| {
                Box::pin(transaction.execute_with(&RELEASE, values![owner.0, *now], input))
            })
            .await
            .map(drop)
    }

    /// How many deliveries wait, of all tenants.
    pub async fn count_deliveries(&self) -> Result<u64, StoreError> {
        self.reader().await?.one(&COUNT, values![]).await?.number(0)
    }
}

async fn claim(
    request: &DeliveryRequest,
    transaction: &mut Connection,
) -> Result<(ClaimedDeliveries, u64), StoreError> {
    let mut claimed = ClaimedDeliveries::default();
    let mut dropped = 0;
    let due = transaction.rows(&WEBHOOKS, values![]).await?;
    for row in &due {
        let webhook = Arc::new(read(row)?);
        if !webhook.webhook.is_enabled {
            dropped += transaction.execute(&DROP_ALL, values![webhook.id]).await?;
            continue;
        }
        let due_at = row.time(9)?;
        if due_at > request.now {
            claimed.wait(due_at);
            continue;
        }
        let under_way = request.under_way.get(&webhook.id).copied().unwrap_or(0);
        let room = request.each.saturating_sub(under_way);
        let room = room.min(request.limit.saturating_sub(claimed.deliveries.len()));
        let values = values![webhook.id, request.now, room];
        let rows = if room > 0 { transaction.rows(&DUE, values).await? } else { Vec::new() };
        if rows.len() == room {
            claimed.is_more = true;
        } else if let Some(next_at) =
            transaction.one(&NEXT, values![webhook.id, request.now]).await?.optional_time(0)?
        {
            claimed.wait(next_at);
        }
        for row in &rows {
            claimed.deliveries.push(read_delivery(row, &webhook)?);
        }
    }
    claimed.is_more |= due.len() == WEBHOOKS_MAX;
    let mut input = Table::new(1);
    for delivery in &claimed.deliveries {
        input.push([delivery.id.into()]);
    }
    let until = later(request.now, request.lease);
    transaction.execute_with(&LEASE, values![request.owner.0, until], &input).await?;
    Ok((claimed, dropped))
}

async fn end(
    owner: Owner,
    delivery: DeliveryId,
    delivered: Delivered,
    transaction: &mut Connection,
) -> Result<(bool, u64), StoreError> {
    let values = values![delivery, owner.0];
    match delivered {
        Delivered::Done | Delivered::GivenUp => Ok((transaction.execute(&FINISH, values).await? > 0, 0)),
        Delivered::Again { not_before } => {
            let values = values![delivery, owner.0, not_before];
            Ok((transaction.execute(&AGAIN, values).await? > 0, 0))
        }
        Delivered::Disabled => {
            let Some(row) = transaction.first(&TAKE, values).await? else { return Ok((false, 0)) };
            let webhook = row.int(0)?;
            transaction.execute(&DISABLE, values![webhook]).await?;
            // That one itself is not dropped: its receiver has answered it.
            Ok((true, transaction.execute(&DROP_ALL, values![webhook]).await?))
        }
    }
}

impl ClaimedDeliveries {
    /// Something may be claimed then.
    fn wait(&mut self, at: UnixTime) {
        self.next_at = Some(self.next_at.map_or(at, |next_at| next_at.min(at)));
    }
}

fn read_delivery(row: &Row, webhook: &Arc<Webhook>) -> Result<ClaimedDelivery, StoreError> {
    let event = row.blob(1)?.try_into().map(EventId::from_bytes);
    Ok(ClaimedDelivery {
        id: DeliveryId::new(row.int(0)?),
        webhook: Arc::clone(webhook),
        event: event.map_err(|_| StoreError::damaged("an event's ID", "it has not 16 bytes"))?,
        body: row.text(2)?.to_owned(),
        attempts: row.number(3)?,
    })
}

/// Webhooks that are looked at in one claim, as in the statement: the others come when these have moved on.
const WEBHOOKS_MAX: usize = 256;

static WEBHOOKS: Statement = Statement::new(
    "SELECT id, tenant_id, app_id, label, url, secret, events, is_enabled, created_at, due_at FROM (
        SELECT webhook.*, (SELECT min(delivery.due_at) FROM delivery WHERE delivery.webhook_id = webhook.id) AS due_at
        FROM webhook) AS told
     WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 256",
);
static DUE: Statement = Statement::new(
    "SELECT id, event, body, attempts FROM delivery WHERE webhook_id = $1 AND due_at <= $2
     ORDER BY due_at, id LIMIT $3{skip locked}",
);
static NEXT: Statement =
    Statement::new("SELECT min(due_at) FROM delivery WHERE webhook_id = $1 AND due_at > $2");
static LEASE: Statement = Statement::with_input(
    "UPDATE delivery SET owner = $1, due_at = $2 FROM {input} WHERE delivery.id = input.id",
    &[("id", Column::Int)],
);
static RELEASE: Statement = Statement::with_input(
    "UPDATE delivery SET owner = NULL, due_at = $2 FROM {input} WHERE delivery.id = input.id AND delivery.owner = $1",
    &[("id", Column::Int)],
);
static FINISH: Statement = Statement::new("DELETE FROM delivery WHERE id = $1 AND owner = $2");
static TAKE: Statement =
    Statement::new("DELETE FROM delivery WHERE id = $1 AND owner = $2 RETURNING webhook_id");
static AGAIN: Statement = Statement::new(
    "UPDATE delivery SET owner = NULL, attempts = attempts + 1, due_at = $3 WHERE id = $1 AND owner = $2",
);
static DISABLE: Statement = Statement::new("UPDATE webhook SET is_enabled = 0 WHERE id = $1");
pub(super) static DROP_ALL: Statement = Statement::new("DELETE FROM delivery WHERE webhook_id = $1");
static COUNT: Statement = Statement::new("SELECT count(*) FROM delivery");
