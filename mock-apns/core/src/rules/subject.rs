//! What a rule looks at, told to whoever asks why: never asked for while a push is judged.
//!
//! Of a provider token its header and its claims are told, never its signature; of a payload its beginning.

mod credentials;
mod device_token;
mod jwt;

use serde::de::IgnoredAny;

use super::{Checking, payload};
use crate::{FieldName, TokenKind};

/// What a rule looks at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject {
    /// One field's value.
    Field(FieldName),
    RepeatedField,
    CertificateEnvironments,
    /// Whether there are credentials.
    Authorization,
    /// All that may be told of the provider token.
    ProviderToken,
    Base64,
    Alg,
    Iat,
    Iss,
    KidAndIss,
    /// Its form, and whose it is said to be.
    Signature,
    /// Whether the key is revoked.
    KeyInForce,
    Age,
    KeyEnvironment,
    ConnectionTeam,
    ConnectionKey,
    TokenChanges,
    PriorityAndPushType,
    Topic,
    /// The topic, and what the credentials may push to.
    TopicAndScope,
    PushTypeAndTopic,
    DeviceTokenDigits,
    /// What the device token stands for.
    DeviceToken,
    DeviceTokenEnvironment,
    DeviceTokenAndTopic,
    DeviceTokenStatus,
    DeviceTokenRate,
    PayloadLength,
    Payload,
}

impl Subject {
    /// What a rule that was asked has looked at. `None`: there was nothing to look at, as with a certificate there is
    /// no provider token.
    pub(super) fn text(self, checking: &Checking<'_>) -> Option<String> {
        match self {
            Self::Field(name) => Some(field(checking, name)),
            Self::RepeatedField => Some(repeated_field(checking)),
            Self::CertificateEnvironments => credentials::certificate_environments(checking),
            Self::Authorization => Some(credentials::authorization(checking)),
            Self::ProviderToken => checking.bearer.map(jwt::whole),
            Self::Base64 => checking.bearer.map(|token| credentials::base64(checking, token)),
            Self::Alg => checking.bearer.map(jwt::alg),
            Self::Iat => checking.bearer.map(|token| credentials::iat(checking, token)),
            Self::Iss => checking.bearer.map(jwt::iss),
            Self::KidAndIss => checking.bearer.map(jwt::kid_and_iss),
            Self::Signature => checking.bearer.map(jwt::signature),
            Self::KeyInForce => credentials::key_in_force(checking),
            Self::Age => credentials::age(checking),
            Self::KeyEnvironment => credentials::key_environment(checking),
            Self::ConnectionTeam => credentials::connection_team(checking),
            Self::ConnectionKey => credentials::connection_key(checking),
            Self::TokenChanges => credentials::token_changes(checking),
            Self::PriorityAndPushType => Some(priority_and_push_type(checking)),
            Self::Topic => Some(topic(checking)),
            Self::TopicAndScope => Some(format!("{}; {}", topic(checking), credentials::scope(checking))),
            Self::PushTypeAndTopic => Some(push_type_and_topic(checking)),
            Self::DeviceTokenDigits => Some(quoted(checking.device_token_digits)),
            Self::DeviceToken => Some(device_token::identity(checking)),
            Self::DeviceTokenEnvironment => device_token::environment(checking),
            Self::DeviceTokenAndTopic => device_token::and_topic(checking),
            Self::DeviceTokenStatus => device_token::status(checking),
            Self::DeviceTokenRate => device_token::rate(checking),
            Self::PayloadLength => Some(format!(
                "{} of at most {}",
                bytes(checking.input.body.len()),
                payload::bytes_max(checking)
            )),
            Self::Payload => Some(payload_text(checking.input.body)),
        }
    }
}

fn field(checking: &Checking<'_>, name: FieldName) -> String {
    match checking.input.request.get(name) {
        Some(value) => format!("{} {}", name.as_str(), quoted(value)),
        None => format!("no {}", name.as_str()),
    }
}

/// By its name alone: it may be `authorization`.
fn repeated_field(checking: &Checking<'_>) -> String {
    match checking.input.request.repeated() {
        Some(name) => {
            let is_meant = |field: &(&[u8], &[u8])| field.0 == name.as_str().as_bytes();
            let times = checking.input.request.fields().filter(is_meant).count();
            format!("{} is there {times} times", name.as_str())
        }
        None => "no header is repeated".to_owned(),
    }
}

