//! minijinja with a bound on everything.

use minijinja::{Environment, ErrorKind, UndefinedBehavior, filters, tests, value::Serde};
use serde_json::{Map, Value};

use super::{RenderError, WhyNot};

/// Renders texts. Without loops over what is not there, without files, without macros; with a bound on the work and, since work is
/// counted in what is made as well, on the memory.
pub(super) struct Engine {
    environment: Environment<'static>,
}

/// What placeholders stand for.
pub(super) struct Values(minijinja::Value);

impl Values {
    pub(super) fn new(values: &Map<String, Value>) -> Self {
        Self(Serde(values).into())
    }
}

impl Engine {
    pub(super) fn new() -> Self {
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.add_filter("capitalize", filters::capitalize);
        environment.add_filter("default", filters::default);
        environment.add_filter("first", filters::first);
        environment.add_filter("join", filters::join);
        environment.add_filter("last", filters::last);
        environment.add_filter("length", filters::length);
        environment.add_filter("lower", filters::lower);
        environment.add_filter("replace", filters::replace);
        environment.add_filter("round", filters::round);
        environment.add_filter("title", filters::title);
        environment.add_filter("trim", filters::trim);
        environment.add_filter("upper", filters::upper);
        environment.add_test("defined", tests::is_defined);
        environment.add_test("none", tests::is_none);
        environment.add_test("undefined", tests::is_undefined);
        Self { environment }
    }

    /// Whether it could be rendered, if its values were there.
    pub(super) fn check(&self, at: &str, text: &str) -> Result<(), RenderError> {
        let checked = match sole_placeholder(text) {
            Some(expression) => self.environment.compile_expression(expression).map(drop),
            None => self.environment.template_from_str(text).map(drop),
        };
        checked.map_err(|error| refused(at, text, &error))
    }

    /// Checks every text of a JSON object.
    pub(super) fn check_object(
        &self,
        at: &str,
        object: &Map<String, Value>,
        refuse: &mut impl FnMut(RenderError),
    ) {
        for (key, value) in object {
            self.check_value(&format!("{at}.{key}"), value, refuse);
        }
    }

    fn check_value(&self, at: &str, value: &Value, refuse: &mut impl FnMut(RenderError)) {
        match value {
            Value::String(text) => self.check(at, text).unwrap_or_else(refuse),
            Value::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    self.check_value(&format!("{at}[{index}]"), value, refuse);
                }
            }
            Value::Object(object) => self.check_object(at, object, refuse),
            Value::Bool(_) | Value::Null | Value::Number(_) => {}
        }
    }

    /// A text with its values.
    pub(super) fn text(&self, at: &str, text: &str, values: &Values) -> Result<String, RenderError> {
        if !has_markup(text) {
            return Ok(text.to_owned());
        }
        self.environment.render_str(text, values.0.clone()).map_err(|error| refused(at, text, &error))
    }

    /// A JSON object whose texts have their values.
    pub(super) fn object(
        &self,
        at: &str,
        object: &Map<String, Value>,
        values: &Values,
    ) -> Result<Map<String, Value>, RenderError> {
        object
            .iter()
            .map(|(key, value)| Ok((key.clone(), self.value(&format!("{at}.{key}"), value, values)?)))
            .collect()
    }

    fn value(&self, at: &str, value: &Value, values: &Values) -> Result<Value, RenderError> {
        Ok(match value {
            Value::String(text) => match sole_placeholder(text) {
                Some(expression) => self.evaluated(at, text, expression, values)?,
                None => Value::String(self.text(at, text, values)?),
            },
            Value::Array(elements) => {
                let rendered = elements.iter().enumerate();
                Value::Array(
                    rendered
                        .map(|(index, value)| self.value(&format!("{at}[{index}]"), value, values))
                        .collect::<Result<_, _>>()?,
                )
            }
            Value::Object(object) => Value::Object(self.object(at, object, values)?),
            Value::Bool(_) | Value::Null | Value::Number(_) => value.clone(),
        })
    }

    /// The value of a placeholder as it is.
    fn evaluated(
        &self,
        at: &str,
        text: &str,
        expression: &str,
        values: &Values,
    ) -> Result<Value, RenderError> {
        let value = self
            .environment
            .compile_expression(expression)
            .and_then(|expression| expression.eval(values.0.clone()))
            .map_err(|error| refused(at, text, &error))?;
        if value.is_undefined() {
            return Err(because(at, text, WhyNot::Undefined));
        }
        serde_json::to_value(&value).map_err(|error| because(at, text, WhyNot::Wrong(error.to_string())))
    }
}

/// The expression of a text that is one placeholder and nothing else.
fn sole_placeholder(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix('-').unwrap_or(inner);
    let inner = inner.strip_suffix('-').unwrap_or(inner);
    (!inner.contains("{{") && !inner.contains("}}") && !inner.contains("{%")).then_some(inner)
}

fn has_markup(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}

fn refused(at: &str, text: &str, error: &minijinja::Error) -> RenderError {
    let why = match error.kind() {
        ErrorKind::OutOfFuel => WhyNot::TooMuchWork,
        ErrorKind::UndefinedError => WhyNot::Undefined,
        kind => WhyNot::Wrong(error.detail().map_or_else(|| kind.to_string(), str::to_owned)),
    };
    because(at, text, why)
}

fn because(at: &str, text: &str, why: WhyNot) -> RenderError {
    let text: String = text.chars().take(SHOWN_CHARS).collect();
    RenderError { at: at.to_owned(), text, why }
}

/// How much one text may cost: one for each instruction, and one for 64 bytes that are made on the way. A text of a push costs ten or
/// twenty; this much is 128 kB of data.
const FUEL: u64 = 2_000;
/// Characters of a text that an error shows.
const SHOWN_CHARS: usize = 60;
