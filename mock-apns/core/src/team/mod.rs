//! Teams: whose keys, apps, devices, journal and clock the service knows. Nothing is shared between two teams.

mod at;
mod change;
mod devices;
mod faults;
mod form;
mod history;
mod playing;
mod reset;
mod teams;
mod tokens;

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};
use thiserror::Error;

use crate::{
    App, BundleId, Clock, Device, DeviceConnectionId, DeviceId, DeviceToken, KeyId, ProviderKey, Settings,
    TeamId, Timestamp, TokenKind, TokenStatus, Topic,
    app::AppIndex,
    conduct::Conduct,
    delivery::Timers,
    device::{DeviceIndex, Devices},
    device_token::{BLOCK, TokenIdentity, TokenKey},
    fault::Faults,
    gateway::Link,
    journal::TeamJournal,
    message_id::Identifiers,
    scenario::Script,
};
pub(crate) use at::Around;
pub use at::TeamAt;
pub(crate) use form::TeamForm;
pub(crate) use reset::Beginning;
pub(crate) use reset::Declared;
pub(crate) use teams::{KeyIndex, TeamIndex, Teams};

/// A developer team: the unit of isolation, because it is Apple's.
///
/// It is put together here, and added with [`Service::add_team`](crate::Service::add_team). From then on it is changed
/// through [`TeamAt`].
///
/// ```
/// use mock_apns_core::{App, BundleId, Team, TeamId};
///
/// let mut team = Team::new(TeamId::parse("TEAM000001")?);
/// team.add_app(App::new(BundleId::parse("com.example.app")?))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Team {
    id: TeamId,
    /// What it was added with.
    declared: Declared,
    pub(crate) settings: Settings,
    keys: IndexMap<KeyId, ProviderKey, FxBuildHasher>,
    apps: IndexMap<BundleId, App, FxBuildHasher>,
    /// Every topic that some app answers to. Made from `apps`, so that a push needs one look-up.
    topics: FxHashMap<Box<str>, TopicOwner>,
    pub(crate) clock: Clock,
    /// The latest time that the team has seen, which the machine's clock may fall behind.
    latest: Timestamp,
    token_key: TokenKey,
    pub(crate) identifiers: Identifiers,
    pub(crate) devices: Devices,
    /// Tokens that were not minted, but given to a registration as they are; and back.
    given_tokens: FxHashMap<DeviceToken, TokenIdentity>,
    given_to: FxHashMap<TokenIdentity, DeviceToken>,
    /// The tokens of which APNs has learned that they lead nowhere.
    pub(crate) gone: FxHashMap<TokenIdentity, TokenStatus>,
    pub(crate) timers: Timers,
    pub(crate) journal: TeamJournal,
    /// Whether the journal has grown since the service said so last.
    pub(crate) is_changed: bool,
    pub(crate) faults: Faults,
    /// What is to happen by scenarios.
    pub(crate) script: Script,
    /// How many connections have shown that they are of its provider.
    pub(crate) connections_seen: u64,
    /// What Apple would mind.
    pub(crate) conduct: Conduct,
    /// The connections of devices to the device gateway.
    pub(crate) links: FxHashMap<DeviceConnectionId, Link>,
    /// How many notifications were accepted.
    notifications: u64,
}

impl Team {
    /// A team without keys, apps and devices, with a clock that follows the machine's. Added to a service, it takes on
    /// the service's settings.
    pub fn new(id: TeamId) -> Self {
        Self {
            id,
            declared: Declared::default(),
            settings: Settings::default(),
            keys: IndexMap::default(),
            apps: IndexMap::default(),
            topics: FxHashMap::default(),
            clock: Clock::default(),
            latest: Timestamp::default(),
            token_key: TokenKey::new([0; BLOCK]),
            identifiers: Identifiers::new(0),
            devices: Devices::default(),
            given_tokens: FxHashMap::default(),
            given_to: FxHashMap::default(),
            gone: FxHashMap::default(),
            timers: Timers::default(),
            journal: TeamJournal::new(),
            is_changed: false,
            faults: Faults::default(),
            script: Script::default(),
            connections_seen: 0,
            conduct: Conduct::default(),
            links: FxHashMap::default(),
            notifications: 0,
        }
    }

    /// The team's ID.
    pub fn id(&self) -> TeamId {
        self.id
    }

    /// The team's settings. They differ from the service's once they are changed.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How the team's time goes.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The team's time when it is `machine` on the machine.
    pub fn now(&self, machine: Timestamp) -> Timestamp {
        self.clock.now(machine).max(self.latest)
    }

    /// Adds a key. Keys are only revoked, and never removed but by a [reset](TeamAt::reset): what remembers a key remembers
    /// its place.
    pub fn add_key(&mut self, key: ProviderKey) -> Result<(), TeamError> {
        if self.keys.contains_key(&key.id) {
            return Err(TeamError::DuplicateKey(key.id));
        }
        self.keys.insert(key.id, key);
        Ok(())
    }

    /// The team's keys, revoked ones among them, in the order in which they were added.
    pub fn keys(&self) -> impl Iterator<Item = &ProviderKey> {
        self.keys.values()
    }

