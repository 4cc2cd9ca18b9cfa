//! A team as it is written in a snapshot.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{Team, TeamIndex, reset::Declared};
use crate::{
    App, Clock, DeviceConnectionId, DeviceToken, ProviderKey, Settings, TeamId, Timestamp, TokenStatus,
    bytes::is_default,
    conduct::{Conduct, ConductForm},
    delivery::{StoredForm, Timers},
    device::{DeviceForm, DeviceIndex, Devices},
    device_token::TokenIdentity,
    fault::FaultsForm,
    gateway::LinkForm,
    journal::{COUNT_MAX, JournalForm, KeptNotification, Notifications, TeamJournal},
    message_id::Identifiers,
    scenario::{Script, ScriptForm},
    snapshot::{Problem, SnapshotError},
};

/// A team. Its topics follow from its apps, its token key from the service's seed, its timers from what is stored.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TeamForm {
    pub(crate) id: TeamId,
    /// What it was added with.
    declared: Declared,
    settings: Settings,
    keys: Vec<ProviderKey>,
    apps: Vec<App>,
    clock: Clock,
    latest: Timestamp,
    identifiers: Identifiers,
    devices: Vec<DeviceForm>,
    given_tokens: Vec<GivenToken>,
    gone: Vec<(TokenIdentity, TokenStatus)>,
    /// How many timers were set ever.
    timers: u64,
    /// How many notifications were accepted ever.
    accepted: u64,
    /// Those of which something below speaks by their numbers.
    notifications: Vec<KeptNotification>,
    stored: Vec<StoredForm>,
    links: Vec<LinkForm>,
    journal: JournalForm,
    #[serde(default, skip_serializing_if = "is_default")]
    conduct: ConductForm,
    #[serde(default, skip_serializing_if = "is_default")]
    faults: FaultsForm,
    #[serde(default, skip_serializing_if = "is_default")]
    script: ScriptForm,
    /// How many connections have shown ever that they are of its provider.
    #[serde(default, skip_serializing_if = "is_default")]
    connections_seen: u64,
}

/// A token that was given to a registration.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct GivenToken {
    token: DeviceToken,
    identity: TokenIdentity,
    /// Whether another has it since.
    #[serde(default, skip_serializing_if = "is_default")]
    taken: bool,
}

impl Team {
    pub(crate) fn to_form(&self) -> TeamForm {
        let mut kept = Notifications::default();
        let stored = self.stored_forms(&mut kept);
        let links = self.link_forms(&mut kept);
        let journal = self.journal.to_form(&mut kept);
        let mut gone: Vec<_> = self.gone.iter().map(|(identity, status)| (*identity, *status)).collect();
        gone.sort_unstable_by_key(|(identity, _)| *identity);
        TeamForm {
            id: self.id,
            declared: self.declared.clone(),
            settings: self.settings.clone(),
            keys: self.keys().cloned().collect(),
            apps: self.apps().cloned().collect(),
            clock: self.clock,
            latest: self.latest,
            identifiers: self.identifiers.clone(),
            devices: self.devices.to_forms(),
            given_tokens: self.given_token_forms(),
            gone,
            timers: self.timers.set_ever(),
            accepted: self.notifications,
            notifications: kept.into_values().map(KeptNotification).collect(),
            stored,
            links,
            journal,
            conduct: self.conduct.to_form(),
            faults: self.faults.to_form(),
            script: self.script.to_form(),
            connections_seen: self.connections_seen,
        }
    }

