//! What a template is made of, as its author writes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Template, rendering::Engine};
use crate::{
    ids::Locale,
    problem::{Field, FieldErrors, Problem},
};

/// Bytes of a whole template, as JSON: a payload and sixty languages with a few sentences each.
pub const TEMPLATE_BYTES_MAX: usize = 128 * 1024;
/// Languages of one template: more than any app has.
pub const LOCALES_MAX: usize = 64;
/// Texts of a template in one language.
pub const TEXTS_MAX: usize = 32;
/// Bytes of one text: as much as fits a payload.
pub const TEXT_BYTES_MAX: usize = 4096;

/// A template: a payload with placeholders, and its texts in several languages.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TemplateRequest {
    /// Whose texts are taken where a language has none; needed if there are texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_locale: Option<String>,
    /// The payload: `{{ name }}` stands for a value, and `{{ text.title }}` for a text in the recipient's language.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub payload: Map<String, Value>,
    /// By locale, and then by name: what the payload calls `{{ text.name }}`.
    #[serde(default)]
    pub texts: BTreeMap<String, BTreeMap<String, String>>,
}

impl TemplateRequest {
    /// Checks everything but what only values can show.
    pub fn check(self) -> Result<Template, Problem> {
        let len = serde_json::to_vec(&self).map_or(usize::MAX, |json| json.len());
        let mut errors = FieldErrors::default();
        if len > TEMPLATE_BYTES_MAX {
            errors.refuse(
                Field::ROOT,
                format_args!("the template has {len} bytes as JSON, and {TEMPLATE_BYTES_MAX} are allowed"),
            );
            return errors.finish(None);
        }
        let engine = Engine::new();
        let default_locale =
            errors.keep_optional(Field::new("default-locale"), self.default_locale, |text| {
                Locale::parse(&text)
            });
        let texts = check_texts(self.texts, &engine, &mut errors);
        let mut refuse = |error: super::RenderError| errors.refuse(Field::new(&error.at), error.why);
        engine.check_object("payload", &self.payload, &mut refuse);
        if let (Some(default_locale), Some(texts)) = (&default_locale, &texts) {
            check_default(default_locale.as_ref(), texts, &mut errors);
        }
        let template = default_locale.zip(texts).map(|(default_locale, texts)| Template {
            default_locale,
            payload: self.payload,
            texts,
        });
        errors.finish(template)
    }
}

impl Template {
    /// The template as it was written, to be stored and shown.
    pub fn to_request(&self) -> TemplateRequest {
        let texts = self.texts.iter().map(|(locale, texts)| (locale.as_str().to_owned(), texts.clone()));
        TemplateRequest {
            default_locale: self.default_locale.as_ref().map(|locale| locale.as_str().to_owned()),
            payload: self.payload.clone(),
            texts: texts.collect(),
        }
    }
}

fn check_texts(
    texts: BTreeMap<String, BTreeMap<String, String>>,
    engine: &Engine,
    errors: &mut FieldErrors,
) -> Option<BTreeMap<Locale, BTreeMap<String, String>>> {
    let at = Field::new("texts");
    if texts.len() > LOCALES_MAX {
        errors.refuse(at, format_args!("there are {} languages, and {LOCALES_MAX} are allowed", texts.len()));
        return None;
    }
    let mut checked = BTreeMap::new();
    for (name, texts) in texts {
        let at = at.key(&name);
        let Some(locale) = errors.keep(at, Locale::parse(&name)) else { continue };
        if texts.len() > TEXTS_MAX {
            errors.refuse(at, format_args!("there are {} texts, and {TEXTS_MAX} are allowed", texts.len()));
        }
        for (key, text) in texts.iter().take(TEXTS_MAX) {
            check_text(at.key(key), key, text, engine, errors);
        }
        if checked.insert(locale, texts).is_some() {
            errors.refuse(at, "the language is there twice, written in two ways");
        }
    }
    Some(checked)
}

fn check_text(at: Field<'_>, key: &str, text: &str, engine: &Engine, errors: &mut FieldErrors) {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if key.is_empty() || !key.bytes().all(is_word) || key.as_bytes()[0].is_ascii_digit() {
        errors.refuse(at, "a text is called by letters, digits and `_`, and not by a digit first");
    }
    if text.len() > TEXT_BYTES_MAX {
        errors.refuse(at, format_args!("it has {} bytes, and {TEXT_BYTES_MAX} are allowed", text.len()));
    } else if let Err(error) = engine.check("", text) {
        errors.refuse(at, error.why);
    }
}

/// Texts need a language that has all of them.
fn check_default(
    default_locale: Option<&Locale>,
    texts: &BTreeMap<Locale, BTreeMap<String, String>>,
    errors: &mut FieldErrors,
) {
    let at = Field::new("default-locale");
    let Some(default_locale) = default_locale else {
        if !texts.is_empty() {
            errors.refuse(at, "there are texts; say whose are taken where a language has none");
        }
        return;
    };
    let Some(default) = texts.get(default_locale) else {
        errors.refuse(at, format_args!("there are no texts in {default_locale}"));
        return;
    };
    for (locale, texts) in texts {
        for key in texts.keys().filter(|key| !default.contains_key(*key)) {
            errors.refuse(
                Field::new("texts").key(locale.as_str()).key(key),
                format_args!("{default_locale} has no such text, and every language falls back on it"),
            );
        }
    }
}
