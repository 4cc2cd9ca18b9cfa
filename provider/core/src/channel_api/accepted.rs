use serde::Deserialize;

use super::answer::ChannelAnswer;
use super::error::ChannelError;
use crate::channel::{Channel, MessageStoragePolicy};
use crate::channel_id::ChannelId;

/// The answer to a request about channels that was done; each request has a way to read what came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AcceptedChannelAnswer {
    status: u16,
    channel_id: Option<Box<str>>,
    body: Vec<u8>,
}

impl AcceptedChannelAnswer {
    pub(super) fn new(status: u16, channel_id: Option<Box<str>>, body: Vec<u8>) -> Self {
        Self { status, channel_id, body }
    }

    /// The channel that was created with this policy.
    ///
    /// # Errors
    /// [`ChannelError::Unreadable`]: there is a channel, but what came is no ID; [list](super::ChannelRequest::list) the channels.
    pub fn created(self, storage: MessageStoragePolicy) -> Result<Channel, ChannelError> {
        let id = self.channel_id.as_deref().ok_or_else(|| self.unreadable(&"there is no apns-channel-id"))?;
        let id = ChannelId::parse(id).map_err(|error| self.unreadable(&error))?;
        Ok(Channel { id, storage })
    }

    /// How the channel with this ID was created.
    ///
    /// # Errors
    /// [`ChannelError::Unreadable`].
    pub fn read(self, id: ChannelId) -> Result<Channel, ChannelError> {
        let Configuration { message_storage_policy: number } = self.json()?;
        let storage = MessageStoragePolicy::from_number(number);
        let storage = storage
            .ok_or_else(|| self.unreadable(&format!("message-storage-policy {number} is not known")))?;
        Ok(Channel { id, storage })
    }

    /// The IDs of the app's channels, in the order in which they came.
    ///
    /// # Errors
    /// [`ChannelError::Unreadable`].
    pub fn listed(self) -> Result<Vec<ChannelId>, ChannelError> {
        let List { channels } = self.json()?;
        let ids = channels.iter().map(|id| ChannelId::parse(id).map_err(|error| self.unreadable(&error)));
        ids.collect()
    }

    fn json<'de, T: Deserialize<'de>>(&'de self) -> Result<T, ChannelError> {
        if self.body.len() > ChannelAnswer::BODY_BYTES_MAX {
            return Err(self.unreadable(&"its body is too long"));
        }
        serde_json::from_slice(&self.body).map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, why: &impl ToString) -> ChannelError {
        ChannelError::Unreadable { status: self.status, why: why.to_string() }
    }
}

/// Keys that Apple adds are passed over. `push-type` is not looked at: there are channels for Live Activities alone, and Apple spells it
/// in three ways.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Configuration {
    message_storage_policy: u64,
}

#[derive(Deserialize)]
struct List {
    channels: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORES: MessageStoragePolicy = MessageStoragePolicy::MostRecentMessageStored;

    fn answer(channel_id: Option<&str>, body: &[u8]) -> AcceptedChannelAnswer {
        AcceptedChannelAnswer::new(200, channel_id.map(Into::into), body.to_vec())
    }

    fn id(text: &str) -> ChannelId {
        ChannelId::parse(text).unwrap()
    }

    fn why<T: std::fmt::Debug>(result: Result<T, ChannelError>) -> String {
        match result {
            Err(ChannelError::Unreadable { status: 200, why }) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn c67_a_channel_is_created_under_the_id_that_came() {
        assert_eq!(
            answer(Some("YQ=="), b"").created(STORES),
            Ok(Channel { id: id("YQ=="), storage: STORES })
        );
        assert_eq!(why(answer(None, b"").created(STORES)), "there is no apns-channel-id");
        assert!(why(answer(Some("no ID"), b"").created(STORES)).contains("not base64"));
    }

    #[test]
    fn c67_a_channel_has_the_policy_that_it_was_created_with() {
        for (number, storage) in [(0, MessageStoragePolicy::NoMessageStored), (1, STORES)] {
            let body = format!(r#"{{"message-storage-policy":{number},"push-type":"LiveActivity","new":1}}"#);
            assert_eq!(
                answer(None, body.as_bytes()).read(id("YQ==")),
                Ok(Channel { id: id("YQ=="), storage })
            );
        }
        let odd = why(answer(None, br#"{"message-storage-policy":2}"#).read(id("YQ==")));
        assert_eq!(odd, "message-storage-policy 2 is not known");
        assert!(why(answer(None, b"").read(id("YQ=="))).contains("EOF"));
    }

    #[test]
    fn c67_a_list_is_read_whole_or_not_at_all() {
        let list = answer(None, br#"{"channels":["YQ==","Yg=="]}"#).listed();
        assert_eq!(list, Ok(vec![id("YQ=="), id("Yg==")]));
        assert_eq!(answer(None, br#"{"channels":[]}"#).listed(), Ok(Vec::new()));
        assert!(why(answer(None, br#"{"channels":["YQ==","?"]}"#).listed()).contains("not base64"));
        let mut endless = ChannelAnswer::new(200);
        endless.read_body(br#"{"channels":[]}"#);
        endless.read_body(&vec![b' '; 2 * ChannelAnswer::BODY_BYTES_MAX]);
        let endless = endless.check(crate::ApnsId::from_random([0; 16])).unwrap();
        assert_eq!(endless.body.len(), ChannelAnswer::BODY_BYTES_MAX + 1);
        assert_eq!(why(endless.listed()), "its body is too long");
    }
}
