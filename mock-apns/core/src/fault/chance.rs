//! Probabilities, and where what is random comes from.

use rand_core::{Rng as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use super::FaultName;

/// How likely it is that a rule fires when it matches: 0 never, 1 always.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Probability(f64);

impl Probability {
    /// Always.
    pub const ONE: Self = Self(1.0);

    /// A probability from 0 to 1.
    pub fn new(value: f64) -> Result<Self, ProbabilityError> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(ProbabilityError) }
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// A number is not a probability.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("a probability is a number from 0 (never) to 1 (always), such as 0.02 for 2 %")]
pub struct ProbabilityError;

impl Default for Probability {
    fn default() -> Self {
        Self::ONE
    }
}

impl Serialize for Probability {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.0)
    }
}

impl<'de> Deserialize<'de> for Probability {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(from)?).map_err(de::Error::custom)
    }
}

/// What is random in one rule. Each has its own, so that none shifts another's.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Chance(#[serde(with = "crate::message_id::state")] Xoshiro256PlusPlus);

impl Chance {
    /// From the rule's own seed; without one, from its name and what the service or team was seeded with.
    pub(super) fn new(own: Option<u64>, seed: u64, name: &FaultName) -> Self {
        let seed = own.unwrap_or_else(|| {
            // FNV-1a: any mixing that stays the same for ever would do.
            name.as_str().bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
        });
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A number from 0 up to and without 1, of 32 bits.
    pub(super) fn draw(&mut self) -> f64 {
        f64::from((self.0.next_u64() >> 32) as u32) / 4_294_967_296.0
    }

    /// Whether something of this probability comes true.
    pub(super) fn comes_true(&mut self, probability: Probability) -> bool {
        self.draw() < probability.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chance(own: Option<u64>, seed: u64, name: &str) -> Chance {
        Chance::new(own, seed, &FaultName::parse(name).unwrap())
    }

    fn fired(probability: f64, chance: &mut Chance) -> usize {
        let probability = Probability::new(probability).unwrap();
        (0..10_000).filter(|_| chance.comes_true(probability)).count()
    }

    #[test]
    fn zero_never_comes_true_and_one_always() {
        assert_eq!(fired(0.0, &mut chance(None, 1, "a")), 0);
        assert_eq!(fired(1.0, &mut chance(None, 1, "a")), 10_000);
        let two_percent = fired(0.02, &mut chance(None, 1, "a"));
        assert!((150..250).contains(&two_percent), "{two_percent}");
    }

    #[test]
    fn anything_else_is_no_probability() {
        for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Probability::new(wrong), Err(ProbabilityError));
        }
    }

    #[test]
    fn what_is_drawn_follows_from_the_seed_and_the_name_or_from_a_seed_of_its_own() {
        let draws = |mut chance: Chance| [chance.draw(), chance.draw()].map(f64::to_bits);
        assert_eq!(draws(chance(None, 1, "a")), draws(chance(None, 1, "a")));
        assert_ne!(draws(chance(None, 1, "a")), draws(chance(None, 1, "b")));
        assert_ne!(draws(chance(None, 1, "a")), draws(chance(None, 2, "a")));
        assert_eq!(draws(chance(Some(7), 1, "a")), draws(chance(Some(7), 2, "b")));
    }
}
