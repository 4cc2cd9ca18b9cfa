//! A webhook as its owner writes it.

use std::collections::BTreeSet;

use apns_provider_core::BundleId;
use serde::{Deserialize, Serialize};

use super::{EventKind, Url};
use crate::{
    ids::Label,
    problem::{Field, FieldErrors, Problem},
    ssrf::Policy,
};

/// A webhook to add, or as it is to be: the body of `POST /v1/webhooks` and of `PUT /v1/webhooks/{webhook-id}`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WebhookRequest {
    /// What people call it: at most 100 bytes.
    pub label: String,
    /// Where it is called: an https URL of at most 2048 bytes, that leads to a public address.
    pub url: String,
    /// What it is told: at least one.
    pub events: Vec<EventKind>,
    /// Only what happens to this app, by its bundle ID; left out, to all of the tenant.
    #[serde(default)]
    pub app: Option<String>,
    /// Whether it is called; left out, it is.
    #[serde(default = "yes")]
    pub is_enabled: bool,
}

/// Who is told of what, and where: a webhook that cannot be wrong. Whether its URL leads to where it may is looked at again each time,
/// when its name has been resolved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Subscription {
    /// What people call it.
    pub label: Label,
    /// Where it is called.
    pub url: Url,
    /// What it is told: something.
    pub events: BTreeSet<EventKind>,
    /// Only what happens to this app.
    pub app: Option<BundleId>,
    /// Whether it is called.
    pub is_enabled: bool,
}

impl WebhookRequest {
    /// Checks it.
    pub fn check(self, policy: &Policy) -> Result<Subscription, Problem> {
        let mut errors = FieldErrors::default();
        let label = errors.keep(Field::new("label"), Label::try_from(self.label));
        let url = errors.keep(Field::new("url"), Url::parse(&self.url, policy));
        let events: BTreeSet<EventKind> = self.events.into_iter().collect();
        if events.is_empty() {
            errors.refuse(Field::new("events"), "there are none; name at least one");
        }
        let app = errors.keep_optional(Field::new("app"), self.app, |text| BundleId::parse(&text));
        let is_enabled = self.is_enabled;
        let parts = label.zip(url).zip(app);
        errors.finish(parts.map(|((label, url), app)| Subscription { label, url, events, app, is_enabled }))
    }
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn check(body: &str) -> Result<Subscription, Problem> {
        json::read::<WebhookRequest>(body.as_bytes())?.check(&Policy::public_only())
    }

    fn wrong_fields(body: &str) -> Vec<String> {
        check(body).unwrap_err().fields().iter().map(|error| error.field.clone()).collect()
    }

    #[test]
    fn a_webhook_is_called_for_all_of_the_tenant_unless_it_says_otherwise() {
        let of_all =
            check(r#"{"label":"CRM","url":"https://example.com/","events":["outcomes","outcomes"]}"#)
                .unwrap();
        assert_eq!(of_all.events, BTreeSet::from([EventKind::Outcomes]));
        assert_eq!((of_all.app, of_all.is_enabled), (None, true));
        let of_one = check(
            r#"{"label":"CRM","url":"https://example.com/","events":["test"],"app":"com.example.tea","is-enabled":false}"#,
        )
        .unwrap();
        assert_eq!((of_one.app.unwrap().as_str(), of_one.is_enabled), ("com.example.tea", false));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let body = r#"{"label":"","url":"http://example.com/","events":[],"app":"no app"}"#;
        assert_eq!(wrong_fields(body), ["label", "url", "events", "app"]);
        let body = r#"{"label":"x","url":"https://example.com/","events":["outcomes","everything"]}"#;
        assert_eq!(wrong_fields(body), ["events[1]"]);
    }
}
