//! The `alert` key: a text, or a dictionary of texts with or without their localisation.

use serde_json::{Map, Value};

use super::{Warning, aps::Reader};

/// The texts of an alert; an empty one is none.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) title: Option<String>,
    pub(super) subtitle: Option<String>,
    pub(super) body: Option<String>,
}

impl Texts {
    /// The texts of a notification's `alert`. Source: Apple, "Generating a remote notification".
    pub(super) fn of_notification(alert: &Value, reader: &mut Reader<'_>) -> Self {
        Self::read(alert, reader, |alert, text, reader| {
            let (plain, key, args) = match text {
                Text::Title => ("title", "title-loc-key", "title-loc-args"),
                Text::Subtitle => ("subtitle", "subtitle-loc-key", "subtitle-loc-args"),
                Text::Body => ("body", "loc-key", "loc-args"),
            };
            let plain = reader.text(alert, plain, Warning::AlertMalformed);
            let localized = localized(alert, key, args, reader);
            // The page says to use the loc-key "instead": it does not say which one wins where both are.
            if plain.is_some() && localized.is_some() {
                reader.warn(Warning::TextAndLocKey);
            }
            localized.or(plain)
        })
    }

    /// The texts of a Live Activity's `alert`: there the text itself is a dictionary if it is localised.
    /// Source: Apple, "Starting and updating Live Activities with ActivityKit push notifications".
    pub(super) fn of_activity(alert: &Value, reader: &mut Reader<'_>) -> Self {
        Self::read(alert, reader, |alert, text, reader| {
            let key = match text {
                Text::Title => "title",
                Text::Subtitle => return None,
                Text::Body => "body",
            };
            match alert.get(key) {
                Some(Value::Object(text)) => localized(text, "loc-key", "loc-args", reader),
                _ => reader.text(alert, key, Warning::AlertMalformed),
            }
        })
    }

    /// Whether there is anything to read.
    pub(super) const fn is_empty(&self) -> bool {
        self.title.is_none() && self.subtitle.is_none() && self.body.is_none()
    }

    fn read<'s>(
        alert: &Value,
        reader: &mut Reader<'s>,
        read: impl Fn(&Map<String, Value>, Text, &mut Reader<'s>) -> Option<String>,
    ) -> Self {
        match alert {
            Value::String(body) => Self { body: Some(body.clone()), ..Self::default() },
            Value::Object(alert) => Self {
                title: read(alert, Text::Title, reader),
                subtitle: read(alert, Text::Subtitle, reader),
                body: read(alert, Text::Body, reader),
            },
            _ => reader.complain(Warning::AlertMalformed).unwrap_or_default(),
        }
        .without_empty()
    }

    fn without_empty(mut self) -> Self {
        for text in [&mut self.title, &mut self.subtitle, &mut self.body] {
            text.take_if(|text| text.is_empty());
        }
        self
    }
}

#[derive(Clone, Copy)]
enum Text {
    Title,
    Subtitle,
    Body,
}

