//! What the API says when it cannot do what was asked: one shape, a closed list of codes, and the fields that were wrong.

mod code;
mod field;
mod field_errors;

use std::{borrow::Cow, fmt, time::Duration};

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

pub use code::Code;
pub use field::Field;
pub use field_errors::{FIELD_ERRORS_MAX, FieldError, FieldErrors};

/// What was wrong, where, and what to do. Serialises as the body of the answer.
///
/// ```
/// use apns_provider_server_core::problem::{Code, Problem};
///
/// let problem = Problem::new(Code::UnknownApp, "there is no app com.example.tea");
/// assert_eq!(problem.code().status(), 404);
/// assert!(serde_json::to_string(&problem)?.starts_with(r#"{"error":{"code":"unknown-app","message":"there is no"#));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem(Box<Inner>);

/// In a box, since most requests end well.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Inner {
    code: Code,
    message: Cow<'static, str>,
    hint: Cow<'static, str>,
    fields: Vec<FieldError>,
    retry_after: Option<Duration>,
}

impl Problem {
    /// A problem of this kind: the message says what was wrong, with names and values.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            hint: code.hint().into(),
            fields: Vec::new(),
            retry_after: None,
        }))
    }

    /// A problem of which nothing more is to be said than its kind.
    pub fn plain(code: Code) -> Self {
        Self::new(code, code.meaning())
    }

    /// A problem with one field of a body.
    pub fn of_field(field: Field<'_>, why: impl fmt::Display) -> Self {
        let mut errors = FieldErrors::default();
        errors.refuse(field, why);
        errors.into_problem()
    }

    /// A problem with one parameter of the path, the query or a header.
    pub fn of_parameter(name: &str, why: impl fmt::Display) -> Self {
        let error = FieldError { field: name.to_owned(), message: why.to_string() };
        Self::new(Code::BadParameter, error.to_string()).with_fields(vec![error])
    }

    /// A better hint than the usual one.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = hint.into();
        self
    }

    /// When to come back.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.0.retry_after = Some(retry_after);
        self
    }

    /// The fields that were wrong.
    #[must_use]
    pub fn with_fields(mut self, fields: Vec<FieldError>) -> Self {
        self.0.fields = fields;
        self
    }

    /// Of which kind it is.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What was wrong, for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The fields that were wrong.
    pub fn fields(&self) -> &[FieldError] {
        &self.0.fields
    }

    /// The `Retry-After` of the answer, in whole seconds, at least one.
    pub fn retry_after_secs(&self) -> Option<u64> {
        let pause = self.0.retry_after?;
        Some((pause.as_secs() + u64::from(pause.subsec_nanos() > 0)).max(1))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Problem {}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_struct("Problem", 1)?;
        body.serialize_field("error", &ErrorObject(self))?;
        body.end()
    }
}

struct ErrorObject<'a>(&'a Problem);

impl Serialize for ErrorObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Inner { code, message, hint, fields, .. } = &*self.0.0;
        let retry_after = self.0.retry_after_secs();
        let len = 3 + usize::from(!fields.is_empty()) + usize::from(retry_after.is_some());
        let mut object = serializer.serialize_struct("Error", len)?;
        object.serialize_field("code", code.as_str())?;
        object.serialize_field("message", message)?;
        object.serialize_field("hint", hint)?;
        if !fields.is_empty() {
            object.serialize_field("fields", fields)?;
        }
        if let Some(secs) = retry_after {
            object.serialize_field("retry-after-secs", &secs)?;
        }
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_problem_is_one_object_with_what_was_wrong_and_what_to_do() {
        let problem = Problem::new(Code::QueueFull, "the app has 5 pushes queued, and 5 may be")
            .with_retry_after(Duration::from_millis(2_001));
        assert_eq!(
            serde_json::to_value(&problem).unwrap(),
            json!({ "error": {
                "code": "queue-full",
                "message": "the app has 5 pushes queued, and 5 may be",
                "hint": Code::QueueFull.hint(),
                "retry-after-secs": 3,
            } })
        );
    }

    #[test]
    fn nobody_is_asked_to_come_back_at_once() {
        let problem = Problem::plain(Code::RateLimited).with_retry_after(Duration::ZERO);
        assert_eq!(problem.retry_after_secs(), Some(1));
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        let problem = Problem::of_parameter("limit", "0 is not 1 to 1000");
        assert_eq!(problem.message(), "limit: 0 is not 1 to 1000");
        assert_eq!(problem.fields()[0].field, "limit");
    }
}
