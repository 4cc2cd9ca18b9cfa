use serde::Serialize;

use super::{Alert, Shape, Sound};

/// The `aps` dictionary of every push type but `liveactivity`, whose keys are others.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Aps {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alert: Option<Alert>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) badge: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sound: Option<Sound>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thread_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_available: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_changed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mutable_content: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_content_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) interruption_level: Option<InterruptionLevel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) relevance_score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filter_criteria: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url_args: Option<Vec<String>>,
}

impl Aps {
    pub(crate) fn shape(&self) -> Shape {
        let user_keys = [
            ("alert", self.alert.is_some()),
            ("badge", self.badge.is_some()),
            ("sound", self.sound.is_some()),
        ];
        let user_key = user_keys.into_iter().find(|(_, present)| *present).map(|(key, _)| key);
        Shape { user_key, content_available: self.content_available == Some(SET) }
    }
}

/// Apple's key.
pub(crate) const APS: &str = "aps";

/// The number that switches `content-available`, `mutable-content` and `input-push-token` on.
pub(crate) const SET: u8 = 1;

/// How much a notification may interrupt: `interruption-level`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InterruptionLevel {
    /// Lights up the screen and may play a sound: what iOS assumes.
    Active,
    /// Sounds even when the device is muted; needs Apple's entitlement.
    Critical,
    /// Goes to the list without light or sound.
    Passive,
    /// Breaks through Focus and the scheduled summary; needs the app's capability.
    TimeSensitive,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_written_as_apple_names_it() {
        let aps = Aps {
            alert: Some(Alert::new().title("t")),
            badge: Some(0),
            sound: Some(Sound::system()),
            thread_id: Some("thread".into()),
            category: Some("category".into()),
            content_available: Some(SET),
            content_changed: Some(true),
            mutable_content: Some(SET),
            target_content_id: Some("window".into()),
            interruption_level: Some(InterruptionLevel::TimeSensitive),
            relevance_score: Some(0.25),
            filter_criteria: Some("work".into()),
            url_args: Some(vec!["a".into()]),
        };
        assert_eq!(
            serde_json::to_value(aps).unwrap(),
            serde_json::json!({
                "alert": {"title": "t"}, "badge": 0, "sound": "default", "thread-id": "thread",
                "category": "category", "content-available": 1, "content-changed": true,
                "mutable-content": 1, "url-args": ["a"],
                "target-content-id": "window", "interruption-level": "time-sensitive",
                "relevance-score": 0.25, "filter-criteria": "work",
            })
        );
    }

    #[test]
    fn interruption_levels_are_apples_words() {
        let levels = [
            (InterruptionLevel::Active, "active"),
            (InterruptionLevel::Critical, "critical"),
            (InterruptionLevel::Passive, "passive"),
            (InterruptionLevel::TimeSensitive, "time-sensitive"),
        ];
        for (level, word) in levels {
            assert_eq!(serde_json::to_value(level).unwrap(), word);
        }
    }
}
