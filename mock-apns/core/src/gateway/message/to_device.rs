//! What a device is told.

use serde::{Deserialize, Serialize};

use super::{GatewayErrorCode, MessageError, MessageProblem, RawJson};
use crate::{
    BundleId, DeviceId, Environment, Priority, PushType, TeamId, Timestamp, TokenKind, excerpt::excerpt,
};

/// A message to a device.
///
/// ```
/// use mock_apns_core::{DeviceMessage, ToDevice};
///
/// let message = ToDevice { id: Some(3), message: DeviceMessage::Ok };
/// assert_eq!(message.to_line(), "{\"id\":3,\"type\":\"ok\"}\n");
/// assert_eq!(ToDevice::parse(message.to_line().as_bytes()), Ok(message));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ToDevice {
    /// The `id` of the message that this answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// What is said.
    #[serde(flatten)]
    pub message: DeviceMessage,
}

/// What a device can be told. The names on the wire are those of the variants in kebab-case.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum DeviceMessage {
    /// The device is connected: the reply to `connect`.
    Connected(ConnectedMessage),
    /// An app's token: the reply to `register` and `start-activity`.
    Token(Box<TokenMessage>),
    /// It is done: the reply to everything else.
    Ok,
    /// It was not done.
    Error(ErrorMessage),
    /// A notification for an app of the device.
    Notification(Box<NotificationMessage>),
    /// The connection ends here: the last message.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}

/// A device is connected.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ConnectedMessage {
    /// Its team.
    pub team: TeamId,
    /// Its ID, as its certificate says it.
    pub device: DeviceId,
    /// The team's time.
    #[serde(with = "millis")]
    pub now: Timestamp,
}

/// An app's token.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TokenMessage {
    /// The app.
    pub app: BundleId,
    /// Its environment.
    pub environment: Environment,
    /// What the token is for.
    pub kind: TokenKind,
    /// The topic that pushes to the token need.
    pub topic: String,
    /// The token, as the hexadecimal digits that a provider puts into the path.
    pub token: String,
    /// The number of the Live Activity that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<u32>,
}

/// What was wrong.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ErrorMessage {
    /// For programs.
    pub code: GatewayErrorCode,
    /// For people: what is wrong, with names and values, and what to do.
    pub message: String,
}

/// A notification, as it was pushed and as the device shows it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct NotificationMessage {
    /// The number to acknowledge it by.
    pub delivery: u64,
    /// The app.
    pub app: BundleId,
    /// Its environment.
    pub environment: Environment,
    /// The kind of token that it was pushed to.
    pub kind: TokenKind,
    /// The Live Activity whose token it was pushed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<u32>,
    /// The topic that it was pushed to.
    pub topic: String,
    /// The `apns-id` of the answer that the provider got.
    pub apns_id: String,
    /// The `apns-unique-id` of that answer, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apns_unique_id: Option<String>,
    /// The header of the push, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push_type: Option<PushType>,
    /// The priority that the header means: 10 where there was none.
    pub priority: Priority,
    /// The header of the push, if it had one. What is not UTF-8 in it is replaced by U+FFFD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collapse_id: Option<String>,
    /// The header of the push, if it had one: seconds since 1970, or 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<u64>,
    /// When the service accepted it, in the team's time: milliseconds since 1970.
    #[serde(with = "millis")]
    pub received_at: Timestamp,
    /// Whether it waited for the device.
    pub from_storage: bool,
    /// The payload, where it is JSON. Else there is [`payload_text`](Self::payload_text).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub payload: Option<RawJson>,
    /// A payload that is not JSON. What is not UTF-8 in it is replaced by U+FFFD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_text: Option<String>,
    /// What the device shows, and what is to be noticed about it.
    pub shown: RawJson,
    /// The same as text for a terminal, in lines, without control characters.
    pub text: String,
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The device has connected anew: the newest connection wins.
    Replaced,
    /// The device was taken offline from outside.
    TakenOffline,
    /// The service stops.
    Shutdown,
}

impl ToDevice {
    /// A message that answers nothing.
    pub const fn unasked(message: DeviceMessage) -> Self {
        Self { id: None, message }
    }

