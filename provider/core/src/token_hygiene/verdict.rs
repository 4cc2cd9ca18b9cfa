//! What an outcome means for a device token.

use super::Suspension;
use crate::UnixTime;

/// What an outcome means for the device token of its push.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenVerdict {
    /// Nothing.
    Keep,
    /// It may be of the other environment, or never was a token: do not push to it again before somebody has looked.
    Check,
    /// It is dead: forget it, if the removal still applies to it.
    Remove(Removal),
    /// It is dead by the answer, but too many are of late: alert somebody, and forget none.
    Withheld {
        /// What would have been removed.
        removal: Removal,
        /// How many are.
        suspension: Suspension,
    },
}

/// The removal of a device token, unless the app has registered it again meanwhile.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Removal {
    registered_until: Option<UnixTime>,
}

impl Removal {
    pub(super) fn dead_since(dead_since: UnixTime) -> Self {
        Self { registered_until: Some(dead_since) }
    }

    pub(super) fn unchanged_since(registered_at: Option<UnixTime>) -> Self {
        Self { registered_until: registered_at }
    }

    /// Only a token whose latest registration is not later than this is to be removed: compare and clear in one step, such as
    /// `DELETE … WHERE token = ? AND registered_at <= ?`. `None`: neither APNs nor the caller has named a time, and it is
    /// removed whenever it was registered.
    ///
    /// Source: Apple, "Handling notification responses from APNs": a token is valid if it was registered after the `timestamp`.
    pub fn registered_until(&self) -> Option<UnixTime> {
        self.registered_until
    }

    /// Whether a token is to be removed whose latest registration is this now. One of an unknown time is.
    pub fn applies_to(&self, registered_at: Option<UnixTime>) -> bool {
        match (self.registered_until, registered_at) {
            (Some(until), Some(registered_at)) => registered_at <= until,
            _ => true,
        }
    }
}
