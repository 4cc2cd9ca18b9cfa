//! Which cases are asked, and in which order.

use std::str::FromStr;

use rand_core::{Rng as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;
use thiserror::Error;

/// Which cases are asked. Of several kinds of condition each has to hold; of several conditions of a kind, one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selection {
    /// Ids, in which `*` stands for anything; none for all.
    pub ids: Vec<String>,
    /// Tags; none for all.
    pub tags: Vec<String>,
    /// Rows that cases rest on, as ids with `*`; none for all.
    pub rows: Vec<String>,
    /// The part of them that is asked here.
    pub shard: Option<Shard>,
    /// Shuffles them; the same seed gives the same order.
    pub seed: Option<u64>,
}

/// What can be selected.
pub trait Selectable {
    /// Its name.
    fn id(&self) -> &str;
    /// What it is about.
    fn tags(&self) -> &[&'static str];
    /// The ids of the rows that it rests on.
    fn rows(&self) -> &[String];
}

/// One of several parts, which together are all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shard {
    index: usize,
    of: usize,
}

/// A text is not a shard.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{0:?} is no shard: `2/5` is the second of five")]
pub struct ShardError(String);

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let numbers =
            text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((index, of)) if 1 <= index && index <= of => Ok(Self { index, of }),
            _ => Err(ShardError(text.to_owned())),
        }
    }
}

impl Selection {
    /// The cases that are selected, in the order in which they are asked. A case is in the same shard whatever the seed.
    pub fn of<C: Selectable>(&self, cases: Vec<C>) -> Vec<C> {
        let mut selected: Vec<C> = cases.into_iter().filter(|case| self.selects(case)).collect();
        if let Some(Shard { index, of }) = self.shard {
            let mut at = 0;
            selected.retain(|_| {
                at += 1;
                (at - 1) % of == index - 1
            });
        }
        if let Some(seed) = self.seed {
            shuffle(&mut selected, seed);
        }
        selected
    }

    fn selects(&self, case: &impl Selectable) -> bool {
        let any = |patterns: &[String], of: &dyn Fn(&str) -> bool| {
            patterns.is_empty() || patterns.iter().any(|it| of(it))
        };
        any(&self.ids, &|pattern| matches(pattern, case.id()))
            && any(&self.tags, &|tag| case.tags().contains(&tag))
            && any(&self.rows, &|pattern| case.rows().iter().any(|row| matches(pattern, row)))
    }
}

/// Whether a pattern fits a text. `*` stands for any number of characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((beginning, mut rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(beginning) else { return false };
    while let Some((middle, behind)) = rest.split_once('*') {
        let Some(at) = text.find(middle) else { return false };
        text = &text[at + middle.len()..];
        rest = behind;
    }
    text.ends_with(rest)
}

/// Fisher and Yates.
fn shuffle<C>(cases: &mut [C], seed: u64) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    for at in (1..cases.len()).rev() {
        cases.swap(at, (random.next_u64() % (at as u64 + 1)) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Case, server_cases};

    fn all() -> Vec<Case> {
        server_cases(&apns_spec::Spec::load().unwrap())
    }

    fn ids(selection: &Selection) -> Vec<String> {
        selection.of(all()).into_iter().map(|case| case.id).collect()
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, fits) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("*", "", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn conditions_of_several_kinds_all_hold() {
        let by_id = Selection { ids: vec!["header-priority-*".into()], ..Selection::default() };
        assert!(ids(&by_id).len() > 10 && ids(&by_id).iter().all(|id| id.starts_with("header-priority-")));
        let both = Selection { rows: vec!["reason-duplicate-headers".into()], ..by_id };
        assert_eq!(ids(&both), ["header-priority-repeated"]);
        let none = Selection { tags: vec!["hpack".into()], ..both };
        assert_eq!(ids(&none), [""; 0]);
    }

    #[test]
    fn shards_are_all_cases_once_in_whatever_order() {
        let mut shards: Vec<String> = Vec::new();
        for shard in ["1/3", "2/3", "3/3"] {
            shards.extend(ids(&Selection {
                shard: Some(shard.parse().unwrap()),
                seed: Some(7),
                ..Selection::default()
            }));
        }
        let mut all = ids(&Selection::default());
        assert_ne!(shards, all);
        shards.sort();
        all.sort();
        assert_eq!(shards, all);
    }

    #[test]
    fn a_seed_is_an_order() {
        let order = |seed| ids(&Selection { seed, ..Selection::default() });
        assert_eq!(order(Some(1)), order(Some(1)));
        assert_ne!(order(Some(1)), order(Some(2)));
        assert_ne!(order(Some(1)), order(None));
    }

    #[test]
    fn what_is_no_shard_is_named() {
        for text in ["", "1", "0/3", "4/3", "a/b", "1/3/5", "-1/3"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
