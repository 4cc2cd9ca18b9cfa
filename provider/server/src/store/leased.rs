//! What this process has claimed: where its rows are, and to whom its pushes go, so that nothing of it is looked up for each outcome.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use apns_provider_core::UnixTime;
use apns_provider_server_core::{ids::AppId, shard::Shard};

use super::{
    ShardKey, Source, StoreError,
    plans::read_notification_id,
    sql::{Column, Connection, Row, Statement, Table, values},
    times::later,
};

/// A shard's rows.
#[derive(Clone, Debug)]
pub(super) struct LeasedShard {
    pub(super) sequence: i64,
    pub(super) queue: i64,
    pub(super) source: Source,
    pub(super) recipients: Shard,
}

/// What this process has claimed.
#[derive(Debug, Default)]
pub(super) struct Leased {
    shards: Mutex<BTreeMap<ShardKey, (UnixTime, LeasedShard)>>,
}

impl Leased {
    /// Keeps a shard that was leased until then; what is long over is forgotten.
    pub(super) fn keep(
        &self,
        shards: impl Iterator<Item = (ShardKey, LeasedShard)>,
        until: UnixTime,
        now: UnixTime,
    ) {
        let mut kept = self.lock();
        kept.retain(|_, (until, _)| later(*until, KEPT_AFTER) > now);
        kept.extend(shards.map(|(key, shard)| (key, (until, shard))));
    }

    pub(super) fn renew(&self, keys: &[ShardKey], until: UnixTime) {
        let mut kept = self.lock();
        for key in keys {
            if let Some((end, _)) = kept.get_mut(key) {
                *end = until;
            }
        }
    }

    pub(super) fn forget<'a>(&self, keys: impl Iterator<Item = &'a ShardKey>) {
        let mut kept = self.lock();
        for key in keys {
            kept.remove(key);
        }
    }

    /// Finds shards: what is not kept is looked up. Those that are not there any more are missing.
    pub(super) async fn find(
        &self,
        keys: impl Iterator<Item = ShardKey>,
        reader: impl AsyncFnOnce() -> Result<Connection, StoreError>,
    ) -> Result<BTreeMap<ShardKey, LeasedShard>, StoreError> {
        let mut found = BTreeMap::new();
        let mut missing = Table::new(2);
        {
            let kept = self.lock();
            let mut last = None;
            for key in keys {
                // Outcomes of one shard stand together, as a rule.
                if last == Some(key) || found.contains_key(&key) {
                    continue;
                }
                last = Some(key);
                match kept.get(&key) {
                    Some((_, shard)) => {
                        found.insert(key, shard.clone());
                    }
                    None => missing.push([key.notification.into(), key.number.into()]),
                }
            }
        }
        if !missing.is_empty() {
            for row in reader().await?.rows_with(&FIND, values![], &missing).await? {
                let (key, shard) = read(&row)?;
                found.insert(key, shard);
            }
        }
        Ok(found)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ShardKey, (UnixTime, LeasedShard)>> {
        self.shards.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(row: &Row) -> Result<(ShardKey, LeasedShard), StoreError> {
    let key = ShardKey { notification: read_notification_id(row, 0)?, number: row.number(1)? };
    let source = Source {
        app: AppId::new(row.int(4)?),
        environment: row.numbered(5, apns_provider_server_core::device::Environment::from_number)?,
    };
    let recipients =
        Shard::read(row.blob(6)?.to_vec().into()).map_err(|why| StoreError::damaged("a shard", why))?;
    Ok((key, LeasedShard { sequence: row.int(2)?, queue: row.int(3)?, source, recipients }))
}

/// The engine may still say something of a push whose lease was lost.
const KEPT_AFTER: Duration = Duration::from_hours(1);

static FIND: Statement = Statement::with_input(
    "SELECT n.id, s.number, n.sequence, s.queue_id, n.app_id, q.environment, r.bytes
     FROM {input} CROSS JOIN notification n CROSS JOIN shard s CROSS JOIN queue q CROSS JOIN recipients r
     WHERE n.id = input.id AND s.sequence = n.sequence AND s.number = input.number AND q.id = s.queue_id
       AND r.sequence = s.sequence AND r.number = s.number",
    &[("id", Column::Blob), ("number", Column::Int)],
);
