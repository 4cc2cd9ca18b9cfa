//! What is to be known of shards that were leased.

use std::{collections::BTreeMap, sync::Arc};

use apns_provider_core::{BundleId, UnixTime};
use apns_provider_server_core::{
    ids::{AppId, RegistrationNumber},
    json,
    limits::{AppSettings, Rates},
    message::Composed,
    shard::{Positions, Shard},
};
use bytes::Bytes;

use super::{ClaimRequest, ClaimedShard, CurrentDevice, charging::Charge, claiming::LeasedRow};
use crate::store::{
    ShardKey, StoreError, Waiting,
    collapsing::target,
    sql::{Column, Connection, Row, Statement, Table, values},
};

/// Reads them. One that cannot be read is left out, and stays leased: it must not keep the others from being sent. Returns as well what
/// is to be charged to devices.
pub(super) async fn read(
    rows: Vec<LeasedRow>,
    request: &ClaimRequest,
    reader: &mut Connection,
) -> Result<(Vec<ClaimedShard>, Vec<Charge>), StoreError> {
    let keys = keys_of(&rows);
    let mut recipients = recipients(&keys, reader).await?;
    let messages = messages(&rows, reader).await?;
    let apps = apps(&rows, reader).await?;
    let mut done = done(&rows, reader).await?;
    let mut waiting = waiting(&keys, reader).await?;

    let mut claimed = Vec::with_capacity(rows.len());
    let mut kept = Vec::with_capacity(rows.len());
    for row in rows {
        let at = (row.sequence, row.number);
        let key = ShardKey { notification: row.notification, number: row.number };
        let parts = (|| {
            let bytes = recipients.remove(&at).ok_or_else(|| damaged(key, "it has no recipients"))?;
            let recipients = Shard::read(bytes).map_err(|why| damaged(key, why))?;
            let message = messages.get(&row.sequence).cloned();
            let message = message.ok_or_else(|| damaged(key, "its message cannot be read"))?;
            let app = apps.get(&row.source.app);
            let bundle_id = app.map(|(bundle_id, _)| bundle_id.clone());
            let bundle_id = bundle_id.ok_or_else(|| damaged(key, "its app is not there"))?;
            let started = Positions::from_bytes(row.started.as_deref().unwrap_or_default());
            Ok((recipients, message, bundle_id, started.map_err(|why| damaged(key, why))?))
        })();
        let (recipients, message, bundle_id, started) = match parts {
            Ok(parts) => parts,
            Err(error) => {
                let error: StoreError = error;
                tracing::error!(%error, "a shard is left out");
                continue;
            }
        };
        claimed.push(ClaimedShard {
            key,
            source: row.source,
            bundle_id,
            lane: request.lane,
            recipients,
            message,
            deadline: row.deadline,
            delivery: row.delivery,
            is_for_users: row.is_for_users,
            rounds: row.rounds,
            done: done.remove(&at).unwrap_or(Positions::NONE),
            started,
            waiting: waiting.remove(&at).unwrap_or_default(),
            replaced: Positions::NONE,
            changed: Vec::new(),
            waits: Vec::new(),
        });
        kept.push(row);
    }
    replaced(&kept, &mut claimed, request.now, reader).await?;
    changed(&mut claimed, reader).await?;
    let rates = |app: AppId| apps.get(&app).map(|(_, rates)| *rates).unwrap_or_default();
    let charges = kept.iter().zip(&claimed).enumerate();
    let charges = charges.filter_map(|(at, (row, shard))| {
        Charge::of(at, row.sequence, shard, &rates(shard.source.app), request.now)
    });
    let charges = charges.collect();
    Ok((claimed, charges))
}

fn damaged(key: ShardKey, why: impl std::fmt::Display) -> StoreError {
    StoreError::damaged(format_args!("shard {key}"), why)
}

fn keys_of(rows: &[LeasedRow]) -> Table {
    let mut keys = Table::new(2);
    for row in rows {
        keys.push([row.sequence.into(), row.number.into()]);
    }
    keys
}

