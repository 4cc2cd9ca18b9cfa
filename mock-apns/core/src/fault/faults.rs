//! The rules of a team, or of the whole service.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Fault, FaultError, FaultName, Moment, Occasion, REPLAY, Strike, chance::Chance};
use crate::{TeamId, Timestamp, bytes::is_default, journal::COUNT_MAX, snapshot::Problem};

/// Rules of a team, or of the whole service: each is looked at for each request.
pub const FAULTS_MAX: usize = 1000;

/// The rules of a team, or of the whole service, in the order in which they were added. The first that fires wins.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<Known>,
    /// Of what a rule's draws follow from that has no seed of its own.
    seed: u64,
    /// Whether they are a team's.
    of_team: bool,
}

#[derive(Debug)]
struct Known {
    rule: Arc<Fault>,
    added_at: Timestamp,
    counts: Counts,
    chance: Chance,
    /// Of a rule for the moment [`Moment::Clock`]: whether its time has come.
    is_over: bool,
    /// Of a rule for everyone that a scenario has brought: the team on which that is played.
    played_by: Option<TeamId>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    matched: u64,
    fired: u64,
}

/// A rule, and what it has done.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct KnownFault<'a> {
    /// The rule.
    pub fault: &'a Fault,
    /// When it was added, in the team's time, or the machine's.
    pub added_at: Timestamp,
    /// How often it has matched.
    pub matched: u64,
    /// How often it has fired.
    pub fired: u64,
    /// Of a fault for everyone that a scenario has brought: the team on which that is played, and with whose reset it goes.
    pub played_by: Option<TeamId>,
}

impl Faults {
    /// None yet.
    pub(crate) fn new(of_team: bool, seed: u64) -> Self {
        Self { rules: Vec::new(), seed, of_team }
    }

    /// Whether a rule asks how many connections are open.
    pub(crate) fn count_connections(&self) -> bool {
        self.rules.iter().any(|known| known.rule.matching.counts_connections())
    }

    /// Whether there is a rule for this moment.
    pub(crate) fn are_at(&self, moment: Moment) -> bool {
        self.rules.iter().any(|known| known.rule.moment() == moment)
    }

    /// Adds a rule behind the others.
    pub(crate) fn add(&mut self, now: Timestamp, fault: Fault) -> Result<(), FaultError> {
        self.add_played(now, fault, None)
    }

    /// Adds a rule for everyone that a scenario brings which is played on this team.
    pub(crate) fn play(&mut self, now: Timestamp, fault: Fault, team: TeamId) -> Result<(), FaultError> {
        if let Some(named) = fault.matching.team() {
            return Err(FaultError::TeamInScenario(named));
        }
        self.add_played(now, fault, Some(team))
    }

    fn add_played(
        &mut self,
        now: Timestamp,
        fault: Fault,
        played_by: Option<TeamId>,
    ) -> Result<(), FaultError> {
        self.rules.retain(|known| !known.has_expired(now));
        if self.rules.iter().any(|known| known.rule.name == fault.name) {
            return Err(FaultError::Duplicate(fault.name));
        }
        if fault.name.as_str() == REPLAY {
            return Err(FaultError::ReservedName);
        }
        if self.rules.len() >= FAULTS_MAX {
            return Err(FaultError::TooMany);
        }
        fault.check(self.of_team, now)?;
        let chance = Chance::new(fault.seed, self.seed, &fault.name);
        let rule = Arc::new(fault);
        let counts = Counts::default();
        self.rules.push(Known { rule, added_at: now, counts, chance, is_over: false, played_by });
        Ok(())
    }

    /// Others with the same rules, to try something.
    pub(crate) fn trial(&self) -> Self {
        let mut trial = Self::new(self.of_team, self.seed);
        trial.rules = self.rules.iter().map(Known::again).collect();
        trial
    }

    /// Removes the rule of this name. `false`: there is none.
    pub(crate) fn remove(&mut self, name: &FaultName) -> bool {
        let before = self.rules.len();
        self.rules.retain(|known| known.rule.name != *name);
        self.rules.len() < before
    }

    /// Removes the rule of this name, if a scenario has brought it which is played on this team. `false`: there is none.
    pub(crate) fn remove_played(&mut self, name: &FaultName, team: TeamId) -> bool {
        let before = self.rules.len();
        self.rules.retain(|known| known.rule.name != *name || known.played_by != Some(team));
        self.rules.len() < before
    }

    /// Removes every rule that scenarios have brought which are played on this team.
    pub(crate) fn clear_played(&mut self, team: TeamId) {
        self.rules.retain(|known| known.played_by != Some(team));
    }

    /// The teams whose scenarios have brought rules.
    pub(crate) fn players(&self) -> impl Iterator<Item = TeamId> {
        self.rules.iter().filter_map(|known| known.played_by)
    }

