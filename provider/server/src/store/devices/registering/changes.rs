//! What registrations change: a statement for each table.

use std::collections::{BTreeMap, BTreeSet};

use apns_provider_server_core::{
    device::{Change, Device, DeviceRecord, Registered, WhyRemoved},
    ids::{AppId, AppVersion, DeviceId, Tag},
    schedule::TimeZoneName,
};

use crate::store::{
    StoreError,
    devices::{
        RegisteredDevice,
        rows::{add_tags, remove_registrations, remove_tags},
    },
    numbers::Counter,
    sql::{Column, Connection, Statement, Table, Value, values},
    tokens::token_bytes,
};

/// Changes of devices that are not the same ones.
#[derive(Debug)]
pub(super) struct Changes {
    added: Vec<(AppId, DeviceRecord)>,
    updated: Table,
    removed: Table,
    new_tags: Table,
    old_tags: Table,
}

/// What one registration wants.
#[derive(Debug)]
pub(super) struct Wanted {
    device: Option<Wants>,
    removed: Vec<(Device, WhyRemoved)>,
}

#[derive(Debug)]
enum Wants {
    /// The one with this place among those that are added.
    Added(usize),
    Updated(Device),
}

/// What became of the changes.
pub(super) struct Done {
    added: Vec<Device>,
    removed: BTreeSet<DeviceId>,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            added: Vec::new(),
            updated: Table::new(COLUMNS.len()),
            removed: Table::new(2),
            new_tags: Table::new(3),
            old_tags: Table::new(3),
        }
    }
}

impl Changes {
    /// Adds those of one registration. `known` is what it was decided by.
    pub(super) fn add(&mut self, app: AppId, known: &[Device], changes: Vec<Change>) -> Wanted {
        let known: BTreeMap<DeviceId, &Device> = known.iter().map(|device| (device.id, device)).collect();
        let mut wanted = Wanted { device: None, removed: Vec::new() };
        for change in changes {
            match change {
                Change::Add(record) => {
                    wanted.device = Some(Wants::Added(self.added.len()));
                    self.added.push((app, record));
                }
                Change::Update { device: id, record } => {
                    let none = BTreeSet::new();
                    let before = known.get(&id).map_or(&none, |device| &device.record.tags);
                    push_tags(&mut self.old_tags, app, id, before.difference(&record.tags));
                    push_tags(&mut self.new_tags, app, id, record.tags.difference(before));
                    self.updated.push(row(app, id, &record));
                    wanted.device = Some(Wants::Updated(Device { id, record }));
                }
                Change::Remove { device: id, number, why } => {
                    if let Some(device) = known.get(&id) {
                        self.removed.push([id.into(), number.into()]);
                        wanted.removed.push(((*device).clone(), why));
                    }
                }
            }
        }
        wanted
    }

    /// Makes them. What is removed comes first: its token may be what another one gets.
    pub(super) async fn make(mut self, transaction: &mut Connection) -> Result<Done, StoreError> {
        let removed = remove_registrations(&self.removed, transaction).await?;
        transaction.execute_with(&UPDATE, values![], &self.updated).await?;
        let ids = match self.added.len() {
            0 => Vec::new(),
            count => Counter::Device.take(count, transaction).await?,
        };
        let (mut rows, mut added) = (Table::new(COLUMNS.len()), Vec::with_capacity(ids.len()));
        for ((app, record), id) in self.added.into_iter().zip(ids) {
            let id = DeviceId::new(id);
            rows.push(row(app, id, &record));
            push_tags(&mut self.new_tags, app, id, record.tags.iter());
            added.push(Device { id, record });
        }
        transaction.execute_with(&ADD, values![], &rows).await?;
        remove_tags(&self.old_tags, transaction).await?;
        add_tags(&self.new_tags, transaction).await?;
        Ok(Done { added, removed: removed.into_iter().map(|removed| removed.device).collect() })
    }
}

impl Done {
    /// What became of one registration.
    pub(super) fn of(&self, registered: Registered, wanted: Wanted) -> Result<RegisteredDevice, StoreError> {
        let device = match wanted.device {
            Some(Wants::Added(at)) => self.added.get(at).cloned(),
            Some(Wants::Updated(device)) => Some(device),
            None => None,
        };
        let lost = || StoreError::Broken("a registration neither adds nor changes a device".into());
        // One that was registered again meanwhile is not removed.
        let removed = wanted.removed.into_iter().filter(|(device, _)| self.removed.contains(&device.id));
        Ok(RegisteredDevice { device: device.ok_or_else(lost)?, registered, removed: removed.collect() })
    }
}

fn push_tags<'a>(table: &mut Table, app: AppId, device: DeviceId, tags: impl Iterator<Item = &'a Tag>) {
    for tag in tags {
        table.push([app.into(), tag.into(), device.into()]);
    }
}

fn row(app: AppId, id: DeviceId, record: &DeviceRecord) -> [Value; COLUMNS.len()] {
    [
        id.into(),
        app.into(),
        record.environment.number().into(),
        record.kind.number().into(),
        token_bytes(&record.token).into(),
        record.user.as_ref().into(),
        record.locale.as_ref().into(),
        record.time_zone.as_ref().map(TimeZoneName::as_str).into(),
        record.app_version.as_ref().map(AppVersion::as_str).into(),
        serde_json::to_string(&record.tags).expect("a set of texts has a JSON form").into(),
        record.registered_at.into(),
        record.number.into(),
        record.user_since.into(),
    ]
}

const COLUMNS: &[(&str, Column)] = &[
    ("id", Column::Int),
    ("app_id", Column::Int),
    ("environment", Column::Int),
    ("kind", Column::Int),
    ("token", Column::Blob),
    ("user_id", Column::Text),
    ("locale", Column::Text),
    ("time_zone", Column::Text),
    ("app_version", Column::Text),
    ("tags", Column::Text),
    ("registered_at", Column::Int),
    ("number", Column::Int),
    ("user_since", Column::Int),
];

static ADD: Statement = Statement::with_input(
    "INSERT INTO device (id, app_id, environment, kind, token, user_id, locale, time_zone, app_version, tags, registered_at,
        number, user_since)
     SELECT id, app_id, environment, kind, token, user_id, locale, time_zone, app_version, tags, registered_at, number, user_since
     FROM {input}",
    COLUMNS,
);
static UPDATE: Statement = Statement::with_input(
    "UPDATE device SET environment = input.environment, kind = input.kind, token = input.token, user_id = input.user_id,
        locale = input.locale, time_zone = input.time_zone, app_version = input.app_version, tags = input.tags,
        registered_at = input.registered_at, number = input.number, user_since = input.user_since, suspected_at = NULL
     FROM {input} WHERE device.id = input.id AND device.app_id = input.app_id",
    COLUMNS,
);
