//! The words that stand for our types wherever they are written: in messages, in the journal, on command lines.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    BundleId, CloseReason, DeviceId, DeviceState, DeviceToken, Environment, GatewayErrorCode, KeyId,
    MessageId, Misconduct, NewTokens, Priority, PushType, Reason, TeamId, Timestamp, TokenKind, UniqueId,
    fault::Moment,
};

/// A type whose values have names: in the gateway's messages, and on command lines.
///
/// ```
/// use mock_apns_core::{Named as _, TokenKind};
///
/// assert_eq!(TokenKind::FileProvider.name(), "file-provider");
/// assert_eq!(TokenKind::from_name("voip"), Some(TokenKind::Voip));
/// ```
pub trait Named: Copy + 'static {
    /// Every value that a message can name.
    const VALUES: &'static [Self];

    /// The name of the value.
    fn name(self) -> &'static str;

    /// The value of a name.
    fn from_name(name: &str) -> Option<Self> {
        Self::VALUES.iter().copied().find(|value| value.name() == name)
    }
}

impl Named for Environment {
    const VALUES: &'static [Self] = &[Self::Sandbox, Self::Production];

    fn name(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Production => "production",
        }
    }
}

impl Named for TokenKind {
    const VALUES: &'static [Self] = Self::ALL;

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl Named for DeviceState {
    const VALUES: &'static [Self] = &[Self::Offline, Self::Online, Self::PowerSaving];

    fn name(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Online => "online",
            Self::PowerSaving => "power-saving",
        }
    }
}

impl Named for NewTokens {
    const VALUES: &'static [Self] = &[Self::Restore, Self::OsReinstall, Self::System];

    fn name(self) -> &'static str {
        match self {
            Self::Restore => "restore",
            Self::OsReinstall => "os-reinstall",
            Self::System => "system",
        }
    }
}

impl Named for CloseReason {
    const VALUES: &'static [Self] = &[Self::Replaced, Self::TakenOffline, Self::Shutdown];

    fn name(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::TakenOffline => "taken-offline",
            Self::Shutdown => "shutdown",
        }
    }
}

impl Named for PushType {
    const VALUES: &'static [Self] = Self::ALL;

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl Named for GatewayErrorCode {
    const VALUES: &'static [Self] = Self::ALL;

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl Named for Misconduct {
    const VALUES: &'static [Self] = Self::ALL;

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl Named for Moment {
    const VALUES: &'static [Self] = Self::ALL;

    fn name(self) -> &'static str {
        self.as_str()
    }
}

/// Named types are written as their names, and read by them.
macro_rules! by_name {
    ($($name:ty),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.name())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                Self::from_name(&text).ok_or_else(|| {
                    let names: Vec<_> = Self::VALUES.iter().map(|value| value.name()).collect();
                    de::Error::custom(format_args!("{text:?} is not one of {}", names.join(", ")))
                })
            }
        }
    )*};
}

by_name!(
    CloseReason,
    DeviceState,
    Environment,
    GatewayErrorCode,
    Misconduct,
    Moment,
    NewTokens,
    PushType,
    TokenKind
);

macro_rules! display_name {
    ($($name:ty),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    )*};
}

display_name!(DeviceState, Environment, NewTokens, TokenKind);

/// Types that are written as their text, and read by their own rules.
macro_rules! by_text {
    ($($name:ty: $parse:expr),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                $parse(&text).map_err(de::Error::custom)
            }
        }
    )*};
}

by_text!(
    BundleId: Self::parse,
    DeviceId: Self::parse,
    DeviceToken: |text: &str| Self::from_hex(text.as_bytes()),
    KeyId: Self::parse,
    MessageId: |text: &str| Self::parse(text.as_bytes()).ok_or_else(|| not_a(text, "an apns-id")),
    Reason: |text: &str| Self::from_wire(text).ok_or_else(|| not_a(text, "a reason")),
    TeamId: Self::parse,
    UniqueId: |text: &str| Self::parse(text.as_bytes()).ok_or_else(|| not_a(text, "an apns-unique-id"))
);

fn not_a(text: &str, what: &str) -> String {
    format!("{text:?} is not {what}")
}

/// The number of the header.
impl Serialize for Priority {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(self.number())
    }
}

impl<'de> Deserialize<'de> for Priority {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(from)?;
        Self::parse(number.to_string().as_bytes())
            .ok_or_else(|| de::Error::custom(format_args!("{number} is not a priority: it is 10, 5 or 1")))
    }
}

/// The milliseconds, as in the answer with status 410.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(self.as_millis())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        u64::deserialize(from).map(Self::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn every_name_is_read_back<T: Named + Debug + PartialEq>() {
        for &value in T::VALUES {
            assert_eq!(T::from_name(value.name()), Some(value));
        }
        assert_eq!(T::from_name("another"), None);
    }

    #[test]
    fn a_name_is_read_back_as_what_it_names() {
        every_name_is_read_back::<Environment>();
        every_name_is_read_back::<TokenKind>();
        every_name_is_read_back::<DeviceState>();
        every_name_is_read_back::<NewTokens>();
        every_name_is_read_back::<CloseReason>();
        every_name_is_read_back::<PushType>();
        every_name_is_read_back::<GatewayErrorCode>();
        every_name_is_read_back::<Misconduct>();
        every_name_is_read_back::<Moment>();
    }

    #[test]
    fn what_is_written_is_read_back_and_a_wrong_word_is_named_with_what_there_is() {
        let read = |json: &str| serde_json::from_str::<Environment>(json).map_err(|error| error.to_string());
        assert_eq!(read(r#""production""#), Ok(Environment::Production));
        assert!(read(r#""staging""#).unwrap_err().contains(r#""staging" is not one of sandbox, production"#));
        let team = serde_json::from_str::<TeamId>(r#""short""#).unwrap_err().to_string();
        assert!(team.contains(r#""short" is not a team ID"#), "{team}");
        let token: DeviceToken = serde_json::from_str(r#""00FF""#).unwrap();
        assert_eq!(serde_json::to_string(&token).unwrap(), r#""00ff""#);
    }
}
