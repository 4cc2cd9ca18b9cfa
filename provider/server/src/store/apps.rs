//! Apps, and what they authenticate with.

use std::fmt;

use apns_provider_core::{BundleId, UnixTime};
use apns_provider_server_core::{
    device::Environment,
    ids::{AppId, TenantId},
    lanes::Lane,
};

use super::{
    Signal, Source, Stop, Store, StoreError,
    page::at_most,
    settings::Weight,
    sql::{Connection, Row, Statement, values},
};

/// An app of a tenant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct App {
    /// Its row.
    pub id: AppId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What it is called by within its tenant.
    pub bundle_id: BundleId,
    /// Whether nothing of it is sent until it is resumed.
    pub is_paused: bool,
    /// Its defaults and limits, as JSON. Of it the store looks at how often a device may have pushes.
    pub settings: String,
    /// Since when it is there.
    pub created_at: UnixTime,
}

/// What an app authenticates with in an environment.
#[derive(Clone, Eq, PartialEq)]
pub struct Credential {
    /// The key or certificate, encrypted by whoever stored it.
    pub secret: Vec<u8>,
    /// What may be shown of it: JSON, which the store does not look into.
    pub about: String,
    /// When it was stored.
    pub updated_at: UnixTime,
}

/// What is looked at before anything is taken for an app.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Terms {
    /// Its tenant's settings, as JSON.
    pub tenant_settings: String,
    /// Where it has something to authenticate with.
    pub credentials: Vec<Environment>,
}

/// What was put, and whether it is new.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Put<T> {
    /// As it is now.
    pub now: T,
    /// Whether there was none before.
    pub is_new: bool,
}

impl Store {
    /// Adds an app, or changes its settings.
    pub async fn put_app(
        &self,
        tenant: TenantId,
        bundle_id: &BundleId,
        settings: &str,
        now: UnixTime,
    ) -> Result<Put<App>, StoreError> {
        let data = (tenant, bundle_id.clone(), settings.to_owned(), now);
        let put = self.database().write(Weight::Promise, data, |data, it| Box::pin(put(data, it))).await?;
        self.tell(Signal::App(put.now.id)).await;
        Ok(put)
    }

