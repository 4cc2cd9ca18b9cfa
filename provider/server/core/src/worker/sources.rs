//! What a worker knows of each app and environment.

use std::{collections::BTreeMap, time::Duration};

use apns_provider_core::{HygienePolicy, RetryBudget, TokenHygiene, UnixTime};

use super::io::Source;

/// The apps and environments that a worker has to do with. Their places do not change while a shard of theirs is worked on.
#[derive(Debug)]
pub(super) struct Sources {
    places: BTreeMap<Source, usize>,
    states: Vec<SourceState>,
}

/// What is known of one.
#[derive(Debug)]
pub(super) struct SourceState {
    pub(super) source: Source,
    pub(super) hygiene: TokenHygiene,
    pub(super) budget: RetryBudget,
    /// Pushes in the engine.
    pub(super) in_engine: usize,
    /// Shards that are worked on.
    pub(super) shards: usize,
    /// How many of them are not sent since it has too much in the engine.
    pub(super) parked: usize,
    /// Until when it is left alone.
    pub(super) held_until: Duration,
    /// How often it was left alone without a good answer since.
    pub(super) holds: u16,
    /// How many pushes in a row were not processed.
    pub(super) backs: u16,
    /// When somebody was last told that too many tokens are invalid.
    pub(super) alarmed_at: Option<Duration>,
    used_at: Duration,
}

/// What is known of so many is kept: one has a few kilobytes.
const SOURCES_MAX: usize = 10_000;

impl Sources {
    pub(super) fn new() -> Self {
        Self { places: BTreeMap::new(), states: Vec::new() }
    }

    /// The place of this one, which it gets if it has none.
    pub(super) fn place(&mut self, source: Source, now: Duration, hygiene: HygienePolicy) -> usize {
        if let Some(place) = self.places.get(&source) {
            self.states[*place].used_at = now;
            return *place;
        }
        let state = SourceState::new(source, now, hygiene);
        let place = if let Some(place) = self.idle_place() {
            self.places.remove(&self.states[place].source);
            self.states[place] = state;
            place
        } else {
            self.states.push(state);
            self.states.len() - 1
        };
        self.places.insert(source, place);
        place
    }

    /// The place of one that can be forgotten, if there are many: the one that was used least lately.
    fn idle_place(&self) -> Option<usize> {
        if self.states.len() < SOURCES_MAX {
            return None;
        }
        let idle = self.states.iter().enumerate().filter(|(_, state)| state.shards == 0);
        idle.min_by_key(|(_, state)| state.used_at).map(|(place, _)| place)
    }

    pub(super) fn get(&mut self, place: usize) -> &mut SourceState {
        &mut self.states[place]
    }

    /// Who has this place.
    pub(super) fn source(&self, place: usize) -> Source {
        self.states[place].source
    }

    pub(super) fn find_place(&self, source: Source) -> Option<usize> {
        self.places.get(&source).copied()
    }

    pub(super) fn find(&mut self, source: Source) -> Option<&mut SourceState> {
        self.places.get(&source).map(|place| &mut self.states[*place])
    }

    /// How many have so many invalid tokens now that none is removed.
    pub(super) fn suspended(&self, now: UnixTime) -> usize {
        // Of those that nobody was told of there is no need to count.
        let told = self.states.iter().filter(|state| state.alarmed_at.is_some());
        told.filter(|state| state.hygiene.suspension(now).is_some()).count()
    }

    /// Those that are left alone now.
    pub(super) fn held(&self, now: Duration) -> Vec<Source> {
        let held = self.states.iter().filter(|state| state.held_until > now);
        held.map(|state| state.source).collect()
    }
}

impl SourceState {
    fn new(source: Source, now: Duration, hygiene: HygienePolicy) -> Self {
        Self {
            source,
            hygiene: TokenHygiene::new(hygiene),
            budget: RetryBudget::new(now),
            in_engine: 0,
            shards: 0,
            parked: 0,
            held_until: Duration::ZERO,
            holds: 0,
            backs: 0,
            alarmed_at: None,
            used_at: now,
        }
    }

    /// APNs has answered, and not that the credential is wrong.
    pub(super) fn answered(&mut self) {
        self.backs = 0;
        self.holds = 0;
    }

    pub(super) fn is_held(&self, now: Duration) -> bool {
        self.held_until > now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{device::Environment, ids::AppId};

    fn source(app: i64) -> Source {
        Source { app: AppId::new(app), environment: Environment::Production }
    }

    #[test]
    fn a_source_keeps_its_place_and_many_are_not_kept_for_ever() {
        let mut sources = Sources::new();
        let mut place =
            |app, secs| sources.place(source(app), Duration::from_secs(secs), HygienePolicy::default());
        assert_eq!((place(1, 0), place(2, 0), place(1, 100)), (0, 1, 0));
        for app in 3..=10_000 {
            place(app, 50);
        }
        assert_eq!(place(10_001, 200), 1, "2 was used least lately");
        assert_eq!(place(1, 201), 0);
        assert!(sources.find(source(2)).is_none());
        sources.get(0).held_until = Duration::from_mins(5);
        assert_eq!(sources.held(Duration::from_secs(299)), [source(1)]);
    }

    #[test]
    fn one_with_work_is_not_forgotten() {
        let mut sources = Sources::new();
        for app in 0..10_000 {
            let place = sources.place(source(app), Duration::ZERO, HygienePolicy::default());
            sources.get(place).shards = 1;
        }
        assert_eq!(sources.place(source(10_000), Duration::ZERO, HygienePolicy::default()), 10_000);
    }
}
