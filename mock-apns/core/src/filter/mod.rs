//! One grammar for saying which entries of a journal are meant: `type:alert -reason:none "Hello, Ann"`. For those who
//! write filters it is documented in `docs/filters.md`.
//!
//! ```text
//!   text ──▶ reader: white space, quotes, commas ──▶ Term: a key, its values, negated or not
//!                                                      │      key: the table FilterKey
//!                                                      │      value, word, token, status, text: what values are
//!                                                      ▼
//!            writer: the same as text ◀───────────── Filter: all terms hold
//!                                                      │
//!   Record ──▶ has: what it has of each key ───────────┼──▶ matches
//!                                                      └──▶ differences: what was asked, what it has
//! ```

mod closest;
mod difference;
mod error;
mod has;
mod key;
mod reader;
mod status;
mod text;
mod token;
mod value;
mod word;
mod writer;

pub use difference::Difference;
pub use error::{FilterError, FilterProblem};
pub use key::FilterKey;
pub use reader::{FILTER_BYTES_MAX, FILTER_TERMS_MAX};

use crate::{Record, excerpt::excerpt};
use key::Wanted;

/// Which entries of a journal are meant: those for which all of its terms hold. One without terms means every entry.
///
/// Written out, it is the shortest text that reads as the same filter.
///
/// ```
/// use mock_apns_core::Filter;
///
/// let filter = Filter::parse("type:alert,voip  token:AABB* text:\"Hello\"")?;
/// assert_eq!(filter.to_string(), "type:alert,voip token:aabb* Hello");
///
/// let error = Filter::parse("type:alrt").unwrap_err();
/// assert_eq!(error.position, 5);
/// assert!(error.to_string().contains("did you mean alert?"));
/// # Ok::<(), mock_apns_core::FilterError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filter {
    terms: Vec<Term>,
}

impl Filter {
    /// Reads a filter of at most [`FILTER_BYTES_MAX`] bytes and [`FILTER_TERMS_MAX`] terms.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        reader::read(text).map(|terms| Self { terms })
    }

    /// Whether it has no terms, and means every entry.
    pub(crate) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Adds a term: that the entry has this value of the key.
    pub(crate) fn require(&mut self, key: FilterKey, value: &str) -> Result<(), FilterProblem> {
        let bad_value = || FilterProblem::BadValue { key, value: excerpt(value) };
        let wanted = Wanted::read(key, value).ok_or_else(bad_value)?;
        self.terms.push(Term { negated: false, key, values: vec![wanted] });
        Ok(())
    }

    /// A key of which it asks what no entry about the arrival of a push has; `None`: there may be such entries.
    pub(crate) fn never_at_arrival(&self) -> Option<FilterKey> {
        let never = |term: &&Term| !term.negated && !term.values.iter().any(Wanted::may_be_at_arrival);
        self.terms.iter().find(never).map(|term| term.key)
    }

    /// Whether the entry is one of those that are meant.
    pub fn matches(&self, record: &Record<'_>) -> bool {
        self.terms.iter().all(|term| term.holds(record))
    }

    /// How many [`differences`](Self::differences) there are.
    pub(crate) fn misses(&self, record: &Record<'_>) -> usize {
        self.terms.iter().filter(|term| !term.holds(record)).count()
    }

    /// The terms that do not hold for the entry, in the filter's order: what to tell of an entry that was nearly meant.
    /// There are none exactly when it [`matches`](Self::matches), and the fewer there are, the nearer it was.
    pub fn differences(&self, record: &Record<'_>) -> Vec<Difference> {
        let failing = self.terms.iter().filter(|term| !term.holds(record));
        failing.map(|term| term.difference(record)).collect()
    }
}

impl std::str::FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// One condition: the entry has one of the values, or, negated, none of them.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Term {
    negated: bool,
    key: FilterKey,
    /// Of the key, and at least one.
    values: Vec<Wanted>,
}

impl Term {
    fn holds(&self, record: &Record<'_>) -> bool {
        self.values.iter().any(|value| value.holds(record)) != self.negated
    }

    fn difference(&self, record: &Record<'_>) -> Difference {
        let asked: Vec<String> = self.values.iter().map(|value| writer::value(&value.text())).collect();
        Difference {
            key: self.key,
            negated: self.negated,
            asked: asked.join(" or "),
            has: self.key.has(record),
        }
    }
}

#[cfg(test)]
mod tests;