async fn recipients(
    keys: &Table,
    reader: &mut Connection,
) -> Result<BTreeMap<(i64, u32), Bytes>, StoreError> {
    let rows = reader.rows_with(&RECIPIENTS, values![], keys).await?;
    rows.iter().map(|row| Ok(((row.int(0)?, row.number(1)?), row.blob(2)?.to_vec().into()))).collect()
}

async fn messages(
    rows: &[LeasedRow],
    reader: &mut Connection,
) -> Result<BTreeMap<i64, Arc<Composed>>, StoreError> {
    let mut input = Table::new(1);
    let mut last = None;
    for row in rows {
        // Shards of one notification stand together, as a rule; if not, its message is read twice.
        if last.replace(row.sequence) != Some(row.sequence) {
            input.push([row.sequence.into()]);
        }
    }
    let mut messages = BTreeMap::new();
    for row in reader.rows_with(&MESSAGES, values![], &input).await? {
        match Composed::from_bytes(row.text(1)?.as_bytes()) {
            Ok(message) => {
                messages.insert(row.int(0)?, Arc::new(message));
            }
            Err(error) => tracing::error!(%error, "a message cannot be read"),
        }
    }
    Ok(messages)
}

async fn apps(
    rows: &[LeasedRow],
    reader: &mut Connection,
) -> Result<BTreeMap<AppId, (BundleId, Rates)>, StoreError> {
    let mut apps: Vec<AppId> = rows.iter().map(|row| row.source.app).collect();
    apps.sort_unstable();
    apps.dedup();
    let mut input = Table::new(1);
    for app in apps {
        input.push([app.into()]);
    }
    let rows = reader.rows_with(&APPS, values![], &input).await?;
    let read = |row: &Row| {
        let rates = row.parsed(2, |text| json::read::<AppSettings>(text.as_bytes())?.check());
        // One app's settings must not keep the others' pushes from being sent.
        let rates = match rates {
            Ok(limits) => limits.rates,
            Err(error) => {
                tracing::error!(%error, "an app's limits are not kept");
                Rates::default()
            }
        };
        Ok((AppId::new(row.int(0)?), (row.parsed(1, BundleId::parse)?, rates)))
    };
    rows.iter().map(read).collect()
}

/// Of shards that are not new: positions that have an outcome.
async fn done(
    rows: &[LeasedRow],
    reader: &mut Connection,
) -> Result<BTreeMap<(i64, u32), Positions>, StoreError> {
    let mut input = Table::new(2);
    for row in rows.iter().filter(|row| row.unended < row.recipients) {
        input.push([row.sequence.into(), row.number.into()]);
    }
    let rows = reader.rows_with(&DONE, values![], &input).await?;
    let read = |row: &Row| {
        let positions = row.optional_text(2)?.unwrap_or_default();
        let positions = positions.split(',').filter_map(|position| position.parse().ok()).collect();
        Ok(((row.int(0)?, row.number(1)?), positions))
    };
    rows.iter().map(read).collect()
}

async fn waiting(
    keys: &Table,
    reader: &mut Connection,
) -> Result<BTreeMap<(i64, u32), Vec<Waiting>>, StoreError> {
    let mut waiting: BTreeMap<_, Vec<Waiting>> = BTreeMap::new();
    for row in reader.rows_with(&WAITING, values![], keys).await? {
        waiting.entry((row.int(0)?, row.number(1)?)).or_default().push(Waiting {
            position: row.number(2)?,
            attempts: row.number(3)?,
            until: row.time(4)?,
            maybe_twice: row.is_set(5)?,
        });
    }
    Ok(waiting)
}

