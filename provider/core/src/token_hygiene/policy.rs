//! How careful to be.

use std::time::Duration;

use thiserror::Error;

/// How careful to be with device tokens. By default: tokens found dead are removed, `BadDeviceToken` removes none, and when a fifth
/// of at least ten answers within ten minutes speak against their tokens, none is removed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HygienePolicy {
    max_percent: u8,
    min_results: u64,
    window: Duration,
    bad_device_tokens: BadDeviceTokens,
    missing_timestamps: MissingTimestamps,
}

/// What 400 `BadDeviceToken` does. It is what a token of the other environment is answered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum BadDeviceTokens {
    /// The token is kept, to be looked at.
    #[default]
    Keep,
    /// It is removed, unless it is registered again.
    Remove,
}

/// What a 410 without a `timestamp` does. Apple documents that there is one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MissingTimestamps {
    /// The status alone says that it is dead: the token is removed, unless it is registered again.
    #[default]
    Remove,
    /// The token is kept, to be looked at.
    Keep,
}

/// A policy that could never work.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum InvalidHygienePolicy {
    /// The share of invalid tokens is none.
    #[error("{0} % is no share at which removals stop: it is 1 to 100")]
    Percent(u8),
    /// The share is one of nothing.
    #[error("removals stop by a share of at least one result, not of none")]
    NoResults,
    /// The window is too short for anything to be seen in it.
    #[error("a window of {0:?} is too short: it takes 1 s or more")]
    Window(Duration),
}

impl HygienePolicy {
    /// Removals stop when `max_percent` of the answers within the window speak against their tokens, and there are at least
    /// `min_results`. The first few of a mistake slip through: fewer than `min_results`.
    pub fn new(max_percent: u8, min_results: u64, window: Duration) -> Result<Self, InvalidHygienePolicy> {
        if !(1..=100).contains(&max_percent) {
            return Err(InvalidHygienePolicy::Percent(max_percent));
        }
        if min_results == 0 {
            return Err(InvalidHygienePolicy::NoResults);
        }
        if window < WINDOW_MIN {
            return Err(InvalidHygienePolicy::Window(window));
        }
        let (bad_device_tokens, missing_timestamps) = Default::default();
        Ok(Self { max_percent, min_results, window, bad_device_tokens, missing_timestamps })
    }

    /// What 400 `BadDeviceToken` does.
    #[must_use]
    pub fn with_bad_device_tokens(self, bad_device_tokens: BadDeviceTokens) -> Self {
        Self { bad_device_tokens, ..self }
    }

    /// What a 410 without a `timestamp` does.
    #[must_use]
    pub fn with_missing_timestamps(self, missing_timestamps: MissingTimestamps) -> Self {
        Self { missing_timestamps, ..self }
    }

    pub(super) fn max_percent(&self) -> u8 {
        self.max_percent
    }

    pub(super) fn min_results(&self) -> u64 {
        self.min_results
    }

    pub(super) fn window(&self) -> Duration {
        self.window
    }

    pub(super) fn bad_device_tokens(&self) -> BadDeviceTokens {
        self.bad_device_tokens
    }

    pub(super) fn missing_timestamps(&self) -> MissingTimestamps {
        self.missing_timestamps
    }
}

impl Default for HygienePolicy {
    fn default() -> Self {
        Self {
            max_percent: MAX_PERCENT,
            min_results: MIN_RESULTS,
            window: WINDOW,
            bad_device_tokens: BadDeviceTokens::default(),
            missing_timestamps: MissingTimestamps::default(),
        }
    }
}

/// A list that ages loses a few percent of its tokens a month; a fifth at once is a mistake. Others stop at the same share.
const MAX_PERCENT: u8 = 20;
/// Of fewer, two dead tokens would be a mass.
const MIN_RESULTS: u64 = 10;
/// A campaign to a list of the other environment is over in minutes.
const WINDOW: Duration = Duration::from_mins(10);
const WINDOW_MIN: Duration = Duration::from_secs(1);
