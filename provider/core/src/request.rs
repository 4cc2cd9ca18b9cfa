use std::fmt;

use crate::apns_id::ApnsId;
use crate::collapse_id::CollapseId;
use crate::notification::{Broadcast, Push};
use crate::provider_token::ProviderToken;
use crate::push_type::PushType;

impl Push {
    /// The header of the request that sends this push to the host `authority`: `POST /3/device/<token>`.
    /// Without a provider token the connection's certificate speaks for the team.
    ///
    /// Allocates nothing: every value is already written in the push or the token. There is no
    /// `content-length`: APNs does not ask for it, the stream's end says the same, and its many values would
    /// push others out of the HPACK table.
    pub fn request_fields<'a>(
        &'a self,
        authority: &'a str,
        provider_token: Option<&'a ProviderToken>,
    ) -> impl Iterator<Item = Field<'a>> {
        use Indexing::{Incremental, Literal, Never};
        let notification = self.notification();
        let collapse_id = notification.collapse_id().map(CollapseId::as_str);
        let always = [
            field(":method", "POST", Incremental),
            field(":scheme", "https", Incremental),
            field(":authority", authority, Incremental),
            field(":path", self.device_token().path(), Never),
            field("apns-topic", notification.topic().as_str(), Incremental),
            field("apns-push-type", notification.push_type().as_str(), Incremental),
            field("apns-priority", notification.priority().as_str(), Incremental),
            field("apns-id", self.apns_id().as_str(), Literal),
        ];
        let sometimes = [
            provider_token.map(|token| field("authorization", token.authorization(), Never)),
            notification.expiration_text().map(|expiration| field("apns-expiration", expiration, Literal)),
            collapse_id.map(|collapse_id| field("apns-collapse-id", collapse_id, Literal)),
        ];
        always.into_iter().chain(sometimes.into_iter().flatten())
    }
}

impl Broadcast {
    /// The header of the request that sends this broadcast to the host `authority`: `POST /4/broadcasts/apps/<bundle ID>`. There is no
    /// topic: the path names the app, and nothing but Live Activities is broadcast.
    pub fn request_fields<'a>(
        &'a self,
        request_id: &'a ApnsId,
        authority: &'a str,
        provider_token: Option<&'a ProviderToken>,
    ) -> impl Iterator<Item = Field<'a>> {
        use Indexing::{Incremental, Literal, Never};
        let always = [
            field(":method", "POST", Incremental),
            field(":scheme", "https", Incremental),
            field(":authority", authority, Incremental),
            field(":path", self.path(), Incremental),
            field("apns-channel-id", self.channel_id().as_str(), Literal),
            field("apns-push-type", PushType::LiveActivity.as_str(), Incremental),
            field("apns-priority", self.priority().as_str(), Incremental),
            field("apns-expiration", self.expiration_text(), Literal),
            field("apns-request-id", request_id.as_str(), Literal),
        ];
        always
            .into_iter()
            .chain(provider_token.map(|token| field("authorization", token.authorization(), Never)))
    }
}

/// One field of a request's header, in the form an HPACK encoder takes. `Debug` shows no value: some are
/// secret.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Field<'a> {
    /// The name, in lower case; pseudo-header fields begin with `:` and come first.
    pub name: &'static str,
    /// The value.
    pub value: &'a [u8],
    /// How to encode it.
    pub indexing: Indexing,
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field")
            .field("name", &self.name)
            .field("indexing", &self.indexing)
            .finish_non_exhaustive()
    }
}

/// How to encode a field (RFC 7541 section 6.2), as Apple advises in "Sending notification requests to APNs":
/// the table that APNs keeps is small, and what changes with each push would drive out what does not.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Indexing {
    /// With incremental indexing: the same for many pushes.
    Incremental,
    /// Without indexing: different for each push. The name may refer to a table.
    Literal,
    /// Never indexed, by nobody on the way: it names a device or is a secret.
    Never,
}