    /// An error in answer to the message `id`.
    pub fn error(id: Option<u64>, code: GatewayErrorCode, message: impl Into<String>) -> Self {
        Self { id, message: DeviceMessage::Error(ErrorMessage { code, message: message.into() }) }
    }

    /// The line of this message, with its line break.
    pub fn to_line(&self) -> String {
        let json = serde_json::to_string(self).expect("a message has string keys and no values that fail");
        json + "\n"
    }

    /// Reads a line; for a client. Fields that this version does not know are ignored.
    pub fn parse(line: &[u8]) -> Result<Self, MessageError> {
        let head: Head = serde_json::from_slice(line)
            .map_err(|error| MessageProblem::NotJson { why: error.to_string() })
            .map_err(|problem| MessageError { id: None, problem })?;
        let message = head.message(line).map_err(|problem| MessageError { id: head.id, problem })?;
        Ok(Self { id: head.id, message })
    }
}

impl NotificationMessage {
    /// The two fields of a payload: the first where it is JSON, else the second.
    pub fn payload_fields(payload: &[u8]) -> (Option<RawJson>, Option<String>) {
        match RawJson::parse(payload) {
            Some(json) => (Some(json), None),
            None => (None, Some(String::from_utf8_lossy(payload).into_owned())),
        }
    }
}

impl From<MessageError> for ToDevice {
    /// The answer to a line that is no message.
    fn from(error: MessageError) -> Self {
        Self::error(error.id, error.problem.code(), error.problem.to_string())
    }
}

/// What all messages have.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    name: String,
    id: Option<u64>,
}

impl Head {
    /// The rest of the message. Read from the line once more: serde reads a tagged enum by way of values of its own,
    /// which JSON that is to be kept as it was written does not survive.
    fn message(&self, line: &[u8]) -> Result<DeviceMessage, MessageProblem> {
        Ok(match self.name.as_str() {
            "connected" => DeviceMessage::Connected(self.read(line)?),
            "token" => DeviceMessage::Token(self.read(line)?),
            "ok" => DeviceMessage::Ok,
            "error" => DeviceMessage::Error(self.read(line)?),
            "notification" => DeviceMessage::Notification(self.read(line)?),
            "closed" => {
                let Closed { reason } = self.read(line)?;
                DeviceMessage::Closed { reason }
            }
            other => {
                let known = "connected, token, ok, error, notification, closed".to_owned();
                return Err(MessageProblem::UnknownType { found: excerpt(other), known });
            }
        })
    }

    fn read<'a, T: Deserialize<'a>>(&self, line: &'a [u8]) -> Result<T, MessageProblem> {
        serde_json::from_slice(line).map_err(|error| MessageProblem::Unreadable {
            message: self.name.clone(),
            why: error.to_string(),
        })
    }
}

#[derive(Deserialize)]
struct Closed {
    reason: CloseReason,
}

/// A payload of `null` is there, and is not `None`.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<RawJson>, D::Error> {
    RawJson::deserialize(from).map(Some)
}

