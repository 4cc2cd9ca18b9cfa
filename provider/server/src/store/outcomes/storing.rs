//! A batch of outcomes in one transaction: a statement for each table, however many there are.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
};

use apns_provider_core::UnixTime;
use apns_provider_server_core::ids::NotificationId;

use super::{
    preparing::{Final, Prepared, Sums, Waits, rows_of_letters, rows_of_outcomes, rows_of_waits},
    telling::{Happened, tell},
};
use crate::store::{
    Owner, RemovedDevice, ShardKey, StoreError,
    devices::{remove_registrations, suspect},
    leased::LeasedShard,
    plans::read_notification_id,
    shards::unmark,
    sql::{Column, Connection, Statement, Table, values},
    webhooks::Told,
};

/// What is to be stored.
#[derive(Debug)]
pub(super) struct Storing {
    pub(super) owner: Owner,
    pub(super) now: UnixTime,
    pub(super) prepared: Prepared,
    /// Those that are in it: their recipients' tokens, if somebody is told.
    pub(super) shards: BTreeMap<ShardKey, LeasedShard>,
    /// Rows of device and registration number.
    pub(super) dead_tokens: Table,
    pub(super) suspects: Table,
    /// Whether some of the outcomes may be there already. Nearly never: it is found out when they are stored, and then looked at.
    pub(super) may_be_there: AtomicBool,
}

/// What was stored.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) outcomes: u64,
    pub(super) removed: Vec<RemovedDevice>,
    pub(super) finished: Vec<NotificationId>,
    pub(super) told: Told,
}

pub(super) async fn store(it: &Storing, transaction: &mut Connection) -> Result<Stored, StoreError> {
    let mut finals: Vec<&Final> = it.prepared.finals.iter().collect();
    if it.may_be_there.load(Ordering::Relaxed) {
        let there = there(&finals, transaction).await?;
        finals.retain(|it| !there.contains(&it.key()));
    }
    let outcomes = rows_of_outcomes(finals.iter().copied(), it.now);
    let added = transaction.execute_with(&ADD, values![], &outcomes).await?;
    if added != finals.len() as u64 {
        it.may_be_there.store(true, Ordering::Relaxed);
        return Err(StoreError::Conflict("an outcome was there already".into()));
    }
    let finished = count(&finals, it.now, transaction).await?;
    let letters = rows_of_letters(finals.iter().copied(), it.now);
    transaction.execute_with(&ADD_LETTERS, values![], &letters).await?;
    wait(it.owner, &it.prepared.waits, transaction).await?;
    let removed = remove_registrations(&it.dead_tokens, transaction).await?;
    let suspects = suspect(&it.suspects, it.now, transaction).await?;
    let happened = Happened { finals: &finals, removed: &removed, suspects: &suspects };
    let told = tell(it, happened, transaction).await?;
    Ok(Stored { outcomes: added, removed, finished, told })
}

/// Those that have an outcome.
async fn there(
    finals: &[&Final],
    transaction: &mut Connection,
) -> Result<BTreeSet<(i64, u32, u16)>, StoreError> {
    let mut input = Table::new(3);
    for (sequence, number, position) in finals.iter().map(|it| it.key()) {
        input.push([sequence.into(), number.into(), position.into()]);
    }
    let rows = transaction.rows_with(&THERE, values![], &input).await?;
    rows.iter().map(|row| Ok((row.int(0)?, row.number(1)?, row.number(2)?))).collect()
}

/// Counts what was stored: in notifications, shards, queues, minutes. Returns campaigns that are finished with it.
async fn count(
    finals: &[&Final],
    now: UnixTime,
    transaction: &mut Connection,
) -> Result<Vec<NotificationId>, StoreError> {
    let sums = Sums::of(finals.iter().copied());
    let shards = sums.shards();
    transaction.execute_with(&COUNT_NOTIFICATIONS, values![now], &sums.notifications()).await?;
    transaction.execute_with(&COUNT_SHARDS, values![], &shards).await?;
    transaction.execute_with(&COUNT_QUEUES, values![], &sums.queues()).await?;
    transaction.execute_with(&COUNT_RECENT, values![], &sums.recent(now)).await?;
    transaction.execute_with(&FORGET_WAITING, values![], &shards).await?;
    let mut sequences = Table::new(1);
    for sequence in sums.sequences() {
        sequences.push([sequence.into()]);
    }
    let rows = transaction.rows_with(&FINISHED, values![now], &sequences).await?;
    rows.iter().map(|row| read_notification_id(row, 0)).collect()
}

/// Who waits, of shards that are the owner's.
async fn wait(owner: Owner, waits: &[Waits], transaction: &mut Connection) -> Result<(), StoreError> {
    transaction.execute_with(&WAIT, values![owner.0], &rows_of_waits(waits)).await?;
    let keys: Vec<_> = waits.iter().map(Waits::key).collect();
    unmark(owner, &keys, transaction).await
}

