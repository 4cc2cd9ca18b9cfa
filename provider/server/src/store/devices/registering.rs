//! Registering: what is there is read, the core decides, and its changes are made, in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use apns_provider_core::UnixTime;
use apns_provider_server_core::{
    device::{Change, Device, DeviceRecord, Registering, Registration},
    ids::{AppId, AppVersion, DeviceId, RegistrationNumber, Tag},
    schedule::TimeZoneName,
};
use sha2::{Digest as _, Sha256};

use super::{
    RegisteredDevice,
    rows::{add_tags, columns, read, remove_tags},
};
use crate::store::{
    StoreError,
    numbers::Counter,
    sql::{Column, Connection, Dialect, Statement, Table, Value, values},
    tokens::token_bytes,
};

/// What is to be registered.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) app: AppId,
    pub(super) registration: Registration,
    pub(super) devices_per_user: u16,
    pub(super) now: UnixTime,
}

pub(super) async fn register(
    request: &Request,
    transaction: &mut Connection,
) -> Result<RegisteredDevice, StoreError> {
    lock(request, transaction).await?;
    let known = known(request, transaction).await?;
    let number = RegistrationNumber::new(Counter::Registration.next(transaction).await?);
    let devices: Vec<Device> = known.values().cloned().collect();
    let Registering { registered, changes } =
        Registering::decide(request.now, &request.registration, number, &devices, request.devices_per_user);
    let mut registering = None;
    let mut removed = Vec::new();
    for change in changes {
        match change {
            Change::Add(record) => {
                let id = DeviceId::new(Counter::Device.next(transaction).await?);
                add(request.app, id, &record, transaction).await?;
                registering = Some(Device { id, record });
            }
            Change::Update { device, record } => {
                let before = known.get(&device).map(|device| &device.record.tags);
                update(request.app, device, &record, before, transaction).await?;
                registering = Some(Device { id: device, record });
            }
            Change::Remove { device, number, why } => {
                if let Some(device) = known.get(&device)
                    && remove(request.app, device, number, transaction).await?
                {
                    removed.push((device.clone(), why));
                }
            }
        }
    }
    let device = registering
        .ok_or_else(|| StoreError::Broken("a registration neither adds nor changes a device".into()))?;
    Ok(RegisteredDevice { device, registered, removed })
}

/// Of two registrations that have a token or a user in common, one waits for the other. On SQLite there is one writer.
async fn lock(request: &Request, transaction: &mut Connection) -> Result<(), StoreError> {
    if transaction.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let Registration { token, previous_token, user, .. } = &request.registration;
    let tokens = [Some(token), previous_token.as_ref()].into_iter().flatten();
    let names = tokens.map(|token| ("token", token.as_str()));
    let names = names.chain(user.as_ref().map(|user| ("user", user.as_str())));
    // In one order, so that two never wait for each other.
    let keys: BTreeSet<i64> = names.map(|(what, name)| lock_key(request.app, what, name)).collect();
    let mut input = Table::new(1);
    for key in keys {
        input.push([key.into()]);
    }
    transaction.rows_with(&LOCK, values![], &input).await.map(drop)
}

fn lock_key(app: AppId, what: &str, name: &str) -> i64 {
    let hash = Sha256::new().chain_update(app.get().to_be_bytes()).chain_update(what).chain_update([0]);
    let hash: [u8; 32] = hash.chain_update(name).finalize().into();
    let (first, _) = hash.split_first_chunk().expect("32 bytes have 8");
    i64::from_be_bytes(*first)
}

/// What the core wants to know, by row.
async fn known(
    request: &Request,
    transaction: &mut Connection,
) -> Result<BTreeMap<DeviceId, Device>, StoreError> {
    let Registration { token, previous_token, user, .. } = &request.registration;
    let previous = previous_token.as_ref().unwrap_or(token);
    let values = values![request.app, token_bytes(token), token_bytes(previous)];
    let mut rows = transaction.rows(&WITH_TOKENS, values).await?;
    if let Some(user) = user {
        rows.extend(transaction.rows(&OF_USER, values![request.app, user]).await?);
    }
    rows.iter().map(|row| read(row).map(|device| (device.id, device))).collect()
}

async fn add(
    app: AppId,
    id: DeviceId,
    record: &DeviceRecord,
    transaction: &mut Connection,
) -> Result<(), StoreError> {
    transaction.execute(&ADD, values_of(app, id, record)).await?;
    add_tags(&tags(app, id, record.tags.iter()), transaction).await
}

async fn update(
    app: AppId,
    id: DeviceId,
    record: &DeviceRecord,
    before: Option<&BTreeSet<Tag>>,
    transaction: &mut Connection,
) -> Result<(), StoreError> {
    transaction.execute(&UPDATE, values_of(app, id, record)).await?;
    let none = BTreeSet::new();
    let before = before.unwrap_or(&none);
    remove_tags(&tags(app, id, before.difference(&record.tags)), transaction).await?;
    add_tags(&tags(app, id, record.tags.difference(before)), transaction).await
}

/// `false`: it was registered again meanwhile.
async fn remove(
    app: AppId,
    device: &Device,
    number: RegistrationNumber,
    transaction: &mut Connection,
) -> Result<bool, StoreError> {
    if transaction.execute(&REMOVE, values![device.id, number]).await? == 0 {
        return Ok(false);
    }
    remove_tags(&tags(app, device.id, device.record.tags.iter()), transaction).await?;
    Ok(true)
}

fn tags<'a>(app: AppId, device: DeviceId, tags: impl Iterator<Item = &'a Tag>) -> Table {
    let mut table = Table::new(3);
    for tag in tags {
        table.push([app.into(), tag.into(), device.into()]);
    }
    table
}

fn values_of(app: AppId, id: DeviceId, record: &DeviceRecord) -> Vec<Value> {
    values![
        id,
        app,
        record.environment.number(),
        record.kind.number(),
        token_bytes(&record.token),
        record.user.as_ref(),
        record.locale.as_ref(),
        record.time_zone.as_ref().map(TimeZoneName::as_str),
        record.app_version.as_ref().map(AppVersion::as_str),
        serde_json::to_string(&record.tags).expect("a set of texts has a JSON form"),
        record.registered_at,
        record.number,
        record.user_since,
    ]
}

static LOCK: Statement = Statement::with_input(
    "SELECT pg_advisory_xact_lock(lock_key)::text FROM {input}",
    &[("lock_key", Column::Int)],
);
static WITH_TOKENS: Statement = Statement::new(concat!(
    "SELECT ",
    columns!(),
    " FROM device WHERE app_id = $1 AND token IN ($2, $3) ORDER BY id{lock}"
));
static OF_USER: Statement = Statement::new(concat!(
    "SELECT ",
    columns!(),
    " FROM device WHERE app_id = $1 AND user_id = $2 ORDER BY id{lock}"
));
static ADD: Statement = Statement::new(
    "INSERT INTO device (id, app_id, environment, kind, token, user_id, locale, time_zone, app_version, tags, registered_at,
        number, user_since)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
);
static UPDATE: Statement = Statement::new(
    "UPDATE device SET environment = $3, kind = $4, token = $5, user_id = $6, locale = $7, time_zone = $8, app_version = $9,
        tags = $10, registered_at = $11, number = $12, user_since = $13, suspected_at = NULL
     WHERE id = $1 AND app_id = $2",
);
static REMOVE: Statement = Statement::new("DELETE FROM device WHERE id = $1 AND number = $2");
