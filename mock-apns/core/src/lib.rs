//! The simulated Apple Push Notification service with no IO: what it answers to a push, why, and what becomes of it.
//!
//! [`Service`] is a state machine. It owns no socket, no clock, no randomness and no cryptography: its shell tells it
//! what came in and at what time, and carries out what it returns. So the same calls give the same answers and the same
//! journal, and a test of it needs neither network nor patience.
//!
//! ```text
//!   shell                          Service                                          shell
//!   ─────                          ───────                                          ─────
//!   TLS done ─── connected ──────▶ Connection ◀── certificate, team ──────────────▶ GoAway
//!                                      │
//!   HEADERS ──── Request ──┐           ▼
//!   DATA ─────── body ─────┴────▶  DEVICE_RULES, in Apple's order
//!                                  path ▶ credentials ▶ headers ▶ topic ▶ device token ▶ payload
//!                                      │ first that does not hold            │ all hold
//!                                      ▼                                     ▼
//!                                  Answer { reason }                     Answer { 200 } ─▶ Respond
//!                                                                            │      └────▶ MaxConcurrentStreams
//!                                       Team: devices, tokens, clock ──▶ delivery: online? power? known? expired?
//!                                             │                              │             │
//!   device's line ── device_line ─▶ gateway ──┘       journal, Status ◀──────┴─ storage ◀──┘
//!                                      └───────────────────────────────────────────▶ ToDevice, CloseDevice
//! ```
//!
//! | module | what |
//! |---|---|
//! | `service` | [`Service`]: what goes in, what comes out; [`Effect`]; recording, replaying, snapshots |
//! | `rules` | [`DEVICE_RULES`]: the table of checks, one item each, by group |
//! | `explain` | [`Explanation`]: the table run without effect, with what each rule looked at |
//! | `reason`, `answer`, `answering` | [`Reason`]: the table of refusals; [`Answer`]: their shape; from verdict to answer |
//! | `settings`, `profile` | [`SETTINGS`]: the table of what is not known of Apple, with defaults; [`Profile`]: sets of them |
//! | `request`, `fields` | [`Request`]: one request's fields in one buffer |
//! | `providers`, `connection`, `certificate` | how a connection starts; what a [`ProviderCertificate`] allows |
//! | `provider_token`, `verified_tokens`, `token_updates` | JWTs: reading, remembering, changing too often |
//! | `team`, `clock`, `key`, `app`, `identifier` | [`Team`]: the unit of isolation; [`TeamAt`]: a team at a point in time |
//! | `device`, `device_token` | [`Device`]: what is installed on it; what a [`DeviceToken`] stands for |
//! | `delivery`, `notification` | what becomes of a [`Notification`]: deliver, store, discard; the rate limit |
//! | `journal` | [`Record`]: what happened; [`Push`]: what came, and what became of it; [`Status`]: the words of Apple's console |
//! | `filing` | whose journal what was turned away goes into |
//! | `conduct`, `totals` | [`Misconduct`]: what Apple would mind; [`Totals`], [`AnswerCounts`]: what was counted |
//! | `throttling` | [`Throttling`]: what Apple does to providers by rule, where a setting asks for it |
//! | `fault` | [`fault::Fault`]: what goes wrong on purpose |
//! | `scenario` | [`Scenario`]: settings, faults, and what happens on a time line |
//! | `filter` | [`Filter`]: the one grammar that asks for records and pushes |
//! | `expectation` | [`Expectation`]: how many pushes there must be; [`Tally`]: whether there are |
//! | [`rendering`] | what a device shows, and what is wrong with a push that shows nothing |
//! | `gateway` | what devices and the service say to each other: [`FromDevice`], [`ToDevice`] |
//! | `topic`, `push_type`, `priority`, `expiration`, `collapse_id`, `message_id` | header values, each read once |
//! | `recording` | [`Recorded`]: what was done to the service, to be done again |
//! | `snapshot`, `bytes` | [`Snapshot`]: the whole state, as it is written and read |
//! | `environment`, `timestamp`, `named` | sandbox and production; points in time; the words that stand for types |
//!
//! ```
//! use mock_apns_core::{Effect, Environment, Opened, Reason, Request, Service, Settings, Signature, Timestamp};
//!
//! // The shell hands in the cryptography; this one believes nobody.
//! fn verify(_public_key: &[u8; 65], _message: &[u8], _signature: &Signature<'_>) -> bool {
//!     false
//! }
//!
//! let mut service = Service::new(Settings::default(), 42, verify);
//! let now = Timestamp::from_secs(1_700_000_000);
//! let opened = Opened { environment: Environment::Sandbox, server_name: None, certificate: None };
//! let connection = service.connected(now, opened);
//! assert_eq!(service.initial_max_concurrent_streams(connection), 1);
//!
//! let mut request = Request::new();
//! request.field(b":method", b"POST");
//! request.field(b":path", b"/3/device/00ff");
//! service.request(now, connection, 1, &request, b"{}");
//!
//! let Some(Effect::Respond { stream: 1, answer, .. }) = service.poll_effect() else { panic!("no answer") };
//! assert_eq!((answer.status, answer.reason), (403, Some(Reason::MissingProviderToken)));
//! ```

