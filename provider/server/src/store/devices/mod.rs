//! Devices: registering, finding, removing.

mod registering;
mod rows;

use apns_provider_core::{DeviceToken, UnixTime};
use apns_provider_server_core::{
    device::{Device, Kind, Registered, Registration, WhyRemoved},
    ids::{AppId, DeviceId, RegistrationNumber, UserId},
};

use super::{
    PAGE_MAX, Source, Store, StoreError,
    numbers::Counter,
    page::at_most,
    settings::Weight,
    sql::{Statement, Value, values},
    tokens::token_bytes,
};
pub(super) use registering::Registrations;
use registering::Request;
use rows::{columns, columns_of_removed, forget_tags, read};
pub(super) use rows::{read_token, remove_registrations, suspect};

/// What a registration has done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RegisteredDevice {
    /// The device as it is now.
    pub device: Device,
    /// What the registration was.
    pub registered: Registered,
    /// Devices that went with it.
    pub removed: Vec<(Device, WhyRemoved)>,
}

/// A device that was removed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RemovedDevice {
    /// Whose app it was.
    pub source: Source,
    /// Its row.
    pub device: DeviceId,
    /// Its token.
    pub token: DeviceToken,
    /// Whose it was.
    pub user: Option<UserId>,
}

impl Store {
    /// Registers a device: reads what is there, lets the core decide, and does it, in one transaction. Of two registrations of one token or
    /// one user at once, one sees what the other did.
    pub async fn register_device(
        &self,
        app: AppId,
        registration: Registration,
        devices_per_user: u16,
        now: UnixTime,
    ) -> Result<RegisteredDevice, StoreError> {
        let registered = self.register_devices(app, vec![registration], devices_per_user, now).await?;
        registered.into_iter().next().ok_or_else(|| StoreError::Broken("a registration has no answer".into()))
    }

    /// Registers many devices, all or none, as if one after the other.
    pub async fn register_devices(
        &self,
        app: AppId,
        registrations: Vec<Registration>,
        devices_per_user: u16,
        now: UnixTime,
    ) -> Result<Vec<RegisteredDevice>, StoreError> {
        let request = |registration| Request { app, registration, devices_per_user, now };
        self.inner.registrations.ask(registrations.into_iter().map(request).collect()).await
    }

    /// The device with this token.
    pub async fn device(&self, source: Source, token: &DeviceToken) -> Result<Option<Device>, StoreError> {
        let values = values![source.app, token_bytes(token), source.environment.number()];
        let row = self.reader().await?.first(&WITH_TOKEN, values).await?;
        row.as_ref().map(read).transpose()
    }

    /// A user's devices, at most a page: a user has fewer.
    pub async fn devices_of_user(&self, app: AppId, user: &UserId) -> Result<Vec<Device>, StoreError> {
        let rows = self.reader().await?.rows(&OF_USER, values![app, user, PAGE_MAX]).await?;
        rows.iter().map(read).collect()
    }

    /// An app's devices by kind, and then in the order of their rows, behind this one.
    pub async fn devices(
        &self,
        app: AppId,
        after: Option<(Kind, DeviceId)>,
        limit: usize,
    ) -> Result<Vec<Device>, StoreError> {
        let limit = at_most(limit);
        let mut reader = self.reader().await?;
        let mut rows = Vec::new();
        let begin = after.map_or(0, |(kind, _)| kind.number());
        if let Some((kind, device)) = after {
            rows = reader.rows(&PAGE_OF_KIND, values![app, kind.number(), device, limit]).await?;
        }
        if rows.len() < limit {
            rows.extend(reader.rows(&PAGE, values![app, begin, limit - rows.len()]).await?);
        }
        rows.iter().map(read).collect()
    }

    /// Removes the device with this token, whichever registration it is.
    pub async fn remove_device(
        &self,
        source: Source,
        token: &DeviceToken,
    ) -> Result<Option<RemovedDevice>, StoreError> {
        let values = values![source.app, token_bytes(token), source.environment.number()];
        Ok(self.remove_devices(&REMOVE, values).await?.pop())
    }

