//! How often a provider token changed: what `TooManyProviderTokenUpdates` is about.

use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::{Timestamp, team::KeyIndex, verified_tokens::VerifiedToken};

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

    /// Remembers that the token was used.
    pub(crate) fn remember(&mut self, token: VerifiedToken, now: Timestamp) {
        let issued_at = token.issued_at;
        self.0
            .entry(token.key)
            .and_modify(|past| {
                if past.issued_at != issued_at {
                    *past = KeyPast { issued_at, changed_at: Some(now) };
                }
            })
            .or_insert(KeyPast { issued_at, changed_at: None });
    }
}