mod answer;
mod answering;
mod app;
mod bytes;
mod certificate;
mod clock;
mod collapse_id;
mod conduct;
mod connection;
mod delivery;
mod device;
mod device_token;
mod environment;
mod excerpt;
mod expectation;
mod expiration;
mod explain;
pub mod fault;
mod fields;
mod filing;
mod filter;
mod gateway;
mod identifier;
mod journal;
mod key;
mod message_id;
mod named;
mod notification;
mod priority;
mod profile;
mod provider_token;
mod providers;
mod push_type;
mod reason;
mod recording;
pub mod rendering;
mod request;
mod rules;
mod scenario;
mod service;
mod settings;
mod snapshot;
mod team;
mod throttling;
mod timestamp;
mod token_updates;
mod topic;
mod totals;
mod transcript;
mod verified_tokens;

pub use answer::Answer;
pub use app::{App, PushTypes};
pub use certificate::{CertificateError, ProviderCertificate};
pub use clock::{Clock, ClockError};
pub use collapse_id::{COLLAPSE_ID_BYTES_MAX, CollapseId};
pub use conduct::Misconduct;
pub use connection::{ConnectedProvider, ConnectionId, Opened};
pub use device::{
    DEVICE_ID_BYTES_MAX, Device, DeviceError, DeviceId, DeviceIdError, DeviceState, InstalledApp, NewTokens,
};
pub use device_token::{DEVICE_TOKEN_BYTES_MAX, DeviceToken, DeviceTokenError, TokenStatus};
pub use environment::Environment;
pub use expectation::{Decision, Expectation, Tally, Times, TimesError};
pub use expiration::Expiration;
pub use explain::{ExplainOn, Explanation, ForeseenAnswer, Outcome, Step};
pub use filter::{
    Difference, FILTER_BYTES_MAX, FILTER_TERMS_MAX, Filter, FilterError, FilterKey, FilterProblem,
};
pub use gateway::{
    CloseReason, ConnectedMessage, DeviceCertificateError, DeviceConnectionId, DeviceMessage, DeviceRequest,
    ErrorMessage, FromDevice, GatewayErrorCode, MessageError, MessageProblem, NotificationMessage, RawJson,
    ToDevice, TokenMessage,
};
pub use identifier::{IdentifierError, KeyId, TeamId};
pub use journal::{
    Cause, Counters, Destination, DeviceChange, Event, NEAR_MISS_ENTRIES_MAX, NearMiss, Push, Pushes,
    ReceivedRequest, Record, RefusedPush, Status, Verdict, without_secret,
};
pub use key::{KeyScope, ProviderKey};
pub use message_id::{MessageId, UniqueId};
pub use named::Named;
pub use notification::{Notification, STORAGE_TIME_MAX};
pub use priority::Priority;
pub use profile::{Profile, ProfileChoice};
pub use provider_token::{Signature, VerifyEs256};
pub use push_type::{PAYLOAD_BYTES_MAX, PushType, TokenKind, VOIP_PAYLOAD_BYTES_MAX};
pub use reason::Reason;
pub use recording::{Recorded, RecordedError};
pub use request::{FieldName, Request};
pub use rules::{DEVICE_RULES, Group, Rule};
pub use scenario::{Scenario, ScenarioError, ScenarioEvent, SettingText, TimedEvent};
pub use service::{Effect, Service, Snapshot};
pub use settings::{SETTINGS, SettingError, SettingSpec, Settings, Values};
pub use snapshot::SnapshotError;
pub use team::{Team, TeamAt, TeamError};
pub use throttling::Throttling;
pub use timestamp::Timestamp;
pub use topic::{BundleId, BundleIdError, TOPIC_BYTES_MAX, Topic};
pub use totals::{AnswerCount, AnswerCounts, FaultFirings, Totals};
pub use transcript::{TRANSCRIPT_LINES_MAX, Transcript, TranscriptError, TranscriptProgress};

/// The bench is written against the public API, so that it serves the tests beneath the rules and those beside them.
#[cfg(test)]
extern crate self as mock_apns_core;

#[cfg(test)]
#[path = "../tests/common/mod.rs"]
mod bench;
