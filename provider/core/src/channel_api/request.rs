use bytes::Bytes;
use serde::Serialize;

use crate::apns_id::ApnsId;
use crate::channel::MessageStoragePolicy;
use crate::channel_id::ChannelId;
use crate::provider_token::ProviderToken;
use crate::request::{Field, Indexing, field};
use crate::topic::BundleId;

/// One request to the channel management of APNs.
///
/// The `request_id`, which the caller draws, is the request's own: APNs gives it back in its answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChannelRequest {
    method: &'static str,
    path: Box<str>,
    channel_id: Option<ChannelId>,
    request_id: ApnsId,
    body: Bytes,
}

impl ChannelRequest {
    /// Creates a channel for Live Activities, the one push type that there are channels for.
    pub fn create(bundle_id: &BundleId, storage: MessageStoragePolicy, request_id: ApnsId) -> Self {
        let body = NewChannel { message_storage_policy: storage.as_number(), push_type: "LiveActivity" };
        let body = serde_json::to_vec(&body).expect("a number and a text have a JSON form");
        Self { body: body.into(), ..Self::to("POST", path(bundle_id, "channels"), None, request_id) }
    }

    /// Asks how a channel was created.
    pub fn read(bundle_id: &BundleId, channel_id: ChannelId, request_id: ApnsId) -> Self {
        Self::to("GET", path(bundle_id, "channels"), Some(channel_id), request_id)
    }

    /// Deletes a channel. Messages that are on their way may still arrive.
    pub fn delete(bundle_id: &BundleId, channel_id: ChannelId, request_id: ApnsId) -> Self {
        Self::to("DELETE", path(bundle_id, "channels"), Some(channel_id), request_id)
    }

    /// Asks for all channels of the app.
    pub fn list(bundle_id: &BundleId, request_id: ApnsId) -> Self {
        Self::to("GET", path(bundle_id, "all-channels"), None, request_id)
    }

    /// The header of the request to the host `authority`. Without a provider token the connection's certificate speaks for the team.
    pub fn fields<'a>(
        &'a self,
        authority: &'a str,
        provider_token: Option<&'a ProviderToken>,
    ) -> impl Iterator<Item = Field<'a>> {
        use Indexing::{Incremental, Literal, Never};
        let always = [
            field(":method", self.method, Incremental),
            field(":scheme", "https", Incremental),
            field(":authority", authority, Incremental),
            field(":path", &self.path, Incremental),
            field("apns-request-id", self.request_id.as_str(), Literal),
        ];
        let channel_id = self.channel_id.as_ref();
        let sometimes = [
            channel_id.map(|channel_id| field("apns-channel-id", channel_id.as_str(), Literal)),
            provider_token.map(|token| field("authorization", token.authorization(), Never)),
        ];
        always.into_iter().chain(sometimes.into_iter().flatten())
    }

    /// The body, empty where there is none.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// `apns-request-id`.
    pub fn request_id(&self) -> &ApnsId {
        &self.request_id
    }

    fn to(method: &'static str, path: Box<str>, channel_id: Option<ChannelId>, request_id: ApnsId) -> Self {
        Self { method, path, channel_id, request_id, body: Bytes::new() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct NewChannel {
    message_storage_policy: u8,
    push_type: &'static str,
}

fn path(bundle_id: &BundleId, last: &str) -> Box<str> {
    format!("/1/apps/{bundle_id}/{last}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: &str = "dHN0LXNyY2gtY2hubA==";
    const REQUEST: &str = "00000000-0000-4000-8000-000000000000";

    fn told(request: &ChannelRequest) -> Vec<(&str, &str)> {
        let authority = "api-manage-broadcast.push.apple.com:2196";
        let fields = request.fields(authority, None).map(|it| (it.name, str::from_utf8(it.value).unwrap()));
        let told: Vec<_> = fields.collect();
        assert_eq!(told[1..3], [(":scheme", "https"), (":authority", authority)]);
        [&told[..1], &told[3..]].concat()
    }

    #[test]
    fn c67_each_request_is_as_apple_writes_it() {
        let app = BundleId::parse("com.example.app").unwrap();
        let (channel_id, id) = (ChannelId::parse(CHANNEL).unwrap(), ApnsId::from_random([0; 16]));
        let (channels, all) = ("/1/apps/com.example.app/channels", "/1/apps/com.example.app/all-channels");
        let identity = ("apns-request-id", REQUEST);
        let about = ("apns-channel-id", CHANNEL);

        let create = ChannelRequest::create(&app, MessageStoragePolicy::MostRecentMessageStored, id);
        assert_eq!(told(&create), [(":method", "POST"), (":path", channels), identity]);
        assert_eq!(create.body(), r#"{"message-storage-policy":1,"push-type":"LiveActivity"}"#);
        let create = ChannelRequest::create(&app, MessageStoragePolicy::NoMessageStored, id);
        assert_eq!(create.body(), r#"{"message-storage-policy":0,"push-type":"LiveActivity"}"#);

        let read = ChannelRequest::read(&app, channel_id.clone(), id);
        assert_eq!(told(&read), [(":method", "GET"), (":path", channels), identity, about]);
        let delete = ChannelRequest::delete(&app, channel_id, id);
        assert_eq!(told(&delete), [(":method", "DELETE"), (":path", channels), identity, about]);
        let list = ChannelRequest::list(&app, id);
        assert_eq!(told(&list), [(":method", "GET"), (":path", all), identity]);
        assert!([read, delete, list].iter().all(|request| request.body().is_empty()));
    }
}
