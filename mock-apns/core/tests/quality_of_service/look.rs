//! Ways for time to go by: what happens must not depend on when the service is asked about it.

use std::time::Duration;

use mock_apns_core::Timestamp;
use proptest::prelude::*;

use crate::double::Double;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Look {
    /// The team's clock is advanced, once.
    Advanced,
    /// The team's clock is advanced in two parts, so many 256ths of the time in the first, and by nothing between them.
    AdvancedInParts(u8),
    /// The machine's clock goes on, and nobody looks.
    Unseen,
    /// The machine's clock goes on, and whenever the service wants to be woken it is, and once more in the end.
    Woken,
}

pub(crate) fn looks() -> impl Strategy<Value = Vec<Look>> {
    let look = prop_oneof![
        Just(Look::Advanced),
        any::<u8>().prop_map(Look::AdvancedInParts),
        Just(Look::Unseen),
        Just(Look::Woken),
    ];
    prop::collection::vec(look, 1..10)
}

impl Look {
    /// Lets so many milliseconds go by.
    pub(crate) fn pass(self, double: &mut Double, millis: u64) {
        let by = Duration::from_millis(millis);
        match self {
            Self::Advanced => {
                double.team_at().advance_clock(by);
            }
            Self::AdvancedInParts(first) => {
                let first = millis * u64::from(first) / 256;
                for part in [first, 0, millis - first] {
                    double.team_at().advance_clock(Duration::from_millis(part));
                }
            }
            Self::Unseen => double.now = double.now.saturating_add(by),
            Self::Woken => {
                let end = double.now.saturating_add(by);
                while let Some(at) = double.service.poll_timeout().filter(|at| *at <= end) {
                    wake(double, at);
                }
                wake(double, end);
            }
        }
    }
}

/// Once woken, the service asks to be woken later, if at all: a shell would spin else.
fn wake(double: &mut Double, at: Timestamp) {
    double.now = double.now.max(at);
    double.service.handle_timeout(double.now);
    let next = double.service.poll_timeout();
    assert!(
        next.is_none_or(|next| next > double.now),
        "woken at {}, wants to be woken at {next:?}",
        double.now
    );
}
