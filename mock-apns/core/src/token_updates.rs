//! How often a provider token changed: what `TooManyProviderTokenUpdates` is about.

use std::time::Duration;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    snapshot::Problem,
    team::{KeyIndex, TeamIndex},
    verified_tokens::VerifiedToken,
};

/// The past of a key, as it is written in a snapshot.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct KeyPastForm {
    key: KeyIndex,
    issued_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changed_at: Option<Timestamp>,
}

/// The past of the provider tokens in one place: on one connection, or in the whole service.
///
/// Each key's tokens are counted by themselves, as two related keys may take turns on one connection. Two tokens of
/// one key are the same when they were issued in the same second: rounding `iat` is how clients avoid this refusal.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenPast(FxHashMap<KeyIndex, KeyPast>);

#[derive(Clone, Copy, Debug)]
struct KeyPast {
    issued_at: Timestamp,
    /// When the token last changed; never for a key's first token.
    changed_at: Option<Timestamp>,
}

impl TokenPast {
    /// Whether the token may be used now: it is the current one of its key, or its key's first, or the last change
    /// is `window` ago or longer. Measured on arrival.
    /// Source: Apple, "Establishing a token-based connection to APNs".
    pub(crate) fn allows(&self, token: VerifiedToken, now: Timestamp, window: Duration) -> bool {
        match self.0.get(&token.key) {
            Some(past) if past.issued_at != token.issued_at => {
                past.changed_at.is_none_or(|changed_at| now.saturating_since(changed_at) >= window)
            }
            _ => true,
        }
    }

    pub(crate) fn to_forms(&self) -> Vec<KeyPastForm> {
        let form = |(key, past): (&KeyIndex, &KeyPast)| {
            let KeyPast { issued_at, changed_at } = *past;
            KeyPastForm { key: *key, issued_at, changed_at }
        };
        let mut forms: Vec<KeyPastForm> = self.0.iter().map(form).collect();
        forms.sort_unstable_by_key(|form| form.key);
        forms
    }

    /// The pasts of keys that are there.
    pub(crate) fn from_forms(
        forms: &[KeyPastForm],
        is_there: impl Fn(KeyIndex) -> bool,
    ) -> Result<Self, Problem> {
        let mut pasts = FxHashMap::default();
        for &KeyPastForm { key, issued_at, changed_at } in forms {
            if !is_there(key) {
                return Err(Problem::Misplaced("a key that is no team's"));
            }
            if pasts.insert(key, KeyPast { issued_at, changed_at }).is_some() {
                return Err(Problem::Twice("a key"));
            }
        }
        Ok(Self(pasts))
    }

    /// Forgets the tokens of a team.
    pub(crate) fn forget(&mut self, team: TeamIndex) {
        self.0.retain(|key, _| key.team != team);
    }

    /// Remembers that the token was used. `true`: it is another than its key's last.
    pub(crate) fn remember(&mut self, token: VerifiedToken, now: Timestamp) -> bool {
        let issued_at = token.issued_at;
        let past = self.0.entry(token.key).or_insert(KeyPast { issued_at, changed_at: None });
        let is_change = past.issued_at != issued_at;
        if is_change {
            *past = KeyPast { issued_at, changed_at: Some(now) };
        }
        is_change
    }

    /// The keys whose tokens were used, in no order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = KeyIndex> {
        self.0.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        KeyId, KeyScope, ProviderKey, Team, TeamId,
        team::{Beginning, Teams},
    };

    const WINDOW: Duration = Duration::from_mins(20);

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn two_keys() -> [KeyIndex; 2] {
        let ids = ["KEY0000001", "KEY0000002"].map(|id| KeyId::parse(id).unwrap());
        let mut team = Team::new(TeamId::parse("TEAM000001").unwrap());
        for id in ids {
            team.add_key(ProviderKey::new(id, [4; 65], KeyScope::Legacy)).unwrap();
        }
        let mut teams = Teams::default();
        let settings = crate::Settings::default();
        teams.add(team, Beginning { settings: &settings, seed: 0 }).unwrap();
        let team = teams.index_of(TeamId::parse("TEAM000001").unwrap()).unwrap();
        ids.map(|id| teams.key_index_of(team, id).unwrap())
    }

    #[test]
    fn the_second_change_within_the_window_is_one_too_many() {
        let [key, _] = two_keys();
        let [first, second, third] = [1, 2, 3].map(|iat| VerifiedToken { key, issued_at: at(iat) });
        let mut past = TokenPast::default();
        past.remember(first, at(100));
        assert!(past.allows(second, at(100), WINDOW));
        past.remember(second, at(100));
        assert!(past.allows(second, at(101), WINDOW));
        assert!(!past.allows(third, at(1299), WINDOW) && !past.allows(first, at(1299), WINDOW));
        assert!(past.allows(third, at(1300), WINDOW));
    }

    #[test]
    fn using_the_current_token_does_not_renew_the_window() {
        let [key, _] = two_keys();
        let [first, second, third] = [1, 2, 3].map(|iat| VerifiedToken { key, issued_at: at(iat) });
        let mut past = TokenPast::default();
        past.remember(first, at(100));
        past.remember(second, at(100));
        past.remember(second, at(1000));
        assert!(past.allows(third, at(1300), WINDOW));
    }

    #[test]
    fn two_keys_may_take_turns() {
        let tokens = two_keys().map(|key| VerifiedToken { key, issued_at: at(1) });
        let mut past = TokenPast::default();
        for token in [tokens[0], tokens[1], tokens[0], tokens[1]] {
            assert!(past.allows(token, at(100), WINDOW));
            past.remember(token, at(100));
        }
    }
}
