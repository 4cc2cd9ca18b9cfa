//! The words that stand for our types in messages, and how serde writes and reads them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serializer, de};

use super::{CloseReason, GatewayErrorCode};
use crate::{BundleId, DeviceState, Environment, NewTokens, Priority, PushType, TeamId, TokenKind};

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

/// A device that is offline cannot say so: only what a connected device can be is named.
impl Named for DeviceState {
    const VALUES: &'static [Self] = &[Self::Online, Self::PowerSaving];

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

/// Named types are written as their names wherever serde writes them.
macro_rules! serialize_as_name {
    ($($name:ty),*) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.name())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    )*};
}

serialize_as_name!(Environment, TokenKind, DeviceState, NewTokens);

/// For `#[serde(with = "named")]`.
pub(super) mod named {
    use super::{Deserialize, Deserializer, Named, Serializer, de};

    pub(in super::super) fn serialize<T: Named, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(value.name())
    }

    pub(in super::super) fn deserialize<'de, T: Named, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        let name = String::deserialize(from)?;
        T::from_name(&name).ok_or_else(|| de::Error::custom(format_args!("{name:?} is not a known name")))
    }
}

/// For `#[serde(default, with = "named_option")]`.
pub(super) mod named_option {
    use super::{Deserializer, Named, Serializer, named};

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub(in super::super) fn serialize<T: Named, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.serialize_str(value.name()),
            None => to.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, T: Named, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        named::deserialize(from).map(Some)
    }
}

/// For `#[serde(with = "text")]`: types that are written as their text and read by their own rules.
pub(super) mod text {
    use super::{Deserialize, Deserializer, Serializer, Text, de, fmt};

    pub(in super::super) fn serialize<T: fmt::Display, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(in super::super) fn deserialize<'de, T: Text, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        T::parse_text(&String::deserialize(from)?).map_err(de::Error::custom)
    }
}

/// For `#[serde(with = "text_option")]`, written only.
pub(super) mod text_option {
    use super::{Serializer, fmt};

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub(in super::super) fn serialize<T: fmt::Display, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.collect_str(value),
            None => to.serialize_none(),
        }
    }
}

/// What [`text`] reads.
pub(super) trait Text: Sized {
    fn parse_text(text: &str) -> Result<Self, impl fmt::Display>;
}

impl Text for BundleId {
    fn parse_text(text: &str) -> Result<Self, impl fmt::Display> {
        Self::parse(text)
    }
}

impl Text for TeamId {
    fn parse_text(text: &str) -> Result<Self, impl fmt::Display> {
        Self::parse(text)
    }
}

impl Text for crate::DeviceId {
    fn parse_text(text: &str) -> Result<Self, impl fmt::Display> {
        Self::parse(text)
    }
}

/// For `#[serde(with = "priority")]`: the number of the header.
pub(super) mod priority {
    use super::{Deserialize, Deserializer, Priority, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
    pub(in super::super) fn serialize<S: Serializer>(value: &Priority, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(value.number())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Priority, D::Error> {
        let number = u8::deserialize(from)?;
        Priority::parse(number.to_string().as_bytes())
            .ok_or_else(|| de::Error::custom(format_args!("{number} is not a priority")))
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
    }

    #[test]
    fn a_connected_device_cannot_call_itself_offline() {
        assert_eq!(DeviceState::from_name("offline"), None);
    }
}
