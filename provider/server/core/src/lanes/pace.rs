use std::time::Duration;

use apns_provider_core::UnixTime;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::shard::SHARD_RECIPIENTS;

/// How fast a campaign goes, in pushes a second.
///
/// Its whole state is one moment, that of [`Paced::Claim`], which the store keeps with the campaign and moves on in the transaction that
/// claims a shard: all processes together keep the pace, a restart does not lose it, and a campaign that was paused for a day goes on
/// at its pace, and not with a day's worth at once.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(into = "u32", try_from = "u32")]
pub struct Pace {
    per_second: u32,
}

/// Whether a shard may be claimed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Paced {
    /// It may; the next one not before this.
    Claim {
        /// To be stored with the campaign.
        next_at: UnixTime,
    },
    /// Not before this.
    NotBefore(UnixTime),
}

/// The number is no pace.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a pace is 1 to {MAX} pushes a second, and not {0}")]
pub struct InvalidPace(u32);

impl Pace {
    /// So many pushes a second.
    pub fn new(per_second: u32) -> Result<Self, InvalidPace> {
        if (1..=MAX).contains(&per_second) { Ok(Self { per_second }) } else { Err(InvalidPace(per_second)) }
    }

    /// Pushes a second.
    pub fn per_second(self) -> u32 {
        self.per_second
    }

    /// Whether a shard of so many recipients may be claimed now; `next_at` is what the one before has left.
    pub fn claim(self, now: UnixTime, next_at: Option<UnixTime>, recipients: u16) -> Paced {
        // A moment far ahead was left by a clock that has been set back since: it is not waited for.
        let far = now.as_millis().saturating_add(self.takes_ms(SHARD_RECIPIENTS as u64));
        match next_at {
            Some(next_at) if next_at > now && next_at.as_millis() <= far => Paced::NotBefore(next_at),
            _ => {
                let next_at = now.as_millis().saturating_add(self.takes_ms(recipients.into()));
                Paced::Claim { next_at: UnixTime::from_millis(next_at) }
            }
        }
    }

    /// How many recipients a shard is to have, so that a slow campaign does not go in lumps: what goes in a few seconds.
    pub fn shard_recipients(self) -> usize {
        let in_lump = u64::from(self.per_second) * LUMP.as_secs();
        usize::try_from(in_lump).unwrap_or(usize::MAX).min(SHARD_RECIPIENTS)
    }

    fn takes_ms(self, recipients: u64) -> u64 {
        (recipients * 1000).div_ceil(self.per_second.into())
    }
}

impl From<Pace> for u32 {
    fn from(pace: Pace) -> Self {
        pace.per_second
    }
}

impl TryFrom<u32> for Pace {
    type Error = InvalidPace;

    fn try_from(per_second: u32) -> Result<Self, InvalidPace> {
        Self::new(per_second)
    }
}

/// More than one process can send. Without a pace a campaign is as fast as can be.
const MAX: u32 = 100_000;
/// Five seconds of a campaign at once are still an even flow to the app's own server, which is what paces are for.
const LUMP: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn later(millis: u64) -> UnixTime {
        UnixTime::from_millis(NOW.as_millis() + millis)
    }

    #[test]
    fn a_shard_pays_for_itself_before_the_next_one() {
        let pace = Pace::new(500).unwrap();
        assert_eq!(pace.claim(NOW, None, 1000), Paced::Claim { next_at: later(2000) });
        assert_eq!(pace.claim(later(1999), Some(later(2000)), 1000), Paced::NotBefore(later(2000)));
        assert_eq!(pace.claim(later(2000), Some(later(2000)), 100), Paced::Claim { next_at: later(2200) });
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        let pace = Pace::new(500).unwrap();
        let resumed = later(86_400_000);
        let next_at = UnixTime::from_millis(resumed.as_millis() + 2000);
        assert_eq!(pace.claim(resumed, Some(NOW), 1000), Paced::Claim { next_at });
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stop_a_campaign() {
        let pace = Pace::new(500).unwrap();
        assert!(matches!(pace.claim(NOW, Some(later(86_400_000)), 1000), Paced::Claim { .. }));
    }

    #[test]
    fn a_slow_campaign_has_small_shards() {
        for (per_second, recipients) in [(1, 5), (100, 500), (200, 1000), (100_000, 1000)] {
            assert_eq!(Pace::new(per_second).unwrap().shard_recipients(), recipients);
        }
    }

    #[test]
    fn a_pace_has_limits() {
        assert_eq!(Pace::new(0), Err(InvalidPace(0)));
        assert_eq!(Pace::new(100_001), Err(InvalidPace(100_001)));
    }
}
