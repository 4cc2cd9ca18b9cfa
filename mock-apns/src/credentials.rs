//! What only the shell knows of teams: the private halves of their keys, and which names are still free.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use apns_certs::AuthKey;
use mock_apns_core::{App, BundleId, KeyId, KeyScope, ProviderKey, Team, TeamError, TeamId};

use crate::{TeamCreationError, shared::Shared};

/// The private halves of all teams' keys; a handle, cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credentials(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    keys: BTreeMap<(TeamId, KeyId), AuthKey>,
    teams_named: u32,
    keys_named: u32,
}

impl Credentials {
    /// Remembers a key that a team has.
    pub(crate) fn remember(&self, team: TeamId, id: KeyId, key: AuthKey) {
        self.inner().keys.insert((team, id), key);
    }

    /// The private half of a team's key, if it is known here.
    pub(crate) fn get(&self, team: TeamId, id: KeyId) -> Option<AuthKey> {
        self.inner().keys.get(&(team, id)).cloned()
    }

    /// Forgets a team's keys.
    pub(crate) fn forget(&self, team: TeamId) {
        self.inner().keys.retain(|(of, _), _| *of != team);
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
        TeamId::parse(&format!("TEAM{:06}", inner.teams_named)).map_err(|_| TeamCreationError::TooMany)
    }

    fn next_key_id(&self) -> Result<KeyId, TeamCreationError> {
        let mut inner = self.inner();
        inner.keys_named += 1;
        KeyId::parse(&format!("KEY{:07}", inner.keys_named)).map_err(|_| TeamCreationError::TooMany)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
