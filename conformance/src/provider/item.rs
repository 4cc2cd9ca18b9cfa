//! What a provider is asked to show: an item of the checklist, as one play or several.

use std::{future::Future, pin::Pin, time::Duration};

use super::{adapter::Trouble, evidence::Evidence, stage::Stage};

/// An item of the checklist (conformance/spec/tables/provider-items.toml).
#[derive(Debug)]
pub(crate) struct Item {
    /// Its number: `C-01`.
    pub(crate) id: &'static str,
    /// What shows it. It passes if each passes; one that is not applicable is left out.
    pub(crate) plays: Vec<Play>,
}

/// One bad day, with an adapter, a double and an address of its own.
#[derive(Debug)]
pub(crate) struct Play {
    /// What is arranged, in kebab-case.
    pub(crate) name: &'static str,
    /// What the adapter must be able to be told, beyond sending.
    pub(crate) needs: &'static [&'static str],
    /// What is there before the adapter starts.
    pub(crate) scenery: Scenery,
    /// What happens.
    pub(crate) script: Script,
    /// Whether what it has shown is right.
    pub(crate) judge: fn(&Evidence) -> Result<(), Finding>,
}

/// What is there before an adapter starts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Scenery {
    /// How the double is reached.
    pub(crate) roads: Roads,
    /// Whether its time passes as time does: forward, and with no push under way. A clock that is made for an adapter then is not the
    /// calendar alone.
    pub(crate) time_passes: bool,
}

/// How the double is reached.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Roads {
    /// At one address, as localhost.
    #[default]
    One,
    /// At so many addresses, which the name [`HOST`](super::stage::HOST) leads to by a hosts file of the adapter's own.
    Named(u8),
}

/// What happens in a play.
pub(crate) type Script = for<'a> fn(&'a mut Stage) -> Acting<'a>;
/// A script that runs.
pub(crate) type Acting<'a> = Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 'a>>;

/// Why a script ends before its time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Stop {
    /// The adapter is in trouble.
    Trouble(Trouble),
    /// It cannot be shown here: why.
    NotApplicable(String),
    /// The suite itself could not go on: why.
    Broken(String),
}

/// What a judge finds, if not that all is well.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Finding {
    /// It is not as it should be.
    Wrong {
        /// What should be.
        expected: String,
        /// What was.
        got: String,
        /// Where to look: a connection, and a time.
        at: Option<(usize, Duration)>,
    },
    /// It cannot be told of this provider: why.
    NotApplicable(String),
}

impl Item {
    pub(crate) fn new(id: &'static str, plays: Vec<Play>) -> Self {
        Self { id, plays }
    }
}

impl Play {
    pub(crate) fn new(
        name: &'static str,
        script: Script,
        judge: fn(&Evidence) -> Result<(), Finding>,
    ) -> Self {
        Self { name, needs: &[], scenery: Scenery::default(), script, judge }
    }

    /// What the adapter must be able to be told.
    pub(crate) fn needing(mut self, needs: &'static [&'static str]) -> Self {
        self.needs = needs;
        self
    }

    /// How the double is reached.
    pub(crate) fn by(mut self, roads: Roads) -> Self {
        self.scenery.roads = roads;
        self
    }

    /// Its time passes: the clock is turned forward, and only while no push is under way.
    pub(crate) fn while_time_passes(mut self) -> Self {
        self.scenery.time_passes = true;
        self
    }
}

impl Finding {
    /// It is not as it should be.
    pub(crate) fn wrong(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::Wrong { expected: expected.into(), got: got.into(), at: None }
    }

    /// Says where to look.
    pub(crate) fn at(mut self, connection: usize, time: Duration) -> Self {
        if let Self::Wrong { at, .. } = &mut self {
            *at = Some((connection, time));
        }
        self
    }
}

/// Fails with what was instead, unless something holds.
pub(crate) fn ensure(
    holds: bool,
    expected: impl Into<String>,
    got: impl FnOnce() -> String,
) -> Result<(), Finding> {
    if holds { Ok(()) } else { Err(Finding::wrong(expected, got())) }
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}
