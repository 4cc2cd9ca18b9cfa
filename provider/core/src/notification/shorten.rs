//! Alerts that are too long, made to fit.

use std::fmt;

use unicode_segmentation::UnicodeSegmentation as _;

use super::builder::Message;
use super::{AlertNotification, InvalidNotification, Notification};
use crate::payload::{AlertText, to_json};

/// The body first, since it is what an app can fetch again; the title last, since it is what is read first.
const ORDER: [AlertText; 3] = [AlertText::Body, AlertText::Subtitle, AlertText::Title];
/// Stands at the end of a text for what was cut off.
const ELLIPSIS: &str = "…";

impl AlertNotification {
    /// Builds as [`build`](Self::build) does, but cuts the alert's texts if the payload has more bytes than the
    /// push type allows, and says what it cut.
    ///
    /// The body is cut first, then the subtitle, then the title: only as much as is needed, between two
    /// characters as a user sees them (extended grapheme clusters, Unicode annex 29), with `…` at the end.
    /// Localized texts, all other keys and the app's own are never touched: if they are too large by themselves,
    /// [`InvalidNotification::CannotBeShortened`] says so.
    ///
    /// ```
    /// use apns_provider_core::{Alert, AlertNotification, AlertText, BundleId};
    ///
    /// let chapter = "Call me Ishmael. ".repeat(400);
    /// let (notification, cuts) = AlertNotification::new(BundleId::parse("com.example.books")?)
    ///     .alert(Alert::new().title("Chapter 1").body(&chapter))
    ///     .custom("book", 2701)
    ///     .build_shortened()?;
    /// assert_eq!(notification.payload().len(), 4096);
    /// assert_eq!(cuts.len(), 1);
    /// assert_eq!((cuts[0].text, cuts[0].bytes_before), (AlertText::Body, chapter.len()));
    /// assert_eq!(cuts[0].to_string(), "aps.alert.body: 4035 of 6800 bytes are left");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn build_shortened(self) -> Result<(Notification, Vec<Cut>), InvalidNotification> {
        self.build_shortened_to(usize::MAX)
    }

    /// The same with a limit of one's own, in bytes of payload. What the push type allows stays the most.
    pub fn build_shortened_to(
        mut self,
        bytes_max: usize,
    ) -> Result<(Notification, Vec<Cut>), InvalidNotification> {
        // First, since shortening mends nothing else.
        self.check_content()?;
        let limit = bytes_max.min(super::AlertMessage::PUSH_TYPE.payload_bytes_max());
        let mut len = to_json(&self.message, &self.custom).len();
        let mut cuts = Vec::new();
        for field in ORDER {
            if len <= limit {
                break;
            }
            let alert = self.message.aps.alert.as_mut();
            let Some(text) = alert.and_then(|alert| alert.text_mut(field)) else { continue };
            if let Some(shorter) = shortened(text, len - limit) {
                len = len - json_len(text) + json_len(&shorter);
                cuts.push(Cut { text: field, bytes_before: text.len(), bytes_after: shorter.len() });
                *text = shorter;
            }
        }
        if len > limit {
            return Err(InvalidNotification::CannotBeShortened { len, limit });
        }
        Ok((self.build()?, cuts))
    }
}

/// A text that was cut: from how many bytes of UTF-8 to how many, the ellipsis among them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cut {
    /// Which text.
    pub text: AlertText,
    /// Its length as it was.
    pub bytes_before: usize,
    /// Its length as it is sent.
    pub bytes_after: usize,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, bytes_before, bytes_after } = self;
        write!(f, "aps.alert.{text}: {bytes_after} of {bytes_before} bytes are left")
    }
}

