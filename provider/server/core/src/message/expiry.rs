//! Until when a push is of use.

use std::time::Duration;

use apns_provider_core::{Expiration, PushType, UnixTime};
use serde::{Deserialize, Serialize};

/// Until when a notification is of use, as its sender says it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expiry {
    /// So many seconds after its start, which may differ from recipient to recipient.
    AfterSecs(u64),
    /// At this second since 1970.
    AtSecs(u64),
    /// As long as APNs keeps it.
    #[default]
    None,
    /// Now or never.
    Once,
}

/// Until when a push is of use, once its start is known.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Deadline {
    /// `apns-expiration`. It is a date: the time that a push spends here is not added to it.
    pub expiration: Option<Expiration>,
    /// From when on it is not sent any more.
    pub worthless_at: Option<UnixTime>,
}

impl Expiry {
    /// The longest time from the start, in seconds: APNs stores no longer.
    pub const SECS_MAX: u64 = 30 * 86_400;

    /// When a push with this start expires. One that is for now or never is not sent either after it has waited for
    /// [`ONCE_WAITS_MAX`] here, since a call that nobody is calling any more should not ring.
    pub fn from_start(self, start: UnixTime, push_type: PushType) -> Deadline {
        let at = |secs: u64| Expiration::at_secs(secs.max(1)).ok();
        let expiration = match self {
            Self::AfterSecs(secs) => at(start.as_secs().saturating_add(secs)),
            Self::AtSecs(secs) => at(secs),
            Self::None => push_type.default_expiration(),
            Self::Once => Some(Expiration::ONCE),
        };
        let worthless_at = match expiration {
            Some(Expiration::ONCE) => {
                Some(UnixTime::from_millis(start.as_millis().saturating_add(ONCE_WAITS_MAX_MS)))
            }
            Some(expiration) => expiration.passes_at(),
            None => None,
        };
        Deadline { expiration, worthless_at }
    }
}

impl Deadline {
    /// Whether it is over.
    pub fn has_passed(&self, now: UnixTime) -> bool {
        self.worthless_at.is_some_and(|worthless_at| now >= worthless_at)
    }
}

/// How long a push that is for now or never waits here: a caller lets it ring about so long.
pub const ONCE_WAITS_MAX: Duration = Duration::from_millis(ONCE_WAITS_MAX_MS);
const ONCE_WAITS_MAX_MS: u64 = 30_000;

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixTime = UnixTime::from_millis(1_700_000_000_500);

    fn deadline(expiry: Expiry) -> Deadline {
        expiry.from_start(START, PushType::Alert)
    }

    #[test]
    fn c75_time_to_live_begins_with_the_start_and_goes_on_in_the_queue() {
        let deadline = deadline(Expiry::AfterSecs(60));
        assert_eq!(deadline.expiration.unwrap().as_secs(), 1_700_000_060, "a date, whenever it is sent");
        assert!(!deadline.has_passed(UnixTime::from_millis(1_700_000_060_999)));
        assert!(deadline.has_passed(UnixTime::from_secs(1_700_000_061)));
    }

    #[test]
    fn now_or_never_is_not_a_minute_later() {
        let once = deadline(Expiry::Once);
        assert_eq!(once.expiration, Some(Expiration::ONCE));
        assert!(!once.has_passed(START) && once.has_passed(UnixTime::from_secs(1_700_000_031)));
        let speech = Expiry::None.from_start(START, PushType::PushToTalk);
        assert_eq!(speech, once, "speech is for now or never unless somebody says otherwise");
    }

    #[test]
    fn without_an_expiry_it_waits_as_long_as_it_takes() {
        assert_eq!(deadline(Expiry::None), Deadline::default());
        assert!(!Deadline::default().has_passed(UnixTime::from_millis(u64::MAX)));
    }

    #[test]
    fn a_date_stays_a_date() {
        assert_eq!(deadline(Expiry::AtSecs(1_700_000_100)).expiration.unwrap().as_secs(), 1_700_000_100);
    }
}
