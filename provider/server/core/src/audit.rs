//! Who has done what, for whoever asks later.

use std::fmt;

use apns_provider_core::UnixTime;
use serde::Serialize;
use serde_json::{Value, json};

/// Declares [`Action`]: its name and what was done. The name is a `tt`: of what comes as a `literal`, utoipa does not see that it is one.
macro_rules! actions {
    ($($variant:ident $name:tt $meaning:literal;)*) => {
        /// What was done.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
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
    AppChanged "app.changed" "An app was added, or its settings were changed.";
    AppPaused "app.paused" "Nothing of an app is sent until it is resumed.";
    AppResumed "app.resumed" "A paused app goes on.";
    CampaignCancelled "campaign.cancelled" "What was not sent of a campaign is not sent any more.";
    CampaignPaced "campaign.paced" "A campaign was made faster or slower.";
    CampaignPaused "campaign.paused" "A campaign rests until it is resumed.";
    CampaignResumed "campaign.resumed" "A paused campaign goes on.";
    ChannelCreated "channel.created" "A broadcast channel was created.";
    ChannelDeleted "channel.deleted" "A broadcast channel was deleted.";
    CredentialChanged "credential.changed" "An app has another key or certificate.";
    CredentialRemoved "credential.removed" "A key or certificate of an app was forgotten.";
    DeadLettersForgotten "dead-letters.forgotten" "Dead letters were forgotten.";
    DeadLettersReplayed "dead-letters.replayed" "Dead letters were handed in again.";
    KeyMade "key.made" "An API key was made.";
    KeyRevoked "key.revoked" "An API key is of no use any more.";
    NotificationCancelled "notification.cancelled" "What was not sent of a notification is not sent any more.";
    ServerTuned "server.tuned" "The server was tuned.";
    TemplateChanged "template.changed" "A template was written.";
    TemplateRemoved "template.removed" "A template was removed.";
    TenantChanged "tenant.changed" "A tenant was added, or its settings were changed.";
    UserRemoved "user.removed" "All devices of a user were removed.";
    WebhookChanged "webhook.changed" "A webhook was added or changed.";
    WebhookRemoved "webhook.removed" "A webhook was removed.";
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who did it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case", tag = "who")]
pub enum Actor {
    /// Whoever has this API key.
    Key {
        /// What the key is revoked by.
        id: String,
        /// What people call it.
        label: String,
    },
    /// Whoever runs the server, at its command line.
    Operator,
    /// The server by itself.
    Server,
}

/// One thing that was done.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// When.
    pub at: UnixTime,
    /// By whom.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// To what: an app's bundle ID, a campaign's ID, a label.
    pub subject: String,
    /// What else there is to say, by names. Never a secret.
    pub detail: Value,
}

/// Bytes of what is said of one thing, as JSON: what is longer is left out, so that an audit log is no place to store things.
pub const DETAIL_BYTES_MAX: usize = 4096;
/// Characters of what it was done to.
pub const SUBJECT_CHARS_MAX: usize = 255;

impl AuditEntry {
    /// It was done now.
    pub fn new(now: UnixTime, actor: Actor, action: Action, subject: &str, detail: Value) -> Self {
        let len = detail.to_string().len();
        let detail = if len <= DETAIL_BYTES_MAX { detail } else { json!({ "left-out-bytes": len }) };
        Self { at: now, actor, action, subject: subject.chars().take(SUBJECT_CHARS_MAX).collect(), detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_written_by_what_it_is_known_by() {
        let actor = Actor::Key { id: "7".into(), label: "Backend".into() };
        assert_eq!(
            serde_json::to_value(&actor).unwrap(),
            json!({ "who": "key", "id": "7", "label": "Backend" })
        );
        assert_eq!(serde_json::to_value(Actor::Server).unwrap(), json!({ "who": "server" }));
    }

    #[test]
    fn an_audit_log_is_no_place_to_store_things() {
        let detail = json!({ "note": "x".repeat(5000) });
        let now = UnixTime::from_millis(7);
        let entry = AuditEntry::new(now, Actor::Server, Action::ServerTuned, &"é".repeat(300), detail);
        assert_eq!(entry.detail, json!({ "left-out-bytes": 5011 }));
        assert_eq!(entry.subject, "é".repeat(255));
        let detail = json!({ "note": "x".repeat(4000) });
        let entry = AuditEntry::new(now, Actor::Server, Action::ServerTuned, "", detail.clone());
        assert_eq!((entry.at, entry.detail), (now, detail));
    }

    #[test]
    fn actions_are_called_by_what_and_what_was_done() {
        for action in Action::ALL {
            assert_eq!(action.as_str().split('.').count(), 2, "{action}");
            assert!(action.meaning().ends_with('.'), "{action}");
        }
    }
}
