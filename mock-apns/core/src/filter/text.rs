//! Some text within a notification.

use std::borrow::Cow;

use super::value::{Takes, Value};
use crate::{
    Record,
    bytes::lossy,
    excerpt::excerpt,
    rendering::{Banner, Shown},
};

/// Text that is looked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Text {
    asked: Box<str>,
    lowercase: String,
}

/// Where it is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    record: Record<'a>,
    payload: &'a [u8],
}

impl<'a> Words<'a> {
    pub(super) fn of(record: &Record<'a>) -> Option<Self> {
        let payload = match record.request_turned_away() {
            Some(request) => request.payload(),
            None => record.notification()?.payload(),
        };
        Some(Self { record: *record, payload })
    }

    /// Whether any of its texts is one that `is_meant`: the payload as it came, the strings in it without JSON's
    /// escapes, and what the device shows, which localisation may have made of something else.
    fn any(&self, is_meant: impl Fn(&str) -> bool) -> bool {
        let payload = lossy(self.payload);
        is_meant(&payload)
            || (payload.contains('\\')
                && serde_json::from_str(&payload).is_ok_and(|it| within(&it, &is_meant)))
            || self.shown().into_iter().flatten().any(|text| is_meant(&text))
    }

    /// The texts that the device shows.
    fn shown(&self) -> [Option<String>; 3] {
        let banner = match self.record.rendering().map(|rendering| rendering.shown) {
            Some(Shown::Banner(banner)) => Some(banner),
            Some(Shown::LiveActivity(activity)) => activity.alert,
            _ => None,
        };
        banner
            .map(|it| *it)
            .map_or([None, None, None], |Banner { title, subtitle, body, .. }| [title, subtitle, body])
    }
}

impl Value for Text {
    type Had<'a> = Words<'a>;

    fn read(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self { asked: text.into(), lowercase: lowercase(text) })
    }

    fn takes() -> Takes {
        Takes::Form("at least one character")
    }

    fn text(&self) -> Cow<'_, str> {
        (&*self.asked).into()
    }

    fn holds(&self, had: &Words<'_>) -> bool {
        had.any(|text| lowercase(text).contains(&self.lowercase))
    }

    fn tell(had: &Words<'_>) -> String {
        excerpt(&lossy(had.payload))
    }
}

/// Whether any string in this JSON is meant. As deep as the parser goes.
fn within(json: &serde_json::Value, is_meant: &impl Fn(&str) -> bool) -> bool {
    match json {
        serde_json::Value::String(text) => is_meant(text),
        serde_json::Value::Array(items) => items.iter().any(|item| within(item, is_meant)),
        serde_json::Value::Object(items) => items.values().any(|item| within(item, is_meant)),
        _ => false,
    }
}

/// Character by character: `str::to_lowercase` looks at a word's end (σ and ς), which a part of a text need not have.
fn lowercase(text: &str) -> String {
    // Most payloads are, and they are many: this is the bulk of the work.
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().flat_map(char::to_lowercase).collect()
}
