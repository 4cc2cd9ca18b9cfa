//! What suite and adapter say to each other, a JSON object a line (docs/adapter-protocol.md).

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an adapter is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub(crate) enum Instruction {
    /// Where to, as whom, and how.
    Configure(Box<Configure>),
    /// One push.
    Send(Push),
    /// A broadcast to a channel.
    Broadcast(Broadcast),
    /// What the date is.
    SetClock {
        /// Seconds since 1970.
        now: u64,
    },
    /// As whom to send from now on.
    Rotate {
        /// The credential.
        credential: Credential,
    },
    /// A device token was registered.
    Register {
        /// The token.
        device_token: String,
        /// Milliseconds since 1970.
        at_ms: u64,
    },
    /// Something about channels.
    Channel(Channel),
    /// To finish what is in hand, and take nothing more.
    Drain {
        /// For how long at most.
        within_ms: u64,
    },
    /// The end.
    Exit {},
}

/// Where an adapter's client sends, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Configure {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) environment: &'static str,
    pub(crate) ca_pem: String,
    pub(crate) credential: Credential,
    #[serde(flatten)]
    pub(crate) options: Options,
}

/// What may be asked of a client; each of them only of an adapter that can be told.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Options {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deadline_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempts_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ambiguous: Option<Ambiguous>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connections_max: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) idle_ping_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) silence_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) idle_connection_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) correct_clock: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) proxy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_stream: Option<u32>,
}

/// What becomes of pushes of which nobody knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ambiguous {
    Report,
    SendAgain,
}

/// As whom to send.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(untagged, rename_all_fields = "kebab-case")]
pub(crate) enum Credential {
    Key { p8: String, key_id: String, team_id: String },
    Certificate { certificate_pem: String },
}

impl Default for Credential {
    fn default() -> Self {
        Self::Certificate { certificate_pem: String::new() }
    }
}

/// One push.
#[expect(clippy::struct_field_names, reason = "a push type is called so")]
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Push {
    pub(crate) id: String,
    pub(crate) device_token: String,
    pub(crate) topic: String,
    pub(crate) push_type: &'static str,
    pub(crate) payload: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expiration: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) collapse_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) apns_id: Option<String>,
}

/// One broadcast.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Broadcast {
    pub(crate) id: String,
    pub(crate) bundle_id: String,
    pub(crate) channel_id: String,
    /// Seconds since 1970.
    pub(crate) timestamp: u64,
    pub(crate) content_state: serde_json::Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expiration: Option<u64>,
}

/// Something about channels, at an address of their own.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) port: u16,
    pub(crate) bundle_id: String,
    #[serde(flatten)]
    pub(crate) what: ChannelDeed,
}

/// What is done about a channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub(crate) enum ChannelDeed {
    Create { stores: bool },
    Read { channel_id: String },
    List,
    Delete { channel_id: String },
}

/// What an adapter tells.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub(crate) enum Event {
    /// Who it is, and what it can be told.
    Ready(Ready),
    Configured {},
    /// What became of a push.
    Result(Box<Report>),
    ClockSet {},
    Rotated {},
    Registered {},
    /// A device token is to be removed from the caller's list.
    TokenRemoved {
        device_token: String,
    },
    /// Too many device tokens are invalid: none is removed for now.
    RemovalsSuspended {},
    /// What became of something about channels.
    ChannelDone {
        id: String,
        #[serde(default)]
        status: Option<u16>,
        #[serde(default)]
        channel_id: Option<String>,
    },
    /// What was in hand is finished, or the time for it is over.
    Drained {
        /// Whether it was finished in time.
        all: bool,
    },
    /// An instruction could not be followed.
    Failed {
        #[serde(default)]
        why: String,
    },
}

/// Who an adapter is.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Ready {
    /// What it is called.
    pub(crate) name: String,
    /// The version of the provider.
    pub(crate) version: String,
    /// What it can be told beyond `configure`, `send` and `exit`.
    #[serde(default)]
    pub(crate) can: Vec<String>,
    /// What it needs of its surroundings.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
}

impl Ready {
    /// Whether it can be told this. Who can be told how long silence may last can be told when to ask an idle connection, too.
    pub(crate) fn can(&self, what: &str) -> bool {
        self.can.iter().any(|can| can == what || (what == "idle-ping" && can == "keep-alive"))
    }
}

/// What became of a push.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Report {
    pub(crate) id: String,
    pub(crate) outcome: Outcome,
    #[serde(default)]
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// Milliseconds since 1970; what a library tells that is no number stays what it is.
    #[serde(default)]
    pub(crate) timestamp: Option<serde_json::Value>,
    #[serde(default)]
    pub(crate) apns_id: Option<String>,
    #[serde(default)]
    pub(crate) ambiguous_before: bool,
    #[serde(default)]
    pub(crate) why: Option<String>,
}

/// What a library told its caller of a push.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// APNs took it.
    Accepted,
    /// APNs answered with an error.
    Rejected,
    /// Certainly not processed.
    NotSent,
    /// Nobody knows.
    Ambiguous,
    /// Its expiration passed before it was sent.
    Expired,
    /// The library refused it before anything was sent.
    Invalid,
}

/// As a judge says it: `rejected 400 BadTopic`.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.outcome)?;
        self.status.map_or(Ok(()), |status| write!(f, " {status}"))?;
        self.reason.as_ref().map_or(Ok(()), |reason| write!(f, " {reason}"))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::NotSent => "not sent",
            Self::Ambiguous => "ambiguous",
            Self::Expired => "expired",
            Self::Invalid => "invalid",
        })
    }
}