/// Recipients for whom a later notification with the same collapse ID has started, and was not cancelled.
async fn replaced(
    rows: &[LeasedRow],
    claimed: &mut [ClaimedShard],
    now: UnixTime,
    reader: &mut Connection,
) -> Result<(), StoreError> {
    let mut input = Table::new(6);
    for (at, (row, shard)) in rows.iter().zip(claimed.iter()).enumerate() {
        let Some(collapse) = row.overtaken else { continue };
        for (position, recipient) in (0_u16..).zip(shard.recipients.recipients()) {
            input.push([
                at.into(),
                position.into(),
                collapse.into(),
                target(&recipient).into(),
                row.sequence.into(),
                row.not_before.into(),
            ]);
        }
    }
    for row in reader.rows_with(&REPLACED, values![now], &input).await? {
        if let Some(shard) = claimed.get_mut(row.number::<usize>(0)?) {
            shard.replaced.insert(row.number(1)?);
        }
    }
    Ok(())
}

/// Recipients whose device is not as it was when they were planned. Nearly none is: only those are returned.
async fn changed(claimed: &mut [ClaimedShard], reader: &mut Connection) -> Result<(), StoreError> {
    let mut input = Table::new(4);
    for (at, shard) in claimed.iter().enumerate() {
        for (position, recipient) in (0_u16..).zip(shard.recipients.recipients()) {
            let Some(device) = recipient.device else { continue };
            input.push([at.into(), position.into(), device.into(), recipient.number.into()]);
        }
    }
    for row in reader.rows_with(&CHANGED, values![], &input).await? {
        let device = match row.optional_blob(2)? {
            None => None,
            Some(token) => Some(CurrentDevice {
                token: token.to_vec(),
                user_since: RegistrationNumber::new(row.int(3)?),
            }),
        };
        if let Some(shard) = claimed.get_mut(row.number::<usize>(0)?) {
            shard.changed.push((row.number(1)?, device));
        }
    }
    Ok(())
}

const KEYS: &[(&str, Column)] = &[("sequence", Column::Int), ("number", Column::Int)];

static RECIPIENTS: Statement = Statement::with_input(
    "SELECT r.sequence, r.number, r.bytes FROM {input} CROSS JOIN recipients r
     WHERE r.sequence = input.sequence AND r.number = input.number",
    KEYS,
);
static MESSAGES: Statement = Statement::with_input(
    "SELECT m.sequence, m.message FROM {input} CROSS JOIN message m WHERE m.sequence = input.sequence",
    &[("sequence", Column::Int)],
);
static APPS: Statement = Statement::with_input(
    "SELECT app.id, app.bundle_id, app.settings FROM {input} CROSS JOIN app WHERE app.id = input.id",
    &[("id", Column::Int)],
);
static DONE: Statement = Statement::with_input(
    "SELECT input.sequence, input.number,
        (SELECT string_agg(CAST(o.position AS TEXT), ',') FROM outcome o
         WHERE o.sequence = input.sequence AND o.number = input.number)
     FROM {input}",
    KEYS,
);
static WAITING: Statement = Statement::with_input(
    "SELECT w.sequence, w.number, w.position, w.attempts, w.due_at, w.is_maybe_twice FROM {input} CROSS JOIN waiting w
     WHERE w.sequence = input.sequence AND w.number = input.number",
    KEYS,
);
static REPLACED: Statement = Statement::with_input(
    "SELECT input.at, input.place FROM {input} CROSS JOIN collapse c CROSS JOIN notification newer
     WHERE c.collapse = input.collapse AND c.target = input.target AND c.sequence > input.sequence
       AND c.starts_at >= input.not_before AND c.starts_at <= $1
       AND newer.sequence = c.sequence AND newer.cancelled_at IS NULL",
    &[
        ("at", Column::Int),
        ("place", Column::Int),
        ("collapse", Column::Int),
        ("target", Column::Int),
        ("sequence", Column::Int),
        ("not_before", Column::Int),
    ],
);
static CHANGED: Statement = Statement::with_input(
    "SELECT input.at, input.place, d.token, d.user_since FROM {input} LEFT JOIN device d ON d.id = input.device
     WHERE d.id IS NULL OR d.number <> input.number",
    &[
        ("at", Column::Int),
        ("place", Column::Int),
        ("device", Column::Int),
        ("number", Column::Int),
    ],
);
