//! All that is wrong with a request, in one answer.

use std::fmt;

use serde::Serialize;

use super::{Code, Field, Problem};

/// One field that is wrong, and why.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct FieldError {
    /// Where it stands, such as `audience.users[3]`.
    pub field: String,
    /// What is wrong with it and what would be right.
    pub message: String,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Collects what is wrong with the fields of one request, so that its sender learns all of it at once.
///
/// ```
/// use apns_provider_server_core::{ids::{Tag, UserId}, problem::{Field, FieldErrors}};
///
/// let mut errors = FieldErrors::default();
/// let user = errors.keep(Field::new("user"), UserId::parse(""));
/// let tag = errors.keep(Field::new("tags").at(1), Tag::parse("no spaces"));
/// assert_eq!((user, tag), (None, None));
/// let problem = errors.into_problem();
/// assert_eq!(problem.fields()[1].field, "tags[1]");
/// ```
#[derive(Debug, Default)]
pub struct FieldErrors {
    errors: Vec<FieldError>,
    /// How many more there were than are kept.
    more: usize,
}

/// Errors that one answer lists: enough to mend a request by, not so many that ten thousand wrong tokens make a megabyte.
pub const FIELD_ERRORS_MAX: usize = 20;

impl FieldErrors {
    /// This field is wrong.
    pub fn refuse(&mut self, field: Field<'_>, why: impl fmt::Display) {
        if self.errors.len() == FIELD_ERRORS_MAX {
            self.more += 1;
            return;
        }
        self.errors.push(FieldError { field: field.to_string(), message: why.to_string() });
    }

    /// The value, unless it is wrong.
    pub fn keep<T, E: fmt::Display>(&mut self, field: Field<'_>, value: Result<T, E>) -> Option<T> {
        value.map_err(|why| self.refuse(field, why)).ok()
    }

    /// Reads a value that may be left out: nothing if it is wrong, and `Some(None)` if it is not there.
    pub fn keep_optional<I, T, E: fmt::Display>(
        &mut self,
        field: Field<'_>,
        value: Option<I>,
        parse: impl FnOnce(I) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match value {
            None => Some(None),
            Some(value) => self.keep(field, parse(value)).map(Some),
        }
    }

    /// Whether nothing was wrong so far.
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// The answer that lists them.
    pub fn into_problem(self) -> Problem {
        let Self { errors, more } = self;
        let message = match errors.as_slice() {
            [] => Code::BadField.meaning().to_owned(),
            [one] => one.to_string(),
            [first, rest @ ..] => format!("{first}; and {} more", rest.len() + more),
        };
        Problem::new(Code::BadField, message).with_fields(errors)
    }

    /// What was made of the fields, or the answer that lists what was wrong with them.
    pub fn finish<T>(self, made: Option<T>) -> Result<T, Problem> {
        match made {
            Some(made) if self.is_empty() => Ok(made),
            _ => Err(self.into_problem()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answer_tells_all_that_is_wrong_up_to_a_limit() {
        let mut errors = FieldErrors::default();
        for at in 0..25 {
            errors.refuse(Field::new("tokens").at(at), "it is empty");
        }
        let problem = errors.into_problem();
        assert_eq!(problem.fields().len(), FIELD_ERRORS_MAX);
        assert_eq!(problem.message(), "tokens[0]: it is empty; and 24 more");
    }

    #[test]
    fn a_value_is_made_only_if_nothing_was_wrong() {
        assert_eq!(FieldErrors::default().finish(Some(1)), Ok(1));
        let mut errors = FieldErrors::default();
        errors.refuse(Field::new("ttl"), "it is negative");
        assert_eq!(errors.finish(Some(1)).unwrap_err().message(), "ttl: it is negative");
    }

    #[test]
    fn absent_is_not_wrong() {
        let mut errors = FieldErrors::default();
        let parse = |text: &str| text.parse::<u8>();
        assert_eq!(errors.keep_optional(Field::new("a"), None, parse), Some(None));
        assert_eq!(errors.keep_optional(Field::new("a"), Some("7"), parse), Some(Some(7)));
        assert_eq!(errors.keep_optional(Field::new("a"), Some("x"), parse), None);
        assert!(!errors.is_empty());
    }
}
