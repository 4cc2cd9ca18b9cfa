use apns_provider_core::UnixTime;
use apns_provider_server_core::ids::{AppId, TemplateName};

use super::{Store, StoreError};

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
        todo!()
    }

    /// A template by its name.
    pub async fn template(
        &self,
        app: AppId,
        name: &TemplateName,
    ) -> Result<Option<StoredTemplate>, StoreError> {
        todo!()
    }

    /// Templates in the order of their names, behind this one.
    pub async fn templates(
        &self,
        app: AppId,
        after: Option<&TemplateName>,
        limit: usize,
    ) -> Result<Vec<StoredTemplate>, StoreError> {
        todo!()
    }

    /// Removes a template. `false`: there is none of this name.
    pub async fn remove_template(&self, app: AppId, name: &TemplateName) -> Result<bool, StoreError> {
        todo!()
    }
}
