//! The way back: a team as it was right after it was added.

use serde::{Deserialize, Serialize};

use super::{Team, TeamAt};
use crate::{App, ProviderKey, Settings, TeamId, journal::Compact, recording::TeamCall, snapshot::Problem};

impl TeamAt<'_> {
    /// Makes the team what it was right after it was added, as if nothing had happened to it since: a test that runs again
    /// sees the same again, to the last identifier.
    ///
    /// | what | after a reset |
    /// |---|---|
    /// | its ID, its place among the teams | stay |
    /// | keys that it was added with | stay; one that was revoked since is in force again, as a test that revokes a key would spoil all that come after it |
    /// | apps that it was added with | stay |
    /// | keys and apps that were added since | are gone, and can be added again |
    /// | devices, apps on them, Live Activities | are gone; a device that is connected is told so and sent away |
    /// | device tokens | lead nowhere; devices that are added again in the same order get the same again |
    /// | what APNs has learned of device tokens | is forgotten |
    /// | notifications that wait, timers | are gone, and nothing more becomes of them |
    /// | rate limits: of device tokens, of background pushes, of changes of provider tokens | begin anew |
    /// | numbers of notifications, `apns-id` and `apns-unique-id` that the service makes up | begin anew, and are the same again |
    /// | settings | are the service's |
    /// | clock | is the machine's, even if it was ahead |
    /// | journal, screens of devices | are empty but for one entry, `reset` |
    /// | cursor of the journal | counts on: none is ever used again |
    /// | counters | are zero |
    /// | faults | are gone; what they have done to connections that are open stays done |
    /// | scenarios | are over; the faults are gone that they have given to everyone |
    /// | what Apple would have throttled its provider for, errors of its connections, a block | are forgotten |
    /// | [totals](crate::Service::totals) of the service | count on |
    /// | connections of providers | stay open; their provider tokens are verified anew |
    pub fn reset(&mut self) {
        self.record(|| TeamCall::Reset);
        let anew = self.team.anew(self.around.beginning);
        let former = std::mem::replace(self.team, anew);
        crate::gateway::send_away(former.links, self.around.effects);
        self.around.providers.forget(self.index);
        self.around.everyones_faults.clear_played(self.team.id);
        self.team.journal = former.journal;
        self.team.journal.reset();
        self.team.is_changed = former.is_changed;
        self.now = self.team.now(self.machine);
        self.team.latest = self.now;
        self.log(Compact::Reset);
    }
}

/// What the service gives to every team.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beginning<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) seed: u64,
}

/// What a team was added with.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Declared {
    pub(super) keys: Vec<ProviderKey>,
    pub(super) apps: Vec<App>,
}

impl Declared {
    /// A team of this ID with these keys and apps.
    pub(crate) fn team(&self, id: TeamId) -> Result<Team, Problem> {
        let mut team = Team::new(id);
        for key in self.keys.iter().cloned() {
            team.add_key(key).map_err(|_| Problem::Twice("a key"))?;
        }
        for app in self.apps.iter().cloned() {
            team.add_app(app).map_err(|_| Problem::Twice("an app"))?;
        }
        Ok(team)
    }
}

impl Team {
    /// It is added to a service.
    pub(super) fn begin(&mut self, beginning: Beginning<'_>) {
        self.declared = self.to_declared();
        self.settings = beginning.settings.clone();
        self.seed(beginning.seed);
    }

    /// The team as it was right after it was added.
    fn anew(&self, beginning: Beginning<'_>) -> Self {
        let mut team = self.declared.team(self.id).expect("it was added so once already");
        team.begin(beginning);
        team
    }

    /// Its keys and apps.
    pub(crate) fn to_declared(&self) -> Declared {
        Declared { keys: self.keys().cloned().collect(), apps: self.apps().cloned().collect() }
    }
}
