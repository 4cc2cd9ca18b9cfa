//! Which device tokens to forget, by what APNs answers, without ever forgetting a good one.
//!
//! ```text
//!   Outcome, registered_at, now ──▶ TokenHygiene::judge ──▶ Keep
//!                                     │        ▲            Check:    perhaps of the other environment
//!                                     ▼        │            Remove:   if it was not registered again since
//!                                   Guard: how many of late were invalid    Withheld: too many at once
//! ```

mod guard;
mod policy;
mod verdict;

use guard::Guard;

pub use guard::Suspension;
pub use policy::{BadDeviceTokens, HygienePolicy, InvalidHygienePolicy, MissingTimestamps};
pub use verdict::{Removal, TokenVerdict};

use crate::{Advice, Outcome, Rejection, UnixTime};

/// Says of each outcome what it means for the device token, and stops saying "remove" when too many are invalid at once: then
/// the environment, the app or the list is wrong, and not the tokens.
///
/// One for each app and environment: a mistake in one must not hide in the good results of another.
///
/// ```
/// use apns_provider_core::{Answer, ApnsId, HygienePolicy, Outcome, TokenHygiene, TokenVerdict, UnixTime};
///
/// let mut hygiene = TokenHygiene::new(HygienePolicy::default());
/// let mut answer = Answer::new(410);
/// answer.read_body(br#"{"reason":"Unregistered","timestamp":1700000000000}"#);
/// let outcome = Outcome::from_answer(answer, ApnsId::from_random([7; 16]));
///
/// let now = UnixTime::from_secs(1_700_000_100);
/// let registered_at = UnixTime::from_secs(1_600_000_000);
/// let TokenVerdict::Remove(removal) = hygiene.judge(now, &outcome, Some(registered_at)) else { panic!() };
///
/// // DELETE FROM tokens WHERE token = … AND registered_at <= …
/// assert_eq!(removal.registered_until(), Some(UnixTime::from_millis(1_700_000_000_000)));
/// # assert!(removal.applies_to(Some(registered_at)));
/// # assert!(!removal.applies_to(Some(now)));
/// ```
#[derive(Clone, Debug)]
pub struct TokenHygiene {
    policy: HygienePolicy,
    guard: Guard,
}

impl TokenHygiene {
    /// Nothing has been answered yet.
    pub fn new(policy: HygienePolicy) -> Self {
        Self { guard: Guard::new(policy.window()), policy }
    }

    /// What the outcome of a push means for its device token, which the app had registered at `registered_at` when the push was
    /// made, as far as that is known. To be called once for each outcome, with the time at which it came.
    ///
    /// Mistakes of configuration, credentials and service, and outcomes that are no answer, never speak against a token.
    pub fn judge(
        &mut self,
        now: UnixTime,
        outcome: &Outcome,
        registered_at: Option<UnixTime>,
    ) -> TokenVerdict {
        let rejection = match outcome {
            Outcome::Accepted(_) => {
                self.guard.count(now, false);
                return TokenVerdict::Keep;
            }
            Outcome::Rejected(rejection) => rejection,
            Outcome::Ambiguous(_) | Outcome::NotSent(_) | Outcome::Expired => return TokenVerdict::Keep,
        };
        let is_invalid = matches!(rejection.advice, Advice::RemoveToken | Advice::CheckToken);
        self.guard.count(now, is_invalid);
        match self.removal(rejection, registered_at) {
            Ok(removal) => match self.suspension(now) {
                Some(suspension) => TokenVerdict::Withheld { removal, suspension },
                None => TokenVerdict::Remove(removal),
            },
            Err(verdict) => verdict,
        }
    }

