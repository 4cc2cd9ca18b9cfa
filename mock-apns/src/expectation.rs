//! What a test expects to have been received, said beforehand and checked when the double goes.

use std::{
    fmt,
    ops::{Bound, RangeBounds},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mock_apns_core::{Filter, Service, TeamAt, TeamId};
use thiserror::Error;

use crate::{
    clock,
    received::{ReceivedPush, nearly},
};

/// What the tests of a double expect; a handle, cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expectations(Arc<Mutex<Vec<Expectation>>>);

/// What a test expects of a team.
#[derive(Clone, Debug)]
pub(crate) struct Expectation {
    pub(crate) team: TeamId,
    pub(crate) name: String,
    pub(crate) filter: Filter,
    pub(crate) times: Times,
}

/// How often something is expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Times {
    min: usize,
    /// `None`: any number.
    max: Option<usize>,
}

/// What was expected and was not so, with what was received instead.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{}", .unmet.join("\n"))]
pub struct ExpectationError {
    /// One for each expectation: its name, what was expected, what was found.
    unmet: Vec<String>,
}

/// There were not as many pushes as were waited for.
#[derive(Clone, Debug, Error)]
#[error("waited for {min} of [{filter}], and there {}{nearly}", found(.pushes))]
pub struct NotReceived {
    pub(crate) filter: Filter,
    pub(crate) min: usize,
    /// Those that there were.
    pub pushes: Vec<ReceivedPush>,
    pub(crate) nearly: Lines,
}

/// What came nearest, a line each.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Lines(Vec<String>);

impl Times {
    pub(crate) fn of(range: &impl RangeBounds<usize>) -> Self {
        let min = match range.start_bound() {
            Bound::Included(min) => *min,
            Bound::Excluded(min) => min + 1,
            Bound::Unbounded => 0,
        };
        let max = match range.end_bound() {
            Bound::Included(max) => Some(*max),
            Bound::Excluded(max) => Some(max.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        Self { min, max }
    }

    fn include(self, count: usize) -> bool {
        count >= self.min && self.max.is_none_or(|max| count <= max)
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (_, Some(0)) => f.write_str("none"),
            (0, Some(max)) => write!(f, "at most {max}"),
            (min, None) => write!(f, "at least {min}"),
            (min, Some(max)) if min == max => write!(f, "exactly {min}"),
            (min, Some(max)) => write!(f, "{min} to {max}"),
        }
    }
}

impl Expectations {
    pub(crate) fn add(&self, expectation: Expectation) {
        self.all().push(expectation);
    }

    /// Checks all of them, which are forgotten then.
    pub(crate) fn verify(&self, service: &mut Service) -> Result<(), ExpectationError> {
        let all = std::mem::take(&mut *self.all());
        let unmet: Vec<String> = all.iter().filter_map(|expectation| expectation.unmet(service)).collect();
        if unmet.is_empty() { Ok(()) } else { Err(ExpectationError { unmet }) }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Expectation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Expectation {
    /// `None`: it is met. Otherwise what was received instead.
    fn unmet(&self, service: &mut Service) -> Option<String> {
        let Some(team) = service.team_at(clock::now(), self.team) else {
            return Some(format!(
                "expected {}: the team {} was removed before it was checked",
                self.name, self.team
            ));
        };
        let pushes = team.team().pushes(&self.filter, None, usize::MAX).pushes;
        if self.times.include(pushes.len()) {
            return None;
        }
        let Self { name, filter, times, .. } = self;
        let mut lines = vec![format!("expected {name}: {times} of [{filter}], found {}", pushes.len())];
        lines.extend(pushes.iter().take(SHOWN).map(|push| format!("  received: {}", ReceivedPush::of(push))));
        if pushes.len() > SHOWN {
            lines.push(format!("  and {} more", pushes.len() - SHOWN));
        }
        let nearly = if pushes.len() < times.min {
            Lines::near_misses(filter, &team).to_string()
        } else {
            String::new()
        };
        Some(lines.join("\n") + &nearly)
    }
}

impl Lines {
    pub(crate) fn near_misses(filter: &Filter, team: &TeamAt<'_>) -> Self {
        Self(team.team().near_misses(filter, None, SHOWN).iter().map(nearly).collect())
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| write!(f, "\n  nearly: {line}"))
    }
}

fn found(pushes: &[ReceivedPush]) -> String {
    match pushes.len() {
        0 => "was none".to_owned(),
        1 => "was 1".to_owned(),
        count => format!("were {count}"),
    }
}

/// Pushes and near misses that are shown: a failing test prints no thousands of lines.
const SHOWN: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_told_in_words() {
        for (times, words) in [
            (Times::of(&(1..)), "at least 1"),
            (Times::of(&(1..=1)), "exactly 1"),
            (Times::of(&(0..1)), "none"),
            (Times::of(&(..=2)), "at most 2"),
            (Times::of(&(1..3)), "1 to 2"),
        ] {
            assert_eq!(times.to_string(), words);
        }
        assert!(Times::of(&(2..=3)).include(3) && !Times::of(&(2..=3)).include(4));
    }
}
