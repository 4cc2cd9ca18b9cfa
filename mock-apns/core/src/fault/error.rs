//! A rule that cannot be added.

use thiserror::Error;

use super::{FAULTS_MAX, FaultName, Moment, REPLAY};
use crate::TeamId;

/// A fault could not be added.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum FaultError {
    /// There is one of this name.
    #[error("there is a fault {0} already: remove it first, or give this one another name")]
    Duplicate(FaultName),
    /// The name is not to be had.
    #[error("a fault cannot be called {REPLAY}, as answers of a transcript are: give it another name")]
    ReservedName,
    /// There are too many.
    #[error(
        "there are {FAULTS_MAX} faults, which is as many as there may be: each is looked at for each request"
    )]
    TooMany,
    /// It could never fire.
    #[error("the fault could never fire: {0}")]
    NeverMatches(String),
    /// It names a team that there is not.
    #[error("the fault could never fire: there is no team {0}")]
    NoSuchTeam(TeamId),
    /// It names a team, and came with a scenario.
    #[error(
        "it names the team {0}, and a scenario is for any team: leave that out, or give the fault to the team"
    )]
    TeamInScenario(TeamId),
    /// Its action is not for the moment that it asks for.
    #[error("{action} cannot happen at the moment {:?}: it can at {}", .moment.as_str(), names(.moments))]
    WrongMoment {
        /// The action.
        action: &'static str,
        /// The moment asked for.
        moment: Moment,
        /// The moments at which it can.
        moments: &'static [Moment],
    },
    /// Its action is not possible.
    #[error("the action is not possible: {0}")]
    ImpossibleAction(String),
}

fn names(moments: &[Moment]) -> String {
    moments.iter().map(|moment| moment.as_str()).collect::<Vec<_>>().join(", ")
}