    /// Removes a device if its registration still is this one.
    pub async fn remove_registration(
        &self,
        device: DeviceId,
        number: RegistrationNumber,
    ) -> Result<Option<RemovedDevice>, StoreError> {
        Ok(self.remove_devices(&REMOVE_REGISTRATION, values![device, number]).await?.pop())
    }

    /// Removes the device with this token if it has not been registered after this moment.
    pub async fn remove_device_not_registered_after(
        &self,
        source: Source,
        token: &DeviceToken,
        moment: UnixTime,
    ) -> Result<Option<RemovedDevice>, StoreError> {
        let values = values![source.app, token_bytes(token), source.environment.number(), moment];
        Ok(self.remove_devices(&REMOVE_NOT_REGISTERED_AFTER, values).await?.pop())
    }

    /// Removes all devices of a user. Returns how many there were.
    pub async fn remove_user(&self, app: AppId, user: &UserId) -> Result<u64, StoreError> {
        Ok(self.remove_devices(&REMOVE_USER, values![app, user]).await?.len() as u64)
    }

    /// Takes note that the app was seen on a device, as if it had registered again with nothing changed. `false`: there is no such device.
    pub async fn touch_device(
        &self,
        source: Source,
        token: &DeviceToken,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        let data = values![source.app, token_bytes(token), source.environment.number(), now];
        self.database()
            .write(Weight::Progress, data, |values, transaction| {
                Box::pin(async {
                    let mut values = values.clone();
                    values.push(Counter::Registration.next(transaction).await?.into());
                    Ok(transaction.execute(&TOUCH, values).await? > 0)
                })
            })
            .await
    }

    async fn remove_devices(
        &self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<RemovedDevice>, StoreError> {
        self.database()
            .write(Weight::Promise, (statement, values), |(statement, values), transaction| {
                Box::pin(async {
                    let rows = transaction.rows(statement, values.clone()).await?;
                    forget_tags(&rows, transaction).await
                })
            })
            .await
    }
}

static WITH_TOKEN: Statement = Statement::new(concat!(
    "SELECT ",
    columns!(),
    " FROM device WHERE app_id = $1 AND token = $2 AND environment = $3"
));
static OF_USER: Statement = Statement::new(concat!(
    "SELECT ",
    columns!(),
    " FROM device WHERE app_id = $1 AND user_id = $2 ORDER BY id LIMIT $3"
));
static PAGE_OF_KIND: Statement = Statement::new(concat!(
    "SELECT ",
    columns!(),
    " FROM device WHERE app_id = $1 AND kind = $2 AND id > $3 ORDER BY id LIMIT $4"
));
static PAGE: Statement = Statement::new(concat!(
    "SELECT ",
    columns!(),
    " FROM device WHERE app_id = $1 AND kind > $2 ORDER BY kind, id LIMIT $3"
));
static REMOVE: Statement = Statement::new(concat!(
    "DELETE FROM device WHERE app_id = $1 AND token = $2 AND environment = $3 RETURNING ",
    columns_of_removed!()
));
static REMOVE_REGISTRATION: Statement = Statement::new(concat!(
    "DELETE FROM device WHERE id = $1 AND number = $2 RETURNING ",
    columns_of_removed!()
));
static REMOVE_NOT_REGISTERED_AFTER: Statement = Statement::new(concat!(
    "DELETE FROM device WHERE app_id = $1 AND token = $2 AND environment = $3 AND registered_at <= $4 RETURNING ",
    columns_of_removed!()
));
static REMOVE_USER: Statement = Statement::new(concat!(
    "DELETE FROM device WHERE app_id = $1 AND user_id = $2 RETURNING ",
    columns_of_removed!()
));
static TOUCH: Statement = Statement::new(
    "UPDATE device SET registered_at = CASE WHEN registered_at > $4 THEN registered_at ELSE $4 END, number = $5,
        suspected_at = NULL
     WHERE app_id = $1 AND token = $2 AND environment = $3",
);
