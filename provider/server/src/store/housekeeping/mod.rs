//! What is done now and then: ending what was cancelled, and forgetting what is old.

mod forgetting;

use std::time::Duration;

use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    outcome::{Ending, FinalOutcome},
    shard::Positions,
};

use super::{
    Entry, Fate, Outcomes, Owner, ShardKey, Store, StoreError,
    plans::read_notification_id,
    settings::Weight,
    sql::{Row, Statement, values},
};

/// How long things are kept. Idempotency keys are not among them: how long those are kept is promised.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retention {
    /// Notifications after they are finished, with their outcomes and dead letters.
    pub notifications: Duration,
    /// Numbers by minute.
    pub recent: Duration,
    /// The audit log.
    pub audit: Duration,
}

/// What a step of housekeeping has done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Swept {
    /// Recipients that ended as cancelled.
    pub cancelled: u64,
    /// Rows that were forgotten.
    pub forgotten: u64,
    /// Whether there is more to do: ask again at once.
    pub is_more: bool,
}

impl Default for Retention {
    fn default() -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self { notifications: 7 * DAY, recent: 2 * DAY, audit: 365 * DAY }
    }
}

impl Store {
    /// A step of housekeeping, which takes a fraction of a second: ends recipients of cancelled notifications, and forgets what is old.
    pub async fn sweep(&self, retention: &Retention, now: UnixTime) -> Result<Swept, StoreError> {
        let mut swept = self.end_cancelled(now).await?;
        let retention = *retention;
        let forgotten = self
            .database()
            .write(Weight::Progress, (retention, now), |(retention, now), transaction| {
                Box::pin(forgetting::forget(retention, *now, transaction))
            })
            .await?;
        swept.forgotten = forgotten.rows;
        swept.is_more |= forgotten.is_more;
        Ok(swept)
    }

    /// Ends recipients of cancelled notifications that nobody works on.
    async fn end_cancelled(&self, now: UnixTime) -> Result<Swept, StoreError> {
        let rows = self.reader().await?.rows(&CANCELLED, values![now, SHARDS_AT_ONCE]).await?;
        let mut entries = Vec::new();
        for row in &rows {
            end(row, &mut entries)?;
        }
        let mut swept = Swept { is_more: rows.len() == SHARDS_AT_ONCE, ..Swept::default() };
        for entries in entries.chunks(OUTCOMES_AT_ONCE) {
            let outcomes = Outcomes { owner: NOBODY, entries, dead_tokens: &[], suspects: &[], now };
            swept.cancelled += self.record(outcomes).await?.stored;
        }
        Ok(swept)
    }
}

/// Each recipient of a shard that has no outcome is cancelled.
fn end(row: &Row, entries: &mut Vec<Entry>) -> Result<(), StoreError> {
    let shard = ShardKey { notification: read_notification_id(row, 0)?, number: row.number(1)? };
    let count: u16 = row.number(2)?;
    let done = row.optional_text(3)?.unwrap_or_default();
    let done: Positions = done.split(',').filter_map(|position| position.parse().ok()).collect();
    let open = (0..count).filter(|position| !done.contains(*position));
    let outcome = FinalOutcome::unanswered(Ending::Cancelled, None);
    entries.extend(open.map(|position| Entry { shard, position, fate: Fate::Final(outcome.clone()) }));
    Ok(())
}

/// Has no leases, so that no lease is its.
const NOBODY: Owner = Owner(0);
/// Shards of cancelled notifications that are ended at once.
const SHARDS_AT_ONCE: usize = 10;
/// Outcomes of one transaction: a worker's batch is not kept waiting for long.
const OUTCOMES_AT_ONCE: usize = 2000;

static CANCELLED: Statement = Statement::new(
    "SELECT n.id, s.number, s.recipients,
        (SELECT string_agg(CAST(o.position AS TEXT), ',') FROM outcome o
         WHERE o.sequence = s.sequence AND o.number = s.number)
     FROM notification n CROSS JOIN shard s
     WHERE n.cancelled_at IS NOT NULL AND n.finished_at IS NULL AND s.sequence = n.sequence
       AND s.unended > 0 AND (s.owner IS NULL OR s.due_at IS NULL OR s.due_at <= $1)
     LIMIT $2",
);
