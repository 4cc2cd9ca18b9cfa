//! A notification as the user gets it: what `aps` says of it, key by key.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Warning, alert::Texts, aps::Reader, as_json};

/// A notification: only what the payload gives of it. Source: Apple, "Generating a remote notification".
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Banner {
    /// First line, in bold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Second line, in bold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
    /// The text itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The number that the app's icon gets; 0 takes it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub badge: Option<u32>,
    /// What is heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sound: Option<Sound>,
    /// The group that it is shown in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// The kind of notification, which decides the buttons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The window that it brings forward.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_content_id: Option<String>,
    /// What a Focus goes by when it lets it through or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter_criteria: Option<String>,
    /// The image or storyboard that the app starts with if it is started by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_image: Option<String>,
    /// How much it interrupts; `Active` if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interruption_level: Option<InterruptionLevel>,
    /// Its weight in the notification summary: 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relevance_score: Option<f64>,
    /// Whether the app's service extension may change it before it is shown.
    #[serde(skip_serializing_if = "as_json::is_false")]
    pub mutable_content: bool,
    /// Whether the app is woken as by a background push, too.
    #[serde(skip_serializing_if = "as_json::is_false")]
    pub wakes_app: bool,
}

impl Banner {
    /// Reads everything that `aps` says of a notification.
    pub(super) fn read(aps: &Map<String, Value>, reader: &mut Reader<'_>) -> Self {
        let alert = aps.get("alert");
        let texts = alert.map(|alert| Texts::of_notification(alert, reader)).unwrap_or_default();
        if alert.is_some() && texts.is_empty() {
            reader.warn(Warning::AlertWithoutText);
        }
        let launch_image = alert
            .and_then(Value::as_object)
            .and_then(|alert| reader.text(alert, "launch-image", Warning::AlertMalformed));
        let mut mutable_content = reader.flag(aps, "mutable-content");
        if mutable_content && texts.is_empty() {
            reader.warn(Warning::MutableContentWithoutAlert);
            mutable_content = false;
        }
        let mut banner = Self {
            title: texts.title,
            subtitle: texts.subtitle,
            body: texts.body,
            badge: aps.get("badge").and_then(|badge| read_badge(badge, reader)),
            sound: aps.get("sound").and_then(|sound| Sound::read(sound, reader)),
            thread_id: reader.text(aps, "thread-id", Warning::TextMalformed),
            category: reader.text(aps, "category", Warning::TextMalformed),
            target_content_id: reader.text(aps, "target-content-id", Warning::TextMalformed),
            filter_criteria: reader.text(aps, "filter-criteria", Warning::TextMalformed),
            launch_image,
            interruption_level: aps.get("interruption-level").map(|it| InterruptionLevel::read(it, reader)),
            relevance_score: aps.get("relevance-score").and_then(|it| read_relevance_score(it, reader)),
            mutable_content,
            wakes_app: reader.flag(aps, "content-available"),
        };
        if banner.interruption_level == Some(InterruptionLevel::Passive) && banner.sound.take().is_some() {
            reader.warn(Warning::SoundOnPassive);
        }
        banner
    }

    /// Reads the alert that goes with a Live Activity's change.
    pub(super) fn read_of_activity(alert: &Value, reader: &mut Reader<'_>) -> Self {
        let texts = Texts::of_activity(alert, reader);
        if texts.is_empty() {
            reader.warn(Warning::AlertWithoutText);
        }
        Self {
            title: texts.title,
            body: texts.body,
            sound: alert.get("sound").and_then(|sound| Sound::read(sound, reader)),
            ..Self::default()
        }
    }

    /// Whether there is anything to read, without which there is no banner.
    pub const fn has_text(&self) -> bool {
        self.title.is_some() || self.subtitle.is_some() || self.body.is_some()
    }
}

/// What is heard with a notification.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sound {
    /// A file in the app's bundle, or `default`.
    pub name: String,
    /// Whether it is heard even when the device is muted.
    #[serde(skip_serializing_if = "as_json::is_false")]
    pub critical: bool,
    /// How loud a critical one is: 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<f64>,
}

