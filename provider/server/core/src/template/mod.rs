//! Payloads with placeholders, and their texts in several languages.
//!
//! A template is a payload, as JSON, whose texts may have placeholders: `"Hello {{ name }}"`. JSON is walked through, and each text is
//! rendered by itself, so that no value can break out of it. A text that is one placeholder and nothing else takes the value as it is:
//! `"badge": "{{ count }}"` becomes a number.
//!
//! What is said in several languages stands apart, under `texts`, and is called `{{ text.title }}` in the payload. A text that a
//! language lacks is that of the next wider one, `de` for `de-CH`, and else the default's.

mod rendering;
mod request;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use thiserror::Error;

pub use request::{LOCALES_MAX, TEMPLATE_BYTES_MAX, TEXT_BYTES_MAX, TEXTS_MAX, TemplateRequest};

use rendering::{Engine, Values};

use crate::ids::Locale;

/// A template that can be rendered, if there are values for its placeholders.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// Whose texts are taken where a language has none.
    default_locale: Option<Locale>,
    payload: Map<String, Value>,
    texts: BTreeMap<Locale, BTreeMap<String, String>>,
}

/// A template with its values, in one language.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rendered {
    /// Which language; `None` if the template has none.
    pub locale: Option<Locale>,
    /// The payload.
    pub payload: Vec<u8>,
}

/// Why a template could not be rendered.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("at {at} of the template, {text:?}: {why}")]
pub struct RenderError {
    /// Where in the template, such as `payload.aps.alert.title` or `texts.de.title`.
    pub at: String,
    /// The text that could not be rendered, or its beginning.
    pub text: String,
    /// What was wrong.
    pub why: WhyNot,
}

/// What was wrong with a text of a template.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum WhyNot {
    /// It means more work than a text may be.
    #[error("rendering it takes too much work; make it shorter, or do it before you call")]
    TooMuchWork,
    /// A value is missing.
    #[error("a placeholder has no value; give one, or write {{{{ name | default(\"…\") }}}}")]
    Undefined,
    /// It is no template.
    #[error("{0}")]
    Wrong(String),
}

impl Template {
    /// The payload in each language, the default's first, then by locale. A template without texts has one, for everybody. Of one with
    /// texts, `text` and `locale` are its own: values of these names are not seen.
    pub fn render(&self, values: &Map<String, Value>) -> Result<Vec<Rendered>, RenderError> {
        let engine = Engine::new();
        let others = self.texts.keys().filter(|locale| Some(*locale) != self.default_locale.as_ref());
        let locales = std::iter::once(self.default_locale.as_ref()).chain(others.map(Some));
        let plain = Values::new(values);
        locales
            .map(|locale| {
                let payload = match locale {
                    None => engine.object("payload", &self.payload, &plain)?,
                    Some(locale) => {
                        let mut values = values.clone();
                        values.insert(TEXT.into(), self.texts_in(locale, &plain, &engine)?.into());
                        values.insert(LOCALE.into(), locale.as_str().into());
                        engine.object("payload", &self.payload, &Values::new(&values))?
                    }
                };
                let payload = serde_json::to_vec(&payload).expect("a JSON value has a JSON form");
                Ok(Rendered { locale: locale.cloned(), payload })
            })
            .collect()
    }

    /// Every text in this language, or the next best.
    fn texts_in(
        &self,
        locale: &Locale,
        values: &Values,
        engine: &Engine,
    ) -> Result<Map<String, Value>, RenderError> {
        let mut found = Map::new();
        let wider = locale.fallbacks().filter_map(|text| Locale::parse(text).ok());
        for locale in wider.chain(self.default_locale.clone()) {
            for (key, text) in self.texts.get(&locale).into_iter().flatten() {
                if !found.contains_key(key) {
                    let at = format!("texts.{locale}.{key}");
                    found.insert(key.clone(), Value::from(engine.text(&at, text, values)?));
                }
            }
        }
        Ok(found)
    }
}

/// What texts are called by in a payload.
const TEXT: &str = "text";
/// The locale that is rendered for.
const LOCALE: &str = "locale";

#[cfg(test)]
mod tests;
