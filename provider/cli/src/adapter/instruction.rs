//! What a conformance suite says, one JSON object a line (docs/adapter-protocol.md).

use std::time::Duration;

use apns_provider::{Channels, Client, Credential, Endpoint, Proxy};
use apns_provider_core::{
    AmbiguousPushes, ApnsId, Broadcast, BundleId, ChannelId, CollapseId, DeviceToken, DispatchPolicy,
    Expiration, KeepAlivePolicy, LiveActivityUpdate, MessageStoragePolicy, Notification, Priority, Push,
    PushType, RetryPolicy, Topic, UnixTime,
};
use serde::Deserialize;

use super::clock::SetClock;

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub(super) enum Instruction {
    Configure(Box<Configure>),
    Send(Box<ToSend>),
    Broadcast(Box<ToBroadcast>),
    Channel(Box<ToChannel>),
    Register { device_token: String, at_ms: u64 },
    SetClock { now: u64 },
    Rotate { credential: Whose },
    Drain { within_ms: u64 },
    Exit {},
}

/// Where to, as whom, and how.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Configure {
    host: String,
    port: u16,
    /// Both environments are at the address that is given.
    #[serde(rename = "environment")]
    _environment: Option<Environment>,
    ca_pem: String,
    credential: Whose,
    deadline_ms: Option<u64>,
    attempts_max: Option<u32>,
    ambiguous: Option<Ambiguous>,
    connections_max: Option<usize>,
    idle_ping_ms: Option<u64>,
    silence_ms: Option<u64>,
    idle_connection_ms: Option<u64>,
    correct_clock: Option<bool>,
    proxy: Option<String>,
    first_stream: Option<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Environment {
    Sandbox,
    Production,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Ambiguous {
    Report,
    SendAgain,
}

/// A key for provider tokens, or a certificate with its private key.
#[derive(Deserialize)]
#[serde(untagged, rename_all_fields = "kebab-case")]
pub(super) enum Whose {
    Key { p8: String, key_id: String, team_id: String },
    Certificate { certificate_pem: String },
}

impl std::fmt::Debug for Whose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Whose") // secrets
    }
}

/// One push.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ToSend {
    /// By which its result is told.
    pub(super) id: String,
    device_token: String,
    topic: String,
    push_type: String,
    /// JSON, as it is to go out.
    payload: String,
    priority: Option<u8>,
    expiration: Option<u64>,
    collapse_id: Option<String>,
    apns_id: Option<String>,
}

/// One broadcast to a channel.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ToBroadcast {
    /// By which its result is told.
    pub(super) id: String,
    bundle_id: String,
    channel_id: String,
    /// Seconds since 1970.
    timestamp: u64,
    content_state: serde_json::Value,
    priority: Option<u8>,
    expiration: Option<u64>,
}

/// Something about channels, at an address of their own.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct ToChannel {
    /// By which its end is told.
    pub(super) id: String,
    port: u16,
    bundle_id: String,
    #[serde(flatten)]
    pub(super) what: ChannelDeed,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub(super) enum ChannelDeed {
    Create { stores: bool },
    Read { channel_id: String },
    List,
    Delete { channel_id: String },
}

impl Whose {
    pub(super) fn credential(&self) -> Result<Credential, String> {
        match self {
            Self::Key { p8, key_id, team_id } => Credential::from_p8(p8.as_bytes(), key_id, team_id),
            Self::Certificate { certificate_pem } => Credential::from_pem(certificate_pem.as_bytes()),
        }
        .map_err(|error| error.to_string())
    }
}

