//! The device tokens that get too many pushes.

use std::{collections::BTreeMap, time::Duration};

use crate::DeviceToken;

/// Device tokens that APNs answered 429 for, each with the time until which nothing is sent to it (C-49). Others are not slowed down.
#[derive(Debug, Default)]
pub(super) struct SlowTokens {
    until: BTreeMap<DeviceToken, Duration>,
    /// While it is full: not before this is it searched again for tokens that are free.
    next_look: Duration,
}

/// Between two such searches.
const LOOK_APART: Duration = Duration::from_secs(1);

/// How many device tokens are held back at most. Beyond that, pushes go out and earn their own 429.
const TOKENS_MAX: usize = 10_000;

impl SlowTokens {
    /// Holds a token back.
    pub(super) fn slow_down(&mut self, token: &DeviceToken, now: Duration, until: Duration) {
        if self.until.len() >= TOKENS_MAX && self.next_look <= now {
            self.next_look = now.saturating_add(LOOK_APART);
            self.until.retain(|_, until| *until > now);
        }
        if let Some(known) = self.until.get_mut(token) {
            *known = (*known).max(until);
        } else if self.until.len() < TOKENS_MAX {
            self.until.insert(token.clone(), until);
        }
    }

    /// Until when this token is held back, if it is.
    pub(super) fn held_until(&mut self, token: &DeviceToken, now: Duration) -> Option<Duration> {
        if self.until.is_empty() {
            return None;
        }
        match self.until.get(token) {
            Some(until) if *until > now => Some(*until),
            Some(_) => {
                self.until.remove(token);
                None
            }
            None => None,
        }
    }
}
