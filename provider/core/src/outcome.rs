use std::fmt;

use crate::advice::Advice;
use crate::answer::Answer;
use crate::apns_id::ApnsId;
use crate::reason::Reason;
use crate::retry_after::RetryAfter;
use crate::unix_time::UnixTime;

/// How one attempt to send one push or broadcast ended, or the push as a whole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// APNs took it. That says nothing about the device yet.
    Accepted(Acceptance),
    /// It may have been processed: sending it again may show it twice, not sending it again may lose it.
    Ambiguous(Ambiguity),
    /// Its expiration passed before it was sent: it is of no use any more.
    Expired,
    /// It was certainly not processed: sending it again is safe.
    NotSent(NotSent),
    /// APNs refused it. In a box, since most outcomes are not this one, and moved often.
    Rejected(Box<Rejection>),
}

impl Outcome {
    /// What it is in one word: `accepted`, `ambiguous`, `expired`, `not-sent` or `rejected`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Ambiguous(_) => "ambiguous",
            Self::Expired => "expired",
            Self::NotSent(_) => "not-sent",
            Self::Rejected(_) => "rejected",
        }
    }

    /// What an answer means for the push with this ID. Status 200 alone is acceptance.
    pub fn from_answer(answer: Answer, sent: ApnsId) -> Self {
        let apns_id = answer.apns_id().unwrap_or(sent);
        let (status, retry_after) = (answer.status(), answer.retry_after());
        let (apns_unique_id, body) = answer.into_parts();
        if status == ACCEPTED {
            return Self::Accepted(Acceptance { apns_id, apns_unique_id, ambiguous_before: false });
        }
        let advice = Advice::of(status, body.reason.as_ref());
        Self::Rejected(Box::new(Rejection {
            status,
            reason: body.reason,
            apns_id,
            apns_unique_id,
            unregistered_since: body.timestamp,
            retry_after,
            advice,
            ambiguous_before: false,
        }))
    }
}

/// APNs took the push.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Acceptance {
    /// The push's ID as APNs gave it back; a broadcast's is `apns-request-id`.
    pub apns_id: ApnsId,
    /// The key to the delivery log of Apple's console; the sandbox gives one.
    pub apns_unique_id: Option<Box<str>>,
    /// Whether an earlier attempt ended without an answer: the device may get the push twice, both with this ID.
    pub ambiguous_before: bool,
}

/// APNs refused the push.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rejection {
    /// The HTTP status.
    pub status: u16,
    /// Why, if the answer said so; a word nobody knew is kept as it was.
    pub reason: Option<Reason>,
    /// The push's ID as APNs gave it back; a broadcast's is `apns-request-id`.
    pub apns_id: ApnsId,
    /// The key to the delivery log of Apple's console, if one came.
    pub apns_unique_id: Option<Box<str>>,
    /// With status 410: when APNs found the device token dead.
    pub unregistered_since: Option<UnixTime>,
    /// When to come back, if the answer said so.
    pub retry_after: Option<RetryAfter>,
    /// What to do next.
    pub advice: Advice,
    /// Whether an earlier attempt ended without an answer: although the last one was refused, the device may get the push.
    pub ambiguous_before: bool,
}

impl Rejection {
    /// Whether a device token that the app registered at this moment is dead by this answer.
    ///
    /// A token registered after APNs found it dead has come back to life (Apple, "Handling notification
    /// responses from APNs"). When the answer names no moment the token is taken for dead: the status alone
    /// says so.
    pub fn kills_token_registered_at(&self, registered_at: UnixTime) -> bool {
        let registered_since = self.unregistered_since.is_some_and(|dead_since| registered_at > dead_since);
        self.advice == Advice::RemoveToken && !registered_since
    }
}

