//! All teams of a service.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{Beginning, Team, TeamError};
use crate::{KeyId, ProviderKey, TeamId, snapshot::Problem};

/// Where a team stands in [`Teams`]. A place is never given to another team.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct TeamIndex(usize);

/// Where a key stands: its team, and its place there.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyIndex {
    pub(crate) team: TeamIndex,
    key: usize,
}

impl KeyIndex {
    /// The place among the keys of its team.
    pub(super) const fn key(self) -> usize {
        self.key
    }

    /// Whether it is the place of a key of `team`, which stands at `index`.
    pub(super) fn is_of(self, index: TeamIndex, team: &Team) -> bool {
        self.team == index && self.key < team.keys.len()
    }
}

/// All teams of a service.
#[derive(Debug, Default)]
pub(crate) struct Teams {
    /// `None`: the team was removed.
    places: Vec<Option<Box<Team>>>,
    by_id: FxHashMap<TeamId, TeamIndex>,
}

impl Teams {
    pub(crate) fn add(&mut self, mut team: Team, beginning: Beginning<'_>) -> Result<(), TeamError> {
        if self.by_id.contains_key(&team.id) {
            return Err(TeamError::DuplicateTeam(team.id));
        }
        team.begin(beginning);
        self.by_id.insert(team.id, TeamIndex(self.places.len()));
        self.places.push(Some(Box::new(team)));
        Ok(())
    }

    /// Where the next team will stand.
    pub(crate) fn next_index(&self) -> TeamIndex {
        TeamIndex(self.places.len())
    }

    /// Adds a team as it was; `None`: one that was removed.
    pub(crate) fn restore(&mut self, team: Option<Team>) -> Result<(), Problem> {
        if let Some(team) = &team
            && self.by_id.insert(team.id, self.next_index()).is_some()
        {
            return Err(Problem::Twice("a team"));
        }
        self.places.push(team.map(Box::new));
        Ok(())
    }

    /// What stands at each place; `None`: the team was removed.
    pub(crate) fn places(&self) -> impl Iterator<Item = Option<&Team>> {
        self.places.iter().map(Option::as_deref)
    }

    pub(crate) fn remove(&mut self, id: TeamId) -> Option<(TeamIndex, Box<Team>)> {
        let index = self.by_id.remove(&id)?;
        Some((index, self.places[index.0].take()?))
    }

    pub(crate) fn index_of(&self, id: TeamId) -> Option<TeamIndex> {
        self.by_id.get(&id).copied()
    }

    /// The team at this place, unless it was removed.
    pub(crate) fn get(&self, at: TeamIndex) -> Option<&Team> {
        self.places.get(at.0)?.as_deref()
    }

    /// The team at this place, unless it was removed.
    pub(crate) fn get_mut(&mut self, at: TeamIndex) -> Option<&mut Team> {
        self.places.get_mut(at.0)?.as_deref_mut()
    }

    pub(crate) fn key_index_of(&self, team: TeamIndex, id: KeyId) -> Option<KeyIndex> {
        self.get(team)?.keys.get_index_of(&id).map(|key| KeyIndex { team, key })
    }

    /// The key at this place, unless its team was removed.
    pub(crate) fn key(&self, at: KeyIndex) -> Option<&ProviderKey> {
        self.get(at.team)?.keys.get_index(at.key).map(|(_, key)| key)
    }

    /// The places of all teams that there are, in the order in which they were added.
    pub(crate) fn indices(&self) -> impl Iterator<Item = TeamIndex> {
        self.iter().map(|(index, _)| index)
    }

    /// The first team, in the order in which they were added, that `wanted` finds.
    pub(crate) fn find(&self, wanted: impl Fn(&Team) -> bool) -> Option<TeamIndex> {
        self.iter().find(|(_, team)| wanted(team)).map(|(index, _)| index)
    }

    fn iter(&self) -> impl Iterator<Item = (TeamIndex, &Team)> {
        let places = self.places.iter().enumerate();
        places.filter_map(|(place, team)| Some((TeamIndex(place), team.as_deref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_never_given_to_another_team() {
        let id = |text| TeamId::parse(text).unwrap();
        let beginning = Beginning { settings: &crate::Settings::default(), seed: 0 };
        let mut teams = Teams::default();
        for text in ["TEAM000001", "TEAM000002"] {
            teams.add(Team::new(id(text)), beginning).unwrap();
        }
        let first = teams.index_of(id("TEAM000001")).unwrap();
        let again = teams.add(Team::new(id("TEAM000002")), beginning);
        assert_eq!(again, Err(TeamError::DuplicateTeam(id("TEAM000002"))));
        assert!(teams.remove(id("TEAM000001")).is_some() && teams.remove(id("TEAM000001")).is_none());
        assert!(teams.get(first).is_none());
        teams.add(Team::new(id("TEAM000001")), beginning).unwrap();
        assert!(teams.get(first).is_none());
        assert_ne!(teams.index_of(id("TEAM000001")), Some(first));
        assert_eq!(teams.indices().count(), 2);
    }
}
