//! Storing shards, and counting them in their queues: for what is taken, and for what is planned later.

use std::collections::BTreeMap;

use apns_provider_core::Expiration;
use apns_provider_server_core::{
    device::Environment,
    ids::{AppId, Sequence},
    lanes::Lane,
    plan::NewShard,
};

use super::{
    StoreError,
    sql::{Column, Connection, Statement, Table, values},
};

/// Which queue.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct QueueKey {
    pub(super) app: AppId,
    pub(super) environment: Environment,
    pub(super) lane: Lane,
    /// A campaign has queues of its own.
    pub(super) campaign: Option<Sequence>,
}

/// Shards with the notifications that they are of.
pub(super) type NewShards<'a> = Vec<(Sequence, &'a NewShard)>;

/// Stores shards, by the queue that they go into.
pub(super) async fn store_shards(
    shards: &BTreeMap<QueueKey, NewShards<'_>>,
    transaction: &mut Connection,
) -> Result<(), StoreError> {
    let mut queues = Table::new(5);
    for (key, shards) in shards {
        let recipients: u64 = shards.iter().map(|(_, shard)| u64::from(shard.recipients)).sum();
        queues.push([
            key.app.into(),
            key.environment.number().into(),
            key.lane.number().into(),
            key.campaign.map_or(0, Sequence::get).into(),
            recipients.into(),
        ]);
    }
    let mut ids = BTreeMap::new();
    for row in transaction.rows_with(&FILL_QUEUES, values![], &queues).await? {
        let key = QueueKey {
            app: AppId::new(row.int(1)?),
            environment: row.numbered(2, Environment::from_number)?,
            lane: row.numbered(3, Lane::from_number)?,
            campaign: Some(row.int(4)?).filter(|sequence| *sequence != 0).map(Sequence::new),
        };
        ids.insert(key, row.int(0)?);
    }
    let mut rows = Table::new(7);
    let mut recipients = Table::new(3);
    for (key, shards) in shards {
        let queue = ids.get(key).copied();
        let queue = queue.ok_or_else(|| StoreError::Broken("a queue was filled and is not there".into()))?;
        for (sequence, shard) in shards {
            rows.push([
                (*sequence).into(),
                shard.number.into(),
                queue.into(),
                shard.recipients.into(),
                shard.not_before.into(),
                shard.deadline.expiration.map(Expiration::as_secs).into(),
                shard.deadline.worthless_at.into(),
            ]);
            recipients.push([(*sequence).into(), shard.number.into(), shard.bytes.as_slice().into()]);
        }
    }
    transaction.execute_with(&ADD_SHARDS, values![], &rows).await?;
    transaction.execute_with(&ADD_RECIPIENTS, values![], &recipients).await.map(drop)
}

static FILL_QUEUES: Statement = Statement::with_input(
    "INSERT INTO queue (app_id, environment, lane, campaign, depth)
     SELECT app, environment, lane, campaign, recipients FROM {input} WHERE true
     ON CONFLICT (campaign, app_id, environment, lane) DO UPDATE SET depth = queue.depth + excluded.depth
     RETURNING id, app_id, environment, lane, campaign",
    &[
        ("app", Column::Int),
        ("environment", Column::Int),
        ("lane", Column::Int),
        ("campaign", Column::Int),
        ("recipients", Column::Int),
    ],
);
static ADD_SHARDS: Statement = Statement::with_input(
    "INSERT INTO shard (sequence, number, queue_id, recipients, unended, not_before, expiration, worthless_at, due_at)
     SELECT sequence, number, queue_id, recipients, recipients, not_before, expiration, worthless_at, not_before FROM {input}",
    &[
        ("sequence", Column::Int),
        ("number", Column::Int),
        ("queue_id", Column::Int),
        ("recipients", Column::Int),
        ("not_before", Column::Int),
        ("expiration", Column::Int),
        ("worthless_at", Column::Int),
    ],
);
static ADD_RECIPIENTS: Statement = Statement::with_input(
    "INSERT INTO recipients (sequence, number, bytes) SELECT sequence, number, bytes FROM {input}",
    &[("sequence", Column::Int), ("number", Column::Int), ("bytes", Column::Blob)],
);