    /// Removes every rule.
    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// Every rule that is there, in order.
    pub(crate) fn iter(&self, now: Timestamp) -> impl Iterator<Item = KnownFault<'_>> {
        self.rules.iter().filter(move |known| !known.has_expired(now)).map(Known::view)
    }

    /// Lets the first rule fire that is about this and wants to.
    pub(crate) fn strike(&mut self, now: Timestamp, occasion: &Occasion<'_>) -> Option<Strike> {
        let of_team = self.of_team;
        self.rules.iter_mut().find_map(|known| known.strike(now, of_team, occasion))
    }

    /// When the first rule for the moment [`Moment::Clock`] is due.
    pub(crate) fn due_at(&self) -> Option<Timestamp> {
        self.rules.iter().filter_map(Known::due_at).min()
    }

    /// Takes the place of the rule for the moment [`Moment::Clock`] whose time has come first; it is not due again.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<Due> {
        let (at, place) =
            self.rules.iter().enumerate().filter_map(|(at, it)| Some((it.due_at()?, at))).min()?;
        if at > now {
            return None;
        }
        self.rules[place].is_over = true;
        Some(Due { at, place })
    }

    /// Lets the rule that was due fire at a connection, if it is about it and wants to.
    pub(crate) fn strike_due(&mut self, due: &Due, occasion: &Occasion<'_>) -> Option<Strike> {
        let of_team = self.of_team;
        self.rules.get_mut(due.place)?.fire(due.at, of_team, occasion)
    }
}

/// A rule whose time has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    pub(crate) at: Timestamp,
    place: usize,
}

impl Known {
    fn again(&self) -> Self {
        let (rule, chance) = (Arc::clone(&self.rule), self.chance.clone());
        Self { rule, chance, ..*self }
    }

    fn view(&self) -> KnownFault<'_> {
        let Counts { matched, fired } = self.counts;
        let Self { added_at, played_by, .. } = *self;
        KnownFault { fault: &self.rule, added_at, matched, fired, played_by }
    }

    fn has_expired(&self, now: Timestamp) -> bool {
        self.rule.ttl.is_some_and(|ttl| now >= self.added_at.saturating_add(ttl))
    }

    fn due_at(&self) -> Option<Timestamp> {
        let is_due = self.rule.moment() == Moment::Clock && !self.is_over;
        is_due.then(|| self.rule.matching.begins(self.added_at)).flatten()
    }

    fn strike(&mut self, now: Timestamp, of_team: bool, occasion: &Occasion<'_>) -> Option<Strike> {
        if self.rule.moment() != occasion.moment {
            return None;
        }
        self.fire(now, of_team, occasion)
    }

    fn fire(&mut self, now: Timestamp, of_team: bool, occasion: &Occasion<'_>) -> Option<Strike> {
        let rule = &self.rule;
        if self.has_expired(now) || !rule.matching.holds(now, self.added_at, of_team, occasion) {
            return None;
        }
        self.counts.matched += 1;
        let behind = self.counts.matched.checked_sub(rule.after.saturating_add(1))?;
        let is_turn = rule.every.is_none_or(|every| behind % every == 0);
        let is_left = rule.times.is_none_or(|times| self.counts.fired < times);
        if !is_turn || !is_left || !self.chance.comes_true(rule.probability) {
            return None;
        }
        self.counts.fired += 1;
        Some(Strike::new(&self.rule, &mut self.chance))
    }
}

/// Rules as they are written in a snapshot.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct FaultsForm(Vec<KnownForm>);

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct KnownForm {
    rule: Fault,
    added_at: Timestamp,
    counts: Counts,
    chance: Chance,
    #[serde(default, skip_serializing_if = "is_default")]
    is_over: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    played_by: Option<TeamId>,
}

/// Two are the same when there is none: then they are left out.
impl PartialEq for KnownForm {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

impl Faults {
    pub(crate) fn to_form(&self) -> FaultsForm {
        let form = |known: &Known| KnownForm {
            rule: (*known.rule).clone(),
            added_at: known.added_at,
            counts: known.counts,
            chance: known.chance.clone(),
            is_over: known.is_over,
            played_by: known.played_by,
        };
        FaultsForm(self.rules.iter().map(form).collect())
    }

    /// Puts rules back that were there.
    pub(crate) fn restore(&mut self, form: &FaultsForm) -> Result<(), Problem> {
        if form.0.len() > FAULTS_MAX {
            return Err(Problem::TooMany);
        }
        for KnownForm { rule, added_at, counts, chance, is_over, played_by } in &form.0 {
            if self.rules.iter().any(|known| known.rule.name == rule.name) {
                return Err(Problem::Twice("a fault"));
            }
            if rule.check(self.of_team, *added_at).is_err() {
                return Err(Problem::Misplaced("a fault that could not be added"));
            }
            if self.of_team && played_by.is_some() {
                return Err(Problem::Misplaced("a fault for everyone"));
            }
            if counts.matched > COUNT_MAX || counts.fired > counts.matched {
                return Err(Problem::TooMany);
            }
            let (rule, chance) = (Arc::new(rule.clone()), chance.clone());
            let (added_at, counts, is_over, played_by) = (*added_at, *counts, *is_over, *played_by);
            self.rules.push(Known { rule, added_at, counts, chance, is_over, played_by });
        }
        Ok(())
    }
}