impl Sound {
    fn read(sound: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        match sound {
            Value::String(name) => Some(Self { name: name.clone(), critical: false, volume: None }),
            Value::Object(sound) => {
                // The page makes no key optional, but a critical alert is meant to be heard.
                let name = reader.text(sound, "name", Warning::SoundMalformed).unwrap_or_else(|| {
                    reader.warn(Warning::SoundMalformed);
                    DEFAULT_SOUND.to_owned()
                });
                let critical = reader.flag(sound, "critical");
                let volume = sound.get("volume").and_then(|volume| {
                    from_0_to_1(volume).or_else(|| reader.complain(Warning::SoundMalformed))
                });
                Some(Self { name, critical, volume })
            }
            _ => reader.complain(Warning::SoundMalformed),
        }
    }
}

/// How much a notification interrupts. Source: Apple, UNNotificationInterruptionLevel.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InterruptionLevel {
    /// Goes into the list without light or sound.
    Passive,
    /// Lights up the screen and may play a sound.
    #[default]
    Active,
    /// Breaks through a Focus and the summary.
    TimeSensitive,
    /// Breaks through the mute switch, too.
    Critical,
}

impl InterruptionLevel {
    fn read(level: &Value, reader: &mut Reader<'_>) -> Self {
        match level.as_str() {
            Some("passive") => Self::Passive,
            Some("active") => Self::Active,
            Some("time-sensitive") => Self::TimeSensitive,
            Some("critical") => Self::Critical,
            _ => reader.complain(Warning::InterruptionLevelUnknown).unwrap_or_default(),
        }
    }
}

/// A whole number, which some languages write as `3.0`.
fn read_badge(badge: &Value, reader: &mut Reader<'_>) -> Option<u32> {
    let whole = |badge: f64| badge.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&badge);
    match badge.as_f64() {
        #[expect(clippy::cast_sign_loss, reason = "it is a whole number from 0 to u32::MAX")]
        Some(badge) if whole(badge) => Some(badge as u32),
        _ => reader.complain(Warning::BadgeMalformed),
    }
}

fn read_relevance_score(score: &Value, reader: &mut Reader<'_>) -> Option<f64> {
    from_0_to_1(score).or_else(|| reader.complain(Warning::RelevanceScoreMalformed))
}

fn from_0_to_1(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| (0.0..=1.0).contains(number))
}

