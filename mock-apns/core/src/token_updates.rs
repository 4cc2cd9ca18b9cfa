//! How often a provider token changed: what `TooManyProviderTokenUpdates` is about.

use std::time::Duration;

use crate::{Timestamp, team::KeyIndex, verified_tokens::VerifiedToken};

/// The past of the provider tokens in one place: on one connection, or in the whole service.
///
/// Each key's tokens are counted by themselves, as two related keys may take turns on one connection. Two tokens of
/// one key are the same when they were issued in the same second: rounding `iat` is how clients avoid this refusal.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenPast(Vec<KeyPast>);

#[derive(Clone, Copy, Debug)]
struct KeyPast {
    key: KeyIndex,
    issued_at: Timestamp,
    /// When the token last changed; never for a key's first token.
    changed_at: Option<Timestamp>,
}

impl TokenPast {
    /// Whether the token may be used now: it is the current one of its key, or its key's first, or the last change
    /// is longer ago than `window`. Measured on arrival.
    /// Source: Apple, "Establishing a token-based connection to APNs".
    pub(crate) fn allows(&self, token: VerifiedToken, now: Timestamp, window: Duration) -> bool {
        match self.0.iter().find(|past| past.key == token.key) {
            Some(past) if past.issued_at != token.issued_at => {
                past.changed_at.is_none_or(|changed_at| now.saturating_since(changed_at) >= window)
            }
            _ => true,
        }
    }

    /// Remembers that the token was used.
    pub(crate) fn remember(&mut self, token: VerifiedToken, now: Timestamp) {
        let VerifiedToken { key, issued_at } = token;
        match self.0.iter_mut().find(|past| past.key == key) {
            Some(past) if past.issued_at == issued_at => {}
            Some(past) => *past = KeyPast { key, issued_at, changed_at: Some(now) },
            None => self.0.push(KeyPast { key, issued_at, changed_at: None }),
        }
    }
}