fn priority_and_push_type(checking: &Checking<'_>) -> String {
    let [priority, push_type] =
        [FieldName::ApnsPriority, FieldName::ApnsPushType].map(|name| field(checking, name));
    format!("{priority}, {push_type}; {}", setting(checking, "background-priority-10"))
}

fn topic(checking: &Checking<'_>) -> String {
    let name = FieldName::ApnsTopic;
    let default = checking.certificate().and_then(|certificate| certificate.default_topic());
    match (checking.input.request.get(name), default) {
        (None, Some(only)) => {
            format!("no apns-topic; the certificate's only topic is {}", quoted(only.as_bytes()))
        }
        _ => field(checking, name),
    }
}

fn push_type_and_topic(checking: &Checking<'_>) -> String {
    let push_type = match checking.push_type {
        Some(push_type) => format!("{} goes with {}", push_type.as_str(), topic_of(push_type.token_kind())),
        None => "no apns-push-type".to_owned(),
    };
    match (checking.topic, checking.topic_kind()) {
        (Some(topic), Some(kind)) => format!("{push_type}; {} is {}", topic.as_str(), topic_of(kind)),
        _ => push_type,
    }
}

/// The topics of a kind of token, in words.
fn topic_of(kind: TokenKind) -> String {
    match kind.topic_suffix() {
        "" => "a topic without suffix".to_owned(),
        suffix => format!("a topic with the suffix {suffix}"),
    }
}

fn payload_text(body: &[u8]) -> String {
    let parsed = std::str::from_utf8(body)
        .map_err(|error| error.to_string())
        .and_then(|text| serde_json::from_str::<IgnoredAny>(text).map_err(|error| error.to_string()));
    let problem = parsed.err().map(|error| format!(", not JSON ({error})")).unwrap_or_default();
    format!("{}{problem}: {}", bytes(body.len()), shown(body))
}

/// The value that a setting has here.
fn setting(checking: &Checking<'_>, name: &str) -> String {
    format!("the setting {name} is {}", checking.settings().get(name).unwrap_or_default())
}

fn bytes(count: usize) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

/// A value between quotation marks, and its length where it is not shown whole.
fn quoted(value: &[u8]) -> String {
    let whole = String::from_utf8_lossy(value).chars().nth(SHOWN_CHARACTERS_MAX).is_none();
    let length = if whole { String::new() } else { format!(" ({})", bytes(value.len())) };
    format!("\"{}\"{length}", shown(value))
}

/// The beginning of a value as text that no terminal takes for anything else.
fn shown(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let mut characters = text.chars();
    let mut shown = String::new();
    for character in characters.by_ref().take(SHOWN_CHARACTERS_MAX) {
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            other => shown.extend(other.escape_debug()),
        }
    }
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Of a longer value the beginning is shown. The longest device token has 200 digits.
const SHOWN_CHARACTERS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_shown_by_its_beginning_and_its_length() {
        assert_eq!(quoted(&[b'a'; 200]), format!("\"{}\"", "a".repeat(200)));
        assert_eq!(quoted(&[b'a'; 201]), format!("\"{}…\" (201 bytes)", "a".repeat(200)));
        // Characters are counted, not bytes.
        assert_eq!(quoted("é".repeat(200).as_bytes()), format!("\"{}\"", "é".repeat(200)));
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(shown(b"\x1b[31m\r\n{\"a\":'\\n'}"), r#"\u{1b}[31m\r\n{"a":'\n'}"#);
        assert_eq!(shown("\u{202e}abc".as_bytes()), r"\u{202e}abc");
        assert_eq!(shown(b"\xff"), "\u{fffd}");
    }

    #[test]
    fn a_payload_that_is_not_json_tells_where_it_breaks() {
        assert_eq!(payload_text(b"[]"), "2 bytes: []");
        assert_eq!(
            payload_text(b"{"),
            "1 byte, not JSON (EOF while parsing an object at line 1 column 1): {"
        );
        assert!(payload_text(b"\"\xff\"").starts_with("3 bytes, not JSON (invalid utf-8 sequence"));
    }
}
