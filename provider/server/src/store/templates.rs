use apns_provider_core::UnixTime;
use apns_provider_server_core::ids::{AppId, TemplateName};

use super::{
    Store, StoreError,
    page::at_most,
    settings::Weight,
    sql::{Row, Statement, values},
};

/// A template of an app.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredTemplate {
    /// What it is called.
    pub name: TemplateName,
    /// The template as its author wrote it: JSON, which the store does not look into.
    pub body: String,
    /// When it was stored.
    pub updated_at: UnixTime,
}

impl Store {
    /// Stores a template. Returns whether it is new.
    pub async fn put_template(
        &self,
        app: AppId,
        name: &TemplateName,
        body: &str,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        let data = values![app, name.as_str(), body, now];
        self.database()
            .write(Weight::Promise, data, |values, transaction| {
                Box::pin(async {
                    let is_new = transaction.execute(&ADD, values.clone()).await? > 0;
                    if !is_new {
                        transaction.execute(&CHANGE, values.clone()).await?;
                    }
                    Ok(is_new)
                })
            })
            .await
    }

    /// A template by its name.
    pub async fn template(
        &self,
        app: AppId,
        name: &TemplateName,
    ) -> Result<Option<StoredTemplate>, StoreError> {
        let row = self.reader().await?.first(&BY_NAME, values![app, name.as_str()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Templates in the order of their names, behind this one.
    pub async fn templates(
        &self,
        app: AppId,
        after: Option<&TemplateName>,
        limit: usize,
    ) -> Result<Vec<StoredTemplate>, StoreError> {
        let after = after.map_or("", TemplateName::as_str);
        let rows = self.reader().await?.rows(&PAGE, values![app, after, at_most(limit)]).await?;
        rows.iter().map(read).collect()
    }

    /// Removes a template. `false`: there is none of this name.
    pub async fn remove_template(&self, app: AppId, name: &TemplateName) -> Result<bool, StoreError> {
        Ok(self.database().execute(Weight::Promise, &REMOVE, values![app, name.as_str()]).await? > 0)
    }
}

fn read(row: &Row) -> Result<StoredTemplate, StoreError> {
    Ok(StoredTemplate {
        name: row.parsed(0, TemplateName::parse)?,
        body: row.text(1)?.to_owned(),
        updated_at: row.time(2)?,
    })
}

static ADD: Statement = Statement::new(
    "INSERT INTO template (app_id, name, body, updated_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
);
static CHANGE: Statement =
    Statement::new("UPDATE template SET body = $3, updated_at = $4 WHERE app_id = $1 AND name = $2");
static BY_NAME: Statement =
    Statement::new("SELECT name, body, updated_at FROM template WHERE app_id = $1 AND name = $2");
static PAGE: Statement = Statement::new(
    "SELECT name, body, updated_at FROM template WHERE app_id = $1 AND name > $2 ORDER BY name LIMIT $3",
);
static REMOVE: Statement = Statement::new("DELETE FROM template WHERE app_id = $1 AND name = $2");
