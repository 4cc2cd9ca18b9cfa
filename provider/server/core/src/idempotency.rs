//! The same request twice does the same thing once.

use std::{fmt, time::Duration};

use apns_provider_core::UnixTime;
use sha2::{Digest as _, Sha256};

/// How long a key is remembered: whoever has not sent again within a day has forgotten.
pub const KEPT_FOR: Duration = Duration::from_hours(24);

/// What a request is, by which another one under the same key is told from it: a hash of its method, path and body.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct RequestHash([u8; 32]);

/// What is stored of a request, in the transaction that did what it asked for: either both are there or neither.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Kept<T> {
    /// What was asked.
    pub request: RequestHash,
    /// When.
    pub at: UnixTime,
    /// What the answer is made of.
    pub answer: T,
}

/// What to do with a request that has an idempotency key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Repetition<'a, T> {
    /// It was done: give the same answer.
    Again(&'a T),
    /// It is the first: do it, and keep the answer in the same transaction. If one is kept, its time is over.
    First,
    /// The key is another request's: refuse it.
    OfAnother,
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

impl<'a, T> Repetition<'a, T> {
    /// Decides, given what is kept under the key. Keys are an app's: those of two tenants do not meet.
    ///
    /// Two requests at once both find nothing; then the store's unique index lets one of them through, and the other decides again.
    pub fn of(now: UnixTime, request: RequestHash, kept: Option<&'a Kept<T>>) -> Self {
        match kept {
            // A clock that was set back does not forget.
            Some(kept) if now.saturating_since(kept.at) < KEPT_FOR => {
                if kept.request == request {
                    Self::Again(&kept.answer)
                } else {
                    Self::OfAnother
                }
            }
            _ => Self::First,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    /// What is to be done with a request so many seconds after that of `{}` was answered with 7.
    fn decide(secs: u64, body: &[u8]) -> Repetition<'static, u32> {
        let kept = Kept { request: RequestHash::of("POST", "/v1/x", b"{}"), at: NOW, answer: 7 };
        let now = UnixTime::from_secs(NOW.as_secs() + secs);
        Repetition::of(now, RequestHash::of("POST", "/v1/x", body), Some(Box::leak(Box::new(kept))))
    }

    #[test]
    fn c69_the_same_request_gets_the_same_answer_for_a_day() {
        assert_eq!(decide(0, b"{}"), Repetition::Again(&7));
        assert_eq!(decide(86_399, b"{}"), Repetition::Again(&7));
        assert_eq!(decide(86_400, b"{}"), Repetition::First);
    }

    #[test]
    fn c69_another_request_under_the_same_key_is_refused() {
        assert_eq!(decide(0, b"{} "), Repetition::OfAnother);
        assert_eq!(decide(86_400, b"{} "), Repetition::First);
    }

    #[test]
    fn what_was_asked_is_all_of_it() {
        let hash = RequestHash::of("POST", "/a", b"b");
        for other in [("PUT", "/a", "b"), ("POST", "/ab", ""), ("POST", "/", "ab"), ("POS", "T/a", "b")] {
            assert_ne!(RequestHash::of(other.0, other.1, other.2.as_bytes()), hash, "{other:?}");
        }
    }

    #[test]
    fn nothing_kept_is_the_first_and_a_clock_that_was_set_back_does_not_forget() {
        let request = RequestHash::of("POST", "/", b"");
        assert_eq!(Repetition::<u32>::of(NOW, request, None), Repetition::First);
        let kept = Kept { request, at: UnixTime::from_secs(NOW.as_secs() + 100_000), answer: 7 };
        assert_eq!(Repetition::of(NOW, request, Some(&kept)), Repetition::Again(&7));
    }
}
