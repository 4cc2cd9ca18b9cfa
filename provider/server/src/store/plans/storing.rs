//! Leasing plans, and storing what a step has planned.

use std::{collections::BTreeMap, time::Duration};

use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    ids::{AppId, NotificationId, Sequence},
    lanes::{Lane, Pace},
    message::Composed,
    plan::{NewShard, Progress},
};

use super::{ClaimedPlan, StepStored};
use crate::store::{
    Owner, StoreError,
    collapsing::Overtaking,
    planned::{NewShards, QueueKey, store_shards},
    sql::{Connection, Row, Statement, values},
    stored::{read_audience, read_json, write_json},
    times::later,
    webhooks::{Told, tell_finished},
};

/// What is to be leased, by whom, until when.
pub(super) async fn claim(
    (owner, lease, now): &(Owner, Duration, UnixTime),
    transaction: &mut Connection,
) -> Result<Option<ClaimedPlan>, StoreError> {
    let Some(row) = transaction.first(&DUE, values![*now]).await? else { return Ok(None) };
    let sequence = row.int(0)?;
    transaction.execute(&LEASE, values![sequence, owner.0, later(*now, *lease)]).await?;
    let row = transaction.one(&DETAILS, values![sequence]).await?;
    read_plan(&row).map(Some)
}

fn read_plan(row: &Row) -> Result<ClaimedPlan, StoreError> {
    Ok(ClaimedPlan {
        notification: read_notification_id(row, 0)?,
        app: AppId::new(row.int(1)?),
        handed_in: row.time(2)?,
        message: Composed::from_bytes(row.text(3)?.as_bytes())
            .map_err(|why| StoreError::Damaged(why.to_string()))?,
        audience: read_audience(row.text(4)?)?,
        schedule: read_json("a schedule", row.text(5)?)?,
        progress: read_json("a plan's progress", row.text(6)?)?,
        pace: read_pace(row, 7)?,
    })
}

pub(in crate::store) fn read_pace(row: &Row, column: usize) -> Result<Option<Pace>, StoreError> {
    let Some(per_second) = row.optional_int(column)? else { return Ok(None) };
    let pace = u32::try_from(per_second).ok().and_then(|per_second| Pace::new(per_second).ok());
    pace.map(Some).ok_or_else(|| StoreError::Damaged(format!("{per_second} is no pace")))
}

pub(in crate::store) fn read_notification_id(row: &Row, column: usize) -> Result<NotificationId, StoreError> {
    let bytes = row.blob(column)?.try_into();
    bytes
        .map(NotificationId::from_bytes)
        .map_err(|_| StoreError::damaged("a notification's ID", "it has not 16 bytes"))
}

/// What a step has planned.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) owner: Owner,
    pub(super) notification: NotificationId,
    pub(super) shards: Vec<NewShard>,
    pub(super) progress: Progress,
    pub(super) lease: Duration,
    pub(super) now: UnixTime,
}

/// Returns the lane as well: there is something to claim in it now; and what webhooks are told, if with it the notification is finished.
pub(super) async fn store_step(
    step: &Step,
    transaction: &mut Connection,
) -> Result<(StepStored, Option<Lane>, Told), StoreError> {
    let leased = transaction.first(&LEASED, values![step.notification, step.owner.0]).await?;
    let Some(row) = leased else { return Ok((StepStored::Lost, None, Told::default())) };
    let sequence = Sequence::new(row.int(0)?);
    let app = AppId::new(row.int(1)?);
    let lane = row.numbered(2, Lane::from_number)?;
    let campaign = row.optional_int(3)?.map(Sequence::new);
    let overtaking = row.optional_int(4)?.filter(|_| row.is_set(5).unwrap_or(false));

    let mut shards: BTreeMap<QueueKey, NewShards<'_>> = BTreeMap::new();
    let mut noted = Overtaking::default();
    for shard in &step.shards {
        let key = QueueKey { app, environment: shard.environment, lane, campaign };
        shards.entry(key).or_default().push((sequence, shard));
        if let Some(collapse) = overtaking {
            noted.add(sequence, collapse, shard)?;
        }
    }
    let recipients: u64 = step.shards.iter().map(|shard| u64::from(shard.recipients)).sum();
    let progress = &step.progress;
    let values =
        values![sequence, progress.planned, progress.left_out, recipients, progress.is_complete(), step.now];
    transaction.execute(&COUNT, values).await?;
    store_shards(&shards, transaction).await?;
    noted.store(transaction).await?;
    let mut told = Told::default();
    if progress.is_complete() {
        transaction.execute(&FINISH, values![sequence]).await?;
        told = tell_finished(app, sequence, step.now, transaction).await?;
    } else {
        let due_at = later(step.now, step.lease);
        transaction.execute(&GO_ON, values![sequence, write_json(progress), due_at]).await?;
    }
    Ok((StepStored::Stored, Some(lane), told))
}

static DUE: Statement =
    Statement::new("SELECT sequence FROM plan WHERE due_at <= $1 ORDER BY due_at LIMIT 1{skip locked}");
static LEASE: Statement = Statement::new("UPDATE plan SET owner = $2, due_at = $3 WHERE sequence = $1");
static DETAILS: Statement = Statement::new(
    "SELECT n.id, n.app_id, n.handed_in, m.message, m.audience, m.schedule, p.progress, c.pace
     FROM plan p
     JOIN notification n ON n.sequence = p.sequence
     JOIN message m ON m.sequence = p.sequence
     LEFT JOIN campaign c ON c.sequence = p.sequence
     WHERE p.sequence = $1",
);
static LEASED: Statement = Statement::new(
    "SELECT n.sequence, n.app_id, n.lane, (SELECT c.sequence FROM campaign c WHERE c.sequence = n.sequence),
        n.collapse, n.overtakes
     FROM notification n JOIN plan p ON p.sequence = n.sequence
     WHERE n.id = $1 AND p.owner = $2 AND n.cancelled_at IS NULL{lock}",
);
static COUNT: Statement = Statement::new(
    "UPDATE notification SET planned = $2, left_out = $3, unended = unended + $4, is_planned = $5,
        finished_at = CASE WHEN $5 = 1 AND unended + $4 = 0 THEN $6 ELSE finished_at END
     WHERE sequence = $1",
);
static GO_ON: Statement = Statement::new("UPDATE plan SET progress = $2, due_at = $3 WHERE sequence = $1");
static FINISH: Statement = Statement::new("DELETE FROM plan WHERE sequence = $1");
