//! What only the shell knows of teams: the private halves of their keys, and which names are still free.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use apns_certs::AuthKey;
use mock_apns_core::{App, BundleId, KeyId, KeyScope, ProviderKey, Team, TeamError, TeamId};
use serde::{Deserialize, Serialize};

use crate::{
    TeamCreationError,
    data_dir::{CredentialsChange, Entry, Log},
    shared::Shared,
};

/// The private halves of all teams' keys; a handle, cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credentials(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    keys: BTreeMap<(TeamId, KeyId), AuthKey>,
    teams_named: u32,
    keys_named: u32,
    /// Where changes are written down, if they are to be kept.
    log: Option<Log>,
}

/// All of it, as a snapshot has it. Secret.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct CredentialsForm {
    /// How many teams and keys were given a name.
    teams_named: u32,
    keys_named: u32,
    keys: Vec<KeyForm>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct KeyForm {
    team: TeamId,
    id: KeyId,
    /// The private key as PKCS#8 PEM: what is in a .p8 file.
    p8: String,
}

impl Credentials {
    /// What a snapshot has.
    pub(crate) fn from_form(form: &CredentialsForm) -> Result<Self, apns_certs::Error> {
        let CredentialsForm { teams_named, keys_named, ref keys } = *form;
        let keys = keys.iter().map(|key| Ok(((key.team, key.id), from_p8(key.id, &key.p8)?)));
        let keys = keys.collect::<Result<_, apns_certs::Error>>()?;
        Ok(Self(Arc::new(Mutex::new(Inner { keys, teams_named, keys_named, log: None }))))
    }

    /// All of it, for a snapshot.
    pub(crate) fn to_form(&self) -> CredentialsForm {
        let Inner { keys, teams_named, keys_named, .. } = &*self.inner();
        let keys = keys.iter().map(|(&(team, id), key)| KeyForm { team, id, p8: key.to_p8() }).collect();
        CredentialsForm { teams_named: *teams_named, keys_named: *keys_named, keys }
    }

    /// Brings it to what another has. It is not written down: whoever does this makes a checkpoint.
    pub(crate) fn replace(&self, other: &Self) {
        let Inner { keys, teams_named, keys_named, .. } = std::mem::take(&mut *other.inner());
        let mut inner = self.inner();
        (inner.keys, inner.teams_named, inner.keys_named) = (keys, teams_named, keys_named);
    }

    /// From now on every change is written down.
    pub(crate) fn start_recording(&self, log: Log) {
        self.inner().log = Some(log);
    }

    /// Does again what was written down.
    pub(crate) fn redo(&self, change: CredentialsChange) -> Result<(), apns_certs::Error> {
        let mut inner = self.inner();
        match change {
            CredentialsChange::Remember { team, id, p8 } => {
                inner.keys.insert((team, id), from_p8(id, &p8)?);
            }
            CredentialsChange::Forget { team } => inner.forget(team),
            CredentialsChange::Named { teams, keys } => (inner.teams_named, inner.keys_named) = (teams, keys),
        }
        Ok(())
    }

    /// Remembers a key that a team has.
    pub(crate) fn remember(&self, team: TeamId, id: KeyId, key: AuthKey) {
        let mut inner = self.inner();
        inner.record(|| CredentialsChange::Remember { team, id, p8: key.to_p8() });
        inner.keys.insert((team, id), key);
    }

    /// The private half of a team's key, if it is known here.
    pub(crate) fn get(&self, team: TeamId, id: KeyId) -> Option<AuthKey> {
        self.inner().keys.get(&(team, id)).cloned()
    }

    /// Forgets a team's keys.
    pub(crate) fn forget(&self, team: TeamId) {
        let mut inner = self.inner();
        inner.record(|| CredentialsChange::Forget { team });
        inner.forget(team);
    }

    /// Makes a team with a key and these apps, each good for everything. Without `asked`, it gets the next free ID.
    pub(crate) fn create_team(
        &self,
        shared: &Shared,
        asked: Option<TeamId>,
        apps: &[BundleId],
    ) -> Result<(TeamId, AuthKey), TeamCreationError> {
        loop {
            let id = asked.map_or_else(|| self.next_team_id(), Ok)?;
            let (key_id, key) = self.new_key(None)?;
            let team =
                team(id, ProviderKey::new(key_id, key.private_key.public_key(), KeyScope::Legacy), apps)?;
            match shared.batch().service().add_team(team) {
                // Somebody has given this name to a team of theirs.
                Err(TeamError::DuplicateTeam(_)) if asked.is_none() => {}
                Err(error) => return Err(error.into()),
                Ok(()) => {
                    self.remember(id, key_id, key.clone());
                    return Ok((id, key));
                }
            }
        }
    }

    /// A key that nobody has: of this ID, or the next free one.
    pub(crate) fn new_key(&self, asked: Option<KeyId>) -> Result<(KeyId, AuthKey), TeamCreationError> {
        let id = asked.map_or_else(|| self.next_key_id(), Ok)?;
        Ok((id, AuthKey::generate(apns_certs::KeyId::new(id.as_str())?)?))
    }

    fn next_team_id(&self) -> Result<TeamId, TeamCreationError> {
        let mut inner = self.inner();
        inner.teams_named += 1;
        inner.record_names();
        TeamId::parse(&format!("TEAM{:06}", inner.teams_named)).map_err(|_| TeamCreationError::TooMany)
    }

    fn next_key_id(&self) -> Result<KeyId, TeamCreationError> {
        let mut inner = self.inner();
        inner.keys_named += 1;
        inner.record_names();
        KeyId::parse(&format!("KEY{:07}", inner.keys_named)).map_err(|_| TeamCreationError::TooMany)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn forget(&mut self, team: TeamId) {
        self.keys.retain(|(of, _), _| *of != team);
    }

    fn record_names(&self) {
        self.record(|| CredentialsChange::Named { teams: self.teams_named, keys: self.keys_named });
    }

    fn record(&self, change: impl FnOnce() -> CredentialsChange) {
        if let Some(log) = &self.log {
            log.append(Entry::Credentials(change()));
        }
    }
}

fn from_p8(id: KeyId, p8: &str) -> Result<AuthKey, apns_certs::Error> {
    AuthKey::from_p8(apns_certs::KeyId::new(id.as_str())?, p8)
}

fn team(id: TeamId, key: ProviderKey, apps: &[BundleId]) -> Result<Team, TeamError> {
    let mut team = Team::new(id);
    team.add_key(key)?;
    for bundle_id in apps {
        let mut app = App::new(bundle_id.clone());
        app.broadcast = true;
        team.add_app(app)?;
    }
    Ok(team)
}
