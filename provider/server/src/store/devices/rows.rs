//! Devices as rows.

use apns_provider_core::{DeviceToken, UnixTime};
use apns_provider_server_core::{
    device::{Device, DeviceRecord, Environment, Kind},
    ids::{AppId, AppVersion, DeviceId, Locale, RegistrationNumber, Tag, UserId},
    schedule::TimeZoneName,
};

use super::RemovedDevice;
use crate::store::{
    Source, StoreError,
    sql::{Column, Connection, Dialect, Row, Statement, Table, values},
};

/// The columns that [`read`] reads, in this order.
macro_rules! columns {
    () => {
        "device.id, device.environment, device.kind, device.token, device.user_id, device.locale, device.time_zone, device.app_version,
         device.tags, device.registered_at, device.number, device.user_since"
    };
}
pub(super) use columns;

/// The columns that [`forget_tags`] reads, in this order.
macro_rules! columns_of_removed {
    () => {
        "id, app_id, environment, token, user_id, tags"
    };
}
pub(super) use columns_of_removed;

pub(super) fn read(row: &Row) -> Result<Device, StoreError> {
    let record = DeviceRecord {
        environment: row.numbered(1, Environment::from_number)?,
        kind: row.numbered(2, Kind::from_number)?,
        token: read_token(row, 3)?,
        user: row.optional_parsed(4, UserId::parse)?,
        locale: row.optional_parsed(5, Locale::parse)?,
        time_zone: row.optional_parsed(6, TimeZoneName::parse)?,
        app_version: row.optional_parsed(7, AppVersion::parse)?,
        tags: row.parsed(8, |tags| serde_json::from_str(tags))?,
        registered_at: row.time(9)?,
        number: RegistrationNumber::new(row.int(10)?),
        user_since: RegistrationNumber::new(row.int(11)?),
    };
    Ok(Device { id: DeviceId::new(row.int(0)?), record })
}

pub(in crate::store) fn read_token(row: &Row, column: usize) -> Result<DeviceToken, StoreError> {
    DeviceToken::from_bytes(row.blob(column)?).map_err(|why| StoreError::damaged("a device token", why))
}

fn read_removed(row: &Row) -> Result<RemovedDevice, StoreError> {
    Ok(RemovedDevice {
        source: Source {
            app: AppId::new(row.int(1)?),
            environment: row.numbered(2, Environment::from_number)?,
        },
        device: DeviceId::new(row.int(0)?),
        token: read_token(row, 3)?,
        user: row.optional_parsed(4, UserId::parse)?,
    })
}

/// Of rows that were deleted: their tags go as well.
pub(super) async fn forget_tags(
    rows: &[Row],
    transaction: &mut Connection,
) -> Result<Vec<RemovedDevice>, StoreError> {
    let mut tags = Table::new(3);
    let mut removed = Vec::with_capacity(rows.len());
    for row in rows {
        let app = AppId::new(row.int(1)?);
        let device = DeviceId::new(row.int(0)?);
        let of_device: Vec<Tag> = row.parsed(5, |tags| serde_json::from_str(tags))?;
        for tag in &of_device {
            tags.push([app.into(), tag.into(), device.into()]);
        }
        removed.push(read_removed(row)?);
    }
    remove_tags(&tags, transaction).await?;
    Ok(removed)
}

/// Removes these tags: of an app, called so, from a device. SQLite would look through all of an app's for a list.
pub(super) async fn remove_tags(tags: &Table, transaction: &mut Connection) -> Result<(), StoreError> {
    if transaction.dialect() == Dialect::Postgres {
        return transaction.execute_with(&REMOVE_TAGS, values![], tags).await.map(drop);
    }
    for tag in tags.rows() {
        transaction.execute(&REMOVE_TAG, tag.to_vec()).await?;
    }
    Ok(())
}

/// Adds these tags: of an app, called so, to a device.
pub(super) async fn add_tags(tags: &Table, transaction: &mut Connection) -> Result<(), StoreError> {
    transaction.execute_with(&ADD_TAGS, values![], tags).await.map(drop)
}

/// Removes devices, each if its registration still is the one named: rows of device and number.
pub(in crate::store) async fn remove_registrations(
    registrations: &Table,
    transaction: &mut Connection,
) -> Result<Vec<RemovedDevice>, StoreError> {
    let rows = transaction.rows_with(&REMOVE_REGISTRATIONS, values![], registrations).await?;
    forget_tags(&rows, transaction).await
}

/// Notes with devices that their token may be of the other environment, each if its registration still is the one named. Returns them in
/// the form of those that were removed.
pub(in crate::store) async fn suspect(
    registrations: &Table,
    now: UnixTime,
    transaction: &mut Connection,
) -> Result<Vec<RemovedDevice>, StoreError> {
    let rows = transaction.rows_with(&SUSPECT, values![now], registrations).await?;
    rows.iter().map(read_removed).collect()
}

static SUSPECT: Statement = Statement::with_input(
    "UPDATE device SET suspected_at = $1 FROM {input} WHERE device.id = input.id AND device.number = input.number
     RETURNING device.id, device.app_id, device.environment, device.token, device.user_id",
    &[("id", Column::Int), ("number", Column::Int)],
);
static REMOVE_REGISTRATIONS: Statement = Statement::with_input(
    concat!(
        "DELETE FROM device WHERE id IN (
            SELECT d.id FROM {input} CROSS JOIN device d WHERE d.id = input.device AND d.number = input.number)
         RETURNING ",
        columns_of_removed!()
    ),
    &[("device", Column::Int), ("number", Column::Int)],
);

const TAG_COLUMNS: &[(&str, Column)] =
    &[("app", Column::Int), ("name", Column::Text), ("device", Column::Int)];

static REMOVE_TAG: Statement =
    Statement::new("DELETE FROM device_tag WHERE app_id = $1 AND tag = $2 AND device_id = $3");
static REMOVE_TAGS: Statement = Statement::with_input(
    "DELETE FROM device_tag USING {input}
     WHERE device_tag.app_id = input.app AND device_tag.tag = input.name AND device_tag.device_id = input.device",
    TAG_COLUMNS,
);
static ADD_TAGS: Statement = Statement::with_input(
    "INSERT INTO device_tag (app_id, tag, device_id) SELECT app, name, device FROM {input} WHERE true
     ON CONFLICT DO NOTHING",
    TAG_COLUMNS,
);
