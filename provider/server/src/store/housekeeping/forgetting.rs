//! Forgetting what is old, in bounded steps.

use apns_provider_core::UnixTime;
use apns_provider_server_core::idempotency::KEPT_FOR;

use super::Retention;
use crate::store::{
    StoreError,
    outcomes::MINUTE_MS,
    sql::{Column, Connection, Statement, Table, values},
    times::earlier,
};

/// What a step has forgotten.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Forgotten {
    pub(super) rows: u64,
    pub(super) is_more: bool,
}

pub(super) async fn forget(
    retention: &Retention,
    now: UnixTime,
    transaction: &mut Connection,
) -> Result<Forgotten, StoreError> {
    let mut forgotten = Forgotten::default();
    let finished_before = earlier(now, retention.notifications);
    forget_shards(finished_before, &mut forgotten, transaction).await?;
    forget_collapse(finished_before, &mut forgotten, transaction).await?;
    forget_notifications(finished_before, &mut forgotten, transaction).await?;

    let used_before = earlier(now, KEPT_FOR);
    let keys = transaction.execute(&FORGET_KEYS, values![used_before, ROWS_AT_ONCE]).await?;
    let minute = earlier(now, retention.recent).as_millis() / MINUTE_MS;
    let minutes = transaction.execute(&FORGET_RECENT, values![minute, MINUTES_AT_ONCE]).await?;
    let audit =
        transaction.execute(&FORGET_AUDIT, values![earlier(now, retention.audit), ROWS_AT_ONCE]).await?;
    let allowances = transaction.execute(&FORGET_ALLOWANCES, values![now, ROWS_AT_ONCE]).await?;
    for (rows, most) in
        [(keys, ROWS_AT_ONCE), (allowances, ROWS_AT_ONCE), (minutes, MINUTES_AT_ONCE), (audit, ROWS_AT_ONCE)]
    {
        forgotten.count(rows, most);
    }
    Ok(forgotten)
}

impl Forgotten {
    /// So many rows at once; where it was the most that is done at once, there may be more.
    fn count(&mut self, rows: u64, most: usize) {
        self.rows += rows;
        self.is_more |= rows >= most as u64;
    }
}

/// Shards of finished notifications, with all that is of them.
async fn forget_shards(
    finished_before: UnixTime,
    forgotten: &mut Forgotten,
    transaction: &mut Connection,
) -> Result<(), StoreError> {
    let rows = transaction.rows(&OLD_SHARDS, values![finished_before, SHARDS_AT_ONCE]).await?;
    let mut shards = Table::new(2);
    let mut recipients = 0;
    for row in &rows {
        if recipients >= ROWS_AT_ONCE {
            break;
        }
        recipients += row.number::<usize>(2)?;
        shards.push([row.int(0)?.into(), row.int(1)?.into()]);
    }
    for statement in [&FORGET_OUTCOMES, &FORGET_WAITING, &FORGET_LETTERS, &FORGET_RECIPIENTS, &FORGET_SHARDS]
    {
        forgotten.rows += transaction.execute_with(statement, values![], &shards).await?;
    }
    forgotten.is_more |= shards.len() < rows.len() || rows.len() == SHARDS_AT_ONCE;
    Ok(())
}

/// Whom finished notifications were for that overtook others.
async fn forget_collapse(
    finished_before: UnixTime,
    forgotten: &mut Forgotten,
    transaction: &mut Connection,
) -> Result<(), StoreError> {
    for row in transaction.rows(&OLD_OVERTAKING, values![finished_before]).await? {
        let (sequence, collapse) = (row.int(0)?, row.int(1)?);
        let rows = transaction.execute(&FORGET_COLLAPSE, values![collapse, sequence, ROWS_AT_ONCE]).await?;
        forgotten.count(rows, ROWS_AT_ONCE);
        if rows < ROWS_AT_ONCE as u64 {
            transaction.execute(&NO_MORE_COLLAPSE, values![sequence]).await?;
        }
    }
    Ok(())
}

/// Finished notifications of which nothing else is left.
async fn forget_notifications(
    finished_before: UnixTime,
    forgotten: &mut Forgotten,
    transaction: &mut Connection,
) -> Result<(), StoreError> {
    let rows = transaction.rows(&EMPTY, values![finished_before, SHARDS_AT_ONCE]).await?;
    let mut notifications = Table::new(1);
    for row in &rows {
        notifications.push([row.int(0)?.into()]);
    }
    for statement in [&FORGET_MESSAGES, &FORGET_QUEUES, &FORGET_CAMPAIGNS, &FORGET_NOTIFICATIONS] {
        forgotten.rows += transaction.execute_with(statement, values![], &notifications).await?;
    }
    forgotten.is_more |= rows.len() == SHARDS_AT_ONCE;
    Ok(())
}

