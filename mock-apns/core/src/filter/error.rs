//! A text that is no filter: where, why, and what to do.

use thiserror::Error;

use super::{FILTER_BYTES_MAX, FILTER_TERMS_MAX, FilterKey};

/// A text cannot be read as a filter.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("the filter at byte {position}: {problem}")]
pub struct FilterError {
    /// Where it is wrong: bytes before it, from 0.
    pub position: usize,
    /// What is wrong there.
    pub problem: FilterProblem,
}

/// What is wrong with a filter. Text that came from outside is shortened.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum FilterProblem {
    /// It is longer than [`FILTER_BYTES_MAX`].
    #[error("it is {bytes} bytes long, and may be {FILTER_BYTES_MAX}; ask more than once")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// It has more than [`FILTER_TERMS_MAX`] terms.
    #[error(
        "it may have {FILTER_TERMS_MAX} terms; write alternatives with commas, and text with spaces in quotes"
    )]
    TooManyTerms,
    /// There is no such key.
    #[error(
        "there is no key {name:?}{suggestion} The keys are {names}; text with a colon goes in quotes",
        suggestion = did_you_mean(FilterKey::closest_name(.name)), names = FilterKey::names()
    )]
    UnknownKey {
        /// The name given.
        name: String,
    },
    /// Nothing stands where a value should.
    #[error("a value for {key} is missing; white space ends a term. It takes {takes}", takes = .key.takes())]
    MissingValue {
        /// The key.
        key: FilterKey,
    },
    /// The key does not take this value.
    #[error(
        "{key} has no value {value:?}{suggestion} It takes {takes}",
        suggestion = did_you_mean(.key.takes().closest(.value)), takes = .key.takes()
    )]
    BadValue {
        /// The key.
        key: FilterKey,
        /// The value that it does not take.
        value: String,
    },
    /// A `-` without a term.
    #[error(
        "a '-' stands right before the term that it negates, and once, as in -type:alert; quote text that begins \
         with it"
    )]
    NothingNegated,
    /// A quote has no end.
    #[error(
        "the quote that opens here is never closed; end it with '\"', and write \\\" for a quote within it"
    )]
    UnclosedQuote,
    /// A backslash before something else than a quote or a backslash.
    #[error("there is no \\{escaped}: within quotes, write \\\" for a quote and \\\\ for a backslash")]
    UnknownEscape {
        /// The character behind the backslash.
        escaped: char,
    },
    /// A character that can stand in quotes only, or something right behind them.
    #[error(
        "{found:?} cannot stand here: after a value comes white space or a comma, and a value with a quote or a \
         backslash in it goes in quotes, as in \"a \\\"b\\\" \\\\ c\""
    )]
    Unexpected {
        /// The character.
        found: char,
    },
}

/// The end of a sentence.
fn did_you_mean(closest: Option<String>) -> String {
    closest.map_or_else(|| ".".to_owned(), |closest| format!("; did you mean {closest}?"))
}
