//! What came over the wire for one push, kept once for all that is told of it.

use std::{borrow::Cow, fmt};

use super::authorization;
use crate::{ConnectionId, Environment, FieldName, Priority, PushType, Request, fields, rules::DEVICE_PATH};

/// What came over the wire for one push: where, every field as it came, and the payload.
///
/// Whoever asks is told all of it but what is secret in `authorization`: of a JWT its signature is cut, of anything else all but
/// the scheme, with `…` in its place.
#[derive(Clone, PartialEq)]
pub struct ReceivedRequest {
    connection: ConnectionId,
    stream: u32,
    environment: Environment,
    payload_at: usize,
    /// All fields, as [`fields`] writes them, and the payload: in one piece, since each push makes one.
    bytes: Box<[u8]>,
}

impl ReceivedRequest {
    pub(crate) fn new(
        connection: ConnectionId,
        stream: u32,
        environment: Environment,
        request: &Request,
        payload: &[u8],
    ) -> Self {
        let written = request.written();
        let bytes = [written, payload].concat().into();
        Self { connection, stream, environment, payload_at: written.len(), bytes }
    }

    /// The connection that it came on.
    pub fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// The stream that it came on.
    pub fn stream(&self) -> u32 {
        self.stream
    }

    /// The environment that it was sent to.
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// Every field as name and value, in the order of arrival: pseudo-header fields, those that APNs does not know, and
    /// those that came more than once.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], Cow<'_, [u8]>)> {
        self.raw_fields().map(|(name, value)| match name {
            AUTHORIZATION => (name, authorization::without_secret(value).into()),
            _ => (name, value.into()),
        })
    }

    /// The value of `name` as text: of its first field, when it is repeated. What is not UTF-8 in it is replaced by U+FFFD.
    pub fn text(&self, name: FieldName) -> Option<Cow<'_, str>> {
        let (_, value) = self.fields().find(|field| field.0 == name.as_str().as_bytes())?;
        Some(match value {
            Cow::Borrowed(value) => String::from_utf8_lossy(value),
            Cow::Owned(value) => String::from_utf8_lossy(&value).into_owned().into(),
        })
    }

    /// What stands in the path where a device token belongs.
    pub fn device_token(&self) -> Option<Cow<'_, str>> {
        self.field(FieldName::Path)?.strip_prefix(DEVICE_PATH).map(String::from_utf8_lossy)
    }

    /// The `apns-push-type`, if there was one that APNs knows.
    pub fn push_type(&self) -> Option<PushType> {
        self.field(FieldName::ApnsPushType).and_then(PushType::parse)
    }

    /// The `apns-priority`, if there was one that APNs knows.
    pub fn priority(&self) -> Option<Priority> {
        self.field(FieldName::ApnsPriority).and_then(Priority::parse)
    }

    /// The payload as it came; of one that is too large perhaps only the beginning.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[self.payload_at..]
    }

    /// The value of `name`, which may be secret: of its first field, when it is repeated.
    pub(crate) fn field(&self, name: FieldName) -> Option<&[u8]> {
        self.raw_fields().find(|field| field.0 == name.as_str().as_bytes()).map(|field| field.1)
    }

    /// The request once more, secrets and all, for the rules to judge.
    pub(crate) fn to_request(&self) -> Request {
        Request::from_written(&self.bytes[..self.payload_at])
    }

    /// Every field as it came, secrets and all.
    pub(super) fn raw_fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        fields::iter(&self.bytes[..self.payload_at])
    }
}

impl fmt::Debug for ReceivedRequest {
    /// Its fields and its payload as text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn text(bytes: &[u8]) -> Cow<'_, str> {
            String::from_utf8_lossy(bytes)
        }
        let fields: Vec<_> =
            self.fields().map(|(name, value)| (text(name), text(&value).into_owned())).collect();
        f.debug_struct("ReceivedRequest")
            .field("connection", &self.connection)
            .field("stream", &self.stream)
            .field("environment", &self.environment)
            .field("fields", &fields)
            .field("payload", &text(self.payload()))
            .finish_non_exhaustive()
    }
}

const AUTHORIZATION: &[u8] = FieldName::Authorization.as_str().as_bytes();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn received(fields: &[(&[u8], &[u8])], payload: &[u8]) -> ReceivedRequest {
        let mut request = Request::new();
        for (name, value) in fields {
            request.field(name, value);
        }
        ReceivedRequest::new(ConnectionId(3), 5, Environment::Sandbox, &request, payload)
    }

    #[test]
    fn a_field_is_found_by_its_name_and_of_a_repeated_one_the_first() {
        let fields: [(&[u8], &[u8]); 4] =
            [(b":path", b"/"), (b"apns-id", b"1"), (b"apns-id", b"2"), (b"x-other", b"\xff")];
        let received = received(&fields, b"{}");
        assert_eq!(received.field(FieldName::ApnsId), Some(&b"1"[..]));
        assert_eq!(received.field(FieldName::ApnsTopic), None);
        assert_eq!((received.connection(), received.stream()), (ConnectionId(3), 5));
    }

    #[test]
    fn no_secret_is_told_however_often_authorization_comes() {
        let jwt = b"bearer eyJhIjoxfQ.eyJiIjoyfQ.SECRET";
        let fields: [(&[u8], &[u8]); 4] = [
            (b"authorization", jwt),
            (b"authorization", jwt),
            (b"authorization", b"Basic SECRET"),
            (b"apns-id", b"1"),
        ];
        let received = received(&fields, b"");
        assert!(!format!("{received:?}").contains("SECRET"));
        let kept = "bearer eyJhIjoxfQ.eyJiIjoyfQ.…";
        assert_eq!(received.text(FieldName::Authorization).unwrap(), kept);
        assert_eq!(&*received.fields().nth(1).unwrap().1, kept.as_bytes());
        assert_eq!(&*received.fields().nth(2).unwrap().1, "Basic … (6 bytes)".as_bytes());
        assert_eq!(received.field(FieldName::ApnsId), Some(&b"1"[..]));
    }

    proptest! {
        #[test]
        fn every_field_and_the_payload_are_kept_as_they_came(
            fields in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..20), prop::collection::vec(any::<u8>(), 0..300)), 0..20),
            payload in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let fields: Vec<(&[u8], &[u8])> = fields.iter().map(|(name, value)| (&name[..], &value[..])).collect();
            let received = received(&fields, &payload);
            prop_assert!(received.raw_fields().eq(fields.iter().copied()));
            prop_assert!(received.to_request().fields().eq(fields.iter().copied()));
            prop_assert_eq!(received.payload(), &payload[..]);
        }
    }
}