    /// What to remove, or why not.
    fn removal(
        &self,
        rejection: &Rejection,
        registered_at: Option<UnixTime>,
    ) -> Result<Removal, TokenVerdict> {
        match rejection.advice {
            Advice::RemoveToken => match (rejection.unregistered_since, self.policy.missing_timestamps()) {
                (Some(_), _) if registered_at.is_some_and(|at| !rejection.kills_token_registered_at(at)) => {
                    Err(TokenVerdict::Keep)
                }
                (Some(dead_since), _) => Ok(Removal::dead_since(dead_since)),
                (None, MissingTimestamps::Remove) => Ok(Removal::unchanged_since(registered_at)),
                (None, MissingTimestamps::Keep) => Err(TokenVerdict::Check),
            },
            Advice::CheckToken => match self.policy.bad_device_tokens() {
                BadDeviceTokens::Keep => Err(TokenVerdict::Check),
                BadDeviceTokens::Remove => Ok(Removal::unchanged_since(registered_at)),
            },
            _ => Err(TokenVerdict::Keep),
        }
    }

    /// Whether removals are withheld now, and by how many invalid tokens: for an alert.
    pub fn suspension(&self, now: UnixTime) -> Option<Suspension> {
        let tally = self.guard.tally(now);
        let is_enough = tally.results >= self.policy.min_results();
        let is_too_many = tally.invalid * 100 >= u64::from(self.policy.max_percent()) * tally.results;
        (is_enough && is_too_many).then_some(tally)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Acceptance, Answer, ApnsId, NotSent, Reason};

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn later(seconds: u64) -> UnixTime {
        UnixTime::from_secs(NOW.as_secs() + seconds)
    }

    fn earlier(seconds: u64) -> UnixTime {
        UnixTime::from_secs(NOW.as_secs() - seconds)
    }

    fn id() -> ApnsId {
        ApnsId::from_random([1; 16])
    }

    fn refused(status: u16, body: &str) -> Outcome {
        let mut answer = Answer::new(status);
        answer.read_body(body.as_bytes());
        Outcome::from_answer(answer, id())
    }

    fn accepted() -> Outcome {
        Outcome::Accepted(Acceptance { apns_id: id(), apns_unique_id: None, ambiguous_before: false })
    }

