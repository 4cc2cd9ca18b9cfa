//! Who has done what, for whoever asks later.

use std::fmt;

use apns_provider_core::UnixTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Declares [`Action`]: its name and what was done.
macro_rules! actions {
    ($($variant:ident $name:literal $meaning:literal;)*) => {
        /// What was done.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum Action {
            $(#[doc = $meaning] #[serde(rename = $name)] $variant,)*
        }

        impl Action {
            /// Every action, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What was done, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

// What happens by the thousand, registrations and notifications, is not here: it is counted, and can be looked at where it is.
actions! {
    AppChanged "app.changed" "An app was added, or its limits were changed.";
    AppPaused "app.paused" "Nothing of an app is sent until it is resumed.";
    AppRemoved "app.removed" "An app was removed with all that belonged to it.";
    AppResumed "app.resumed" "A paused app goes on.";
    CampaignCancelled "campaign.cancelled" "What was not sent of a campaign is not sent any more.";
    CampaignPaused "campaign.paused" "A campaign rests until it is resumed.";
    CampaignResumed "campaign.resumed" "A paused campaign goes on.";
    CampaignStarted "campaign.started" "A campaign was handed in.";
    ChannelCreated "channel.created" "A broadcast channel was created.";
    ChannelDeleted "channel.deleted" "A broadcast channel was deleted.";
    CredentialChanged "credential.changed" "An app has another key or certificate.";
    DeadLettersReplayed "dead-letters.replayed" "Dead letters were handed in again.";
    KeyMade "key.made" "An API key was made.";
    KeyRevoked "key.revoked" "An API key is of no use any more.";
    NotificationCancelled "notification.cancelled" "What was not sent of a notification is not sent any more.";
    RemovalsResumed "removals.resumed" "Somebody has looked, and dead tokens are removed again.";
    ServerTuned "server.tuned" "The server was tuned.";
    TemplateChanged "template.changed" "A template was written.";
    TemplateRemoved "template.removed" "A template was removed.";
    TenantAdded "tenant.added" "A tenant was added.";
    TenantRemoved "tenant.removed" "A tenant was removed with all that belonged to it.";
    UserUnsubscribed "user.unsubscribed" "All devices of a user were removed.";
    WebhookChanged "webhook.changed" "A webhook was added or changed.";
    WebhookRemoved "webhook.removed" "A webhook was removed, or disabled since it failed.";
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who did it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "who")]
pub enum Actor {
    /// Whoever has this API key.
    Key {
        /// What people call it.
        label: String,
        /// Its beginning.
        hint: String,
    },
    /// Whoever runs the server, at its command line.
    Operator,
    /// The server by itself.
    Server,
}

/// One thing that was done.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AuditEntry {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// By whom.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// To what: an app's bundle ID, a campaign's ID, a label.
    pub object: String,
    /// What else there is to say. Never a secret.
    pub detail: Map<String, Value>,
}

/// Bytes of what is said of one thing, as JSON: what is longer is left out, so that an audit log is no place to store things.
pub const DETAIL_BYTES_MAX: usize = 4096;
/// Characters of what it was done to.
pub const OBJECT_CHARS_MAX: usize = 255;

impl AuditEntry {
    /// It was done now.
    pub fn new(
        now: UnixTime,
        actor: Actor,
        action: Action,
        object: &str,
        detail: Map<String, Value>,
    ) -> Self {
        let len = serde_json::to_vec(&detail).map_or(usize::MAX, |json| json.len());
        let detail = if len <= DETAIL_BYTES_MAX {
            detail
        } else {
            Map::from_iter([("left-out-bytes".to_owned(), Value::from(len))])
        };
        Self {
            at: now.as_millis(),
            actor,
            action,
            object: object.chars().take(OBJECT_CHARS_MAX).collect(),
            detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_says_who_has_done_what() {
        let actor = Actor::Key { label: "Backend".into(), hint: "apns_0w3g".into() };
        let entry = AuditEntry::new(
            UnixTime::from_millis(7),
            actor,
            Action::AppPaused,
            "com.example.tea",
            Map::new(),
        );
        let expected = json!({
            "at": 7,
            "actor": { "who": "key", "label": "Backend", "hint": "apns_0w3g" },
            "action": "app.paused",
            "object": "com.example.tea",
            "detail": {},
        });
        assert_eq!(serde_json::to_value(&entry).unwrap(), expected);
        assert_eq!(serde_json::from_value::<AuditEntry>(expected).unwrap(), entry);
    }

    #[test]
    fn an_audit_log_is_no_place_to_store_things() {
        let detail = Map::from_iter([("note".to_owned(), Value::from("x".repeat(5000)))]);
        let entry = AuditEntry::new(
            UnixTime::from_millis(7),
            Actor::Server,
            Action::ServerTuned,
            &"é".repeat(300),
            detail,
        );
        assert_eq!(
            (entry.detail["left-out-bytes"].as_u64(), entry.object.chars().count()),
            (Some(5011), 255)
        );
    }

    #[test]
    fn actions_are_called_by_what_and_what_was_done() {
        for action in Action::ALL {
            assert_eq!(action.as_str().split('.').count(), 2, "{action}");
            assert!(action.meaning().ends_with('.'), "{action}");
        }
    }
}
