use serde::Serialize;

use super::Sound;

/// What alerts the user to a change of a Live Activity: its `alert` dictionary, which has a title, a message
/// and a sound (Apple, "Starting and updating Live Activities with ActivityKit push notifications").
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiveActivityAlert {
    title: LocalizableText,
    body: LocalizableText,
    #[serde(skip_serializing_if = "Option::is_none")]
    sound: Option<Sound>,
}

impl LiveActivityAlert {
    /// An alert with these texts, and without a sound.
    ///
    /// ```
    /// use apns_provider_core::{LiveActivityAlert, LocalizableText, Sound};
    ///
    /// let alert = LiveActivityAlert::new("Finish", LocalizableText::localized("WINS", ["Ada"]))
    ///     .sound(Sound::named("bell.caf"));
    /// assert_eq!(
    ///     serde_json::to_string(&alert)?,
    ///     concat!(
    ///         r#"{"title":"Finish","body":{"loc-key":"WINS","loc-args":["Ada"]},"#,
    ///         r#""sound":"bell.caf"}"#
    ///     )
    /// );
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn new(title: impl Into<LocalizableText>, body: impl Into<LocalizableText>) -> Self {
        Self { title: title.into(), body: body.into(), sound: None }
    }

    /// What the user hears.
    #[must_use]
    pub fn sound(self, sound: Sound) -> Self {
        Self { sound: Some(sound), ..self }
    }

    /// Whether the user would read anything.
    pub(crate) fn says_something(&self) -> bool {
        !(self.title.is_empty() && self.body.is_empty())
    }

    pub(crate) fn sound_of(&self) -> Option<&Sound> {
        self.sound.as_ref()
    }
}

/// A text as it is, or a key into the app's `Localizable` file with its arguments.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct LocalizableText {
    form: Form,
}

impl LocalizableText {
    /// The text with this key in the user's language; the arguments fill its placeholders in order.
    pub fn localized<A: Into<String>>(key: impl Into<String>, args: impl IntoIterator<Item = A>) -> Self {
        let loc_args = args.into_iter().map(Into::into).collect();
        Self { form: Form::Localized { loc_key: key.into(), loc_args } }
    }

    fn is_empty(&self) -> bool {
        match &self.form {
            Form::Localized { loc_key, .. } => loc_key.is_empty(),
            Form::Plain(text) => text.is_empty(),
        }
    }
}

/// The text itself.
impl From<&str> for LocalizableText {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// The text itself.
impl From<String> for LocalizableText {
    fn from(text: String) -> Self {
        Self { form: Form::Plain(text) }
    }
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(untagged)]
enum Form {
    #[serde(rename_all = "kebab-case")]
    Localized {
        loc_key: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        loc_args: Vec<String>,
    },
    Plain(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_says_something_by_title_or_body() {
        for (title, body, says) in [("t", "", true), ("", "b", true), ("", "", false)] {
            assert_eq!(LiveActivityAlert::new(title, body).says_something(), says, "{title:?} {body:?}");
        }
        let localized = LocalizableText::localized("KEY", [] as [&str; 0]);
        assert_eq!(serde_json::to_string(&localized).unwrap(), r#"{"loc-key":"KEY"}"#);
        assert!(LiveActivityAlert::new("", localized).says_something());
    }
}