    /// A tenant's app. Another tenant's is not there.
    pub async fn app(&self, tenant: TenantId, bundle_id: &BundleId) -> Result<Option<App>, StoreError> {
        let row = self.reader().await?.first(&BY_BUNDLE_ID, values![tenant, bundle_id.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The app with this number, whosever it is: for workers.
    pub async fn app_by_id(&self, app: AppId) -> Result<Option<App>, StoreError> {
        let row = self.reader().await?.first(&BY_ID, values![app]).await?;
        row.as_ref().map(read).transpose()
    }

    /// A tenant's apps behind this one, in the order in which they were added.
    pub async fn apps(&self, tenant: TenantId, after: AppId, limit: usize) -> Result<Vec<App>, StoreError> {
        let rows = self.reader().await?.rows(&PAGE, values![tenant, after, at_most(limit)]).await?;
        rows.iter().map(read).collect()
    }

    /// Stops handing out shards of an app, or goes on with it. `false`: there is no such app.
    pub async fn pause_app(&self, app: AppId, is_paused: bool) -> Result<bool, StoreError> {
        let values = values![app, is_paused];
        let is_there = self.database().execute(Weight::Promise, &PAUSE, values).await? > 0;
        if is_there {
            self.tell(Signal::App(app)).await;
            if is_paused {
                self.tell(Signal::Stop(Stop::PauseApp(app))).await;
            } else {
                for lane in Lane::ALL {
                    self.tell(Signal::Work(lane)).await;
                }
            }
        }
        Ok(is_there)
    }

    /// Stores what an app authenticates with. Everybody who listens is told.
    pub async fn put_credential(
        &self,
        source: Source,
        secret: Vec<u8>,
        about: &str,
        now: UnixTime,
    ) -> Result<(), StoreError> {
        let Source { app, environment } = source;
        let values = values![app, environment.number(), secret, about, now];
        self.database().execute(Weight::Promise, &PUT_CREDENTIAL, values).await?;
        self.tell(Signal::Credential(source)).await;
        Ok(())
    }

    /// What an app authenticates with in an environment.
    pub async fn credential(&self, source: Source) -> Result<Option<Credential>, StoreError> {
        let values = values![source.app, source.environment.number()];
        let row = self.reader().await?.first(&CREDENTIAL, values).await?;
        row.as_ref().map(read_credential).transpose()
    }

    /// What an app has, by environment.
    pub async fn credentials(&self, app: AppId) -> Result<Vec<(Environment, Credential)>, StoreError> {
        let rows = self.reader().await?.rows(&CREDENTIALS, values![app]).await?;
        let read = |row: &Row| Ok((row.numbered(3, Environment::from_number)?, read_credential(row)?));
        rows.iter().map(read).collect()
    }

    /// What is looked at before anything is taken for an app.
    pub async fn terms(&self, app: AppId) -> Result<Terms, StoreError> {
        let rows = self.reader().await?.rows(&TERMS, values![app]).await?;
        let mut terms = Terms { tenant_settings: "{}".to_owned(), credentials: Vec::new() };
        for row in &rows {
            row.text(0)?.clone_into(&mut terms.tenant_settings);
            if row.optional_int(1)?.is_some() {
                terms.credentials.push(row.numbered(1, Environment::from_number)?);
            }
        }
        Ok(terms)
    }

    /// Forgets what an app authenticates with in an environment. `false`: it had nothing.
    pub async fn remove_credential(&self, source: Source) -> Result<bool, StoreError> {
        let values = values![source.app, source.environment.number()];
        let was_there = self.database().execute(Weight::Promise, &REMOVE_CREDENTIAL, values).await? > 0;
        if was_there {
            self.tell(Signal::Credential(source)).await;
        }
        Ok(was_there)
    }
}

impl fmt::Debug for Credential {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("about", &self.about)
            .field("updated_at", &self.updated_at)
            .finish_non_exhaustive()
    }
}

async fn put(
    (tenant, bundle_id, settings, now): &(TenantId, BundleId, String, UnixTime),
    transaction: &mut Connection,
) -> Result<Put<App>, StoreError> {
    let values = values![*tenant, bundle_id.as_str(), settings.as_str()];
    if let Some(row) = transaction.first(&CHANGE, values).await? {
        return Ok(Put { now: read(&row)?, is_new: false });
    }
    let values = values![*tenant, bundle_id.as_str(), settings.as_str(), *now];
    let row = transaction.one(&ADD, values).await?;
    Ok(Put { now: read(&row)?, is_new: true })
}

fn read(row: &Row) -> Result<App, StoreError> {
    Ok(App {
        id: AppId::new(row.int(0)?),
        tenant: TenantId::new(row.int(1)?),
        bundle_id: row.parsed(2, BundleId::parse)?,
        is_paused: row.is_set(3)?,
        settings: row.text(4)?.to_owned(),
        created_at: row.time(5)?,
    })
}

fn read_credential(row: &Row) -> Result<Credential, StoreError> {
    Ok(Credential { secret: row.blob(0)?.to_vec(), about: row.text(1)?.to_owned(), updated_at: row.time(2)? })
}

static CHANGE: Statement = Statement::new(
    "UPDATE app SET settings = $3 WHERE tenant_id = $1 AND bundle_id = $2
     RETURNING id, tenant_id, bundle_id, is_paused, settings, created_at",
);
static ADD: Statement = Statement::new(
    "INSERT INTO app (tenant_id, bundle_id, settings, created_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant_id, bundle_id) DO UPDATE SET settings = excluded.settings
     RETURNING id, tenant_id, bundle_id, is_paused, settings, created_at",
);
static BY_BUNDLE_ID: Statement = Statement::new(
    "SELECT id, tenant_id, bundle_id, is_paused, settings, created_at FROM app
     WHERE tenant_id = $1 AND bundle_id = $2",
);
static BY_ID: Statement =
    Statement::new("SELECT id, tenant_id, bundle_id, is_paused, settings, created_at FROM app WHERE id = $1");
static PAGE: Statement = Statement::new(
    "SELECT id, tenant_id, bundle_id, is_paused, settings, created_at FROM app
     WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
);
static PAUSE: Statement = Statement::new("UPDATE app SET is_paused = $2 WHERE id = $1");
static PUT_CREDENTIAL: Statement = Statement::new(
    "INSERT INTO credential (app_id, environment, secret, about, updated_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (app_id, environment)
     DO UPDATE SET secret = excluded.secret, about = excluded.about, updated_at = excluded.updated_at",
);
static CREDENTIAL: Statement =
    Statement::new("SELECT secret, about, updated_at FROM credential WHERE app_id = $1 AND environment = $2");
static CREDENTIALS: Statement = Statement::new(
    "SELECT secret, about, updated_at, environment FROM credential WHERE app_id = $1 ORDER BY environment",
);
static TERMS: Statement = Statement::new(
    "SELECT tenant.settings, credential.environment
     FROM app JOIN tenant ON tenant.id = app.tenant_id LEFT JOIN credential ON credential.app_id = app.id WHERE app.id = $1",
);
static REMOVE_CREDENTIAL: Statement =
    Statement::new("DELETE FROM credential WHERE app_id = $1 AND environment = $2");