/// Shards looked at in a step, and notifications.
const SHARDS_AT_ONCE: usize = 500;
/// Rows of one table that are deleted at once, about: a few hundredths of a second.
const ROWS_AT_ONCE: usize = 5000;

/// Minutes of which the numbers are deleted at once.
const MINUTES_AT_ONCE: usize = 60;

const SHARDS: &[(&str, Column)] = &[("sequence", Column::Int), ("number", Column::Int)];
const SEQUENCES: &[(&str, Column)] = &[("sequence", Column::Int)];

static OLD_SHARDS: Statement = Statement::new(
    "SELECT s.sequence, s.number, s.recipients FROM notification n JOIN shard s ON s.sequence = n.sequence
     WHERE n.finished_at <= $1 ORDER BY n.finished_at LIMIT $2",
);
static FORGET_OUTCOMES: Statement = Statement::with_input(
    "DELETE FROM outcome WHERE (sequence, number) IN (SELECT sequence, number FROM {input})",
    SHARDS,
);
static FORGET_WAITING: Statement = Statement::with_input(
    "DELETE FROM waiting WHERE (sequence, number) IN (SELECT sequence, number FROM {input})",
    SHARDS,
);
static FORGET_LETTERS: Statement = Statement::with_input(
    "DELETE FROM dead_letter WHERE (app_id, sequence, number) IN (
        SELECT n.app_id, input.sequence, input.number FROM {input} CROSS JOIN notification n
        WHERE n.sequence = input.sequence)",
    SHARDS,
);
static FORGET_RECIPIENTS: Statement = Statement::with_input(
    "DELETE FROM recipients WHERE (sequence, number) IN (SELECT sequence, number FROM {input})",
    SHARDS,
);
static FORGET_SHARDS: Statement = Statement::with_input(
    "DELETE FROM shard WHERE (sequence, number) IN (SELECT sequence, number FROM {input})",
    SHARDS,
);
static OLD_OVERTAKING: Statement = Statement::new(
    "SELECT sequence, collapse FROM notification
     WHERE finished_at <= $1 AND overtakes = 1 AND collapse IS NOT NULL ORDER BY finished_at LIMIT 10",
);
static FORGET_COLLAPSE: Statement = Statement::new(
    "DELETE FROM collapse WHERE (collapse, target) IN (
        SELECT collapse, target FROM collapse WHERE collapse = $1 AND sequence = $2 LIMIT $3)",
);
static NO_MORE_COLLAPSE: Statement =
    Statement::new("UPDATE notification SET overtakes = 0 WHERE sequence = $1");
static EMPTY: Statement = Statement::new(
    "SELECT n.sequence FROM notification n
     WHERE n.finished_at <= $1 AND n.overtakes = 0
       AND NOT EXISTS (SELECT 1 FROM shard s WHERE s.sequence = n.sequence)
     ORDER BY n.finished_at LIMIT $2",
);
static FORGET_MESSAGES: Statement =
    Statement::with_input("DELETE FROM message WHERE sequence IN (SELECT sequence FROM {input})", SEQUENCES);
static FORGET_QUEUES: Statement = Statement::with_input(
    "DELETE FROM queue WHERE id IN (
        SELECT q.id FROM {input} CROSS JOIN notification n CROSS JOIN queue q
        WHERE n.sequence = input.sequence AND q.campaign = n.sequence)",
    SEQUENCES,
);
static FORGET_CAMPAIGNS: Statement =
    Statement::with_input("DELETE FROM campaign WHERE sequence IN (SELECT sequence FROM {input})", SEQUENCES);
static FORGET_NOTIFICATIONS: Statement = Statement::with_input(
    "DELETE FROM notification WHERE sequence IN (SELECT sequence FROM {input})",
    SEQUENCES,
);
static FORGET_RECENT: Statement = Statement::new(
    "DELETE FROM recent WHERE minute IN (
        SELECT DISTINCT minute FROM recent WHERE minute < $1 ORDER BY minute LIMIT $2)",
);
// The first ones are the oldest: the others are not looked at.
static FORGET_KEYS: Statement = Statement::new(
    "DELETE FROM idempotency WHERE id IN (
        SELECT id FROM (SELECT id, at FROM idempotency ORDER BY id LIMIT $2) AS oldest WHERE at <= $1)",
);
// Whoever may have all again needs no row. One that is being charged is left alone.
static FORGET_ALLOWANCES: Statement = Statement::new(
    "DELETE FROM allowance WHERE paid_until <= $1 AND (limited, app_id, target) IN (
        SELECT limited, app_id, target FROM allowance WHERE paid_until <= $1 LIMIT $2{skip locked})",
);
static FORGET_AUDIT: Statement = Statement::new(
    "DELETE FROM audit WHERE id IN (
        SELECT id FROM (SELECT id, at FROM audit ORDER BY id LIMIT $2) AS oldest WHERE at <= $1)",
);