    /// Adds an app, and with it its topics: one for each kind of device token that it receives pushes through.
    pub fn add_app(&mut self, app: App) -> Result<(), TeamError> {
        let bundle_id = app.bundle_id.clone();
        if self.apps.contains_key(&bundle_id) {
            return Err(TeamError::DuplicateApp(bundle_id));
        }
        let index = AppIndex(u16::try_from(self.apps.len()).map_err(|_| TeamError::TooManyApps)?);
        for &kind in TokenKind::ALL.iter().filter(|kind| app.takes(**kind)) {
            let topic = kind.topic(&bundle_id).into_boxed_str();
            let owner = TopicOwner { app: index, bundle_id: bundle_id.clone(), kind };
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

    /// The team's apps, in the order in which they were added.
    pub fn apps(&self) -> impl Iterator<Item = &App> {
        self.apps.values()
    }

    /// The team's devices, in the order in which they were added.
    pub fn devices(&self) -> impl Iterator<Item = Device<'_>> {
        self.devices.indices().map(|index| Device { team: self, index })
    }

    /// How many devices the team has.
    pub fn device_count(&self) -> usize {
        self.devices.count()
    }

    /// The team's devices that were added after this one, in the order in which they were; `None`: it has no such device.
    pub fn devices_after(&self, id: &DeviceId) -> Option<impl Iterator<Item = Device<'_>>> {
        let index = self.devices.index_of(id)?;
        Some(self.devices.indices_after(index).map(|index| Device { team: self, index }))
    }

    /// The device of this name.
    pub fn device(&self, id: &DeviceId) -> Option<Device<'_>> {
        self.devices.index_of(id).map(|index| Device { team: self, index })
    }
}

/// What the rest of the crate needs to know of a team.
impl Team {
    /// The app of this team that a topic belongs to.
    pub(crate) fn topic_owner(&self, topic: Topic<'_>) -> Option<&TopicOwner> {
        self.topics.get(topic.as_str())
    }

    pub(crate) fn owns_topic(&self, topic: &str) -> bool {
        self.topics.contains_key(topic)
    }

    pub(crate) fn app_index(&self, bundle_id: &BundleId) -> Option<AppIndex> {
        self.apps.get_index_of(bundle_id).map(|index| AppIndex(index as u16))
    }

    pub(crate) fn app(&self, index: AppIndex) -> &App {
        &self.apps[usize::from(index.0)]
    }

    pub(crate) fn bundle_id(&self, index: AppIndex) -> &BundleId {
        &self.app(index).bundle_id
    }

    /// Whether a device may not be sent more for this app before it has acknowledged some.
    pub(crate) fn is_window_full(&self, connection: DeviceConnectionId, token: &TokenIdentity) -> bool {
        let window = self.settings.unacknowledged_pushes as usize;
        self.links.get(&connection).is_some_and(|link| link.unacknowledged(token) >= window)
    }

    /// When the first of its timers is due, by the machine's clock.
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        let first =
            [self.timers.first(), self.faults.due_at(), self.script.due_at()].into_iter().flatten().min();
        first.and_then(|at| self.clock.machine_time_of(at))
    }

    /// The number of the next notification.
    pub(crate) fn next_number(&self) -> u64 {
        self.notifications + 1
    }

    /// A notification has got the next number.
    pub(crate) fn count_accepted(&mut self) {
        self.notifications += 1;
    }

    /// The key at this place, if it is one of this team, at whose place nobody looks here.
    pub(crate) fn key_at(&self, at: KeyIndex) -> Option<&ProviderKey> {
        self.keys.get_index(at.key()).map(|(_, key)| key)
    }

    pub(crate) fn device_id(&self, index: DeviceIndex) -> &DeviceId {
        self.devices.name(index)
    }

    /// Makes everything that is chosen at random follow from `seed` and the team's ID alone, so that other teams change
    /// nothing.
    fn seed(&mut self, seed: u64) {
        let key = |purpose: &[u8; 8]| {
            let mut key = [0; BLOCK];
            key[..8].copy_from_slice(&seed.to_be_bytes());
            key[8..].copy_from_slice(purpose);
            let mut id = [0; BLOCK];
            id[..self.id.as_str().len()].copy_from_slice(self.id.as_str().as_bytes());
            TokenKey::new(key).encrypt(id)
        };
        self.token_key = TokenKey::new(key(b"tokens.."));
        self.identifiers = Identifiers::new(u128::from_be_bytes(key(b"messages")) as u64);
        self.faults = Faults::new(true, u128::from_be_bytes(key(b"faults..")) as u64);
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
    /// The team has as many apps as device tokens can name.
    #[error("a team has at most {} apps", usize::from(u16::MAX) + 1)]
    TooManyApps,
}

/// The app and the kind of token that a topic stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TopicOwner {
    pub(crate) app: AppIndex,
    pub(crate) bundle_id: BundleId,
    pub(crate) kind: TokenKind,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyScope, PushType, PushTypes};

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
    fn an_app_has_no_topic_for_what_it_does_not_receive() {
        let mut app = App::new(BundleId::parse("com.example.app").unwrap());
        app.push_types = PushTypes::of(&[PushType::Alert, PushType::Widgets]);
        let mut team = team_with(&[]);
        team.add_app(app).unwrap();
        assert_eq!(team.topics.len(), 2);
        assert_eq!(owner_of(&team, "com.example.app.voip"), None);
    }

    #[test]
    fn an_app_whose_name_ends_like_a_suffix_keeps_its_name() {
        for order in [["com.example", "com.example.voip"], ["com.example.voip", "com.example"]] {
            let team = team_with(&order);
            assert_eq!(owner_of(&team, "com.example.voip"), Some(("com.example.voip", TokenKind::App)));
        }
    }

    #[test]
    fn nothing_is_added_twice() {
        let mut team = team_with(&["com.example.app"]);
        let app = App::new(BundleId::parse("com.example.app").unwrap());
        assert_eq!(team.add_app(app.clone()), Err(TeamError::DuplicateApp(app.bundle_id)));
        let key = ProviderKey::new(KeyId::parse("KEY0000001").unwrap(), [4; 65], KeyScope::Legacy);
        assert_eq!(team.add_key(key.clone()), Ok(()));
        assert_eq!(team.add_key(key.clone()), Err(TeamError::DuplicateKey(key.id)));
    }
}
