//! The values of labels: a bounded number of them, and none is a device token, a topic or a secret.

use apns_http2::ErrorCode;
use apns_provider_core::{Ambiguity, NotSent, Outcome, Reason};

/// What stands for words that nobody knew when this was written.
const OTHER: &str = "other";

/// The status of what APNs has accepted.
pub(super) const ACCEPTED: &str = "200";

/// `outcome`, `status` and `reason`.
pub(super) fn of_outcome(outcome: &Outcome) -> (&'static str, &'static str, &str) {
    let (status, reason) = match outcome {
        Outcome::Accepted(_) => (ACCEPTED, ""),
        Outcome::Expired => ("", ""),
        Outcome::Rejected(rejection) => (of_status(rejection.status), of_reason(rejection.reason.as_ref())),
        Outcome::Ambiguous(ambiguity) => ("", of_ambiguity(ambiguity)),
        Outcome::NotSent(why) => ("", of_not_sent(why)),
    };
    (outcome.name(), status, reason)
}

/// Those that Apple documents: what is between us and APNs may answer anything.
fn of_status(status: u16) -> &'static str {
    match status {
        400 => "400",
        403 => "403",
        404 => "404",
        405 => "405",
        410 => "410",
        413 => "413",
        429 => "429",
        500 => "500",
        503 => "503",
        _ => OTHER,
    }
}

/// APNs' own word; empty if it gave none.
pub(super) fn of_reason(reason: Option<&Reason>) -> &str {
    match reason {
        None => "",
        Some(Reason::Unknown(_)) => OTHER,
        Some(reason) => reason.as_str(),
    }
}

/// `code`, by its name in RFC 9113 section 7.
pub(super) fn of_code(code: u32) -> &'static str {
    ErrorCode(code).name().unwrap_or(OTHER)
}

fn of_ambiguity(ambiguity: &Ambiguity) -> &'static str {
    match ambiguity {
        Ambiguity::ConnectionLost => "connection-lost",
        Ambiguity::NoAnswer => "no-answer",
        Ambiguity::StreamReset { .. } => "stream-reset",
        _ => OTHER,
    }
}

fn of_not_sent(why: &NotSent) -> &'static str {
    match why {
        NotSent::BeyondGoaway { .. } => "beyond-goaway",
        NotSent::NoConnection { .. } => "no-connection",
        NotSent::CertificateRefused { .. } => "certificate-refused",
        NotSent::Closed => "closed",
        NotSent::CredentialRefused { .. } => "credential-refused",
        NotSent::FieldsTooLarge { .. } => "fields-too-large",
        NotSent::OutOfTime => "out-of-time",
        NotSent::ServiceUnavailable => "service-unavailable",
        NotSent::StreamRefused => "stream-refused",
        NotSent::Unwritten => "unwritten",
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_nobody_knows_makes_no_label_of_its_own() {
        assert_eq!(of_reason(Some(&Reason::from_wire("BrandNew2027"))), "other");
        assert_eq!(of_reason(Some(&Reason::BadDeviceToken)), "BadDeviceToken");
        assert_eq!((of_code(7), of_code(0xffff)), ("REFUSED_STREAM", "other"));
        let reset = Outcome::Ambiguous(Ambiguity::StreamReset { code: 12_345 });
        assert_eq!(of_outcome(&reset), ("ambiguous", "", "stream-reset"));
        assert_eq!((of_status(410), of_status(418)), ("410", "other"));
    }
}
