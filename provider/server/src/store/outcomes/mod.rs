//! What became of recipients.

mod preparing;
mod storing;
mod telling;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicBool},
};

use apns_provider_core::{DeviceToken, UnixTime};
use apns_provider_server_core::{
    ids::{AppId, DeviceId, NotificationId},
    outcome::{Ending, FinalOutcome, Why},
};

use super::{
    Entry, Owner, RemovedDevice, ShardKey, Store, StoreError, TokenFinding,
    leased::LeasedShard,
    page::at_most,
    plans::read_notification_id,
    settings::Weight,
    sql::{Column, Row, Statement, Table, Value, values},
};
pub(super) use preparing::MINUTE_MS;
use preparing::Prepared;
use storing::{Stored, Storing};

/// What has become of recipients, and of their tokens: a worker's batch.
#[derive(Clone, Copy, Debug)]
pub struct Outcomes<'a> {
    /// Whose batch it is.
    pub owner: Owner,
    /// What has become of recipients: each is in it once.
    pub entries: &'a [Entry],
    /// Devices to remove, each if its registration still is the one named.
    pub dead_tokens: &'a [TokenFinding],
    /// Devices whose token may be of the other environment: noted with them.
    pub suspects: &'a [TokenFinding],
    /// Now.
    pub now: UnixTime,
}

/// What was stored of a batch.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Recorded {
    /// Outcomes that were stored. The others were there before, or are of shards that are not there any more.
    pub stored: u64,
    /// Devices that were removed.
    pub removed: Vec<RemovedDevice>,
    /// Campaigns that have an outcome for each recipient with this.
    pub finished: Vec<NotificationId>,
}

/// The outcome of one recipient.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecordedOutcome {
    /// Of which shard.
    pub shard: ShardKey,
    /// Which recipient of it.
    pub position: u16,
    /// Its device, if it was one.
    pub device: Option<DeviceId>,
    /// Its token when it was planned.
    pub token: DeviceToken,
    /// What became of it.
    pub outcome: FinalOutcome,
    /// When.
    pub at: UnixTime,
}

impl Store {
    /// Stores a batch in one transaction: outcomes, unless there is one already; who waits, while the shard is the owner's; counters; dead
    /// letters; dead tokens; what webhooks are told of it. A shard whose recipients all have an outcome is closed. It may be handed over again: nothing counts twice.
    pub async fn record(&self, outcomes: Outcomes<'_>) -> Result<Recorded, StoreError> {
        let keys = outcomes.entries.iter().map(|entry| entry.shard);
        let shards = self.inner.leased.find(keys, async || self.reader().await).await?;
        let storing = Arc::new(Storing {
            owner: outcomes.owner,
            now: outcomes.now,
            prepared: Prepared::new(&outcomes, &shards),
            shards,
            dead_tokens: registrations(outcomes.dead_tokens),
            suspects: registrations(outcomes.suspects),
            may_be_there: AtomicBool::new(false),
        });
        let mut tries = 0;
        let Stored { outcomes: stored, removed, finished, told } = loop {
            tries += 1;
            let stored = self
                .database()
                .write(Weight::Progress, Arc::clone(&storing), |it, transaction| {
                    Box::pin(storing::store(it, transaction))
                })
                .await;
            match stored {
                Err(StoreError::Conflict(_)) if tries < TRIES_MAX => {}
                stored => break stored?,
            }
        };
        self.after_telling(told).await;
        Ok(Recorded { stored, removed, finished })
    }

    /// Outcomes of an app's notification, in the order of shards and positions, behind this one.
    pub async fn outcomes(
        &self,
        app: AppId,
        notification: NotificationId,
        after: Option<(u32, u16)>,
        limit: usize,
    ) -> Result<Vec<RecordedOutcome>, StoreError> {
        let (number, position) =
            after.map_or((-1, -1), |(number, position)| (i64::from(number), i64::from(position)));
        let values = values![app, notification, number, position, at_most(limit)];
        self.read_outcomes(&OF_NOTIFICATION, values).await
    }

