//! The same request twice does the same thing once.

use std::{fmt, time::Duration};

use apns_provider_core::UnixTime;
use sha2::{Digest as _, Sha256};

use crate::{
    ids::IdempotencyKey,
    problem::{Code, Problem},
};

/// How long a key is remembered: whoever has not sent again within a day has forgotten.
pub const KEPT_FOR: Duration = Duration::from_hours(24);

/// What a request is, by which another one under the same key is told from it: a hash of its method, path and body.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct RequestHash([u8; 32]);

/// What is stored of a request, in the transaction that did what it asked for: either both are there or neither.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Kept {
    /// What was asked.
    pub request: RequestHash,
    /// When.
    pub at: UnixTime,
    /// The status of the answer.
    pub status: u16,
    /// The answer.
    pub body: Vec<u8>,
}

/// What to do with a request that has an idempotency key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Repetition<'a> {
    /// It is the first: do it, and keep the answer in the same transaction.
    First,
    /// It was done: give the same answer.
    Again(&'a Kept),
}

impl RequestHash {
    /// The hash of a request.
    pub fn of(method: &str, path: &str, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        for part in [method.as_bytes(), path.as_bytes(), body] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// As it is stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RequestHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = self.0;
        write!(f, "RequestHash({a:02x}{b:02x}…)")
    }
}

impl<'a> Repetition<'a> {
    /// Decides, given what is kept under the key. Keys are the tenant's: two tenants' do not meet.
    ///
    /// Two requests at once both find nothing; then the store's unique index lets one of them through, and the other decides again.
    pub fn of(
        now: UnixTime,
        key: &IdempotencyKey,
        request: RequestHash,
        kept: Option<&'a Kept>,
    ) -> Result<Self, Problem> {
        match kept {
            // A clock that was set back does not forget.
            Some(kept) if now.saturating_since(kept.at) < KEPT_FOR => {
                if kept.request == request {
                    return Ok(Self::Again(kept));
                }
                let message = format!("the idempotency key {key} was used for another request");
                Err(Problem::new(Code::IdempotencyKeyReused, message))
            }
            _ => Ok(Self::First),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn decide(secs: u64, body: &[u8]) -> Result<bool, Code> {
        let kept =
            Kept { request: RequestHash::of("POST", "/v1/x", b"{}"), at: NOW, status: 202, body: vec![1] };
        let key = IdempotencyKey::parse("k").unwrap();
        let now = UnixTime::from_secs(NOW.as_secs() + secs);
        match Repetition::of(now, &key, RequestHash::of("POST", "/v1/x", body), Some(&kept)) {
            Ok(Repetition::First) => Ok(true),
            Ok(Repetition::Again(again)) => {
                assert_eq!(again, &kept);
                Ok(false)
            }
            Err(problem) => Err(problem.code()),
        }
    }

    #[test]
    fn c69_the_same_request_gets_the_same_answer_for_a_day() {
        assert_eq!(decide(0, b"{}"), Ok(false));
        assert_eq!(decide(86_399, b"{}"), Ok(false));
        assert_eq!(decide(86_400, b"{}"), Ok(true));
    }

    #[test]
    fn c69_another_request_under_the_same_key_is_refused() {
        assert_eq!(decide(0, b"{} "), Err(Code::IdempotencyKeyReused));
        assert_eq!(decide(86_400, b"{} "), Ok(true));
    }

    #[test]
    fn what_was_asked_is_all_of_it() {
        let hash = RequestHash::of("POST", "/a", b"b");
        for other in [("PUT", "/a", "b"), ("POST", "/ab", ""), ("POST", "/", "ab"), ("POS", "T/a", "b")] {
            assert_ne!(RequestHash::of(other.0, other.1, other.2.as_bytes()), hash, "{other:?}");
        }
    }

    #[test]
    fn nothing_kept_is_the_first() {
        let key = IdempotencyKey::parse("k").unwrap();
        let first = Repetition::of(NOW, &key, RequestHash::of("POST", "/", b""), None);
        assert_eq!(first, Ok(Repetition::First));
    }
}
