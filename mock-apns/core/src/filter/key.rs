//! The table of keys.

use std::borrow::Cow;

use super::{
    closest::closest,
    has,
    status::StatusIs,
    text::Text,
    token::TokenIs,
    value::{After, Before, CollapseIs, IdIs, Since, Takes, TopicIs, Until, Value},
    word::{EventKind, OneOf, OrNone},
};
use crate::{
    BundleId, DeviceId, Environment, Priority, PushType, Reason, Record, Status, TokenKind, fault::FaultName,
};

/// Declares [`FilterKey`] and [`Wanted`]: a key with the type of its values, its name, what an entry has of it, what it
/// compares in a sentence, and an example.
macro_rules! filter_keys {
    ($($variant:ident($value:ty) $name:literal $has:path, $compares:literal, $example:literal;)*) => {
        /// What a term of a filter is about: the name before the colon.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum FilterKey {
            $(#[doc = $compares] $variant,)*
        }

        impl FilterKey {
            /// Every key, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name before the colon.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it compares, in a sentence or two, as Markdown.
            pub const fn compares(self) -> &'static str {
                match self { $(Self::$variant => $compares,)* }
            }

            /// A term with it.
            pub const fn example(self) -> &'static str {
                match self { $(Self::$variant => $example,)* }
            }

            /// What an entry has of it, as text.
            pub(super) fn has(self, record: &Record<'_>) -> Option<String> {
                match self { $(Self::$variant => $has(record).map(|had| <$value>::tell(&had)),)* }
            }

            /// The values that it takes.
            pub(super) fn takes(self) -> Takes {
                match self { $(Self::$variant => <$value>::takes(),)* }
            }
        }

        /// A value that a term asks for.
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub(super) enum Wanted {
            $($variant($value),)*
        }

        impl Wanted {
            /// Reads a value of this key.
            pub(super) fn read(key: FilterKey, text: &str) -> Option<Self> {
                match key { $(FilterKey::$variant => <$value>::read(text).map(Self::$variant),)* }
            }

            /// Whether an entry has it. One that has nothing of the key has no value.
            pub(super) fn holds(&self, record: &Record<'_>) -> bool {
                match self {
                    $(Self::$variant(value) => $has(record).is_some_and(|had| value.holds(&had)),)*
                }
            }

            /// The value, without quotes.
            pub(super) fn text(&self) -> Cow<'_, str> {
                match self { $(Self::$variant(value) => value.text(),)* }
            }
        }
    };
}

filter_keys! {
    Token(TokenIs) "token" has::token,
        "The device token in hexadecimal, or how it begins and `*`.",
        "token:00112233*";
    Topic(TopicIs) "topic" has::topic,
        "The topic that a push was for.",
        "topic:com.example.app.voip";
    App(BundleId) "app" has::app,
        "The app's bundle ID, whatever the topic's suffix.",
        "app:com.example.app";
    Device(DeviceId) "device" has::device,
        "The name of the device.",
        "device:\"Ann's phone\"";
    Environment(OneOf<Environment>) "environment" has::environment,
        "`sandbox` or `production`: that of the app's build.",
        "environment:production";
    Type(OrNone<PushType>) "type" has::push_type,
        "The `apns-push-type`; `none` where there was no such header.",
        "type:alert,none";
    Priority(OrNone<Priority>) "priority" has::priority,
        "The `apns-priority`; `none` where there was no such header, which means 10.",
        "priority:10,none";
    Collapse(CollapseIs) "collapse" has::collapse_id,
        "The `apns-collapse-id`, all of it.",
        "collapse:score-42";
    Id(IdIs) "id" has::ids,
        "The `apns-id` or the `apns-unique-id` of the answer, in either case.",
        "id:123e4567-e89b-12d3-a456-42665544000f";
    Reason(OrNone<Reason>) "reason" has::reason,
        "Why the push was refused, or the connection told to go away; `none` for every entry about a push that was accepted.",
        "reason:BadDeviceToken,Unregistered";
    Status(StatusIs) "status" has::status,
        "The HTTP status of the answer, where 200 finds `Received by APNs`; or what became of it, in Apple's words.",
        "status:\"Delivered to Device\"";
    Event(OneOf<EventKind>) "event" has::event,
        "What kind of entry it is: `notification`, `refused`, `goaway`, `throttled`, `fault`, `device`, `clock`, `scenario` or `reset`.",
        "event:refused";
    Fault(FaultName) "fault" has::fault,
        "The name of the fault that has fired.",
        "fault:two-percent-503";
    Kind(OneOf<TokenKind>) "kind" has::kind,
        "What the device token is for, such as `app`, `voip` or `live-activity`.",
        "kind:live-activity";
    After(After) "after" has::cursor,
        "Entries with a greater cursor: what came after the one that was read last.",
        "after:1024";
    Before(Before) "before" has::cursor,
        "Entries with a lesser cursor.",
        "before:2048";
    Since(Since) "since" has::at,
        "Entries of this time and later, in milliseconds since 1970 by the team's clock.",
        "since:1700000000000";
    Until(Until) "until" has::at,
        "Entries of this time and earlier, in milliseconds since 1970 by the team's clock.",
        "until:1700000060000";
    Text(Text) "text" has::words,
        "Text within the payload or what the device shows of it, in upper or lower case. The key may be left out.",
        "text:\"Hello, Ann\"";
}

impl Wanted {
    /// Whether an entry about the arrival of a push can have it. Its cursor nobody knows beforehand.
    pub(super) fn may_be_at_arrival(&self) -> bool {
        match self {
            Self::Event(kind) => {
                [EventKind::Notification, EventKind::Refused].iter().any(|it| kind.holds(it))
            }
            Self::Status(StatusIs::Delivery(status)) => *status == Status::Received,
            Self::Fault(_) | Self::After(_) | Self::Before(_) => false,
            _ => true,
        }
    }
}

impl FilterKey {
    /// The key of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.name() == name)
    }

    /// The names of all keys, in one line.
    pub(super) fn names() -> String {
        Self::ALL.iter().map(|key| key.name()).collect::<Vec<_>>().join(", ")
    }

    /// The name that somebody may have meant who wrote another.
    pub(super) fn closest_name(name: &str) -> Option<String> {
        closest(name, Self::ALL.iter().map(|key| key.name().to_owned()))
    }
}

impl std::fmt::Display for FilterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl serde::Serialize for FilterKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Filter;

    #[test]
    fn every_key_has_a_name_of_its_own_a_sentence_and_an_example_that_reads() {
        for &key in FilterKey::ALL {
            assert_eq!(FilterKey::from_name(key.name()), Some(key));
            assert!(key.compares().ends_with('.'), "{key}");
            assert!(key.example().starts_with(&format!("{key}:")), "{key}");
            let filter = Filter::parse(key.example()).unwrap();
            assert_eq!(filter.terms.len(), 1);
            assert_eq!(filter.terms[0].key, key);
        }
    }
}
