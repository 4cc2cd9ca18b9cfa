//! Values that are one word of a few.

use std::borrow::Cow;

use super::value::{Takes, Value};
use crate::{Named, Priority, Reason};

/// A type whose values are words.
pub(super) trait Word: Copy + PartialEq + 'static {
    fn all() -> &'static [Self];

    fn word(self) -> &'static str;

    fn of(word: &str) -> Option<Self> {
        Self::all().iter().copied().find(|it| it.word() == word)
    }
}

impl<T: Named + PartialEq> Word for T {
    fn all() -> &'static [Self] {
        Self::VALUES
    }

    fn word(self) -> &'static str {
        self.name()
    }
}

impl Word for Reason {
    fn all() -> &'static [Self] {
        Self::ALL
    }

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for Priority {
    fn all() -> &'static [Self] {
        &[Self::Immediate, Self::PowerConsiderate, Self::PowerFirst]
    }

    fn word(self) -> &'static str {
        match self {
            Self::Immediate => "10",
            Self::PowerConsiderate => "5",
            Self::PowerFirst => "1",
        }
    }
}

/// What kind of entry it is, in the words of the journal's JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum EventKind {
    Notification,
    Refused,
    GoAway,
    Throttled,
    Fault,
    Device,
    Clock,
    Scenario,
    Reset,
}

impl Word for EventKind {
    fn all() -> &'static [Self] {
        &[
            Self::Notification,
            Self::Refused,
            Self::GoAway,
            Self::Throttled,
            Self::Fault,
            Self::Device,
            Self::Clock,
            Self::Scenario,
            Self::Reset,
        ]
    }

    fn word(self) -> &'static str {
        match self {
            Self::Notification => "notification",
            Self::Refused => "refused",
            Self::GoAway => "goaway",
            Self::Fault => "fault",
            Self::Throttled => "throttled",
            Self::Device => "device",
            Self::Clock => "clock",
            Self::Scenario => "scenario",
            Self::Reset => "reset",
        }
    }
}

/// A word that an entry has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct OneOf<T>(T);

impl<T: Word> Value for OneOf<T> {
    type Had<'a> = T;

    fn read(text: &str) -> Option<Self> {
        T::of(text).map(Self)
    }

    fn takes() -> Takes {
        Takes::OneOf(T::all().iter().map(|it| it.word().to_owned()).collect())
    }

    fn text(&self) -> Cow<'_, str> {
        self.0.word().into()
    }

    fn holds(&self, had: &T) -> bool {
        self.0 == *had
    }

    fn tell(had: &T) -> String {
        had.word().to_owned()
    }
}

/// A word that an entry has, or that it could have and has not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct OrNone<T>(pub(super) Option<T>);

impl<T: Word> Value for OrNone<T> {
    type Had<'a> = Self;

    fn read(text: &str) -> Option<Self> {
        if text == NONE { Some(Self(None)) } else { T::of(text).map(|word| Self(Some(word))) }
    }

    fn takes() -> Takes {
        let words = std::iter::once(NONE).chain(T::all().iter().map(|it| it.word()));
        Takes::OneOf(words.map(ToOwned::to_owned).collect())
    }

    fn text(&self) -> Cow<'_, str> {
        self.0.map_or(NONE, Word::word).into()
    }

    fn holds(&self, had: &Self) -> bool {
        self.0 == had.0
    }

    fn tell(had: &Self) -> String {
        had.text().into_owned()
    }
}

/// The word for what is not there.
const NONE: &str = "none";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PushType;

    /// The table of priorities is elsewhere, and has no list of its own.
    #[test]
    fn a_priority_is_the_number_of_the_header() {
        for priority in Priority::all() {
            assert_eq!(priority.word(), priority.number().to_string());
            assert_eq!(Priority::parse(priority.word().as_bytes()), Some(*priority));
        }
        assert_eq!(Priority::all().len(), 3);
    }

    #[test]
    fn no_word_is_the_word_for_none() {
        assert!(PushType::of(NONE).is_none() && Reason::of(NONE).is_none() && Priority::of(NONE).is_none());
    }
}
