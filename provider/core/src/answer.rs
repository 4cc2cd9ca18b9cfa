use crate::apns_id::ApnsId;
use crate::error_body::ErrorBody;
use crate::http_date;
use crate::reason::Reason;
use crate::retry_after::RetryAfter;
use crate::unix_time::UnixTime;

/// What APNs answered to one push or broadcast, gathered as it arrives: the status, then header fields, then the body.
///
/// Gathering never fails and, for an accepted push in production, never allocates.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    status: u16,
    apns_id: Option<ApnsId>,
    request_id: Option<ApnsId>,
    apns_unique_id: Option<Box<str>>,
    retry_after: Option<RetryAfter>,
    date: Option<UnixTime>,
    body: ErrorBody,
}

impl Answer {
    /// An answer with this `:status` and nothing else yet.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            apns_id: None,
            request_id: None,
            apns_unique_id: None,
            retry_after: None,
            date: None,
            body: ErrorBody::default(),
        }
    }

    /// Takes note of a header field. Fields nobody asks for, and values that make no sense, are passed over.
    pub fn read_header(&mut self, name: &[u8], value: &[u8]) {
        if name.eq_ignore_ascii_case(b"apns-id") {
            self.apns_id = ApnsId::from_wire(value);
        } else if name.eq_ignore_ascii_case(b"apns-request-id") {
            self.request_id = ApnsId::from_wire(value);
        } else if name.eq_ignore_ascii_case(b"apns-unique-id") {
            self.apns_unique_id = str::from_utf8(value).ok().map(Into::into);
        } else if name.eq_ignore_ascii_case(b"retry-after") {
            self.retry_after = RetryAfter::parse(value);
        } else if name.eq_ignore_ascii_case(b"date") {
            self.date = str::from_utf8(value).ok().and_then(http_date::parse);
        }
    }

    /// Takes note of the whole body, of which more than [`ErrorBody::BYTES_MAX`] need not be collected.
    pub fn read_body(&mut self, body: &[u8]) {
        self.body = ErrorBody::parse(body);
    }

    /// The status; APNs uses 200, 400, 403, 404, 405, 410, 413, 429, 500 and 503.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// `apns-request-id` of a broadcast's answer or `apns-id` of a push's, if there is a well-formed one.
    pub fn apns_id(&self) -> Option<ApnsId> {
        self.request_id.or(self.apns_id)
    }

    /// `apns-unique-id`, which the sandbox gives: the key to the delivery log of Apple's console.
    pub fn apns_unique_id(&self) -> Option<&str> {
        self.apns_unique_id.as_deref()
    }

    /// When to come back, if the answer says so.
    pub fn retry_after(&self) -> Option<RetryAfter> {
        self.retry_after
    }

    /// When it was given by the server's clock, if the answer says so (RFC 9110 section 6.6.1).
    pub fn date(&self) -> Option<UnixTime> {
        self.date
    }

    /// Why it was refused, if the answer says so.
    pub fn reason(&self) -> Option<&Reason> {
        self.body.reason.as_ref()
    }

    /// When APNs found the device token dead.
    pub fn timestamp(&self) -> Option<UnixTime> {
        self.body.timestamp
    }

    /// Whether this can be the answer to the push with this ID: it names the same one, or none.
    pub fn is_for(&self, apns_id: ApnsId) -> bool {
        self.apns_id().is_none_or(|answered| answered == apns_id)
    }

    pub(crate) fn into_parts(self) -> (Option<Box<str>>, ErrorBody) {
        (self.apns_unique_id, self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn header_names_are_read_in_any_case_and_nonsense_is_passed_over() {
        let mut answer = Answer::new(503);
        answer.read_header(b"Retry-After", b"30");
        answer.read_header(b"apns-id", b"07C0F2E2-7CE0-71EC-D0D6-E7089220F778");
        answer.read_header(b"APNS-Unique-ID", b"f3a1");
        answer.read_header(b"content-encoding", b"gzip");
        answer.read_header(b"date", b"Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(answer.date(), Some(UnixTime::from_secs(784_111_777)));
        answer.read_header(b"Date", b"yesterday");
        assert_eq!(answer.date(), None);
        let id = ApnsId::parse("07c0f2e2-7ce0-71ec-d0d6-e7089220f778").unwrap();
        assert_eq!(answer.apns_id(), Some(id));
        assert_eq!(answer.apns_unique_id(), Some("f3a1"));
        assert_eq!(answer.retry_after(), RetryAfter::parse(b"30"));
        assert!(answer.is_for(id) && !answer.is_for(ApnsId::from_random([0; 16])));

        let mut of_broadcast = Answer::new(200);
        of_broadcast.read_header(b"apns-request-id", b"07c0f2e2-7ce0-71ec-d0d6-e7089220f778");
        of_broadcast.read_header(b"apns-id", b"00000000-0000-4000-8000-000000000000");
        assert!(of_broadcast.is_for(id));

        let mut odd = Answer::new(200);
        odd.read_header(b"apns-id", b"none");
        assert!(odd.is_for(id));
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(
            status: u16,
            fields in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..60)), 0..4),
            body in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut answer = Answer::new(status);
            for (is_id, value) in fields {
                answer.read_header(if is_id { b"apns-id" } else { b"retry-after" }, &value);
            }
            answer.read_body(&body);
            prop_assert_eq!(answer.status(), status);
        }

        #[test]
        fn any_word_is_kept_verbatim(word in ".{1,80}") {
            let mut answer = Answer::new(400);
            answer.read_body(serde_json::json!({ "reason": word }).to_string().as_bytes());
            prop_assert_eq!(answer.reason().map(Reason::as_str), Some(word.as_str()));
        }
    }
}
