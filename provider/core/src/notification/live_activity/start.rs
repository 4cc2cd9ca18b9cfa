use serde::Serialize;

use super::super::{InvalidNotification, NotificationBuilder, rules};
use super::{Event, LiveActivityMessage, missing, object};
use crate::channel_id::ChannelId;
use crate::payload::{Object, SET};
use crate::topic::BundleId;
use crate::unix_time::UnixTime;

/// Builds a notification that starts a Live Activity: push type `liveactivity`, event `start`.
///
/// It needs [attributes](Self::attributes), a [content state](Self::content_state) and an
/// [alert](Self::alert). The device token is the app's push-to-start token (iOS 17.2). Apple documents Live
/// Activities for provider tokens only.
///
/// ```
/// use apns_provider_core::{BundleId, LiveActivityAlert, LiveActivityStart, UnixTime};
/// use serde_json::json;
///
/// let start = LiveActivityStart::new(BundleId::parse("com.example.ski")?, UnixTime::from_secs(1_700_000_000))
///     .attributes("RaceAttributes", json!({ "race": "Kvitfjell" }))
///     .content_state(json!({ "leader": "Ada" }))
///     .alert(LiveActivityAlert::new("Kvitfjell", "The race begins"))
///     .input_push_token()
///     .build()?;
/// assert_eq!(start.topic().as_str(), "com.example.ski.push-type.liveactivity");
/// assert_eq!(
///     start.payload(),
///     concat!(
///         r#"{"aps":{"timestamp":1700000000,"event":"start","content-state":{"leader":"Ada"},"#,
///         r#""alert":{"title":"Kvitfjell","body":"The race begins"},"attributes-type":"RaceAttributes","#,
///         r#""attributes":{"race":"Kvitfjell"},"input-push-token":1}}"#
///     )
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type LiveActivityStart = NotificationBuilder<LiveActivityMessage<Start>>;

impl LiveActivityStart {
    /// Starts one; `timestamp` is when its content state was true.
    pub fn new(bundle_id: BundleId, timestamp: UnixTime) -> Self {
        Self::of(bundle_id, timestamp, Start::default())
    }

    /// `attributes-type` and `attributes`: the name of the app's type, and a dictionary that decodes to it.
    #[must_use]
    pub fn attributes(mut self, attributes_type: impl Into<String>, attributes: impl Serialize) -> Self {
        let start = &mut self.message.aps.of_event;
        start.attributes_type = Some(attributes_type.into());
        start.attributes = Some(Object::from_value(attributes));
        self
    }

    /// `input-push-token` 1: the activity asks for a token for its updates (iOS 18). It has one source of
    /// updates: the last asked for.
    #[must_use]
    pub fn input_push_token(mut self) -> Self {
        self.message.aps.of_event.input = Some(Input::Token(SET));
        self
    }

    /// `input-push-channel`: the activity takes its updates from this channel (iOS 18). It has one source of
    /// updates: the last asked for.
    #[must_use]
    pub fn input_push_channel(mut self, channel_id: ChannelId) -> Self {
        self.message.aps.of_event.input = Some(Input::Channel(channel_id));
        self
    }
}

/// What the start of an activity says beyond its first state.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Start {
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Object>,
    #[serde(flatten)]
    input: Option<Input>,
}

impl Event for Start {
    const NAME: &'static str = "start";
    const NEEDS_ALERT: bool = true;

    fn check(&self) -> Result<(), InvalidNotification> {
        let attributes_type = self.attributes_type.as_ref().ok_or_else(|| missing("aps.attributes-type"))?;
        rules::text_is_not_empty("aps.attributes-type", attributes_type)?;
        object("aps.attributes", true, self.attributes.as_ref())
    }
}

/// Where the activity's updates come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
enum Input {
    #[serde(rename = "input-push-channel")]
    Channel(ChannelId),
    #[serde(rename = "input-push-token")]
    Token(u8),
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::payload::LiveActivityAlert;

    fn bare() -> LiveActivityStart {
        let app = BundleId::parse("com.example.app").unwrap();
        LiveActivityStart::new(app, UnixTime::from_secs(1_700_000_000))
    }

    fn alert() -> LiveActivityAlert {
        LiveActivityAlert::new("Match", "begins")
    }

    fn whole() -> LiveActivityStart {
        bare().attributes("Match", json!({})).content_state(json!({})).alert(alert())
    }

    #[test]
    fn what_a_start_cannot_do_without_is_named() {
        let error = |key| Err(missing(key));
        let without_state = bare().attributes("Match", json!({})).alert(alert());
        assert_eq!(without_state.build(), error("aps.content-state"));
        let without_alert = bare().attributes("Match", json!({})).content_state(json!({}));
        assert_eq!(without_alert.build(), error("aps.alert"));
        let without_attributes = bare().content_state(json!({})).alert(alert());
        assert_eq!(without_attributes.build(), error("aps.attributes-type"));
        let nameless = whole().attributes("", json!({})).build();
        assert_eq!(nameless, Err(InvalidNotification::EmptyText { key: "aps.attributes-type" }));
        let shapeless = whole().attributes("Match", 7).build();
        assert_eq!(shapeless, Err(InvalidNotification::NotAnObject { key: "aps.attributes" }));
        assert!(whole().build().is_ok());
    }

    #[test]
    fn updates_come_from_one_place() {
        let channel_id = ChannelId::parse("dHN0LXNyY2gtY2hubA==").unwrap();
        let start = whole().input_push_token().input_push_channel(channel_id).build().unwrap();
        let payload: Value = serde_json::from_slice(start.payload()).unwrap();
        assert_eq!(payload["aps"]["input-push-channel"], "dHN0LXNyY2gtY2hubA==");
        assert_eq!(payload["aps"]["input-push-token"], Value::Null);
    }
}
