//! Provider tokens whose signature was verified, so that it is verified once.

use rustc_hash::FxHashMap;

use crate::{
    Timestamp,
    team::{KeyIndex, TeamIndex},
};

/// What a verified provider token says. Whether it may be used is judged anew for each push: it ages, its key may be
/// revoked, and every connection has a past of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct VerifiedToken {
    pub(crate) key: KeyIndex,
    pub(crate) issued_at: Timestamp,
}

/// A bounded memory of verified tokens by their bytes.
///
/// It has two generations: when the young one is full it becomes the old one, and the old one is forgotten. That
/// bounds it without a list of ages, and forgets the same tokens in every run.
#[derive(Debug, Default)]
pub(crate) struct VerifiedTokens {
    young: FxHashMap<Box<[u8]>, VerifiedToken>,
    old: FxHashMap<Box<[u8]>, VerifiedToken>,
    inserted: u64,
}

impl VerifiedTokens {
    pub(crate) fn get(&self, token: &[u8]) -> Option<VerifiedToken> {
        self.young.get(token).or_else(|| self.old.get(token)).copied()
    }

    pub(crate) fn insert(&mut self, token: &[u8], verified: VerifiedToken) {
        if self.young.len() >= GENERATION_TOKENS_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(token.into(), verified);
        self.inserted += 1;
    }

    /// Counts from zero on.
    pub(crate) fn count_anew(&mut self) {
        self.inserted = 0;
    }

    /// How many were added.
    pub(crate) fn inserted(&self) -> u64 {
        self.inserted
    }

    /// Forgets the tokens of a team.
    pub(crate) fn forget(&mut self, team: TeamIndex) {
        for generation in [&mut self.young, &mut self.old] {
            generation.retain(|_, token| token.key.team != team);
        }
    }
}

/// Tokens in one generation. A provider has a handful; a field section is limited to 8000 bytes, so that both
/// generations together stay below 16 MB whatever is sent.
const GENERATION_TOKENS_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        KeyId, KeyScope, ProviderKey, Team, TeamId,
        team::{Beginning, Teams},
    };

    fn some_token() -> VerifiedToken {
        let mut team = Team::new(TeamId::parse("TEAM000001").unwrap());
        let key = KeyId::parse("KEY0000001").unwrap();
        team.add_key(ProviderKey::new(key, [4; 65], KeyScope::Legacy)).unwrap();
        let mut teams = Teams::default();
        let settings = crate::Settings::default();
        teams.add(team, Beginning { settings: &settings, seed: 0 }).unwrap();
        let team = teams.index_of(TeamId::parse("TEAM000001").unwrap()).unwrap();
        VerifiedToken { key: teams.key_index_of(team, key).unwrap(), issued_at: Timestamp::from_secs(1) }
    }

    #[test]
    fn a_token_is_remembered_for_a_generation_at_least_and_two_at_most() {
        let mut tokens = VerifiedTokens::default();
        let verified = some_token();
        tokens.insert(b"first", verified);
        for number in 1..2 * GENERATION_TOKENS_MAX {
            tokens.insert(&number.to_be_bytes(), verified);
        }
        assert_eq!(tokens.get(b"first"), Some(verified));
        tokens.insert(b"one more", verified);
        assert_eq!(tokens.get(b"first"), None);
        assert!(tokens.young.len() + tokens.old.len() <= 2 * GENERATION_TOKENS_MAX);
    }
}