/// The longest beginning of the text, with an ellipsis, that takes `excess` bytes less in JSON; the ellipsis
/// alone if none does. `None` if even that is no shorter than the text.
fn shortened(text: &str, excess: usize) -> Option<String> {
    let len_max = json_len(text).saturating_sub(excess);
    let ends: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    let cut_at = |end: usize| text[..end].trim_end().to_owned() + ELLIPSIS;
    let fitting = ends.partition_point(|end| json_len(&cut_at(*end)) <= len_max);
    let longest = cut_at(fitting.checked_sub(1).map_or(0, |last| ends[last]));
    (json_len(&longest) < json_len(text)).then_some(longest)
}

/// Bytes of a text in JSON, where some characters are escaped.
fn json_len(text: &str) -> usize {
    serde_json::to_string(text).expect("a text always has a JSON form").len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::{Alert, BundleId};

    fn to_app(alert: Alert) -> AlertNotification {
        AlertNotification::new(BundleId::parse("com.example.app").unwrap()).alert(alert)
    }

    fn body_of(notification: &Notification) -> String {
        let payload: Value = serde_json::from_slice(notification.payload()).unwrap();
        payload["aps"]["alert"]["body"].as_str().unwrap().to_owned()
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        // {"aps":{"alert":{"body":"…"}}} has 29 bytes around its text.
        let text = "x".repeat(4096 - 29);
        let (notification, cuts) = to_app(Alert::from(text.as_str())).build_shortened().unwrap();
        assert_eq!(body_of(&notification), text);
        assert_eq!(cuts, []);
    }

    #[test]
    fn one_byte_too_many_costs_as_little_as_an_ellipsis_needs() {
        let text = "x".repeat(4097 - 29);
        let (notification, cuts) = to_app(Alert::from(text.as_str())).build_shortened().unwrap();
        assert_eq!(notification.payload().len(), 4096);
        assert_eq!(body_of(&notification), "x".repeat(4096 - 29 - 3) + "…");
        assert_eq!(cuts, [Cut { text: AlertText::Body, bytes_before: 4068, bytes_after: 4067 }]);
    }

    #[test]
    fn texts_are_cut_between_what_a_reader_sees_as_characters() {
        let family = "👨‍👩‍👧‍👦";
        let shorten = |text: &str, bytes: usize| {
            body_of(&to_app(Alert::from(text)).build_shortened_to(29 + bytes).unwrap().0)
        };
        let text = format!("{family}{family}");
        assert_eq!(shorten(&text, 2 * family.len()), text);
        assert_eq!(shorten(&text, 2 * family.len() - 1), format!("{family}…"));
        assert_eq!(shorten(&text, family.len()), "…");
        assert_eq!(shorten("e\u{301}e\u{301}e\u{301}", 8), "e\u{301}…");
        assert_eq!(shorten("one two three", 11), "one two…");
        // In JSON a quote takes two bytes, and a control character six.
        assert_eq!(shorten("\"\"\"\"", 7), "\"\"…");
        assert_eq!(shorten("\u{1}\u{1}", 11), "\u{1}…");
    }

    #[test]
    fn the_subtitle_and_the_title_follow_when_the_body_is_not_enough() {
        let alert = Alert::new().title("t".repeat(50)).subtitle("s".repeat(50)).body("b".repeat(50));
        let whole = to_app(alert.clone()).build().unwrap().payload().len();
        let cut = |bytes| {
            let (notification, cuts) = to_app(alert.clone()).build_shortened_to(bytes).unwrap();
            assert!(notification.payload().len() <= bytes);
            cuts.iter().map(|cut| (cut.text, cut.bytes_after)).collect::<Vec<_>>()
        };
        assert_eq!(cut(whole - 10), [(AlertText::Body, 40)]);
        assert_eq!(cut(whole - 57), [(AlertText::Body, 3), (AlertText::Subtitle, 40)]);
        let all = [(AlertText::Body, 3), (AlertText::Subtitle, 3), (AlertText::Title, 40)];
        assert_eq!(cut(whole - 104), all);
    }

    #[test]
    fn what_is_not_the_alerts_is_not_cut() {
        let large = to_app(Alert::from("Hello")).custom("k", "v".repeat(4096)).build_shortened();
        // {"aps":{"alert":{"body":"…"}},"k":"…"}: 36 bytes, the ellipsis and the text.
        let error = InvalidNotification::CannotBeShortened { len: 36 + 3 + 4096, limit: 4096 };
        assert_eq!(large, Err(error));
        let localized = Alert::new().loc("KEY", ["a".repeat(5000)]);
        let refused = to_app(localized).build_shortened();
        assert!(matches!(refused, Err(InvalidNotification::CannotBeShortened { .. })), "{refused:?}");
    }

    #[test]
    fn other_mistakes_are_told_first() {
        let taken = to_app(Alert::from("Hello")).custom("aps", 1).build_shortened_to(0);
        assert!(matches!(taken, Err(InvalidNotification::CustomKeyTaken { .. })), "{taken:?}");
    }

    /// Characters of one to four bytes, those that JSON escapes, and parts of grapheme clusters.
    const TEXT: &str = "([ -~é漢😀\"\\\\\n\t\u{1}\u{301}\u{200d}👩]|.){0,120}";

    proptest! {
        #[test]
        fn any_alert_fits_any_limit_or_cannot(
            title in proptest::option::of(TEXT), subtitle in proptest::option::of(TEXT), body in TEXT,
            custom in TEXT, limit in 0_usize..1500
        ) {
            let mut alert = Alert::new().body(&body);
            if let Some(title) = &title { alert = alert.title(title); }
            if let Some(subtitle) = &subtitle { alert = alert.subtitle(subtitle); }
            let notification = to_app(alert).badge(1).custom("k", &custom);
            prop_assume!(notification.check_content().is_ok());
            let texts = [
                (AlertText::Title, title), (AlertText::Subtitle, subtitle), (AlertText::Body, Some(body))
            ];
            let saved = |text: &String| json_len(text).saturating_sub(json_len(ELLIPSIS));
            let most: usize = texts.iter().filter_map(|(_, text)| text.as_ref()).map(saved).sum();
            let least = to_json(&notification.message, &notification.custom).len() - most;
            let built = notification.build_shortened_to(limit);
            if least > limit {
                prop_assert_eq!(built, Err(InvalidNotification::CannotBeShortened { len: least, limit }));
                return Ok(());
            }
            let (notification, cuts) = built.unwrap();
            let spare = limit.checked_sub(notification.payload().len());
            prop_assert!(spare.is_some());
            let payload: Value = serde_json::from_slice(notification.payload()).unwrap();
            prop_assert_eq!(&payload["k"], &custom);
            prop_assert_eq!(&payload["aps"]["badge"], 1);
            for (field, before) in texts {
                let after = payload["aps"]["alert"][field.as_str()].as_str();
                let cut = cuts.iter().find(|cut| cut.text == field);
                let spare = spare.filter(|_| cuts.last() == cut);
                check_text(before.as_deref(), after, cut, spare)?;
            }
        }
    }

    /// A text is what it was, or a beginning of it that ends between two characters, and the cut says so. The
    /// text that was cut last has no room for one character more.
    fn check_text(
        before: Option<&str>,
        after: Option<&str>,
        cut: Option<&Cut>,
        spare: Option<usize>,
    ) -> Result<(), TestCaseError> {
        let Some(cut) = cut else {
            prop_assert_eq!(before, after);
            return Ok(());
        };
        let (before, after) = (before.unwrap(), after.unwrap());
        prop_assert_eq!((cut.bytes_before, cut.bytes_after), (before.len(), after.len()));
        let kept = after.strip_suffix(ELLIPSIS).unwrap();
        let beginnings = || before.grapheme_indices(true).map(|(at, _)| before[..at].trim_end());
        prop_assert!(beginnings().any(|beginning| beginning == kept), "{:?} of {:?}", after, before);
        if let (Some(spare), Some(longer)) = (spare, beginnings().find(|it| it.len() > kept.len())) {
            prop_assert!(json_len(longer) - json_len(kept) > spare, "{:?} has room for {:?}", after, longer);
        }
        Ok(())
    }
}