impl Configure {
    pub(super) fn client(&self, clock: SetClock) -> Result<Client, String> {
        let endpoint = Endpoint::custom(&self.host, self.port).map_err(|error| error.to_string())?;
        let mut builder = Client::builder(endpoint)
            .credential(self.credential.credential()?)
            .ca_pem(self.ca_pem.as_bytes())
            .clock(clock)
            .correct_clock(self.correct_clock.unwrap_or(false))
            .retry(self.retry()?)
            .keep_alive(self.keep_alive());
        if let Some(deadline) = self.deadline_ms {
            builder = builder.timeout(Duration::from_millis(deadline));
        }
        let mut policy = DispatchPolicy::default();
        if let Some(most) = self.connections_max {
            policy = policy.with_connections(1..=most).map_err(|error| error.to_string())?;
        }
        if let Some(idle) = self.idle_connection_ms {
            policy = policy.with_idle_time(Duration::from_millis(idle));
        }
        builder = builder.dispatch(policy);
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(Proxy::parse(proxy).map_err(|error| error.to_string())?);
        }
        if let Some(stream) = self.first_stream {
            builder = builder.first_stream(stream);
        }
        builder.build().map_err(|error| error.to_string())
    }

    /// A client for the channels of an app, at the same host.
    pub(super) fn channels(&self, of: &ToChannel) -> Result<Channels, String> {
        let endpoint = Endpoint::custom(&self.host, of.port).map_err(|error| error.to_string())?;
        let bundle_id = BundleId::parse(&of.bundle_id).map_err(|error| error.to_string())?;
        let builder = Channels::builder(endpoint, bundle_id)
            .credential(self.credential.credential()?)
            .ca_pem(self.ca_pem.as_bytes());
        builder.build().map_err(|error| error.to_string())
    }

    fn retry(&self) -> Result<RetryPolicy, String> {
        let policy = match self.attempts_max {
            None => RetryPolicy::default(),
            Some(1) => RetryPolicy::never(),
            Some(most) => {
                RetryPolicy::new(most, FIRST_PAUSE, LONGEST_PAUSE).map_err(|error| error.to_string())?
            }
        };
        Ok(match self.ambiguous {
            None => policy,
            Some(Ambiguous::Report) => policy.with_ambiguous_pushes(AmbiguousPushes::Report),
            Some(Ambiguous::SendAgain) => policy.with_ambiguous_pushes(AmbiguousPushes::SendAgain),
        })
    }

    fn keep_alive(&self) -> KeepAlivePolicy {
        let mut policy = KeepAlivePolicy::default();
        if let Some(idle) = self.idle_ping_ms {
            policy = policy.with_idle(Duration::from_millis(idle));
        }
        if let Some(silence) = self.silence_ms {
            policy = policy.with_silence(Duration::from_millis(silence));
        }
        policy
    }
}

impl ToSend {
    /// The push, or why there can be none.
    pub(super) fn push(&self) -> Result<Push, String> {
        let topic = Topic::parse(&self.topic).map_err(|error| error.to_string())?;
        let push_type = PushType::from_wire(&self.push_type);
        let push_type = push_type.ok_or_else(|| format!("no push type is called {:?}", self.push_type))?;
        let mut builder = Notification::raw(push_type, topic, self.payload.clone());
        if let Some(priority) = self.priority {
            builder = builder.priority(priority_of(priority)?);
        }
        if let Some(expiration) = self.expiration {
            builder = builder.expiration(expiration_of(expiration)?);
        }
        if let Some(collapse_id) = &self.collapse_id {
            builder = builder.collapse_id(CollapseId::parse(collapse_id).map_err(|error| error.to_string())?);
        }
        let apns_id = match &self.apns_id {
            Some(text) => ApnsId::parse(text).map_err(|error| error.to_string())?,
            None => ApnsId::from_random(rand::random()),
        };
        let device_token = DeviceToken::from_hex(&self.device_token).map_err(|error| error.to_string())?;
        Ok(Push::new(builder.build().map_err(|error| error.to_string())?, device_token, apns_id))
    }
}

impl ToBroadcast {
    /// The broadcast, or why there can be none.
    pub(super) fn broadcast(&self) -> Result<Broadcast, String> {
        let bundle_id = BundleId::parse(&self.bundle_id).map_err(|error| error.to_string())?;
        let mut builder = LiveActivityUpdate::new(bundle_id, UnixTime::from_secs(self.timestamp))
            .content_state(self.content_state.clone());
        if let Some(priority) = self.priority {
            builder = builder.priority(priority_of(priority)?);
        }
        if let Some(expiration) = self.expiration {
            builder = builder.expiration(expiration_of(expiration)?);
        }
        let channel = ChannelId::parse(&self.channel_id).map_err(|error| error.to_string())?;
        builder.broadcast(channel).map_err(|error| error.to_string())
    }
}

pub(super) fn storage_of(stores: bool) -> MessageStoragePolicy {
    if stores { MessageStoragePolicy::MostRecentMessageStored } else { MessageStoragePolicy::NoMessageStored }
}

/// 0: never stored.
fn expiration_of(secs: u64) -> Result<Expiration, String> {
    match secs {
        0 => Ok(Expiration::ONCE),
        secs => Expiration::at_secs(secs).map_err(|error| error.to_string()),
    }
}

fn priority_of(number: u8) -> Result<Priority, String> {
    let all = [Priority::PowerFirst, Priority::PowerConsiderate, Priority::Immediate];
    let found = all.into_iter().find(|priority| priority.as_str() == number.to_string());
    found.ok_or_else(|| format!("no priority is {number}: 1, 5 or 10"))
}

/// Pauses between attempts, where their number is given: those of the default.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
