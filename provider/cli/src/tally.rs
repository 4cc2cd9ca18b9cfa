use std::collections::BTreeMap;

/// How many pushes ended in which way.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Tally {
    kinds: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn count(&mut self, kind: String) {
        // A server that makes up reasons does not fill our memory.
        let known = self.kinds.len() < KINDS_MAX || self.kinds.contains_key(&kind);
        *self.kinds.entry(if known { kind } else { "other".to_owned() }).or_default() += 1;
    }

    pub(super) fn of(&self, kind: &str) -> u64 {
        self.kinds.get(kind).copied().unwrap_or_default()
    }

    pub(super) fn total(&self) -> u64 {
        self.kinds.values().sum()
    }

    pub(super) fn kinds(&self) -> &BTreeMap<String, u64> {
        &self.kinds
    }

    /// `accepted 7, 410 Unregistered 2`: the most frequent first.
    pub(super) fn told(&self) -> String {
        let mut kinds: Vec<(&String, &u64)> = self.kinds.iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect::<Vec<_>>().join(", ")
    }
}

/// Kinds that are counted apart; APNs has some forty.
const KINDS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_come_first_and_there_is_an_end_to_kinds() {
        let mut tally = Tally::default();
        for kind in ["410 Unregistered", "accepted", "accepted"] {
            tally.count(kind.to_owned());
        }
        assert_eq!(tally.told(), "accepted 2, 410 Unregistered 1");
        for made_up in 0..1000 {
            tally.count(made_up.to_string());
        }
        tally.count("accepted".to_owned());
        assert_eq!((tally.of("accepted"), tally.total()), (3, 1004));
        assert_eq!(tally.kinds().len(), KINDS_MAX + 1);
    }
}