    /// The latest outcomes of an app's device from `since` to `until`, the latest first; at most a page.
    pub async fn outcomes_of_device(
        &self,
        app: AppId,
        device: DeviceId,
        since: UnixTime,
        until: UnixTime,
        limit: usize,
    ) -> Result<Vec<RecordedOutcome>, StoreError> {
        // One hour after the other, the latest first, as the index has them.
        let hour = |time: UnixTime| time.as_millis() / HOUR_MS;
        let hours = hour(since)..=hour(until);
        let mut input = Table::new(1);
        for hour in hours.rev().take(HOURS_MAX) {
            input.push([hour.into()]);
        }
        let values = values![app, device, since, until, at_most(limit)];
        let mut reader = self.reader().await?;
        let rows = reader.rows_with(&OF_DEVICE, values, &input).await?;
        drop(reader);
        self.with_tokens(&rows).await
    }

    async fn read_outcomes(
        &self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<RecordedOutcome>, StoreError> {
        let rows = self.reader().await?.rows(statement, values).await?;
        self.with_tokens(&rows).await
    }

    /// Outcomes with their tokens, which are in the shards.
    async fn with_tokens(&self, rows: &[Row]) -> Result<Vec<RecordedOutcome>, StoreError> {
        let keys: BTreeSet<ShardKey> = rows.iter().map(read_key).collect::<Result<_, _>>()?;
        let shards = self.inner.leased.find(keys.into_iter(), async || self.reader().await).await?;
        rows.iter().map(|row| read(row, &shards)).collect()
    }
}

fn registrations(findings: &[TokenFinding]) -> Table {
    let mut table = Table::new(2);
    for TokenFinding { device, number, .. } in findings {
        table.push([(*device).into(), (*number).into()]);
    }
    table
}

fn read_key(row: &Row) -> Result<ShardKey, StoreError> {
    Ok(ShardKey { notification: read_notification_id(row, 0)?, number: row.number(1)? })
}

fn read(row: &Row, shards: &BTreeMap<ShardKey, LeasedShard>) -> Result<RecordedOutcome, StoreError> {
    let shard = read_key(row)?;
    let position = row.number(2)?;
    let recipient = shards.get(&shard).and_then(|shard| shard.recipients.recipient(position));
    let recipient =
        recipient.ok_or_else(|| StoreError::Damaged(format!("shard {shard} has no recipient {position}")))?;
    Ok(RecordedOutcome {
        shard,
        position,
        device: recipient.device,
        token: recipient.device_token(),
        outcome: FinalOutcome {
            ending: row.numbered(3, Ending::from_number)?,
            status: row.number(4)?,
            maybe_twice: row.is_set(5)?,
            why: row.optional_text(6)?.map(Why::parse),
            apns_unique_id: row.optional_text(7)?.map(Into::into),
        },
        at: row.time(8)?,
    })
}

/// The first time finds out whether some are there already; then only others can come in between.
const TRIES_MAX: u32 = 4;
const HOUR_MS: u64 = 3_600_000;
/// Hours that are looked through for a device: a month and a bit.
const HOURS_MAX: usize = 32 * 24;

static OF_NOTIFICATION: Statement = Statement::new(
    "SELECT n.id, o.number, o.position, o.ending, o.status, o.is_maybe_twice, o.why, o.apns_unique_id, o.at
     FROM notification n JOIN outcome o ON o.sequence = n.sequence
     WHERE n.app_id = $1 AND n.id = $2 AND (o.number, o.position) > ($3, $4) ORDER BY o.number, o.position LIMIT $5",
);
static OF_DEVICE: Statement = Statement::with_input(
    "SELECT n.id, o.number, o.position, o.ending, o.status, o.is_maybe_twice, o.why, o.apns_unique_id, o.at
     FROM {input} CROSS JOIN outcome o CROSS JOIN notification n
     WHERE (o.at / 3600000) = input.hour AND o.device_id = $2 AND o.at >= $3 AND o.at <= $4
       AND n.sequence = o.sequence AND n.app_id = $1
     ORDER BY o.at DESC, o.sequence DESC, o.number DESC, o.position DESC LIMIT $5",
    &[("hour", Column::Int)],
);
