use serde::Serialize;

use super::builder::Message;
use super::{InvalidNotification, NotificationBuilder, rules};
use crate::push_type::PushType;
use crate::topic::BundleId;

/// Builds a notification that tells a File Provider extension of changes: push type `fileprovider`.
///
/// The system signals the enumerator of the container; for the working set that is
/// `NSFileProviderWorkingSetContainerItemIdentifier`. The device token is the one that PushKit gave for file
/// providers (Apple, "Using push notifications to signal changes").
///
/// ```
/// use apns_provider_core::{BundleId, FileProviderNotification};
///
/// let app = BundleId::parse("com.example.drive")?;
/// let notification = FileProviderNotification::new(app, "folder-7").domain("work").build()?;
/// assert_eq!(notification.topic().as_str(), "com.example.drive.pushkit.fileprovider");
/// assert_eq!(notification.payload(), r#"{"container-identifier":"folder-7","domain":"work"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type FileProviderNotification = NotificationBuilder<FileProviderMessage>;

impl FileProviderNotification {
    /// Something changed in the container with this identifier.
    pub fn new(bundle_id: BundleId, container_identifier: impl Into<String>) -> Self {
        let container_identifier = container_identifier.into();
        Self::to_app(bundle_id, FileProviderMessage { container_identifier, domain: None })
    }

    /// `domain`: the identifier of the domain that the container is in, for extensions with several.
    #[must_use]
    pub fn domain(mut self, identifier: impl Into<String>) -> Self {
        self.message.domain = Some(identifier.into());
        self
    }
}

/// What a file provider's push says: where something changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileProviderMessage {
    container_identifier: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
}

impl Message for FileProviderMessage {
    const PUSH_TYPE: PushType = PushType::FileProvider;
    const KEYS: &'static [&'static str] = &["container-identifier", "domain"];

    fn check(&self) -> Result<(), InvalidNotification> {
        rules::text_is_not_empty("container-identifier", &self.container_identifier)?;
        match &self.domain {
            Some(domain) => rules::text_is_not_empty("domain", domain),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_and_a_domain_have_names() {
        let app = BundleId::parse("com.example.drive").unwrap();
        let nameless = FileProviderNotification::new(app.clone(), "").build();
        assert_eq!(nameless, Err(InvalidNotification::EmptyText { key: "container-identifier" }));
        let nameless = FileProviderNotification::new(app, "root").domain("").build();
        assert_eq!(nameless, Err(InvalidNotification::EmptyText { key: "domain" }));
    }
}
