use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::{AuthKey, ProviderToken, slot};
use crate::clock_skew::ServerClock;
use crate::unix_time::UnixTime;

/// Hands out the provider token of the moment: signed once a slot, the same in every process with the same
/// key.
///
/// Owned by one place of the shell, so that a thousand pushes that cross the change of slots together see one
/// new token.
#[derive(Debug)]
pub struct TokenSource {
    key: Arc<AuthKey>,
    held: Option<ProviderToken>,
    /// The slot whose token APNs found expired although it is not: for its second half there is another one.
    expired_early: Option<UnixTime>,
}

impl TokenSource {
    /// How long a token is used: 50 minutes of the 60 that APNs grants.
    pub const SLOT: Duration = Duration::from_secs(slot::SLOT_SECS);

    /// A source of this key's tokens.
    pub fn new(key: impl Into<Arc<AuthKey>>) -> Self {
        Self { key: key.into(), held: None, expired_early: None }
    }

    /// The token to send at `now`. Its `iat` never decreases: a clock that steps back a little gets the token
    /// it had.
    ///
    /// # Errors
    /// [`ClockSteppedBack`] when the clock is now more than a slot before the token it had; the error carries
    /// that token, for callers that go on, and a new source is the way to trust the new clock instead.
    pub fn token(&mut self, now: UnixTime) -> Result<ProviderToken, ClockSteppedBack> {
        let start = self.issue_at(now);
        let held = match &self.held {
            Some(held) if start <= held.issued_at() => held.clone(),
            _ => self.held.insert(self.key.sign(start)).clone(),
        };
        let back_by = held.issued_at().saturating_since(now);
        if back_by > Self::SLOT {
            return Err(ClockSteppedBack { held, now, back_by });
        }
        Ok(held)
    }

    /// APNs has found the token expired. A clock that is behind APNs' is the likely cause: if the token has been in use for half a
    /// slot, the slot's second half has a token of its own, the same in every process that is told so (C-25). Before that there
    /// is none: APNs wants no new token within 20 minutes. Says whether there is one that was not handed out yet.
    pub fn expired(&mut self, now: UnixTime) -> bool {
        let start = slot::start(now, self.key.key_id());
        let is_half_over = now.saturating_since(start) >= HALF_SLOT;
        if is_half_over {
            self.expired_early = Some(start);
        }
        let second = second_of(start);
        is_half_over && self.held.as_ref().is_none_or(|held| held.issued_at() < second)
    }

    /// APNs has refused the token, and by its own clock it is `now`. A token that was issued in its future, by more than the
    /// [tolerance](ServerClock::TOLERANCE), cannot have been taken: it is forgotten, so that the next one may be issued before it. The
    /// only way in which `iat` ever decreases. Says whether it was so.
    pub fn refused_at(&mut self, now: UnixTime) -> bool {
        let ahead = |held: &ProviderToken| held.issued_at().saturating_since(now) > ServerClock::TOLERANCE;
        let is_forgotten = self.held.take_if(|held| ahead(held)).is_some();
        if is_forgotten {
            // By the same wrong time; it would bring the forgotten token back.
            self.expired_early = None;
        }
        is_forgotten
    }

    /// When the token of this moment is issued.
    fn issue_at(&self, now: UnixTime) -> UnixTime {
        let start = slot::start(now, self.key.key_id());
        if self.expired_early == Some(start) { second_of(start) } else { start }
    }
}

/// When the token for the second half of this slot is issued.
fn second_of(start: UnixTime) -> UnixTime {
    UnixTime::from_secs(start.as_secs() + HALF_SLOT.as_secs())
}

/// 25 minutes: more than the 20 that APNs wants between two tokens.
const HALF_SLOT: Duration = Duration::from_secs(slot::SLOT_SECS / 2);

/// The clock says a time more than a slot before the token in use was issued: it is wrong now, or it was
/// wrong then.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error(
    "the clock went back to {back_by:?} before the provider token in use was issued; \
     check the machine's time, since APNs refuses tokens by their age"
)]
pub struct ClockSteppedBack {
    /// The token that was in use; APNs may still take it.
    pub held: ProviderToken,
    /// What the clock says.
    pub now: UnixTime,
    /// How far that lies before the token's `iat`.
    pub back_by: Duration,
}

#[cfg(test)]
mod tests {
    use super::super::auth_key::tests::{generated_key, verify};
    use super::*;
    use proptest::prelude::*;

    /// APNs' two limits (Apple, "Establishing a token-based connection to APNs").
    const AGE_SECS_MAX: u64 = 60 * 60;
    const CHANGE_SECS_MIN: u64 = 20 * 60;
    const NOW: u64 = 1_700_000_000;

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    #[test]
    fn over_six_hours_no_token_is_too_old_and_none_comes_too_soon() {
        let mut source = TokenSource::new(generated_key(1));
        let mut changes = Vec::new();
        let mut last = source.token(at(NOW)).unwrap();
        for now in (NOW..NOW + 6 * 3600).step_by(7) {
            let token = source.token(at(now)).unwrap();
            assert!(now - token.issued_at().as_secs() < AGE_SECS_MAX);
            if token != last {
                changes.push(now);
                last = token;
            }
        }
        assert!(changes.len() >= 6, "{changes:?}");
        assert!(changes.windows(2).all(|pair| pair[1] - pair[0] >= CHANGE_SECS_MIN), "{changes:?}");
    }