pub(crate) fn field<'a>(name: &'static str, value: &'a str, indexing: Indexing) -> Field<'a> {
    Field { name, value: value.as_bytes(), indexing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apns_id::ApnsId;
    use crate::channel_id::ChannelId;
    use crate::device_token::DeviceToken;
    use crate::expiration::Expiration;
    use crate::notification::{AlertNotification, LiveActivityEnd, Notification};
    use crate::provider_token::{TokenSource, generated_key};
    use crate::topic::BundleId;
    use crate::unix_time::UnixTime;

    #[test]
    fn a_full_request_has_every_field_as_apple_advises_to_encode_it() {
        let notification = alert().expiration(Expiration::at_secs(1_700_000_000).unwrap());
        let notification = notification.collapse_id(CollapseId::parse("match-7").unwrap()).build().unwrap();
        let push = push(notification);
        let token = provider_token();
        let fields: Vec<Field<'_>> = push.request_fields("api.push.apple.com", Some(&token)).collect();
        let expected = [
            (":method", "POST", Indexing::Incremental),
            (":scheme", "https", Indexing::Incremental),
            (":authority", "api.push.apple.com", Indexing::Incremental),
            (":path", "/3/device/00fc13ad", Indexing::Never),
            ("apns-topic", "com.example.app", Indexing::Incremental),
            ("apns-push-type", "alert", Indexing::Incremental),
            ("apns-priority", "10", Indexing::Incremental),
            ("apns-id", "00000000-0000-4000-8000-000000000000", Indexing::Literal),
            ("authorization", token.authorization(), Indexing::Never),
            ("apns-expiration", "1700000000", Indexing::Literal),
            ("apns-collapse-id", "match-7", Indexing::Literal),
        ];
        let expected: Vec<Field<'_>> = expected.map(|(name, value, hint)| field(name, value, hint)).into();
        assert!(fields == expected, "{fields:?}");
    }

    #[test]
    fn what_was_not_asked_for_is_not_sent() {
        let push = push(alert().build().unwrap());
        let names: Vec<&str> = push.request_fields("localhost", None).map(|field| field.name).collect();
        let always = [
            ":method",
            ":scheme",
            ":authority",
            ":path",
            "apns-topic",
            "apns-push-type",
            "apns-priority",
            "apns-id",
        ];
        assert_eq!(names, always);
    }

    #[test]
    fn to_try_once_is_sent_as_0() {
        let push = push(alert().expiration(Expiration::ONCE).build().unwrap());
        let expiration = push.request_fields("localhost", None).find(|field| field.name == "apns-expiration");
        assert_eq!(expiration.unwrap().value, b"0");
    }

    #[test]
    fn c67_a_broadcast_names_its_app_in_the_path_and_its_channel_in_a_field() {
        let now = UnixTime::from_secs(1_700_000_000);
        let channel_id = ChannelId::parse("dHN0LXNyY2gtY2hubA==").unwrap();
        let app = BundleId::parse("com.example.app").unwrap();
        let broadcast = LiveActivityEnd::new(app, now).broadcast(channel_id).unwrap();
        let (request_id, token) = (ApnsId::from_random([0; 16]), provider_token());
        let fields = broadcast.request_fields(&request_id, "api.push.apple.com", Some(&token));
        let expected = [
            (":method", "POST", Indexing::Incremental),
            (":scheme", "https", Indexing::Incremental),
            (":authority", "api.push.apple.com", Indexing::Incremental),
            (":path", "/4/broadcasts/apps/com.example.app", Indexing::Incremental),
            ("apns-channel-id", "dHN0LXNyY2gtY2hubA==", Indexing::Literal),
            ("apns-push-type", "liveactivity", Indexing::Incremental),
            ("apns-priority", "10", Indexing::Incremental),
            ("apns-expiration", "0", Indexing::Literal),
            ("apns-request-id", "00000000-0000-4000-8000-000000000000", Indexing::Literal),
            ("authorization", token.authorization(), Indexing::Never),
        ];
        let expected: Vec<Field<'_>> = expected.map(|(name, value, hint)| field(name, value, hint)).into();
        assert!(fields.eq(expected));
    }

    #[test]
    fn logs_show_no_values() {
        let (push, token) = (push(alert().build().unwrap()), provider_token());
        let log = format!("{:?}", push.request_fields("localhost", Some(&token)).collect::<Vec<_>>());
        assert!(log.contains("authorization"), "{log}");
        assert!(!log.contains("00fc13ad") && !log.contains(token.jwt()), "{log}");
    }

    fn alert() -> AlertNotification {
        AlertNotification::new(BundleId::parse("com.example.app").unwrap()).alert("Hi")
    }

    fn push(notification: Notification) -> Push {
        let device_token = DeviceToken::from_hex("00FC13AD").unwrap();
        Push::new(notification, device_token, ApnsId::from_random([0; 16]))
    }

    fn provider_token() -> ProviderToken {
        TokenSource::new(generated_key(1)).token(UnixTime::from_secs(1_700_000_000)).unwrap()
    }
}
