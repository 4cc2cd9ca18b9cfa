//! Payloads with `{{name}}` in their texts.

use serde_json::{Map, Value};
use thiserror::Error;

/// A payload that is JSON already, with placeholders in its strings.
///
/// Between them it is sent byte for byte. A string that is one placeholder and nothing else, such as
/// `"badge": "{{unread}}"`, takes a value as it is, a number as a number; within a longer text, values are
/// written as text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Piece {
    /// Bytes of the template.
    Literal(String),
    /// Within a text: the value's characters, escaped.
    Within(String),
    /// A whole string, quotes and all: the value as JSON.
    Whole(String),
}

/// Why a text is no template.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(super) enum InvalidTemplate {
    #[error("the payload is not a JSON object ({0})")]
    NotJson(String),
    #[error("the placeholder {0:?} is not closed, or its name is not letters, digits, `-`, `_` and `.`")]
    BadPlaceholder(String),
}

/// Why a line cannot fill a template.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(super) enum Unfilled {
    #[error("there is no value for the placeholder {{{{{0}}}}}")]
    Missing(String),
    #[error("the value for {{{{{0}}}}} is an object or a list, which has no place within a text")]
    NotText(String),
}

impl Template {
    pub(super) fn parse(payload: &str) -> Result<Self, InvalidTemplate> {
        let read: Result<Map<String, Value>, _> = serde_json::from_str(payload);
        read.map_err(|error| InvalidTemplate::NotJson(error.to_string()))?;
        let mut pieces = Pieces::default();
        let mut rest = payload;
        while let Some(open) = rest.find('"') {
            let len = string_len(&rest[open..]);
            let (before, string, after) = (&rest[..open], &rest[open..open + len], &rest[open + len..]);
            pieces.literal.push_str(before);
            let is_key = after.trim_start().starts_with(':');
            pieces.add_string(string, is_key)?;
            rest = after;
        }
        pieces.literal.push_str(rest);
        pieces.end_literal();
        Ok(Self { pieces: pieces.done })
    }

    /// The names of its placeholders.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(_) => None,
            Piece::Within(name) | Piece::Whole(name) => Some(name.as_str()),
        })
    }

    /// The payload for these values.
    pub(super) fn fill(&self, values: &Map<String, Value>) -> Result<Vec<u8>, Unfilled> {
        let mut payload = String::new();
        for piece in &self.pieces {
            let value = |name: &str| values.get(name).ok_or_else(|| Unfilled::Missing(name.to_owned()));
            match piece {
                Piece::Literal(literal) => payload.push_str(literal),
                Piece::Whole(name) => payload.push_str(&value(name)?.to_string()),
                Piece::Within(name) => {
                    let text = match value(name)? {
                        Value::String(text) => Value::from(text.as_str()).to_string(),
                        Value::Array(_) | Value::Object(_) => return Err(Unfilled::NotText(name.clone())),
                        other => format!("\"{other}\""),
                    };
                    payload.push_str(&text[1..text.len() - 1]); // without its quotes
                }
            }
        }
        Ok(payload.into_bytes())
    }
}

#[derive(Default)]
struct Pieces {
    done: Vec<Piece>,
    literal: String,
}

impl Pieces {
    /// A string with its quotes.
    fn add_string(&mut self, string: &str, is_key: bool) -> Result<(), InvalidTemplate> {
        let inner = &string[1..string.len() - 1];
        let whole = inner.strip_prefix(OPEN).and_then(|inner| inner.strip_suffix(CLOSE));
        if let (Some(name), false) = (whole.and_then(name), is_key) {
            self.end_literal();
            self.done.push(Piece::Whole(name.to_owned()));
            return Ok(());
        }
        let mut rest = string;
        while let Some((before, after)) = rest.split_once(OPEN) {
            self.literal.push_str(before);
            let bad = || InvalidTemplate::BadPlaceholder(OPEN.to_owned() + first(after));
            let (inside, after) = after.split_once(CLOSE).ok_or_else(bad)?;
            let name = name(inside).ok_or_else(bad)?;
            self.end_literal();
            self.done.push(Piece::Within(name.to_owned()));
            rest = after;
        }
        self.literal.push_str(rest);
        Ok(())
    }

    fn end_literal(&mut self) {
        if !self.literal.is_empty() {
            self.done.push(Piece::Literal(std::mem::take(&mut self.literal)));
        }
    }
}

/// The name in a placeholder, spaces around it aside.
fn name(inside: &str) -> Option<&str> {
    let name = inside.trim_matches(' ');
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

/// The beginning of a text, for a message.
fn first(text: &str) -> &str {
    text.char_indices().nth(SHOWN_CHARS).map_or(text, |(end, _)| &text[..end])
}

/// Bytes of the JSON string that this begins with, quotes among them. The text is known to be JSON.
fn string_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

const OPEN: &str = "{{";
const CLOSE: &str = "}}";
/// Characters of a placeholder that a message repeats.
const SHOWN_CHARS: usize = 30;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(template: &str, values: &Value) -> Result<String, Unfilled> {
        let payload = Template::parse(template).unwrap().fill(values.as_object().unwrap())?;
        Ok(String::from_utf8(payload).unwrap())
    }

    #[test]
    fn values_are_escaped_within_texts_and_kept_as_they_are_alone() {
        let template = r#"{ "aps": {"alert": "Hi {{name}}, {{ n }} new", "badge":"{{n}}"}, "{{n}}": 1.50 }"#;
        let values = json!({ "name": "Ada \"the\"\n{{n}}", "n": 7 });
        assert_eq!(
            filled(template, &values).unwrap(),
            r#"{ "aps": {"alert": "Hi Ada \"the\"\n{{n}}, 7 new", "badge":7}, "7": 1.50 }"#
        );
        assert_eq!(filled(r#"{"a":"{{x}}{{x}}"}"#, &json!({ "x": "é" })).unwrap(), r#"{"a":"éé"}"#);
    }

    #[test]
    fn what_is_no_placeholder_stays() {
        let template = r#"{"a":"\"{ {x} }\\","b":{"c":{}},"d":"}}"}"#;
        assert_eq!(filled(template, &json!({})).unwrap(), template);
        assert_eq!(Template::parse(template).unwrap().names().count(), 0);
    }

    #[test]
    fn what_is_missing_or_no_text_is_named() {
        let missing = filled(r#"{"a":"{{x}}"}"#, &json!({ "y": 1 })).unwrap_err();
        assert_eq!(missing.to_string(), "there is no value for the placeholder {{x}}");
        let list = filled(r#"{"a":"- {{x}}"}"#, &json!({ "x": [1] }));
        assert_eq!(list, Err(Unfilled::NotText("x".to_owned())));
        assert_eq!(filled(r#"{"a":"{{x}}"}"#, &json!({ "x": [1] })).unwrap(), r#"{"a":[1]}"#);
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for template in [r#"{"a":"{{x"}"#, r#"{"a":"{{}}"}"#, r#"{"a":"{{x y}}"}"#, r#"{"a":"{{\u0041}}"}"#] {
            let refused = Template::parse(template);
            assert!(matches!(refused, Err(InvalidTemplate::BadPlaceholder(_))), "{template}: {refused:?}");
        }
        for template in ["", "[]", r#"{"badge": {{n}}}"#] {
            let refused = Template::parse(template);
            assert!(matches!(refused, Err(InvalidTemplate::NotJson(_))), "{template}: {refused:?}");
        }
    }
}