/// For `#[serde(with = "millis")]`.
mod millis {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::Timestamp;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
    pub(super) fn serialize<S: Serializer>(value: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(value.as_millis())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        u64::deserialize(from).map(Timestamp::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> BundleId {
        BundleId::parse("com.example.app").unwrap()
    }

    fn notification(payload: &[u8]) -> NotificationMessage {
        let (json, text) = NotificationMessage::payload_fields(payload);
        NotificationMessage {
            delivery: 7,
            app: app(),
            environment: Environment::Sandbox,
            kind: TokenKind::LiveActivity,
            activity: Some(1),
            topic: "com.example.app.push-type.liveactivity".to_owned(),
            apns_id: "53175D61-490B-23DF-61DA-6F3DC380D507".to_owned(),
            apns_unique_id: None,
            push_type: Some(PushType::LiveActivity),
            priority: Priority::PowerConsiderate,
            collapse_id: None,
            expiration: Some(0),
            received_at: Timestamp::from_millis(1_700_000_000_000),
            from_storage: true,
            payload: json,
            payload_text: text,
            shown: RawJson::parse(br#"{"type":"silent"}"#).unwrap(),
            text: "silent".to_owned(),
        }
    }

    fn messages() -> Vec<(&'static str, DeviceMessage)> {
        let connected = ConnectedMessage {
            team: TeamId::parse("MOCKTEAM01").unwrap(),
            device: DeviceId::parse("phone").unwrap(),
            now: Timestamp::from_millis(5),
        };
        let token = TokenMessage {
            app: app(),
            environment: Environment::Production,
            kind: TokenKind::Voip,
            topic: "com.example.app.voip".to_owned(),
            token: "00ff".to_owned(),
            activity: None,
        };
        let error = ErrorMessage { code: GatewayErrorCode::UnknownApp, message: "no app".to_owned() };
        vec![
            ("connected", DeviceMessage::Connected(connected)),
            ("token", DeviceMessage::Token(Box::new(token))),
            ("ok", DeviceMessage::Ok),
            ("error", DeviceMessage::Error(error)),
            ("notification", DeviceMessage::Notification(Box::new(notification(b"{\"aps\":{}}")))),
            ("closed", DeviceMessage::Closed { reason: CloseReason::TakenOffline }),
        ]
    }

    #[test]
    fn what_is_written_to_a_device_is_read_by_a_client() {
        for (name, message) in messages() {
            for id in [None, Some(1)] {
                let message = ToDevice { id, message: message.clone() };
                let line = message.to_line();
                assert!(line.contains(&format!("\"type\":\"{name}\"")), "{line}");
                assert_eq!(line.find('\n'), Some(line.len() - 1));
                assert_eq!(ToDevice::parse(line.as_bytes()), Ok(message), "{line}");
            }
        }
    }

    #[test]
    fn a_notification_is_as_documented() {
        let message = DeviceMessage::Notification(Box::new(notification(b"{\"aps\" : {\"badge\":1e0}}")));
        let expected = concat!(
            r#"{"type":"notification","delivery":7,"app":"com.example.app","environment":"sandbox","#,
            r#""kind":"live-activity","activity":1,"topic":"com.example.app.push-type.liveactivity","#,
            r#""apns-id":"53175D61-490B-23DF-61DA-6F3DC380D507","push-type":"liveactivity","priority":5,"#,
            r#""expiration":0,"received-at":1700000000000,"from-storage":true,"#,
            r#""payload":{"aps" : {"badge":1e0}},"shown":{"type":"silent"},"text":"silent"}"#,
            "\n"
        );
        assert_eq!(ToDevice::unasked(message).to_line(), expected);
    }

    #[test]
    fn a_payload_of_several_lines_or_none_of_json_is_still_one_line() {
        for payload in [&b"{\n  \"aps\":\r\n{}\n}"[..], b"null", b"not\njson \xff", b"{\"a\":\"\n\"}"] {
            let notification = notification(payload);
            assert_eq!(notification.payload.is_some(), notification.payload_text.is_none());
            let message = ToDevice::unasked(DeviceMessage::Notification(Box::new(notification)));
            let line = message.to_line();
            assert_eq!(line.find(['\n', '\r']), Some(line.len() - 1));
            assert_eq!(ToDevice::parse(line.as_bytes()), Ok(message));
        }
    }

    #[test]
    fn a_client_is_told_what_it_cannot_read() {
        let problem = |line: &str| ToDevice::parse(line.as_bytes()).unwrap_err().problem;
        assert!(matches!(problem("HTTP/1.1 400"), MessageProblem::NotJson { .. }));
        assert!(matches!(problem(r#"{"type":"hello"}"#), MessageProblem::UnknownType { .. }));
        let wrong = problem(r#"{"type":"closed","reason":"bored"}"#).to_string();
        assert!(wrong.contains("closed") && wrong.contains("bored"), "{wrong}");
        let newer = r#"{"type":"ok","id":1,"of-a-later-version":true}"#;
        assert_eq!(
            ToDevice::parse(newer.as_bytes()),
            Ok(ToDevice { id: Some(1), message: DeviceMessage::Ok })
        );
    }
}
