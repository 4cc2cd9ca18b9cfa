//! What the command's exit codes mean; scripts and queues decide by them.

use apns_provider_core::{Advice, ChannelError, NotSent, Outcome};

/// APNs took it.
pub(super) const ACCEPTED: u8 = 0;
/// APNs refused it, or does not take a request like it, and would again.
pub(super) const REJECTED: u8 = 1;
/// An option, a file, the credential or the app's set-up is wrong.
pub(super) const MISCONFIGURED: u8 = 2;
/// It may be sent again.
pub(super) const RETRYABLE: u8 = 3;

/// The exit code of one push.
pub(super) fn code(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Accepted(_) => ACCEPTED,
        Outcome::NotSent(why) => code_of_not_sent(why),
        Outcome::Expired => REJECTED,
        Outcome::Ambiguous(_) => RETRYABLE,
        Outcome::Rejected(rejection) => code_of_advice(rejection.advice),
    }
}

/// The exit code of a request about channels that came to nothing.
pub(super) fn code_of_channels(error: &ChannelError) -> u8 {
    match error {
        ChannelError::NotSent(why) => code_of_not_sent(why),
        ChannelError::Rejected(rejection) => code_of_advice(rejection.advice),
        ChannelError::Unreadable { .. } => REJECTED,
        _ => RETRYABLE,
    }
}

fn code_of_not_sent(why: &NotSent) -> u8 {
    match why {
        why if why.needs_mending() => MISCONFIGURED,
        why if why.may_send_again() => RETRYABLE,
        _ => REJECTED,
    }
}

fn code_of_advice(advice: Advice) -> u8 {
    match advice {
        advice if advice.may_send_again() => RETRYABLE,
        Advice::FixApp | Advice::FixCredentials => MISCONFIGURED,
        _ => REJECTED,
    }
}

#[cfg(test)]
mod tests {
    use apns_provider_core::{Ambiguity, Answer, ApnsId};

    use super::*;

    fn code_of(status: u16, body: &str) -> u8 {
        let mut answer = Answer::new(status);
        answer.read_body(body.as_bytes());
        code(&Outcome::from_answer(answer, ApnsId::from_random([0; 16])))
    }

    #[test]
    fn sent_rejected_misconfigured_and_retryable_are_told_apart() {
        assert_eq!(code_of(200, ""), ACCEPTED);
        assert_eq!(code_of(400, r#"{"reason":"BadDeviceToken"}"#), REJECTED);
        assert_eq!(code_of(410, r#"{"reason":"Unregistered","timestamp":1}"#), REJECTED);
        assert_eq!(code_of(403, r#"{"reason":"InvalidProviderToken"}"#), MISCONFIGURED);
        assert_eq!(code_of(400, r#"{"reason":"TopicDisallowed"}"#), MISCONFIGURED);
        assert_eq!(code_of(429, r#"{"reason":"TooManyRequests"}"#), RETRYABLE);
        assert_eq!(code_of(503, ""), RETRYABLE);
        assert_eq!(code(&Outcome::Ambiguous(Ambiguity::ConnectionLost)), RETRYABLE);
        assert_eq!(code(&Outcome::NotSent(NotSent::OutOfTime)), RETRYABLE);
        let too_large = NotSent::FieldsTooLarge { bytes: 600, limit: 500 };
        assert_eq!(code(&Outcome::NotSent(too_large)), REJECTED);
        assert_eq!(code(&Outcome::NotSent(NotSent::CertificateRefused { why: "x".into() })), MISCONFIGURED);
    }
}