/// The system's own sound.
const DEFAULT_SOUND: &str = "default";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rendering::sent::Sent;

    #[test]
    fn a_banner_has_what_the_payload_gives() {
        let sent = Sent::alert(&json!({
            "alert": { "title": "Lunch", "body": "At noon", "launch-image": "lunch.png" },
            "badge": 3, "sound": "bell.caf", "thread-id": "meals", "category": "INVITATION",
            "target-content-id": "calendar", "filter-criteria": "work", "interruption-level": "time-sensitive",
            "relevance-score": 0.5, "mutable-content": 1, "content-available": 1, "unknown": [],
        }));
        let expected = Banner {
            title: Some("Lunch".to_owned()),
            subtitle: None,
            body: Some("At noon".to_owned()),
            badge: Some(3),
            sound: Some(Sound { name: "bell.caf".to_owned(), critical: false, volume: None }),
            thread_id: Some("meals".to_owned()),
            category: Some("INVITATION".to_owned()),
            target_content_id: Some("calendar".to_owned()),
            filter_criteria: Some("work".to_owned()),
            launch_image: Some("lunch.png".to_owned()),
            interruption_level: Some(InterruptionLevel::TimeSensitive),
            relevance_score: Some(0.5),
            mutable_content: true,
            wakes_app: true,
        };
        assert_eq!((sent.banner(), sent.warnings()), (expected, vec![]));
    }

    #[test]
    fn a_banner_serialises_only_what_is_there() {
        let banner = Sent::alert(&json!({ "alert": "Hello", "thread-id": "greetings" })).banner();
        let expected = json!({ "body": "Hello", "thread-id": "greetings" });
        assert_eq!(serde_json::to_value(&banner).unwrap(), expected);
    }

    #[test]
    fn a_badge_is_a_whole_number_from_zero() {
        for (badge, expected) in [(json!(0), 0), (json!(7), 7), (json!(3.0), 3), (json!(u32::MAX), u32::MAX)]
        {
            let sent = Sent::alert(&json!({ "alert": "Hello", "badge": badge }));
            assert_eq!((sent.banner().badge, sent.warnings()), (Some(expected), vec![]));
        }
        for badge in [json!("3"), json!(-1), json!(1.5), json!(true), json!(null), json!(4_294_967_296_u64)] {
            let sent = Sent::alert(&json!({ "alert": "Hello", "badge": badge }));
            assert_eq!(
                (sent.banner().badge, sent.warnings()),
                (None, vec![Warning::BadgeMalformed]),
                "{badge}"
            );
        }
    }

    #[test]
    fn a_sound_is_a_name_or_a_critical_alert() {
        let sound = |sound: Value| Sent::alert(&json!({ "alert": "Hello", "sound": sound }));
        let named = |name: &str, critical, volume| Some(Sound { name: name.to_owned(), critical, volume });
        for (value, expected) in [
            (json!("default"), named("default", false, None)),
            (
                json!({ "name": "siren.caf", "critical": 1, "volume": 0.8 }),
                named("siren.caf", true, Some(0.8)),
            ),
        ] {
            assert_eq!((sound(value.clone()).banner().sound, sound(value).warnings()), (expected, vec![]));
        }
        for (value, expected) in [
            (json!({ "critical": 1 }), named("default", true, None)),
            (json!({ "name": "siren.caf", "volume": 2 }), named("siren.caf", false, None)),
            (json!(1), None),
            (json!(null), None),
        ] {
            let sent = sound(value);
            assert_eq!((sent.banner().sound, sent.warnings()), (expected, vec![Warning::SoundMalformed]));
        }
    }

    #[test]
    fn four_interruption_levels_exist_and_others_are_taken_for_active() {
        let level = |level: Value| Sent::alert(&json!({ "alert": "Hello", "interruption-level": level }));
        for (name, expected) in [
            ("passive", InterruptionLevel::Passive),
            ("active", InterruptionLevel::Active),
            ("time-sensitive", InterruptionLevel::TimeSensitive),
            ("critical", InterruptionLevel::Critical),
        ] {
            let sent = level(json!(name));
            assert_eq!((sent.banner().interruption_level, sent.warnings()), (Some(expected), vec![]));
            assert_eq!(serde_json::to_value(expected).unwrap(), name);
        }
        for unknown in [json!("timeSensitive"), json!(2), json!(null)] {
            let sent = level(unknown);
            assert_eq!(sent.banner().interruption_level, Some(InterruptionLevel::Active));
            assert_eq!(sent.warnings(), [Warning::InterruptionLevelUnknown]);
        }
    }

    #[test]
    fn a_passive_notification_is_silent() {
        let aps = json!({ "alert": "Hello", "sound": "default", "interruption-level": "passive" });
        let sent = Sent::alert(&aps);
        assert_eq!((sent.banner().sound, sent.warnings()), (None, vec![Warning::SoundOnPassive]));
    }

    #[test]
    fn a_relevance_score_lies_between_zero_and_one() {
        for score in [json!(2), json!(-0.1), json!("1")] {
            let sent = Sent::alert(&json!({ "alert": "Hello", "relevance-score": score }));
            let expected = (None, vec![Warning::RelevanceScoreMalformed]);
            assert_eq!((sent.banner().relevance_score, sent.warnings()), expected);
        }
    }

    #[test]
    fn a_key_of_another_type_is_left_out() {
        for key in ["thread-id", "category", "target-content-id", "filter-criteria"] {
            let sent = Sent::alert(&json!({ "alert": "Hello", (key): 7 }));
            assert_eq!(sent.warnings(), [Warning::TextMalformed], "{key}");
            assert_eq!(serde_json::to_value(sent.banner()).unwrap(), json!({ "body": "Hello" }));
        }
    }

    #[test]
    fn a_service_extension_needs_an_alert_with_text() {
        let sent = Sent::alert(&json!({ "badge": 1, "mutable-content": 1 }));
        assert_eq!(sent.warnings(), [Warning::MutableContentWithoutAlert]);
    }
}
