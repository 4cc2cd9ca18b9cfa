use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    device::Environment,
    ids::{AppId, NotificationId, TenantId},
    lanes::Lane,
};

use super::{
    PAGE_MAX, Source, Store, StoreError,
    plans::read_notification_id,
    sql::{Row, Statement, values},
};

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
    /// Since when the first of its shards may be claimed, or when it may be: when it is due, or the lease of whoever works on it ends.
    pub due_at: Option<UnixTime>,
}

/// What waits in a lane, of all tenants.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LaneState {
    /// Which.
    pub lane: Lane,
    /// Recipients without an outcome, those that are to be sent later among them.
    pub depth: u64,
    /// As in [`QueueState`], of all that are not paused.
    pub due_at: Option<UnixTime>,
}

impl Store {
    /// The lanes with something in them.
    pub async fn lanes(&self) -> Result<Vec<LaneState>, StoreError> {
        let rows = self.reader().await?.rows(&LANES, values![]).await?;
        let read = |row: &Row| {
            let lane = row.numbered(0, Lane::from_number)?;
            Ok(LaneState { lane, depth: row.number(1)?, due_at: row.optional_time(2)? })
        };
        rows.iter().map(read).collect()
    }

    /// Queues with something in them, of a tenant or of all; those that have been due longest first; at most a page.
    pub async fn queues(&self, tenant: Option<TenantId>) -> Result<Vec<QueueState>, StoreError> {
        let tenant = tenant.map_or(ALL, TenantId::get);
        let rows = self.reader().await?.rows(&QUEUES, values![tenant, PAGE_MAX]).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<QueueState, StoreError> {
    let campaign = match row.optional_blob(4)? {
        None => None,
        Some(_) => Some(read_notification_id(row, 4)?),
    };
    Ok(QueueState {
        tenant: TenantId::new(row.int(0)?),
        source: Source {
            app: AppId::new(row.int(1)?),
            environment: row.numbered(2, Environment::from_number)?,
        },
        lane: row.numbered(3, Lane::from_number)?,
        campaign,
        is_paused: row.is_set(5)?,
        depth: row.number(6)?,
        due_at: row.optional_time(7)?,
    })
}

/// Stands for every tenant.
const ALL: i64 = 0;

static QUEUES: Statement = Statement::new(
    "SELECT app.tenant_id, q.app_id, q.environment, q.lane, n.id,
        CASE WHEN app.is_paused = 1 OR COALESCE(c.is_paused, 0) = 1 THEN 1 ELSE 0 END, q.depth,
        (SELECT min(shard.due_at) FROM shard WHERE shard.queue_id = q.id AND shard.due_at IS NOT NULL) AS due_at
     FROM queue q
     JOIN app ON app.id = q.app_id
     LEFT JOIN campaign c ON c.sequence = q.campaign
     LEFT JOIN notification n ON n.sequence = q.campaign
     WHERE q.depth > 0 AND ($1 = 0 OR app.tenant_id = $1)
     ORDER BY due_at NULLS LAST LIMIT $2",
);

static LANES: Statement = Statement::new(
    "SELECT q.lane, CAST(sum(q.depth) AS BIGINT),
        min(CASE WHEN app.is_paused = 1 OR COALESCE(c.is_paused, 0) = 1 THEN NULL ELSE
            (SELECT min(shard.due_at) FROM shard WHERE shard.queue_id = q.id AND shard.due_at IS NOT NULL) END)
     FROM queue q
     JOIN app ON app.id = q.app_id
     LEFT JOIN campaign c ON c.sequence = q.campaign
     WHERE q.depth > 0
     GROUP BY q.lane",
);