/// The localised text that `key` and `args` name in `from`, if it has the key.
fn localized(from: &Map<String, Value>, key: &str, args: &str, reader: &mut Reader<'_>) -> Option<String> {
    let key = reader.text(from, key, Warning::AlertMalformed)?;
    let args = match from.get(args) {
        None => &[],
        Some(Value::Array(args)) => args.as_slice(),
        Some(_) => reader.complain(Warning::LocArgsMalformed).unwrap_or_default(),
    };
    if !args.iter().all(Value::is_string) {
        reader.warn(Warning::LocArgsMalformed);
    }
    let strings = reader.strings;
    Some(strings.localize(&key, args, reader))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rendering::{Shown, Strings, sent::Sent};

    #[test]
    fn a_string_is_the_body() {
        let banner = Sent::alert(&json!({ "alert": "Hello" })).banner();
        assert_eq!((banner.title, banner.subtitle, banner.body), (None, None, Some("Hello".to_owned())));
    }

    #[test]
    fn a_dictionary_has_title_subtitle_and_body() {
        assert_eq!(
            texts(&json!({ "title": "Lunch", "subtitle": "with Ann", "body": "At noon" })),
            (["Lunch", "with Ann", "At noon"].map(|it| Some(it.to_owned())), vec![])
        );
    }

    #[test]
    fn each_text_is_localized_by_its_own_key_and_arguments() {
        let alert = json!({
            "title-loc-key": "MEAL", "title-loc-args": ["Lunch"],
            "subtitle-loc-key": "GUEST", "subtitle-loc-args": ["Ann"],
            "loc-key": "TIME", "loc-args": ["noon"],
        });
        let expected = ["Lunch!", "with Ann", "At noon"].map(|it| Some(it.to_owned()));
        assert_eq!(texts(&alert), (expected, vec![]));
    }

    #[test]
    fn a_loc_key_wins_over_the_text_itself() {
        let (texts, warnings) =
            texts(&json!({ "body": "At twelve", "loc-key": "TIME", "loc-args": ["noon"] }));
        assert_eq!(texts[2].as_deref(), Some("At noon"));
        assert_eq!(warnings, [Warning::TextAndLocKey]);
    }

    #[test]
    fn a_loc_key_that_the_app_lacks_is_shown_itself() {
        let (texts, warnings) = texts(&json!({ "loc-key": "NEW_KEY", "loc-args": ["noon"] }));
        assert_eq!(texts[2].as_deref(), Some("NEW_KEY"));
        assert_eq!(warnings, [Warning::MissingLocalization]);
    }

    #[test]
    fn arguments_that_are_not_strings_are_warned_of() {
        let (numbers, warnings) = texts(&json!({ "loc-key": "TIME", "loc-args": [12] }));
        assert_eq!((numbers[2].as_deref(), warnings), (Some("At 12"), vec![Warning::LocArgsMalformed]));
        let (no_array, warnings) = texts(&json!({ "loc-key": "TIME", "loc-args": "noon" }));
        let expected = vec![Warning::LocArgsMalformed, Warning::LocArgsCount];
        assert_eq!((no_array[2].as_deref(), warnings), (Some("At %1$@"), expected));
    }

    #[test]
    fn a_malformed_text_is_left_out() {
        let (rest, warnings) = texts(&json!({ "title": 7, "body": "At noon" }));
        assert_eq!(rest, [None, None, Some("At noon".to_owned())]);
        assert_eq!(warnings, [Warning::AlertMalformed]);
        // The dictionary of a Live Activity's alert is not a notification's.
        let (rest, warnings) = texts(&json!({ "title": { "loc-key": "MEAL" }, "body": "At noon" }));
        assert_eq!((rest[0].as_deref(), warnings), (None, vec![Warning::AlertMalformed]));
    }

    #[test]
    fn an_alert_without_text_is_no_banner() {
        for alert in
            [json!({}), json!(""), json!({ "title": "", "body": "" }), json!({ "launch-image": "x" })]
        {
            let sent = Sent::alert(&json!({ "alert": alert, "badge": 1 }));
            let shown = Shown::BadgeOrSound { badge: Some(1), sound: None, wakes_app: false };
            assert_eq!((sent.shown(), sent.warnings()), (shown, vec![Warning::AlertWithoutText]));
        }
        for alert in [json!(1), json!(null), json!(["Hello"])] {
            let sent = Sent::alert(&json!({ "alert": alert, "badge": 1 }));
            assert!(sent.warnings().contains(&Warning::AlertMalformed), "{alert}");
        }
    }

    fn texts(alert: &Value) -> ([Option<String>; 3], Vec<Warning>) {
        let strings = Strings::from_iter([("MEAL", "%@!"), ("GUEST", "with %@"), ("TIME", "At %1$@")]);
        let sent = Sent { strings, ..Sent::alert(&json!({ "alert": alert })) };
        let banner = sent.banner();
        ([banner.title, banner.subtitle, banner.body], sent.warnings())
    }
}
