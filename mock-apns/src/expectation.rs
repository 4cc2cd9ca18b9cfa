//! What a test expects to have been received, said beforehand and checked when the double goes.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mock_apns_core::{Decision, Expectation, Filter, Service, Tally, TeamAt, TeamId};
use thiserror::Error;

use crate::{ReceivedPush, clock};

/// What the tests of a double expect; a handle, cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expectations(Arc<Mutex<Vec<Expected>>>);

/// What a test expects of a team.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) team: TeamId,
    pub(crate) name: String,
    pub(crate) expectation: Expectation,
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

impl Expectations {
    pub(crate) fn add(&self, expected: Expected) {
        self.all().push(expected);
    }

    /// Checks all of them, which are forgotten then.
    pub(crate) fn verify(&self, service: &mut Service) -> Result<(), ExpectationError> {
        let all = std::mem::take(&mut *self.all());
        let unmet: Vec<String> = all.iter().filter_map(|expected| expected.unmet(service)).collect();
        if unmet.is_empty() { Ok(()) } else { Err(ExpectationError { unmet }) }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Expected>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Expected {
    /// `None`: it is met. Otherwise what was received instead.
    fn unmet(&self, service: &mut Service) -> Option<String> {
        let Some(team) = service.team_at(clock::now(), self.team) else {
            return Some(format!(
                "expected {}: the team {} was removed before it was checked",
                self.name, self.team
            ));
        };
        let mut tally = Tally::new(self.expectation.clone());
        let decision = tally.count(team.team());
        if decision == Decision::Holds {
            return None;
        }
        let (Self { name, expectation: Expectation { filter, times, .. }, .. }, found) =
            (self, tally.found());
        let mut lines = vec![format!("expected {name}: {times} of [{filter}], found {found}")];
        let shown = tally.pushes(team.team(), SHOWN).pushes;
        lines.extend(shown.iter().map(|push| format!("  received: {}", ReceivedPush::of(push))));
        if found > SHOWN {
            lines.push(format!("  and {} more", found - SHOWN));
        }
        let mut text = lines.join("\n");
        if decision == Decision::Open {
            text += &Lines::near_misses(&tally, &team).to_string();
        }
        Some(text)
    }
}

impl Lines {
    pub(crate) fn near_misses(tally: &Tally, team: &TeamAt<'_>) -> Self {
        Self(tally.near_misses(team.team(), SHOWN).iter().map(ToString::to_string).collect())
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
