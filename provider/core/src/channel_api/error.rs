use thiserror::Error;

use crate::advice::Advice;
use crate::apns_id::ApnsId;
use crate::outcome::{Ambiguity, NotSent};
use crate::reason::Reason;
use crate::retry_after::RetryAfter;

/// Why a request about channels came to nothing, or nobody knows whether it did.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ChannelError {
    /// It may have been done: before you create a channel again, list the channels.
    #[error("unknown whether it was done: {0}")]
    Ambiguous(Ambiguity),
    /// It was certainly not done: sending it again is safe.
    #[error("not sent: {0}")]
    NotSent(NotSent),
    /// The answer names another request: it, and whatever was in between, cannot be trusted.
    #[error("unknown whether it was done: the answer to request {sent} names {answered}")]
    OtherRequest {
        /// The request's ID.
        sent: ApnsId,
        /// The answer's.
        answered: ApnsId,
    },
    /// APNs refused it.
    #[error("{0}")]
    Rejected(ChannelRejection),
    /// It was done, but what came cannot be read.
    #[error("done ({status}), but the answer cannot be read: {why}")]
    Unreadable {
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        why: String,
    },
}

/// APNs refused a request about channels.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("refused: {status}{}", words(reason.as_ref()))]
pub struct ChannelRejection {
    /// The HTTP status.
    pub status: u16,
    /// Why, if the answer said so; a word nobody knew is kept as it was.
    pub reason: Option<Reason>,
    /// The request's ID, to quote to Apple.
    pub request_id: ApnsId,
    /// When to come back, if the answer said so.
    pub retry_after: Option<RetryAfter>,
    /// What to do next.
    pub advice: Advice,
}

fn words(reason: Option<&Reason>) -> String {
    reason.map(|reason| format!(" {}", reason.with_todo())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_with_what_to_do() {
        let rejection = |reason: Option<&str>| {
            let reason = reason.map(Reason::from_wire);
            let (request_id, advice) = (ApnsId::from_random([0; 16]), Advice::Fix);
            let rejection = ChannelRejection { status: 400, reason, request_id, retry_after: None, advice };
            ChannelError::Rejected(rejection).to_string()
        };
        assert_eq!(rejection(None), "refused: 400");
        assert_eq!(rejection(Some("BrandNew2027")), "refused: 400 BrandNew2027");
        let told = "refused: 400 FeatureNotEnabled. Enable broadcasting for the app's identifier in the developer account.";
        assert_eq!(rejection(Some("FeatureNotEnabled")), told);
    }
}
