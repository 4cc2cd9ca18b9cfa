//! Authentication keys: whose provider tokens are believed, and for what.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{BundleId, Environment, KeyId};

/// A team's key for provider tokens: the public half of an `AuthKey_….p8`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ProviderKey {
    /// Its ID: the `kid` of the tokens that it signs.
    pub id: KeyId,
    /// The P-256 public key as an uncompressed point (SEC 1, 2.3.3). One that is no point on the curve verifies
    /// nothing.
    #[serde(with = "crate::bytes::hex")]
    pub public_key: [u8; 65],
    /// What its tokens may do.
    pub scope: KeyScope,
    /// Whether the team has revoked it. Looked at for each push, so that revoking takes effect at once.
    pub revoked: bool,
}

impl ProviderKey {
    /// A key in force.
    pub const fn new(id: KeyId, public_key: [u8; 65], scope: KeyScope) -> Self {
        Self { id, public_key, scope, revoked: false }
    }

    /// Whether both may be used on one connection, this one first.
    ///
    /// Documented for keys of one team: topic-specific keys go together only when the one names the other as its
    /// related key; a key for the whole team and a topic-specific one never do. That two keys for the whole team do
    /// is our reading: they are what a team rotates.
    /// Source: Apple, "Establishing a token-based connection to APNs".
    pub fn is_related_to(&self, other: &Self) -> bool {
        match (&self.scope, &other.scope) {
            _ if self.id == other.id => true,
            (KeyScope::Topics { related: mine, .. }, KeyScope::Topics { related: theirs, .. }) => {
                *mine == Some(other.id) || *theirs == Some(self.id)
            }
            (KeyScope::Topics { .. }, _) | (_, KeyScope::Topics { .. }) => false,
            _ => true,
        }
    }
}

/// What the tokens that a key signs may do.
/// Source: Apple, "Establishing a token-based connection to APNs"; developer news of 2025-02-17.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeyScope {
    /// All of the team's topics in both environments: every key made before 2025-02-17.
    Legacy,
    /// All of the team's topics in one environment.
    Team {
        /// The one environment.
        environment: Environment,
    },
    /// The topics of some apps in one environment.
    Topics {
        /// The one environment.
        environment: Environment,
        /// The apps, each with its topics of every suffix.
        bundle_ids: BTreeSet<BundleId>,
        /// The one other topic-specific key that may be used on the same connection.
        related: Option<KeyId>,
    },
}

impl KeyScope {
    /// Whether the scope includes `environment`.
    pub fn allows_environment(&self, environment: Environment) -> bool {
        match self {
            Self::Legacy => true,
            Self::Team { environment: only } | Self::Topics { environment: only, .. } => *only == environment,
        }
    }

    /// Whether the scope includes the topics of this app of the team.
    pub fn allows_bundle_id(&self, bundle_id: &BundleId) -> bool {
        match self {
            Self::Legacy | Self::Team { .. } => true,
            Self::Topics { bundle_ids, .. } => bundle_ids.contains(bundle_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, scope: KeyScope) -> ProviderKey {
        ProviderKey::new(KeyId::parse(id).unwrap(), [4; 65], scope)
    }

    fn topic_key(id: &str, related: Option<&str>) -> ProviderKey {
        let bundle_ids = [BundleId::parse("com.example.app").unwrap()].into();
        let related = related.map(|id| KeyId::parse(id).unwrap());
        key(id, KeyScope::Topics { environment: Environment::Sandbox, bundle_ids, related })
    }

    #[test]
    fn a_scope_names_environments_and_apps() {
        let (app, other) =
            (BundleId::parse("com.example.app").unwrap(), BundleId::parse("com.other").unwrap());
        let topics = topic_key("TOPICKEY01", None).scope;
        let team = KeyScope::Team { environment: Environment::Production };
        assert!(KeyScope::Legacy.allows_environment(Environment::Sandbox));
        assert!(KeyScope::Legacy.allows_environment(Environment::Production));
        assert!(
            team.allows_environment(Environment::Production)
                && !team.allows_environment(Environment::Sandbox)
        );
        assert!(topics.allows_environment(Environment::Sandbox));
        assert!(!topics.allows_environment(Environment::Production));
        assert!(topics.allows_bundle_id(&app) && !topics.allows_bundle_id(&other));
        assert!(team.allows_bundle_id(&other) && KeyScope::Legacy.allows_bundle_id(&other));
    }

    #[test]
    fn topic_keys_are_related_when_either_names_the_other() {
        let (first, second) = (topic_key("TOPICKEY01", Some("TOPICKEY02")), topic_key("TOPICKEY02", None));
        let third = topic_key("TOPICKEY03", None);
        assert!(first.is_related_to(&second) && second.is_related_to(&first));
        assert!(!first.is_related_to(&third) && !third.is_related_to(&first));
        assert!(third.is_related_to(&third));
    }

    #[test]
    fn a_team_key_and_a_topic_key_are_never_related() {
        let team = key("TEAMKEY001", KeyScope::Team { environment: Environment::Sandbox });
        let topic = topic_key("TOPICKEY01", Some("TEAMKEY001"));
        assert!(!team.is_related_to(&topic) && !topic.is_related_to(&team));
        assert!(team.is_related_to(&key("LEGACYKEY1", KeyScope::Legacy)));
    }
}
