//! Teams: whose keys, apps and device tokens the service knows. Nothing is shared between two teams.

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};
use thiserror::Error;

use crate::{
    App, BundleId, DeviceToken, KeyId, ProviderKey, Registration, TeamId, TokenKind, TokenStatus, Topic,
};

/// A developer team: the unit of isolation, because it is Apple's.
///
/// ```
/// use mock_apns_core::{App, BundleId, Team, TeamId};
///
/// let mut team = Team::new(TeamId::parse("TEAM000001")?);
/// team.add_app(App::new(BundleId::parse("com.example.app")?))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Team {
    id: TeamId,
    keys: IndexMap<KeyId, ProviderKey, FxBuildHasher>,
    apps: IndexMap<BundleId, App, FxBuildHasher>,
    /// Every topic that some app answers to. Made from `apps`, so that a push needs one look-up.
    topics: FxHashMap<Box<str>, TopicOwner>,
    tokens: FxHashMap<DeviceToken, Registration>,
}

impl Team {
    /// A team without keys, apps and devices.
    pub fn new(id: TeamId) -> Self {
        Self {
            id,
            keys: IndexMap::default(),
            apps: IndexMap::default(),
            topics: FxHashMap::default(),
            tokens: FxHashMap::default(),
        }
    }

    /// The team's ID.
    pub fn id(&self) -> TeamId {
        self.id
    }

    /// Adds a key. Keys are never removed, only revoked: what remembers a key remembers its place.
    pub fn add_key(&mut self, key: ProviderKey) -> Result<(), TeamError> {
        if self.keys.contains_key(&key.id) {
            return Err(TeamError::DuplicateKey(key.id));
        }
        self.keys.insert(key.id, key);
        Ok(())
    }

    /// Revokes a key from the next push on. `false`: the team has no such key.
    pub fn revoke_key(&mut self, id: KeyId) -> bool {
        self.keys.get_mut(&id).map(|key| key.revoked = true).is_some()
    }

    /// Adds an app, and with it its topics of every suffix.
    pub fn add_app(&mut self, app: App) -> Result<(), TeamError> {
        let bundle_id = app.bundle_id.clone();
        if self.apps.contains_key(&bundle_id) {
            return Err(TeamError::DuplicateApp(bundle_id));
        }
        for &kind in TokenKind::ALL {
            let topic = format!("{bundle_id}{}", kind.topic_suffix()).into_boxed_str();
            let owner = TopicOwner { bundle_id: bundle_id.clone(), kind };
            // `com.example.voip` is an app of that name if there is one, and only then the VoIP topic of another.
            if kind == TokenKind::App {
                self.topics.insert(topic, owner);
            } else {
                self.topics.entry(topic).or_insert(owner);
            }
        }
        self.apps.insert(bundle_id, app);
        Ok(())
    }

    /// Makes a device token known, or says something new of a known one.
    pub fn register(&mut self, token: DeviceToken, registration: Registration) -> Result<(), TeamError> {
        if !self.apps.contains_key(&registration.bundle_id) {
            return Err(TeamError::UnknownApp(registration.bundle_id));
        }
        self.tokens.insert(token, registration);
        Ok(())
    }

    /// Changes whether a device token still leads to its app. `false`: the team has no such token.
    pub fn set_token_status(&mut self, token: &DeviceToken, status: TokenStatus) -> bool {
        self.tokens.get_mut(token).map(|registration| registration.status = status).is_some()
    }

    /// What is known of a device token, by its bytes.
    pub fn registration(&self, token: &[u8]) -> Option<&Registration> {
        self.tokens.get(token)
    }

    /// The app of this team that a topic belongs to.
    pub(crate) fn topic_owner(&self, topic: Topic<'_>) -> Option<&TopicOwner> {
        self.topics.get(topic.as_str())
    }

    pub(crate) fn owns_topic(&self, topic: &str) -> bool {
        self.topics.contains_key(topic)
    }
}

/// A team could not be changed as asked.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum TeamError {
    /// The service has a team with this ID.
    #[error("there is a team {0} already: give each team an ID of its own")]
    DuplicateTeam(TeamId),
    /// The team has a key with this ID.
    #[error("the team has a key {0} already: give each key an ID of its own")]
    DuplicateKey(KeyId),
    /// The team has an app with this bundle identifier.
    #[error("the team has an app {0} already")]
    DuplicateApp(BundleId),
    /// A device token belongs to an app that the team does not have.
    #[error("the team has no app {0}: add the app before its device tokens")]
    UnknownApp(BundleId),
}

/// The app and the kind of token that a topic stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TopicOwner {
    pub(crate) bundle_id: BundleId,
    pub(crate) kind: TokenKind,
}