static ADD: Statement = Statement::with_input(
    "INSERT INTO outcome (sequence, number, position, ending, status, is_maybe_twice, device_id, at, why, apns_unique_id)
     SELECT sequence, number, place, ending, status, is_maybe_twice, device_id, at, why, apns_unique_id FROM {input} WHERE true
     ON CONFLICT DO NOTHING",
    &[
        ("sequence", Column::Int),
        ("number", Column::Int),
        ("place", Column::Int),
        ("ending", Column::Int),
        ("status", Column::Int),
        ("is_maybe_twice", Column::Int),
        ("device_id", Column::Int),
        ("at", Column::Int),
        ("why", Column::Text),
        ("apns_unique_id", Column::Text),
    ],
);
static THERE: Statement = Statement::with_input(
    "SELECT o.sequence, o.number, o.position FROM {input} CROSS JOIN outcome o
     WHERE o.sequence = input.sequence AND o.number = input.number AND o.position = input.place",
    &[("sequence", Column::Int), ("number", Column::Int), ("place", Column::Int)],
);
static COUNT_NOTIFICATIONS: Statement = Statement::with_input(
    "UPDATE notification SET
        unended = notification.unended - input.ended,
        accepted = notification.accepted + input.accepted,
        rejected = notification.rejected + input.rejected,
        expired = notification.expired + input.expired,
        replaced = notification.replaced + input.replaced,
        cancelled = notification.cancelled + input.cancelled,
        undeliverable = notification.undeliverable + input.undeliverable,
        ambiguous = notification.ambiguous + input.ambiguous,
        skipped = notification.skipped + input.skipped,
        dead_letters = notification.dead_letters + input.dead_letters,
        finished_at = CASE WHEN notification.is_planned = 1 AND notification.unended = input.ended THEN $1 END
     FROM {input} WHERE notification.sequence = input.sequence",
    &[
        ("sequence", Column::Int),
        ("ended", Column::Int),
        ("accepted", Column::Int),
        ("rejected", Column::Int),
        ("expired", Column::Int),
        ("replaced", Column::Int),
        ("cancelled", Column::Int),
        ("undeliverable", Column::Int),
        ("ambiguous", Column::Int),
        ("skipped", Column::Int),
        ("dead_letters", Column::Int),
    ],
);
static COUNT_SHARDS: Statement = Statement::with_input(
    "UPDATE shard SET unended = shard.unended - input.ended,
        due_at = CASE WHEN shard.unended > input.ended THEN shard.due_at END
     FROM {input} WHERE shard.sequence = input.sequence AND shard.number = input.number",
    OF_SHARDS,
);
static COUNT_QUEUES: Statement = Statement::with_input(
    "UPDATE queue SET depth = queue.depth - input.ended FROM {input} WHERE queue.id = input.id",
    &[("id", Column::Int), ("ended", Column::Int)],
);
static COUNT_RECENT: Statement = Statement::with_input(
    "INSERT INTO recent (minute, app_id, ending, status, why, count)
     SELECT minute, app_id, ending, status, why, times FROM {input} WHERE true
     ON CONFLICT (minute, app_id, ending, status, why) DO UPDATE SET count = recent.count + excluded.count",
    &[
        ("minute", Column::Int),
        ("app_id", Column::Int),
        ("ending", Column::Int),
        ("status", Column::Int),
        ("why", Column::Text),
        ("times", Column::Int),
    ],
);
// Who waited and has an outcome now is not asked for any more: it is forgotten with its shard.
static FORGET_WAITING: Statement = Statement::with_input(
    "DELETE FROM waiting WHERE (sequence, number) IN (
        SELECT shard.sequence, shard.number FROM {input} CROSS JOIN shard
        WHERE shard.sequence = input.sequence AND shard.number = input.number AND shard.unended = 0)",
    OF_SHARDS,
);
static FINISHED: Statement = Statement::with_input(
    "SELECT n.id FROM {input} CROSS JOIN campaign c CROSS JOIN notification n
     WHERE c.sequence = input.sequence AND n.sequence = input.sequence AND n.finished_at = $1",
    &[("sequence", Column::Int)],
);
static ADD_LETTERS: Statement = Statement::with_input(
    "INSERT INTO dead_letter (app_id, sequence, number, position, environment, kind, token, device_id, status, why, at)
     SELECT app_id, sequence, number, place, environment, kind, token, device_id, status, why, at FROM {input} WHERE true
     ON CONFLICT DO NOTHING",
    &[
        ("app_id", Column::Int),
        ("sequence", Column::Int),
        ("number", Column::Int),
        ("place", Column::Int),
        ("environment", Column::Int),
        ("kind", Column::Int),
        ("token", Column::Blob),
        ("device_id", Column::Int),
        ("status", Column::Int),
        ("why", Column::Text),
        ("at", Column::Int),
    ],
);
static WAIT: Statement = Statement::with_input(
    "INSERT INTO waiting (sequence, number, position, attempts, due_at, is_maybe_twice, why)
     SELECT input.sequence, input.number, input.place, input.attempts, input.due_at, input.is_maybe_twice, input.why
     FROM {input} CROSS JOIN shard
     WHERE shard.sequence = input.sequence AND shard.number = input.number AND shard.owner = $1 AND shard.unended > 0
     ON CONFLICT (sequence, number, position) DO UPDATE SET
        attempts = excluded.attempts, due_at = excluded.due_at, is_maybe_twice = excluded.is_maybe_twice, why = excluded.why",
    &[
        ("sequence", Column::Int),
        ("number", Column::Int),
        ("place", Column::Int),
        ("attempts", Column::Int),
        ("due_at", Column::Int),
        ("is_maybe_twice", Column::Int),
        ("why", Column::Text),
    ],
);

const OF_SHARDS: &[(&str, Column)] =
    &[("sequence", Column::Int), ("number", Column::Int), ("ended", Column::Int)];
