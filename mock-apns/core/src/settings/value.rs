//! The types that settings have: each reads and writes the texts of the table.

use crate::{Reason, device_token::TokenLength};

/// A type that a setting can have.
pub(crate) trait SettingValue: Sized {
    /// Reads one of the setting's texts.
    fn parse(text: &str) -> Option<Self>;

    /// The text that reads as this value.
    fn text(&self) -> String;
}

/// What to do about a push of which it is not known what Apple does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ruling {
    Accept,
    Refuse(Reason),
}

impl SettingValue for Ruling {
    fn parse(text: &str) -> Option<Self> {
        if text == ACCEPT { Some(Self::Accept) } else { Reason::from_wire(text).map(Self::Refuse) }
    }

    fn text(&self) -> String {
        match self {
            Self::Accept => ACCEPT.to_owned(),
            Self::Refuse(reason) => reason.text(),
        }
    }
}

/// How a provider's connection is ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ending {
    /// Without GOAWAY.
    Close,
    /// By GOAWAY with this reason.
    GoAway(Reason),
}

impl SettingValue for Ending {
    fn parse(text: &str) -> Option<Self> {
        if text == CLOSE { Some(Self::Close) } else { Reason::from_wire(text).map(Self::GoAway) }
    }

    fn text(&self) -> String {
        match self {
            Self::Close => CLOSE.to_owned(),
            Self::GoAway(reason) => reason.text(),
        }
    }
}

impl SettingValue for Reason {
    fn parse(text: &str) -> Option<Self> {
        Self::from_wire(text)
    }

    fn text(&self) -> String {
        self.as_str().to_owned()
    }
}

impl SettingValue for u32 {
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl SettingValue for TokenLength {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "usual" => Some(Self::Usual),
            "varied" => Some(Self::Varied),
            _ => None,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Usual => "usual".to_owned(),
            Self::Varied => "varied".to_owned(),
        }
    }
}

/// Declares an enum whose variants are texts.
macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum $name { $($variant),* }

        impl SettingValue for $name {
            fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }

            fn text(&self) -> String {
                match self { $(Self::$variant => $text.to_owned()),* }
            }
        }
    )*};
}

choices! {
    /// Where changes of a provider token are counted.
    TokenUpdates { PerConnection = "per-connection", PerKey = "per-key", Off = "off" }
    /// Which answers have an `apns-unique-id`.
    UniqueIds { Sandbox = "sandbox", Always = "always", Never = "never" }
    /// The `content-type` of a refusal.
    ErrorContentType { Absent = "absent", Json = "application/json" }
    /// Whether answers are as Apple's to the last field.
    Purity { Off = "off", On = "on" }
    /// What becomes of the token of a Live Activity that has ended.
    EndedActivity { ExpiredToken = "ExpiredToken", Accept = "accept" }
}

/// The text of [`Ruling::Accept`].
const ACCEPT: &str = "accept";
/// The text of [`Ending::Close`].
const CLOSE: &str = "close";