/// Where a team stands in [`Teams`]. Teams are never removed, so a place stays valid.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct TeamIndex(usize);

/// Where a key stands: its team, and its place there.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct KeyIndex {
    pub(crate) team: TeamIndex,
    key: usize,
}

/// All teams of a service.
#[derive(Debug, Default)]
pub(crate) struct Teams(IndexMap<TeamId, Team, FxBuildHasher>);

impl Teams {
    pub(crate) fn add(&mut self, team: Team) -> Result<(), TeamError> {
        if self.0.contains_key(&team.id) {
            return Err(TeamError::DuplicateTeam(team.id));
        }
        self.0.insert(team.id, team);
        Ok(())
    }

    pub(crate) fn by_id(&self, id: TeamId) -> Option<&Team> {
        self.0.get(&id)
    }

    pub(crate) fn by_id_mut(&mut self, id: TeamId) -> Option<&mut Team> {
        self.0.get_mut(&id)
    }

    pub(crate) fn index_of(&self, id: TeamId) -> Option<TeamIndex> {
        self.0.get_index_of(&id).map(TeamIndex)
    }

    pub(crate) fn key_index_of(&self, team: TeamIndex, id: KeyId) -> Option<KeyIndex> {
        self.team(team).keys.get_index_of(&id).map(|key| KeyIndex { team, key })
    }

    pub(crate) fn team(&self, at: TeamIndex) -> &Team {
        &self.0[at.0]
    }

    /// `None` when the whole team was replaced by one with fewer keys through [`by_id_mut`](Self::by_id_mut).
    pub(crate) fn key(&self, at: KeyIndex) -> Option<&ProviderKey> {
        self.team(at.team).keys.get_index(at.key).map(|(_, key)| key)
    }

    /// The first team, in the order in which they were added, that `wanted` finds.
    pub(crate) fn find(&self, wanted: impl Fn(&Team) -> bool) -> Option<TeamIndex> {
        self.0.values().position(wanted).map(TeamIndex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Environment, KeyScope};

    fn team_with(bundle_ids: &[&str]) -> Team {
        let mut team = Team::new(TeamId::parse("TEAM000001").unwrap());
        for bundle_id in bundle_ids {
            team.add_app(App::new(BundleId::parse(bundle_id).unwrap())).unwrap();
        }
        team
    }

    fn owner_of<'a>(team: &'a Team, topic: &str) -> Option<(&'a str, TokenKind)> {
        let owner = team.topic_owner(Topic::parse(topic.as_bytes()).unwrap())?;
        Some((owner.bundle_id.as_str(), owner.kind))
    }

    #[test]
    fn an_app_answers_to_its_topics_of_every_suffix() {
        let team = team_with(&["com.example.app"]);
        for &kind in TokenKind::ALL {
            let topic = format!("com.example.app{}", kind.topic_suffix());
            assert_eq!(owner_of(&team, &topic), Some(("com.example.app", kind)));
        }
        assert_eq!(owner_of(&team, "com.example"), None);
    }

    #[test]
    fn an_app_whose_name_ends_like_a_suffix_keeps_its_name() {
        for order in [["com.example", "com.example.voip"], ["com.example.voip", "com.example"]] {
            let team = team_with(&order);
            assert_eq!(owner_of(&team, "com.example.voip"), Some(("com.example.voip", TokenKind::App)));
        }
    }

    #[test]
    fn nothing_is_added_twice_and_no_token_without_its_app() {
        let mut team = team_with(&["com.example.app"]);
        let app = App::new(BundleId::parse("com.example.app").unwrap());
        assert_eq!(team.add_app(app.clone()), Err(TeamError::DuplicateApp(app.bundle_id)));
        let key = ProviderKey::new(KeyId::parse("KEY0000001").unwrap(), [4; 65], KeyScope::Legacy);
        assert_eq!(team.add_key(key.clone()), Ok(()));
        assert_eq!(team.add_key(key.clone()), Err(TeamError::DuplicateKey(key.id)));
        let other = BundleId::parse("com.other").unwrap();
        let registration = Registration {
            bundle_id: other.clone(),
            environment: Environment::Sandbox,
            kind: TokenKind::App,
            status: TokenStatus::Active,
        };
        let token = DeviceToken::from_hex(b"00ff").unwrap();
        assert_eq!(team.register(token, registration), Err(TeamError::UnknownApp(other)));
    }

    #[test]
    fn what_is_not_there_cannot_be_changed() {
        let mut team = team_with(&[]);
        assert!(!team.revoke_key(KeyId::parse("KEY0000001").unwrap()));
        assert!(!team.set_token_status(&DeviceToken::from_hex(b"00").unwrap(), TokenStatus::Active));
    }
}
