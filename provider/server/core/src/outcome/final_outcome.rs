use apns_provider_core::{Advice, Rejection};

use super::{Cause, Ending, Why};

/// What became of one recipient: stored once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FinalOutcome {
    /// How it ended.
    pub ending: Ending,
    /// The HTTP status of the last answer; 0 if there was none.
    pub status: u16,
    /// Why, if there is something to say.
    pub why: Option<Why>,
    /// Whether a push of it was sent once and not answered: the device may show it twice, or although it was rejected.
    pub maybe_twice: bool,
    /// The key to the delivery log of Apple's console, if APNs gave one, as it does in the sandbox.
    pub apns_unique_id: Option<Box<str>>,
}

impl FinalOutcome {
    /// It ended so, and there was no answer.
    pub fn unanswered(ending: Ending, why: impl Into<Option<Why>>) -> Self {
        Self { ending, status: 0, why: why.into(), maybe_twice: false, apns_unique_id: None }
    }

    /// It was not sent for this reason.
    pub fn skipped(cause: Cause) -> Self {
        Self::unanswered(Ending::Skipped, Why::Ours(cause))
    }

    /// It ended so after an answer.
    pub(super) fn answered(ending: Ending, rejection: &Rejection) -> Self {
        Self {
            ending,
            status: rejection.status,
            why: rejection.reason.clone().map(Why::Apns),
            maybe_twice: rejection.ambiguous_before,
            apns_unique_id: rejection.apns_unique_id.clone(),
        }
    }

    /// Whether somebody should look at it, and may send it again: it was tried in vain, or refused for what can be mended. A dead device
    /// token cannot, nor can one of the other environment.
    pub fn is_dead_letter(&self) -> bool {
        match self.ending {
            Ending::Undeliverable => true,
            Ending::Rejected => match self.why.as_ref().and_then(Why::advice) {
                Some(Advice::CheckToken | Advice::RemoveToken) => false,
                Some(_) => true,
                None => self.status != GONE,
            },
            Ending::Accepted
            | Ending::Ambiguous
            | Ending::Cancelled
            | Ending::Expired
            | Ending::Replaced
            | Ending::Skipped => false,
        }
    }
}

impl Why {
    /// What APNs' reason asks for, if it is one that is known.
    fn advice(&self) -> Option<Advice> {
        match self {
            Self::Apns(reason) => reason.advice(),
            Self::Ours(_) => None,
        }
    }
}

/// The status of a dead device token.
const GONE: u16 = 410;

#[cfg(test)]
mod tests {
    use apns_provider_core::Reason;

    use super::*;

    fn rejected(status: u16, reason: &str) -> FinalOutcome {
        let why = Some(Why::Apns(Reason::from_wire(reason)));
        FinalOutcome { status, why, ..FinalOutcome::unanswered(Ending::Rejected, None) }
    }

    #[test]
    fn what_can_be_mended_is_a_dead_letter_and_a_dead_token_is_not() {
        for (outcome, is_dead_letter) in [
            (rejected(400, "BadTopic"), true),
            (rejected(400, "TopicDisallowed"), true),
            (rejected(413, "PayloadTooLarge"), true),
            (rejected(400, "BrandNew2027"), true),
            (rejected(400, "BadDeviceToken"), false),
            (rejected(410, "Unregistered"), false),
            (rejected(410, "BrandNew2027"), false),
            (FinalOutcome::unanswered(Ending::Undeliverable, Why::Ours(Cause::NoConnection)), true),
            (FinalOutcome::unanswered(Ending::Expired, None), false),
            (FinalOutcome::skipped(Cause::DeviceGone), false),
            (FinalOutcome::unanswered(Ending::Ambiguous, Why::Ours(Cause::NoAnswer)), false),
        ] {
            assert_eq!(outcome.is_dead_letter(), is_dead_letter, "{outcome:?}");
        }
    }
}
