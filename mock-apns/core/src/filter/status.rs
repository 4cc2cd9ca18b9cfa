//! The status of an answer, or what became of a notification.

use std::{borrow::Cow, collections::BTreeSet};

use super::value::{Takes, Value};
use crate::{Reason, Status};

/// A status of either kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum StatusIs {
    /// The HTTP status of an answer.
    Answer(u16),
    /// What has become of a notification.
    Delivery(Status),
}

impl Value for StatusIs {
    /// That it was received is also the entry of the answer 200.
    type Had<'a> = Self;

    fn read(text: &str) -> Option<Self> {
        match Status::ALL.iter().find(|status| status.as_str() == text) {
            Some(status) => Some(Self::Delivery(*status)),
            None => answers().into_iter().find(|status| status.to_string() == text).map(Self::Answer),
        }
    }

    fn takes() -> Takes {
        let answers = answers().into_iter().map(|status| status.to_string());
        Takes::OneOf(answers.chain(Status::ALL.iter().map(ToString::to_string)).collect())
    }

    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Answer(status) => status.to_string().into(),
            Self::Delivery(status) => status.as_str().into(),
        }
    }

    fn holds(&self, had: &Self) -> bool {
        self == had || (*self == Self::Answer(ACCEPTED) && *had == Self::Delivery(Status::Received))
    }

    fn tell(had: &Self) -> String {
        had.text().into_owned()
    }
}

/// Every HTTP status that an answer can have.
fn answers() -> BTreeSet<u16> {
    Reason::ALL.iter().map(|reason| reason.status()).chain([ACCEPTED]).collect()
}

/// The HTTP status of a push that is accepted.
const ACCEPTED: u16 = 200;
