//! What Apple does to providers by rule, and to whom: fewer streams, the end of a connection, no new connections for a
//! while. All of it is off unless a setting says otherwise; the profile `realistic` does.
//!
//! ```text
//!   answer ─────▶ Errors, of a connection ──▶ fewer streams ──▶ accepted push: as many as before
//!                                        └──▶ the connection's end
//!   short connection closed ──▶ Churn, of a team ──▶ newcomers are turned away
//! ```
//!
//! `conduct` notices what Apple would mind and changes nothing; this is what follows where a setting asks for it.

mod churn;
mod errors;

use serde::{Deserialize, Serialize};

use crate::{
    ConnectionId, Effect, Reason, Service, Timestamp, journal::TurnedAway, settings::Ending, team::TeamIndex,
};
pub(crate) use churn::Churn;
use errors::Change;
pub(crate) use errors::Errors;

/// Declares [`Throttling`]: name, what it is, the setting that asks for it, and the source.
macro_rules! throttlings {
    ($($variant:ident $name:literal $meaning:literal, $setting:literal, $source:literal;)*) => {
        /// What Apple does to a provider by rule.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum Throttling {
            $(#[doc = $meaning] $variant,)*
        }

        impl Throttling {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name, in the journal, in metrics and logs.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it is, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// The setting whose threshold was reached, by its name.
            pub const fn setting(self) -> &'static str {
                match self { $(Self::$variant => $setting,)* }
            }

            /// Where it is documented, or was seen.
            pub const fn source(self) -> &'static str {
                match self { $(Self::$variant => $source,)* }
            }
        }
    };
}

throttlings! {
    FewerStreams "fewer-streams"
        "SETTINGS lower MAX_CONCURRENT_STREAMS after errors; the next accepted push restores it.",
        "errors-before-fewer-streams",
        "Apple, \"Handling notification responses from APNs\": throughput is lowered after errors; a report of 2016 saw 500 \
         become 1 after one refused push, and 500 again after an accepted one";
    Disconnected "disconnected"
        "The connection is ended for too many errors, sooner for BadDeviceToken; a 410 counts for none.",
        "errors-before-disconnect",
        "Apple, \"Handling notification responses from APNs\"";
    Blocked "blocked"
        "A newcomer is turned away, because connections were opened and closed rapidly.",
        "short-connections-before-block",
        "Apple, \"Sending notification requests to APNs\" and \"Troubleshooting push notifications\": rapid opening and \
         closing is taken for a denial-of-service attack";
}

impl Service {
    /// Holds a provider to account for an answer that it was just given on a connection. `team` is whose credentials came
    /// with the push, if they were some.
    pub(crate) fn call_to_account(
        &mut self,
        now: Timestamp,
        connection: ConnectionId,
        team: Option<TeamIndex>,
        reason: Option<Reason>,
    ) {
        let Some(state) = self.providers.connections.get_mut(&connection) else { return };
        let team = state.team().or(team);
        let known = team.and_then(|index| self.teams.get(index));
        let (settings, team_now) =
            known.map_or((&self.settings, now), |team| (team.settings(), team.now(now)));
        let has_streams = state.has_streams();
        match state.errors.answered(team_now, reason, has_streams, settings) {
            None => {}
            Some(Change::Lower(streams)) => {
                self.throttle(now, connection, team, Throttling::FewerStreams);
                self.effects.push_back(Effect::MaxConcurrentStreams { connection, streams });
            }
            Some(Change::Restore(streams)) => {
                self.effects.push_back(Effect::MaxConcurrentStreams { connection, streams });
            }
            Some(Change::End(ending)) => {
                self.throttle(now, connection, team, Throttling::Disconnected);
                self.end(connection, ending);
            }
        }
    }

    /// Counts a connection of a team's provider that the provider has closed.
    pub(crate) fn count_short_connection(
        &mut self,
        now: Timestamp,
        team: TeamIndex,
        open_for: std::time::Duration,
    ) {
        if let Some(team) = self.teams.get_mut(team) {
            let now = team.now(now);
            team.conduct.churn.closed(now, open_for, &team.settings);
        }
    }

    /// Turns a connection away that has just shown whose it is, if this team's newcomers are. `false`: they are not.
    pub(crate) fn turn_away(&mut self, now: Timestamp, connection: ConnectionId, index: TeamIndex) -> bool {
        let Some(team) = self.teams.get(index) else { return false };
        let ending = team.settings().connection_block_answer;
        if !team.conduct.churn.is_blocked(team.now(now)) {
            return false;
        }
        if let Some(state) = self.providers.connections.get_mut(&connection) {
            state.errors.end();
        }
        self.throttle(now, connection, Some(index), Throttling::Blocked);
        self.end(connection, ending);
        true
    }

    /// Tells everyone who may look for it.
    fn throttle(
        &mut self,
        now: Timestamp,
        connection: ConnectionId,
        team: Option<TeamIndex>,
        how: Throttling,
    ) {
        self.totals.throttled[how as usize] += 1;
        self.file(now, team, TurnedAway::Throttled { connection, how });
        let team = team.and_then(|index| self.teams.get(index)).map(crate::Team::id);
        self.effects.push_back(Effect::Throttled { connection, team, how });
    }

    fn end(&mut self, connection: ConnectionId, ending: Ending) {
        self.effects.push_back(match ending {
            Ending::Close => Effect::Close { connection },
            Ending::GoAway(reason) => Effect::GoAway { connection, reason },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SettingSpec;

    #[test]
    fn every_one_says_what_it_is_by_which_setting_and_by_whose_word() {
        for how in Throttling::ALL {
            assert!(how.meaning().ends_with('.') && !how.source().is_empty());
            let setting = SettingSpec::of(how.setting()).expect("a row of the table of settings");
            assert_eq!(setting.default, "0", "{} is off unless it is asked for", how.setting());
            assert_eq!(serde_json::to_value(how).unwrap(), how.as_str());
        }
    }
}