/// Why a push was certainly not processed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NotSent {
    /// The connection was closed by a GOAWAY that says this stream was not looked at (RFC 9113 section 6.8).
    BeyondGoaway {
        /// The reason in its debug data, such as `BadCertificate` or `Shutdown`.
        reason: Option<Reason>,
    },
    /// There was no connection to send it on.
    NoConnection {
        /// Why there was none, in the shell's words: what went wrong with the name, the network or TLS.
        why: Box<str>,
    },
    /// One side did not accept the other's certificate. Another attempt fails alike until a certificate, or what is trusted,
    /// changes.
    CertificateRefused {
        /// Which certificate and why, in the shell's words.
        why: Box<str>,
    },
    /// The client was closed before its turn came.
    Closed,
    /// APNs refused the credential of the pushes before it, and this one was held back until its deadline.
    CredentialRefused {
        /// What APNs said.
        reason: Option<Reason>,
    },
    /// The fields of its request are larger than the server takes (SETTINGS_MAX_HEADER_LIST_SIZE, RFC 9113 section
    /// 6.5.2).
    FieldsTooLarge {
        /// Their size: names and values, and 32 for each field.
        bytes: usize,
        /// What the server takes.
        limit: u32,
    },
    /// Its deadline passed before the first byte was written.
    OutOfTime,
    /// APNs answered the pushes before it with nothing but that it is in trouble, and this one was held back until its deadline.
    ServiceUnavailable,
    /// The stream was refused before any processing (RST_STREAM with REFUSED_STREAM, RFC 9113 section 8.7).
    StreamRefused,
    /// The connection ended before the first byte was written.
    Unwritten,
}

impl NotSent {
    /// Whether the push cannot go out before somebody mends credentials or trust.
    pub fn needs_mending(&self) -> bool {
        match self {
            Self::CertificateRefused { .. } | Self::CredentialRefused { .. } => true,
            Self::BeyondGoaway { reason: Some(reason) } => reason.advice() == Some(Advice::FixCredentials),
            _ => false,
        }
    }

    /// Whether sending the same push again can succeed, at once or later, while nobody [mends](Self::needs_mending) anything and nothing
    /// about it changes. One with fields that are too large ends alike each time.
    pub fn may_send_again(&self) -> bool {
        !self.needs_mending() && !matches!(self, Self::FieldsTooLarge { .. })
    }
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeyondGoaway { reason: Some(reason) } => {
                write!(f, "APNs closed the connection with GOAWAY and the reason {}", reason.with_todo())
            }
            Self::BeyondGoaway { reason: None } => {
                f.write_str("APNs closed the connection with GOAWAY and no reason")
            }
            Self::CertificateRefused { why } | Self::NoConnection { why } => f.write_str(why),
            Self::Closed => f.write_str("the client was closed before its turn came"),
            Self::CredentialRefused { reason } => {
                f.write_str("APNs refused the credential of the pushes before it")?;
                reason.as_ref().map_or(Ok(()), |reason| write!(f, ": {reason}"))
            }
            Self::FieldsTooLarge { bytes, limit } => {
                write!(f, "the fields of its request have {bytes} bytes and the server takes {limit}")
            }
            Self::OutOfTime => f.write_str("its time was over before it could be sent"),
            Self::ServiceUnavailable => {
                f.write_str("APNs answered the pushes before it with nothing but that it is in trouble")
            }
            Self::StreamRefused => f.write_str("APNs refused the stream before looking at it"),
            Self::Unwritten => f.write_str("the connection ended before it was written"),
        }
    }
}

/// Why nobody knows whether a push was processed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Ambiguity {
    /// The connection ended after the request and before the answer.
    ConnectionLost,
    /// No answer came in time.
    NoAnswer,
    /// The stream was reset with another code than REFUSED_STREAM.
    StreamReset {
        /// The code (RFC 9113 section 7).
        code: u32,
    },
}

impl fmt::Display for Ambiguity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConnectionLost => {
                f.write_str("the connection ended after the request and before the answer")
            }
            Self::NoAnswer => f.write_str("no answer came in time"),
            Self::StreamReset { code } => write!(f, "APNs reset the stream with code {code:#x}"),
        }
    }
}

