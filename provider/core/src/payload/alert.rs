use std::fmt;

use serde::Serialize;

/// What the user reads: the `alert` dictionary.
///
/// Texts are given as they are, or as keys into the app's `Localizable` files together with their arguments.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Alert {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtitle: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    launch_image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title_loc_key: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    title_loc_args: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtitle_loc_key: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subtitle_loc_args: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loc_key: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    loc_args: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_loc_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary_arg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary_arg_count: Option<u32>,
}

impl Alert {
    /// An alert with nothing in it yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The title: a few words.
    #[must_use]
    pub fn title(self, title: impl Into<String>) -> Self {
        Self { title: Some(title.into()), ..self }
    }

    /// What explains the title.
    #[must_use]
    pub fn subtitle(self, subtitle: impl Into<String>) -> Self {
        Self { subtitle: Some(subtitle.into()), ..self }
    }

    /// The message.
    #[must_use]
    pub fn body(self, body: impl Into<String>) -> Self {
        Self { body: Some(body.into()), ..self }
    }

    /// `launch-image`: the launch image or storyboard to show when the app is opened by this notification.
    #[must_use]
    pub fn launch_image(self, name: impl Into<String>) -> Self {
        Self { launch_image: Some(name.into()), ..self }
    }

    /// `title-loc-key` and `title-loc-args`: a localized title.
    #[must_use]
    pub fn title_loc<A: Into<String>>(
        self,
        key: impl Into<String>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        Self { title_loc_key: Some(key.into()), title_loc_args: texts(args), ..self }
    }

    /// `subtitle-loc-key` and `subtitle-loc-args`: a localized subtitle.
    #[must_use]
    pub fn subtitle_loc<A: Into<String>>(
        self,
        key: impl Into<String>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        Self { subtitle_loc_key: Some(key.into()), subtitle_loc_args: texts(args), ..self }
    }

    /// `loc-key` and `loc-args`: a localized message.
    #[must_use]
    pub fn loc<A: Into<String>>(self, key: impl Into<String>, args: impl IntoIterator<Item = A>) -> Self {
        Self { loc_key: Some(key.into()), loc_args: texts(args), ..self }
    }

    /// `action`: the label of the button, in Safari 15 and earlier.
    #[must_use]
    pub fn action(self, label: impl Into<String>) -> Self {
        Self { action: Some(label.into()), ..self }
    }

    /// `action-loc-key`: the localized label of the button. Older systems only.
    #[must_use]
    pub fn action_loc_key(self, key: impl Into<String>) -> Self {
        Self { action_loc_key: Some(key.into()), ..self }
    }

    /// `summary-arg` and `summary-arg-count`: whom the summary of a group names, and for how many notifications
    /// this one counts in it. iOS 12 to 14.
    #[must_use]
    pub fn summary_arg(self, argument: impl Into<String>, count: u32) -> Self {
        Self { summary_arg: Some(argument.into()), summary_arg_count: Some(count), ..self }
    }

    /// A text that is not localized, to be made shorter; `None` when there is none.
    pub(crate) fn text_mut(&mut self, field: AlertText) -> Option<&mut String> {
        match field {
            AlertText::Body => self.body.as_mut(),
            AlertText::Subtitle => self.subtitle.as_mut(),
            AlertText::Title => self.title.as_mut(),
        }
    }

    /// Whether the user would read anything.
    pub(crate) fn says_something(&self) -> bool {
        let texts = [
            &self.title,
            &self.subtitle,
            &self.body,
            &self.title_loc_key,
            &self.subtitle_loc_key,
            &self.loc_key,
        ];
        texts.into_iter().flatten().any(|text| !text.is_empty())
    }
}

/// The texts of an [`Alert`] that are not localized.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum AlertText {
    /// The message.
    Body,
    /// What explains the title.
    Subtitle,
    /// The title.
    Title,
}

impl AlertText {
    /// Its key in the `alert` dictionary.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Subtitle => "subtitle",
            Self::Title => "title",
        }
    }
}

impl fmt::Display for AlertText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An alert with this message and no title.
impl From<&str> for Alert {
    fn from(body: &str) -> Self {
        Self::new().body(body)
    }
}

fn texts<A: Into<String>>(args: impl IntoIterator<Item = A>) -> Vec<String> {
    args.into_iter().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_written_as_apple_names_it() {
        let alert = Alert::new()
            .title("t")
            .subtitle("s")
            .body("b")
            .launch_image("i")
            .title_loc("TK", ["1"])
            .subtitle_loc("SK", ["2"])
            .loc("LK", ["3", "4"])
            .action("a")
            .action_loc_key("AK")
            .summary_arg("Ada", 2);
        assert_eq!(
            serde_json::to_value(alert).unwrap(),
            serde_json::json!({
                "title": "t", "subtitle": "s", "body": "b", "launch-image": "i",
                "title-loc-key": "TK", "title-loc-args": ["1"],
                "subtitle-loc-key": "SK", "subtitle-loc-args": ["2"],
                "loc-key": "LK", "loc-args": ["3", "4"],
                "action": "a", "action-loc-key": "AK", "summary-arg": "Ada", "summary-arg-count": 2,
            })
        );
    }

    #[test]
    fn a_launch_image_alone_says_nothing_and_nor_does_an_empty_text() {
        assert!(!Alert::from("").says_something());
        assert!(!Alert::new().launch_image("i").says_something());
        assert!(Alert::new().title_loc("TK", [] as [&str; 0]).says_something());
        assert!(Alert::from("Hi").says_something());
    }
}