    /// The team as it was, at this place in a service of this seed. `is_open` knows the connections of its devices.
    pub(crate) fn from_form(
        form: &TeamForm,
        (index, seed): (TeamIndex, u64),
        is_open: impl Fn(DeviceConnectionId, DeviceIndex) -> bool,
    ) -> Result<Self, SnapshotError> {
        form.declared.team(form.id).map_err(|problem| problem.at("declared"))?;
        let added = Declared { keys: form.keys.clone(), apps: form.apps.clone() };
        let mut team = added.team(form.id).map_err(|problem| problem.at("keys and apps"))?;
        team.seed(seed);
        team.declared = form.declared.clone();
        team.settings = form.settings.clone();
        team.clock = form.clock;
        team.latest = form.latest;
        team.identifiers = form.identifiers.clone();
        team.devices = Devices::from_forms(&form.devices, form.apps.len())?;
        if form.timers.max(form.accepted).max(form.connections_seen) > COUNT_MAX {
            return Err(Problem::TooMany.at("timers, accepted, connections-seen"));
        }
        team.faults.restore(&form.faults).map_err(|problem| problem.at("faults"))?;
        team.script = Script::from_form(&form.script).map_err(|problem| problem.at("script"))?;
        team.connections_seen = form.connections_seen;
        team.timers = Timers::after(form.timers);
        team.notifications = form.accepted;
        team.restore_tokens(form)?;
        let kept = team.kept(form)?;
        for (at, stored) in form.stored.iter().enumerate() {
            team.restore_stored(stored, &kept).map_err(|problem| problem.at(&format!("stored[{at}]")))?;
        }
        for (at, link) in form.links.iter().enumerate() {
            let restored = team.restore_link(link, &kept, &is_open);
            restored.map_err(|problem| problem.at(&format!("links[{at}]")))?;
        }
        team.journal = TeamJournal::from_form(&form.journal, form.devices.len(), &kept)?;
        let conduct = Conduct::from_form(&form.conduct, |key| key.is_of(index, &team));
        team.conduct = conduct.map_err(|problem| problem.at("conduct"))?;
        Ok(team)
    }

    fn given_token_forms(&self) -> Vec<GivenToken> {
        let form = |(identity, token): (&TokenIdentity, &DeviceToken)| GivenToken {
            token: token.clone(),
            identity: *identity,
            taken: self.given_tokens.get(token) != Some(identity),
        };
        let mut forms: Vec<GivenToken> = self.given_to.iter().map(form).collect();
        forms.sort_unstable_by_key(|form| form.identity);
        forms
    }

    fn restore_tokens(&mut self, form: &TeamForm) -> Result<(), SnapshotError> {
        for (at, GivenToken { token, identity, taken }) in form.given_tokens.iter().enumerate() {
            let twice = || Problem::Twice("a token").at(&format!("given-tokens[{at}]"));
            if self.given_to.insert(*identity, token.clone()).is_some() {
                return Err(twice());
            }
            if !taken && self.given_tokens.insert(token.clone(), *identity).is_some() {
                return Err(twice());
            }
        }
        self.gone = form.gone.iter().copied().collect::<FxHashMap<_, _>>();
        let is_dead = |status: &TokenStatus| *status != TokenStatus::Active;
        if self.gone.len() != form.gone.len() || !self.gone.values().all(is_dead) {
            return Err(Problem::Twice("a token, or one that is not gone").at("gone"));
        }
        Ok(())
    }

    /// The notifications by their numbers, each to a device and an app that there are or were.
    fn kept(&self, form: &TeamForm) -> Result<Notifications, SnapshotError> {
        let mut kept = Notifications::default();
        for (at, KeptNotification(notification)) in form.notifications.iter().enumerate() {
            let place = || format!("notifications[{at}]");
            let (number, token) = (notification.number, &notification.token);
            if token.device.0 as usize >= self.devices.len() {
                return Err(Problem::NoSuch("device", token.device.0.into()).at(&place()));
            }
            if usize::from(token.app.0) >= self.apps.len() {
                return Err(Problem::NoSuch("app", token.app.0.into()).at(&place()));
            }
            if !(1..=self.notifications).contains(&number) {
                return Err(Problem::NoSuch("notification", number).at(&place()));
            }
            if kept.insert(number, notification.clone()).is_some() {
                return Err(Problem::Twice("a notification").at(&place()));
            }
        }
        Ok(kept)
    }
}