    fn dead() -> Outcome {
        refused(410, &format!(r#"{{"reason":"Unregistered","timestamp":{}}}"#, NOW.as_millis()))
    }

    fn judge(outcome: &Outcome, registered_at: Option<UnixTime>) -> TokenVerdict {
        TokenHygiene::new(HygienePolicy::default()).judge(NOW, outcome, registered_at)
    }

    fn removal(verdict: TokenVerdict) -> Removal {
        match verdict {
            TokenVerdict::Remove(removal) => removal,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn c59_a_token_that_was_registered_after_it_was_found_dead_is_kept() {
        assert_eq!(judge(&dead(), Some(later(1))), TokenVerdict::Keep);
        for registered_at in [Some(earlier(1)), Some(NOW), None] {
            assert!(matches!(judge(&dead(), registered_at), TokenVerdict::Remove(_)), "{registered_at:?}");
        }
    }

    #[test]
    fn c60_a_token_that_is_registered_again_before_it_is_removed_survives() {
        for outcome in [dead(), refused(410, r#"{"reason":"Unregistered"}"#)] {
            let removal = removal(judge(&outcome, Some(earlier(100))));
            assert!(removal.applies_to(Some(earlier(100))));
            assert!(!removal.applies_to(Some(later(1))), "{outcome:?}");
        }
    }

    #[test]
    fn without_a_timestamp_the_policy_decides() {
        let bare = refused(410, "");
        let removal = removal(judge(&bare, None));
        assert_eq!(removal.registered_until(), None);
        let policy = HygienePolicy::default().with_missing_timestamps(MissingTimestamps::Keep);
        assert_eq!(TokenHygiene::new(policy).judge(NOW, &bare, None), TokenVerdict::Check);
    }

    #[test]
    fn c61_too_many_invalid_tokens_at_once_stop_the_removals_until_it_is_over() {
        let mut hygiene = TokenHygiene::new(HygienePolicy::default());
        for _ in 0..8 {
            hygiene.judge(NOW, &accepted(), None);
        }
        assert!(matches!(hygiene.judge(NOW, &dead(), None), TokenVerdict::Remove(_)), "1 of 9");
        let TokenVerdict::Withheld { removal, suspension } = hygiene.judge(NOW, &dead(), None) else {
            panic!("2 of 10");
        };
        assert_eq!((suspension.invalid, suspension.results), (2, 10));
        assert_eq!(removal.registered_until(), Some(NOW), "for whoever has looked at it");
        assert_eq!(hygiene.suspension(later(599)), Some(suspension));
        assert_eq!(hygiene.suspension(later(611)), None, "the window has passed");
        assert!(matches!(hygiene.judge(later(611), &dead(), None), TokenVerdict::Remove(_)));
    }

    #[test]
    fn tokens_of_the_other_environment_count_as_invalid_too() {
        let mut hygiene = TokenHygiene::new(HygienePolicy::default());
        for _ in 0..10 {
            hygiene.judge(NOW, &refused(400, r#"{"reason":"BadDeviceToken"}"#), None);
        }
        assert!(matches!(hygiene.judge(NOW, &dead(), None), TokenVerdict::Withheld { .. }));
    }

    #[test]
    fn c62_nothing_but_a_dead_token_removes_one() {
        for reason in Reason::known() {
            let outcome = refused(
                reason.documented_status().unwrap_or(400),
                &format!(r#"{{"reason":"{}"}}"#, reason.as_str()),
            );
            let verdict = judge(&outcome, None);
            match reason {
                Reason::Unregistered | Reason::ExpiredToken => {
                    assert!(matches!(verdict, TokenVerdict::Remove(_)));
                }
                Reason::BadDeviceToken => assert_eq!(verdict, TokenVerdict::Check),
                _ => assert_eq!(verdict, TokenVerdict::Keep, "{reason:?}"),
            }
        }
        for status in [400, 403, 404, 405, 413, 429, 500, 503, 599] {
            assert_eq!(judge(&refused(status, "<html>"), None), TokenVerdict::Keep, "{status}");
        }
        assert_eq!(judge(&Outcome::NotSent(NotSent::OutOfTime), None), TokenVerdict::Keep);
    }

    #[test]
    fn whoever_wants_bad_device_tokens_removed_gets_it_behind_the_guard() {
        let policy = HygienePolicy::default().with_bad_device_tokens(BadDeviceTokens::Remove);
        let mut hygiene = TokenHygiene::new(policy);
        let bad = refused(400, r#"{"reason":"BadDeviceToken"}"#);
        let removal = removal(hygiene.judge(NOW, &bad, Some(earlier(5))));
        assert!(removal.applies_to(Some(earlier(5))) && !removal.applies_to(Some(earlier(4))));
        for _ in 0..9 {
            hygiene.judge(NOW, &bad, None);
        }
        assert!(matches!(hygiene.judge(NOW, &bad, None), TokenVerdict::Withheld { .. }));
    }

    #[test]
    fn a_clock_that_steps_back_neither_panics_nor_forgets() {
        let mut hygiene = TokenHygiene::new(HygienePolicy::default());
        for _ in 0..10 {
            hygiene.judge(later(1000), &dead(), None);
        }
        assert!(hygiene.suspension(NOW).is_some());
        assert!(hygiene.suspension(UnixTime::from_millis(0)).is_some());
        assert!(hygiene.suspension(UnixTime::from_millis(u64::MAX)).is_none());
    }

    #[test]
    fn a_policy_that_could_never_work_is_refused() {
        let error = |policy: Result<HygienePolicy, InvalidHygienePolicy>| policy.unwrap_err().to_string();
        assert!(error(HygienePolicy::new(0, 10, Duration::from_mins(1))).contains("0 %"));
        assert!(error(HygienePolicy::new(101, 10, Duration::from_mins(1))).contains("101 %"));
        assert!(error(HygienePolicy::new(20, 0, Duration::from_mins(1))).contains("one result"));
        assert!(error(HygienePolicy::new(20, 10, Duration::from_millis(999))).contains("1 s"));
        assert!(HygienePolicy::new(100, 1, Duration::from_secs(1)).is_ok());
    }
}
