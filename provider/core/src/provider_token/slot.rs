//! When tokens change: never by a process's own age, always by the calendar.
//!
//! ```text
//!   iat ─────────── 50 min ───────────> iat ─────────── 50 min ───────────> …
//!    │ every process, started whenever,  │ all change here, to the same bytes
//!    │ mints the same bytes              │
//! ```
//!
//! APNs refuses tokens older than 60 minutes and tokens that change more often than every 20. With slots of
//! 50 minutes a token is at most 50 minutes old, which leaves ten for clocks that disagree, and changes every
//! 50. Since `iat` is the start of the slot and the signature is deterministic, a fleet needs no coordination
//! and a restart changes nothing.

use super::KeyId;
use crate::unix_time::UnixTime;

/// How long a token is used, in seconds. Part of the contract of a fleet: processes that differ in it differ
/// in tokens.
pub(super) const SLOT_SECS: u64 = 50 * 60;

/// The start of the slot that `now` lies in.
pub(super) fn start(now: UnixTime, key_id: KeyId) -> UnixTime {
    let lead = lead_secs(key_id);
    let since_first_start = now.as_secs() + lead; // no overflow: seconds of a u64 of milliseconds
    UnixTime::from_secs((since_first_start / SLOT_SECS * SLOT_SECS).saturating_sub(lead))
}

/// How long before 1970 the key's first slot began: its ID read as one big-endian number, modulo the slot. So
/// that the keys of the world do not all change at one instant.
fn lead_secs(key_id: KeyId) -> u64 {
    key_id.as_str().bytes().fold(0, |number, byte| (number * 256 + u64::from(byte)) % SLOT_SECS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_slot_starts_in_the_past_and_is_not_over(
            millis in 0..u64::MAX, key_id in "[A-Z0-9]{10}", other in 0..SLOT_SECS
        ) {
            let (now, key_id) = (UnixTime::from_millis(millis), KeyId::parse(&key_id).unwrap());
            let start_now = start(now, key_id);
            prop_assert!(start_now <= now);
            prop_assert!(now.as_secs() - start_now.as_secs() < SLOT_SECS);
            // Wherever in the slot another process looks, it sees the same start.
            if start_now.as_secs() >= SLOT_SECS {
                let elsewhere = UnixTime::from_secs(start_now.as_secs() + other);
                prop_assert_eq!(start(elsewhere, key_id), start_now);
            }
        }
    }

    #[test]
    fn keys_change_at_different_moments() {
        let now = UnixTime::from_secs(1_700_000_000);
        let starts =
            ["AAAAAAAAAA", "AAAAAAAAAB", "BAAAAAAAAA"].map(|id| start(now, KeyId::parse(id).unwrap()));
        assert!(starts[0] != starts[1] && starts[1] != starts[2] && starts[0] != starts[2], "{starts:?}");
    }

    /// A release that moved the slots would make a fleet in the middle of an update send two tokens.
    #[test]
    fn the_slots_of_a_key_never_move() {
        let start = start(UnixTime::from_secs(1_700_000_000), KeyId::parse("ABC123DEFG").unwrap());
        // 311 is what is left of the ID's bytes, read as a number, after division by 3000.
        assert_eq!((start.as_secs() + 311) % 3_000, 0);
        assert_eq!(start, UnixTime::from_secs(1_699_997_689));
    }
}
