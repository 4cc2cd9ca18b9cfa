//! What a value is: how it is read, and how it is compared with what an entry has.

use std::{borrow::Cow, fmt};

use super::{closest::closest, writer};
use crate::{BundleId, CollapseId, DeviceId, MessageId, Timestamp, Topic, fault::FaultName};

/// A value of some key.
pub(super) trait Value: Sized {
    /// What an entry has, to compare it with.
    type Had<'a>;

    /// The value that a text stands for, or `None` when it stands for none.
    fn read(text: &str) -> Option<Self>;

    /// What [`read`](Self::read) takes.
    fn takes() -> Takes;

    /// The text that reads as this value, no longer than any other.
    fn text(&self) -> Cow<'_, str>;

    /// Whether what an entry has is what is asked for.
    fn holds(&self, had: &Self::Had<'_>) -> bool;

    /// What an entry has, for a reader.
    fn tell(had: &Self::Had<'_>) -> String;
}

/// The values that a key takes, for whoever gave another.
pub(super) enum Takes {
    /// One of these.
    OneOf(Vec<String>),
    /// Something of this form.
    Form(&'static str),
}

impl Takes {
    /// The value that somebody may have meant who wrote another.
    pub(super) fn closest(self, text: &str) -> Option<String> {
        match self {
            Self::OneOf(values) => closest(text, values).map(|value| writer::value(&value)),
            Self::Form(_) => None,
        }
    }
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(values) => {
                let values: Vec<String> = values.iter().map(|value| writer::value(value)).collect();
                write!(f, "one of {}", values.join(", "))
            }
            Self::Form(form) => f.write_str(form),
        }
    }
}

impl Value for BundleId {
    type Had<'a> = &'a Self;

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }

    fn takes() -> Takes {
        Takes::Form("a bundle ID, such as com.example.app")
    }

    fn text(&self) -> Cow<'_, str> {
        self.as_str().into()
    }

    fn holds(&self, had: &&Self) -> bool {
        self == *had
    }

    fn tell(had: &&Self) -> String {
        had.to_string()
    }
}

impl Value for FaultName {
    type Had<'a> = &'a Self;

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }

    fn takes() -> Takes {
        Takes::Form("the name of a fault: letters, digits, '.', '_' and '-'")
    }

    fn text(&self) -> Cow<'_, str> {
        self.as_str().into()
    }

    fn holds(&self, had: &&Self) -> bool {
        self == *had
    }

    fn tell(had: &&Self) -> String {
        had.to_string()
    }
}

impl Value for DeviceId {
    type Had<'a> = &'a Self;

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }

    fn takes() -> Takes {
        Takes::Form("the name of a device: 1 to 64 printable ASCII characters")
    }

    fn text(&self) -> Cow<'_, str> {
        self.as_str().into()
    }

    fn holds(&self, had: &&Self) -> bool {
        self == *had
    }

    fn tell(had: &&Self) -> String {
        had.as_str().to_owned()
    }
}

/// A topic, suffix and all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct TopicIs(Box<str>);

impl Value for TopicIs {
    type Had<'a> = String;

    fn read(text: &str) -> Option<Self> {
        Topic::parse(text.as_bytes()).map(|topic| Self(topic.as_str().into()))
    }

    fn takes() -> Takes {
        Takes::Form("a topic, such as com.example.app or com.example.app.voip")
    }

    fn text(&self) -> Cow<'_, str> {
        (&*self.0).into()
    }

    fn holds(&self, had: &String) -> bool {
        *self.0 == **had
    }

    fn tell(had: &String) -> String {
        had.clone()
    }
}

/// A collapse identifier that is text. One that is not cannot be asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct CollapseIs(Box<str>);

impl Value for CollapseIs {
    type Had<'a> = &'a [u8];

    fn read(text: &str) -> Option<Self> {
        CollapseId::parse(text.as_bytes()).map(|_| Self(text.into()))
    }

    fn takes() -> Takes {
        Takes::Form("an apns-collapse-id: at most 64 bytes")
    }

    fn text(&self) -> Cow<'_, str> {
        (&*self.0).into()
    }

    fn holds(&self, had: &&[u8]) -> bool {
        self.0.as_bytes() == *had
    }

    fn tell(had: &&[u8]) -> String {
        writer::value(&String::from_utf8_lossy(had))
    }
}

/// An `apns-id` or an `apns-unique-id`. They are compared without regard to case, because tools write UUIDs in either.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct IdIs(MessageId);

impl Value for IdIs {
    type Had<'a> = Vec<&'a str>;

    fn read(text: &str) -> Option<Self> {
        MessageId::parse(text.as_bytes()).map(Self)
    }

    fn takes() -> Takes {
        Takes::Form("a UUID, such as 123e4567-e89b-12d3-a456-42665544000f")
    }

    fn text(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }

    fn holds(&self, had: &Vec<&str>) -> bool {
        had.iter().any(|id| id.eq_ignore_ascii_case(self.0.as_str()))
    }

    fn tell(had: &Vec<&str>) -> String {
        had.join(" and ")
    }
}

/// Declares a bound: which of a cursor or a time are within it.
macro_rules! bounds {
    ($(
        $(#[$doc:meta])*
        $name:ident($had:ty) $form:literal, $from:expr, |$own:ident, $other:ident| $holds:expr;
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) struct $name($had);

        impl Value for $name {
            type Had<'a> = $had;

            fn read(text: &str) -> Option<Self> {
                whole_number(text).map($from).map(Self)
            }

            fn takes() -> Takes {
                Takes::Form($form)
            }

            fn text(&self) -> Cow<'_, str> {
                self.0.to_string().into()
            }

            fn holds(&self, had: &$had) -> bool {
                let ($own, $other) = (self.0, *had);
                $holds
            }

            fn tell(had: &$had) -> String {
                had.to_string()
            }
        }
    )*};
}

bounds! {
    /// Cursors greater than this one.
    After(u64) "a cursor: a whole number from 0", u64::from, |cursor, had| had > cursor;
    /// Cursors less than this one.
    Before(u64) "a cursor: a whole number from 0", u64::from, |cursor, had| had < cursor;
    /// This point in time and those after it.
    Since(Timestamp) "milliseconds since 1970, such as 1700000000000", Timestamp::from_millis, |at, had| had >= at;
    /// This point in time and those before it.
    Until(Timestamp) "milliseconds since 1970, such as 1700000000000", Timestamp::from_millis, |at, had| had <= at;
}

/// Digits and nothing else: no sign.
fn whole_number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
