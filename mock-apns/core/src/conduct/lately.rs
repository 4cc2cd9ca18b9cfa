//! Counting what happens often.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// How much has happened within a span that begins anew with the first thing after its end.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lately {
    since: Timestamp,
    count: u32,
}

impl Lately {
    /// Counts one more, and says how many there are.
    pub(crate) fn count(&mut self, now: Timestamp, window: Duration) -> u32 {
        self.add(now, window, 1)
    }

    /// Counts so many more, and says how many there are.
    pub(crate) fn add(&mut self, now: Timestamp, window: Duration, more: u32) -> u32 {
        if self.count == 0 || now.saturating_since(self.since) >= window {
            *self = Self { since: now, count: 0 };
        }
        self.count = self.count.saturating_add(more);
        self.count
    }
}