/// The one status that means acceptance.
const ACCEPTED: u16 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [u8; 16] = [7; 16];

    fn outcome(status: u16, body: &[u8]) -> Outcome {
        let mut answer = Answer::new(status);
        answer.read_body(body);
        Outcome::from_answer(answer, ApnsId::from_random(ID))
    }

    fn rejection(status: u16, body: &[u8]) -> Rejection {
        match outcome(status, body) {
            Outcome::Rejected(rejection) => *rejection,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_200_is_acceptance() {
        let apns_id = ApnsId::from_random(ID);
        assert_eq!(
            outcome(200, b""),
            Outcome::Accepted(Acceptance { apns_id, apns_unique_id: None, ambiguous_before: false })
        );
        assert_eq!(rejection(202, b"").advice, Advice::Fix);
    }

    #[test]
    fn only_credentials_and_trust_need_mending() {
        let goaway = |reason: &str| NotSent::BeyondGoaway { reason: Some(Reason::from_wire(reason)) };
        assert!(goaway("BadCertificateEnvironment").needs_mending());
        assert!(NotSent::CertificateRefused { why: "expired".into() }.needs_mending());
        assert!(!goaway("Shutdown").needs_mending() && !goaway("BrandNew2027").needs_mending());
        assert!(!NotSent::OutOfTime.needs_mending());
    }

    #[test]
    fn what_somebody_has_to_mend_or_shorten_is_not_sent_again_as_it_is() {
        let refused = |reason| NotSent::BeyondGoaway { reason: Some(reason) };
        let why = |why: &str| why.into();
        for (not_sent, again) in [
            (NotSent::BeyondGoaway { reason: None }, true),
            (refused(Reason::Shutdown), true),
            (refused(Reason::BadCertificate), false),
            (NotSent::NoConnection { why: why("refused") }, true),
            (NotSent::CertificateRefused { why: why("expired") }, false),
            (NotSent::Closed, true),
            (NotSent::CredentialRefused { reason: None }, false),
            (NotSent::FieldsTooLarge { bytes: 600, limit: 500 }, false),
            (NotSent::OutOfTime, true),
            (NotSent::ServiceUnavailable, true),
            (NotSent::StreamRefused, true),
            (NotSent::Unwritten, true),
        ] {
            assert_eq!(not_sent.may_send_again(), again, "{not_sent:?}");
        }
    }

    #[test]
    fn a_goaway_is_told_with_what_to_do() {
        let told =
            |reason: &str| NotSent::BeyondGoaway { reason: Some(Reason::from_wire(reason)) }.to_string();
        let goaway = "APNs closed the connection with GOAWAY and the reason";
        assert_eq!(told("Shutdown"), format!("{goaway} Shutdown. Send again on a new connection."));
        assert_eq!(told("BrandNew2027"), format!("{goaway} BrandNew2027"));
    }

    #[test]
    fn a_known_reason_decides_over_the_status() {
        assert_eq!(rejection(400, br#"{"reason":"IdleTimeout"}"#).advice, Advice::Reconnect);
    }

    #[test]
    fn an_unknown_reason_falls_back_on_the_status_and_is_kept() {
        let expected = [(400, Advice::Fix), (429, Advice::SlowDownDevice), (503, Advice::RetryLater)];
        for (status, advice) in expected {
            let rejection = rejection(status, br#"{"reason":"BrandNew2027"}"#);
            assert_eq!(rejection.reason, Some(Reason::Unknown("BrandNew2027".into())));
            assert_eq!((rejection.status, rejection.advice), (status, advice));
        }
    }

    #[test]
    fn a_body_that_makes_no_sense_leaves_the_status() {
        let huge = vec![b'x'; 10_000_000];
        for body in [b"".as_slice(), b"<html>", &huge] {
            let rejection = rejection(503, body);
            assert_eq!((rejection.status, rejection.reason), (503, None));
            assert_eq!(rejection.advice, Advice::RetryLater);
        }
    }

    #[test]
    fn a_token_registered_again_survives_an_older_410() {
        let dead_since = 1_508_249_865_488;
        let rejection = rejection(410, br#"{"reason":"Unregistered","timestamp":1508249865488}"#);
        let kills = |millis| rejection.kills_token_registered_at(UnixTime::from_millis(millis));
        assert!(kills(dead_since - 1_000) && kills(dead_since));
        assert!(!kills(dead_since + 1_000));
    }

    #[test]
    fn without_a_timestamp_410_kills_and_nothing_else_ever_does() {
        assert!(rejection(410, b"").kills_token_registered_at(UnixTime::from_secs(1)));
        for reason in Reason::known().filter(|reason| reason.documented_status() != Some(410)) {
            let body = format!(r#"{{"reason":"{reason}","timestamp":2}}"#);
            let rejection = rejection(reason.documented_status().unwrap(), body.as_bytes());
            assert!(!rejection.kills_token_registered_at(UnixTime::from_secs(0)), "{reason}");
        }
    }
}
