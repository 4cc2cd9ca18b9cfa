//! From text to terms.
//!
//! ```text
//! filter = [term] *(white-space term)
//! term   = ["-"] [key ":"] value *("," value)
//! value  = bare / quoted
//! bare   = characters other than white space , " and \
//!          which without a key has no colon in it and does not begin with "-"
//! quoted = characters between two quotes, with \" and \\ for " and \
//! ```

use super::{FilterError, FilterKey, FilterProblem, Term, key::Wanted};
use crate::excerpt::excerpt;

/// Reads all terms of a filter.
pub(super) fn read(text: &str) -> Result<Vec<Term>, FilterError> {
    if text.len() > FILTER_BYTES_MAX {
        let problem = FilterProblem::TooLong { bytes: text.len() };
        return Err(FilterError { position: text.floor_char_boundary(FILTER_BYTES_MAX), problem });
    }
    let mut reader = Reader { text, position: 0 };
    let mut terms = Vec::new();
    while reader.skip_to_term() {
        if terms.len() == FILTER_TERMS_MAX {
            return Err(reader.error(FilterProblem::TooManyTerms));
        }
        terms.push(reader.term()?);
    }
    Ok(terms)
}

/// Whether a character can be in a value without quotes.
pub(super) fn is_bare(character: char) -> bool {
    !character.is_whitespace() && !matches!(character, ',' | '"' | '\\')
}

/// A text and how far it is read.
struct Reader<'a> {
    text: &'a str,
    /// On the boundary of a character.
    position: usize,
}

impl<'a> Reader<'a> {
    /// Whether there is one more term.
    fn skip_to_term(&mut self) -> bool {
        self.position = self.text.len() - self.rest().trim_start().len();
        !self.rest().is_empty()
    }

    fn term(&mut self) -> Result<Term, FilterError> {
        let negated = self.take('-');
        if negated && self.peek().is_none_or(|next| next == '-' || next.is_whitespace()) {
            return Err(self.error(FilterProblem::NothingNegated));
        }
        let key = self.key()?;
        let mut values = vec![self.value(key)?];
        while self.take(',') {
            values.push(self.value(key)?);
        }
        match self.peek().filter(|next| !next.is_whitespace()) {
            Some(found) => Err(self.error(FilterProblem::Unexpected { found })),
            None => Ok(Term { negated, key, values }),
        }
    }

    /// The key before a colon; a term that has none is about text.
    fn key(&mut self) -> Result<FilterKey, FilterError> {
        let rest = self.rest();
        let end = rest.find(|character| character == ':' || !is_bare(character)).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        if !behind.starts_with(':') {
            return Ok(FilterKey::Text);
        }
        let unknown = || self.error(FilterProblem::UnknownKey { name: excerpt(name) });
        let key = FilterKey::from_name(name).ok_or_else(unknown)?;
        self.position += end + 1;
        Ok(key)
    }

    fn value(&mut self, key: FilterKey) -> Result<Wanted, FilterError> {
        let start = self.position;
        let wanted = if self.take('"') {
            let value = self.quoted()?;
            Wanted::read(key, &value).ok_or_else(|| FilterProblem::BadValue { key, value: excerpt(&value) })
        } else {
            let value = self.bare(key)?;
            Wanted::read(key, value).ok_or_else(|| FilterProblem::BadValue { key, value: excerpt(value) })
        };
        wanted.map_err(|problem| FilterError { position: start, problem })
    }

    fn bare(&mut self, key: FilterKey) -> Result<&'a str, FilterError> {
        let rest = self.rest();
        let (value, behind) = rest.split_at(rest.find(|it| !is_bare(it)).unwrap_or(rest.len()));
        if !value.is_empty() {
            self.position += value.len();
            return Ok(value);
        }
        Err(self.error(match behind.chars().next() {
            Some(found @ '\\') => FilterProblem::Unexpected { found },
            _ => FilterProblem::MissingValue { key },
        }))
    }

    /// The rest of a value whose opening quote is read.
    fn quoted(&mut self) -> Result<String, FilterError> {
        let opened = self.position - 1;
        let mut value = String::new();
        let mut characters = self.rest().char_indices();
        while let Some((at, character)) = characters.next() {
            let position = self.position + at;
            match character {
                '"' => {
                    self.position = position + 1;
                    return Ok(value);
                }
                '\\' => match characters.next() {
                    Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                    Some((_, escaped)) => {
                        return Err(FilterError {
                            position,
                            problem: FilterProblem::UnknownEscape { escaped },
                        });
                    }
                    None => break,
                },
                _ => value.push(character),
            }
        }
        Err(FilterError { position: opened, problem: FilterProblem::UnclosedQuote })
    }

    fn take(&mut self, wanted: char) -> bool {
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.position += wanted.len_utf8();
        }
        is_next
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    fn error(&self, problem: FilterProblem) -> FilterError {
        FilterError { position: self.position, problem }
    }
}

/// Longest filter, in bytes. It goes into the query of a URL, and servers take 8 KiB of those: room for it though many
/// bytes are written as three there.
pub const FILTER_BYTES_MAX: usize = 4096;

/// Most terms of a filter. Each is asked of each entry of a journal; there are fewer than twenty keys, and each can
/// have alternatives.
pub const FILTER_TERMS_MAX: usize = 64;
