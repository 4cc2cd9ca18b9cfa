use super::accepted::AcceptedChannelAnswer;
use super::error::{ChannelError, ChannelRejection};
use crate::advice::Advice;
use crate::apns_id::ApnsId;
use crate::error_body::ErrorBody;
use crate::retry_after::RetryAfter;

/// What the channel management answered, gathered as it arrives: the status, then header fields, then the body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChannelAnswer {
    status: u16,
    request_id: Option<ApnsId>,
    channel_id: Option<Box<str>>,
    retry_after: Option<RetryAfter>,
    body: Vec<u8>,
}

impl ChannelAnswer {
    /// The longest body that is read, in bytes. A list of 10,000 channels, the most that an app may have, has this length with IDs of
    /// [`ChannelId::BYTES_MAX`](crate::ChannelId::BYTES_MAX); Apple's example has 20.
    pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

    /// An answer with this `:status` and nothing else yet.
    pub fn new(status: u16) -> Self {
        Self { status, request_id: None, channel_id: None, retry_after: None, body: Vec::new() }
    }

    /// Takes note of a header field. Fields nobody asks for are passed over.
    pub fn read_header(&mut self, name: &[u8], value: &[u8]) {
        if name.eq_ignore_ascii_case(b"apns-request-id") {
            self.request_id = ApnsId::from_wire(value);
        } else if name.eq_ignore_ascii_case(b"apns-channel-id") {
            self.channel_id = Some(String::from_utf8_lossy(value).into());
        } else if name.eq_ignore_ascii_case(b"retry-after") {
            self.retry_after = RetryAfter::parse(value);
        }
    }

    /// Takes a part of the body. Of what is longer than [`BODY_BYTES_MAX`](Self::BODY_BYTES_MAX) one byte is kept, which tells that it is.
    pub fn read_body(&mut self, part: &[u8]) {
        let room = (Self::BODY_BYTES_MAX + 1).saturating_sub(self.body.len());
        self.body.extend_from_slice(&part[..part.len().min(room)]);
    }

    /// Whether it is the answer to the request with this ID, and says that it was done.
    ///
    /// Any status from 200 to 299 says so: Apple documents 201 for create and 204 for delete, and 200 was seen for create (APNSwift
    /// #235).
    ///
    /// # Errors
    /// [`ChannelError::OtherRequest`] or [`ChannelError::Rejected`].
    pub fn check(self, sent: ApnsId) -> Result<AcceptedChannelAnswer, ChannelError> {
        if let Some(answered) = self.request_id.filter(|answered| *answered != sent) {
            return Err(ChannelError::OtherRequest { sent, answered });
        }
        if let DONE_FIRST..=DONE_LAST = self.status {
            return Ok(AcceptedChannelAnswer::new(self.status, self.channel_id, self.body));
        }
        let reason = ErrorBody::parse(&self.body).reason;
        Err(ChannelError::Rejected(ChannelRejection {
            status: self.status,
            request_id: sent,
            retry_after: self.retry_after,
            advice: Advice::of(self.status, reason.as_ref()).without_device(),
            reason,
        }))
    }
}

/// RFC 9110 section 15.3: the request was done.
const DONE_FIRST: u16 = 200;
const DONE_LAST: u16 = 299;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reason::Reason;

    const SENT: [u8; 16] = [7; 16];

    fn rejected(status: u16, body: &[u8]) -> ChannelRejection {
        let mut answer = ChannelAnswer::new(status);
        answer.read_header(b"apns-request-id", ApnsId::from_random(SENT).as_str().as_bytes());
        answer.read_header(b"retry-after", b"30");
        answer.read_body(body);
        match answer.check(ApnsId::from_random(SENT)) {
            Err(ChannelError::Rejected(rejection)) => rejection,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn c67_a_refusal_keeps_its_reason_and_says_what_to_do() {
        let rejection = rejected(400, br#"{"reason":"ChannelNotRegistered"}"#);
        assert_eq!(rejection.reason, Some(Reason::ChannelNotRegistered));
        assert_eq!((rejection.status, rejection.advice), (400, Advice::FixApp));
        assert_eq!(rejection.retry_after, RetryAfter::parse(b"30"));
        assert_eq!(rejection.request_id, ApnsId::from_random(SENT));
        let rejection = rejected(429, br#"{"reason":"BrandNew2027"}"#);
        assert_eq!(rejection.reason, Some(Reason::Unknown("BrandNew2027".into())));
        assert_eq!(rejection.advice, Advice::RetryLater);
        assert_eq!((rejected(503, b"").reason, rejected(302, b"<html>").status), (None, 302));
    }

    #[test]
    fn no_refusal_about_channels_speaks_of_a_device() {
        let advice =
            |status, word: &str| rejected(status, format!(r#"{{"reason":"{word}"}}"#).as_bytes()).advice;
        assert_eq!((advice(429, ""), advice(410, "")), (Advice::RetryLater, Advice::FixApp));
        assert_eq!(advice(429, "TooManyRequests"), Advice::RetryLater);
        assert_eq!(advice(429, "TooManyProviderTokenUpdates"), Advice::RestConnection);
        for reason in Reason::known() {
            let advice = advice(reason.documented_status().unwrap(), reason.as_str());
            let is_device =
                matches!(advice, Advice::CheckToken | Advice::RemoveToken | Advice::SlowDownDevice);
            assert!(!is_device, "{reason}: {advice:?}");
        }
    }

    #[test]
    fn c67_the_answer_to_another_request_is_not_taken() {
        let (sent, answered) = (ApnsId::from_random(SENT), ApnsId::from_random([8; 16]));
        let mut answer = ChannelAnswer::new(204);
        answer.read_header(b"apns-request-id", answered.as_str().as_bytes());
        assert_eq!(answer.check(sent), Err(ChannelError::OtherRequest { sent, answered }));
        assert!(ChannelAnswer::new(204).check(sent).is_ok(), "it need not name one");
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(
            status: u16,
            value in prop::collection::vec(any::<u8>(), 0..60),
            body in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut answer = ChannelAnswer::new(status);
            for name in ["apns-request-id", "apns-channel-id", "retry-after"] {
                answer.read_header(name.as_bytes(), &value);
            }
            answer.read_body(&body);
            let is_done = answer.check(ApnsId::from_random(SENT)).is_ok();
            prop_assert_eq!(is_done, (200..300).contains(&status));
        }
    }
}
