//! Which of the double's SETTINGS bind the provider at a moment (RFC 9113, 6.5.3).

use std::collections::{BTreeMap, VecDeque};

use super::said::{Said, Side, What};

/// The double's SETTINGS on one connection, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct InForce {
    acknowledged: BTreeMap<u16, u32>,
    /// Those that were sent and not acknowledged, the oldest first.
    under_way: VecDeque<Vec<(u16, u32)>>,
}

impl InForce {
    /// Reads on.
    pub(super) fn see(&mut self, said: &Said) {
        match (said.side, &said.what) {
            (Side::Double, What::Settings(parameters)) => self.under_way.push_back(parameters.clone()),
            (Side::Provider, What::SettingsAck) => {
                self.acknowledged.extend(self.under_way.pop_front().unwrap_or_default());
            }
            _ => {}
        }
    }

    /// The most that a parameter can be to the provider: what it has acknowledged last, or what is under way to it, if that is more.
    /// `at_first`: what it is before there are any SETTINGS.
    pub(super) fn most(&self, parameter: u16, at_first: u32) -> u32 {
        let acknowledged = self.acknowledged.get(&parameter).copied().unwrap_or(at_first);
        let under_way = self.under_way.iter().flatten().filter(|(id, _)| *id == parameter);
        under_way.map(|(_, value)| *value).fold(acknowledged, u32::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::evidence::{SETTINGS_MAX_CONCURRENT_STREAMS, made};

    #[test]
    fn what_is_less_binds_from_its_acknowledgement_on_and_what_is_more_at_once() {
        let mut in_force = InForce::default();
        let mut then = |side, what| {
            in_force.see(&made::said(0, side, what));
            in_force.most(SETTINGS_MAX_CONCURRENT_STREAMS, u32::MAX)
        };
        let streams = |count| What::Settings(vec![(SETTINGS_MAX_CONCURRENT_STREAMS, count)]);
        assert_eq!(then(Side::Double, streams(10)), u32::MAX, "nobody has said a number before");
        assert_eq!(then(Side::Provider, What::SettingsAck), 10);
        assert_eq!(then(Side::Double, streams(1)), 10);
        assert_eq!(then(Side::Double, streams(100)), 100);
        assert_eq!(then(Side::Provider, What::SettingsAck), 100);
        assert_eq!(then(Side::Provider, What::SettingsAck), 100);
        assert_eq!(then(Side::Double, What::Settings(Vec::new())), 100, "it says nothing of streams");
    }
}