    #[test]
    fn a_slot_is_signed_for_once() {
        let mut source = TokenSource::new(generated_key(1));
        let first = source.token(at(NOW)).unwrap();
        let second = source.token(at(NOW)).unwrap();
        assert!(std::ptr::eq(first.authorization(), second.authorization()));
    }

    #[test]
    fn a_clock_that_steps_back_keeps_its_token() {
        let mut source = TokenSource::new(generated_key(1));
        let token = source.token(at(NOW)).unwrap();
        let issued_at = token.issued_at().as_secs();
        assert_eq!(source.token(at(issued_at - 1)), Ok(token.clone()));
        assert_eq!(source.token(at(issued_at - slot::SLOT_SECS)), Ok(token.clone()));
        let now = at(issued_at - slot::SLOT_SECS - 1);
        let back_by = TokenSource::SLOT + Duration::from_secs(1);
        assert_eq!(source.token(now), Err(ClockSteppedBack { held: token.clone(), now, back_by }));
        // Back in step, all is well again.
        assert_eq!(source.token(at(NOW)), Ok(token));
    }

    #[test]
    fn a_token_found_expired_is_replaced_once_in_the_second_half_of_its_slot() {
        let (mut one, mut two) = (TokenSource::new(generated_key(1)), TokenSource::new(generated_key(1)));
        let first = one.token(at(NOW)).unwrap();
        let start = first.issued_at().as_secs();
        assert!(!one.expired(at(start + 24 * 60)), "too soon for another");
        assert_eq!(one.token(at(start + 24 * 60)), Ok(first.clone()));

        assert!(one.expired(at(start + 30 * 60)));
        let second = one.token(at(start + 30 * 60)).unwrap();
        assert_eq!(second.issued_at().as_secs() - start, 25 * 60);
        assert!(
            !one.expired(at(start + 40 * 60)),
            "it is the second that was refused, and there is no third"
        );
        assert_eq!(one.token(at(start + 40 * 60)), Ok(second.clone()), "once");
        two.token(at(start)).unwrap();
        assert!(two.expired(at(start + 45 * 60)));
        assert_eq!(two.token(at(start + 45 * 60)).unwrap().jwt(), second.jwt(), "the whole fleet's");

        let third = one.token(at(start + 50 * 60)).unwrap();
        assert_eq!(third.issued_at().as_secs() - start, 50 * 60, "then it goes on as ever");
    }

    #[test]
    fn only_a_token_that_is_refused_in_its_own_future_gives_way_to_an_older_one() {
        let mut source = TokenSource::new(generated_key(1));
        let token = source.token(at(NOW)).unwrap();
        let issued_at = token.issued_at().as_secs();
        assert!(!source.refused_at(at(issued_at - 60)));
        assert_eq!(source.token(at(issued_at - 60)), Ok(token.clone()));
        assert!(source.refused_at(at(issued_at - 61)));
        let older = source.token(at(issued_at - 61)).unwrap();
        assert_eq!(older.issued_at().as_secs(), issued_at - slot::SLOT_SECS);
    }

    #[test]
    fn a_second_token_that_is_refused_in_its_own_future_does_not_come_back() {
        let mut source = TokenSource::new(generated_key(1));
        let start = source.token(at(NOW)).unwrap().issued_at().as_secs();
        assert!(source.expired(at(start + 30 * 60)));
        assert_eq!(source.token(at(start + 30 * 60)).unwrap().issued_at().as_secs(), start + 25 * 60);
        // Then an answer tells that the machine was 25 minutes ahead.
        let truth = at(start + 5 * 60);
        assert!(source.refused_at(truth));
        assert_eq!(source.token(truth).unwrap().issued_at().as_secs(), start);
        assert!(!source.refused_at(truth));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Processes started at different minutes of a slot send the same bytes, and the public key verifies
        /// them.
        #[test]
        fn a_fleet_has_one_token_a_slot(slot in 0..1_000_000_u64, one in 0..3000_u64, two in 0..3000_u64) {
            let key = generated_key(slot);
            let start = slot::start(at(NOW + slot * slot::SLOT_SECS), key.key_id()).as_secs();
            let first = TokenSource::new(generated_key(slot)).token(at(start + one)).unwrap();
            let second = TokenSource::new(generated_key(slot)).token(at(start + two)).unwrap();
            prop_assert_eq!(first.jwt(), second.jwt());
            prop_assert_eq!(first.issued_at(), at(start));
            prop_assert!(verify(&key, first.jwt()));
            prop_assert!(!verify(&generated_key(slot + 1), first.jwt()));
        }
    }
}
