//! An APNs provider's knowledge, without its sockets: what a push is, what an answer means, what to do next.
//!
//! ```text
//!   AlertNotification ─┐                                  TokenSource <── AuthKey (.p8), now
//!   VoipNotification … ┼─ build() ─> Notification              │ ProviderToken, the same in the whole fleet
//!   Notification::raw ─┘                 │                     v
//!                          DeviceToken ──┴─> Push ──> request_fields(), payload ──> the shell's stream
//!                          ApnsId ───────────┘                                           │
//!                                                                                        v
//!        Accepted │ Rejected { reason, advice } │ NotSent │ Ambiguous  <── Outcome <── Answer (status, …)
//! ```
//!
//! The crate owns no clock, no randomness, no files and no sockets: moments are [`UnixTime`] arguments,
//! random bytes are handed in, and a test keeps every crate that could do otherwise out of the dependencies.
//! What is wrong with a push is found before it is sent, by the builders, one for each push type; what APNs says
//! is never lost, even if nobody has seen it before. `docs/messages.md` goes through the builders.
//!
//! | to learn about | read |
//! |---|---|
//! | who is addressed | `device_token`, `topic`, `channel_id`, `channel`, `apns_id` |
//! | how it is delivered | `push_type` (the table of types), `priority`, `expiration`, `collapse_id` |
//! | what the user gets | `payload`: `alert`, `sound`, the `aps` dictionary, the app's own keys |
//! | what to build it with | `notification`: `builder`, which all types share; one file for each type; `shorten` |
//! | what is checked before sending | `notification`: `rules`, one function each; `required`, for raw payloads |
//! | how a push or broadcast becomes a request | `outgoing`, `request` |
//! | how channels are created and deleted | `channel_api` |
//! | who is sending | `provider_token`: the key, the slots, the source of tokens; what is wrong with a token |
//! | what was answered | `answer`, `error_body`, `retry_after`, `reason` (the table of reasons, and their causes) |
//! | what to do next | `outcome`, `advice` |
//! | whether to send again, and when | `retry` |
//! | what time it is | `unix_time`, `now`: the calendar and the steady clock together |
//! | what time it is at the server, and how wrong the machine's clock is | `clock_skew` |
//! | which push goes out when, on which connection | `dispatch` |
//! | whether a silent connection is still there | `keep_alive` |
//! | which of a server's addresses to connect to | `addresses` |
//! | which device tokens to forget | `token_hygiene` |
//!
//! # Example
//!
//! ```
//! use apns_provider_core::{
//!     Advice, AlertNotification, Answer, ApnsId, BundleId, DeviceToken, Outcome, Push, Reason,
//! };
//!
//! let app = BundleId::parse("com.example.app")?;
//! let notification = AlertNotification::new(app).alert("Tea is ready").build()?;
//! let device_token = DeviceToken::from_hex("00fc13adff785122b4ad28809a342098")?;
//! let push = Push::new(notification, device_token, ApnsId::from_random([0x5a; 16]));
//!
//! for field in push.request_fields("api.push.apple.com", None) {
//!     assert!(!field.value.is_empty()); // the shell encodes it
//! }
//! assert_eq!(push.notification().payload(), r#"{"aps":{"alert":{"body":"Tea is ready"}}}"#);
//!
//! let mut answer = Answer::new(410);
//! answer.read_body(br#"{"reason":"Unregistered","timestamp":1700000000000}"#);
//! let Outcome::Rejected(rejection) = Outcome::from_answer(answer, *push.apns_id()) else { panic!() };
//! assert_eq!(rejection.reason, Some(Reason::Unregistered));
//! assert_eq!(rejection.advice, Advice::RemoveToken);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod addresses;
mod advice;
mod answer;
mod apns_id;
mod channel;
mod channel_api;
mod channel_id;
mod clock_skew;
mod collapse_id;
mod device_token;
mod dispatch;
mod error_body;
mod expiration;
mod http_date;
mod keep_alive;
mod notification;
mod now;
mod outcome;
mod outgoing;
mod payload;
mod priority;
mod provider_token;
mod push_type;
mod reason;
mod request;
mod retry;
mod retry_after;
mod token_hygiene;
mod topic;
mod unix_time;

pub use addresses::Dialing;
pub use advice::Advice;
pub use answer::Answer;
pub use apns_id::{ApnsId, InvalidApnsId};
pub use channel::{Channel, MessageStoragePolicy};
pub use channel_api::{AcceptedChannelAnswer, ChannelAnswer, ChannelError, ChannelRejection, ChannelRequest};
pub use channel_id::{ChannelId, InvalidChannelId};
pub use clock_skew::{ClockSkew, ServerClock};
pub use collapse_id::{CollapseId, InvalidCollapseId};
pub use device_token::{DeviceToken, InvalidDeviceToken};
pub use dispatch::{
    ConnectionId, DispatchPolicy, DispatchStatus, Dispatcher, Effect, Finished, InvalidDispatchPolicy, Job,
    Room,
};
pub use error_body::ErrorBody;
pub use expiration::{Expiration, InvalidExpiration};
pub use keep_alive::{KeepAlive, KeepAlivePolicy, Pulse};
pub use notification::{
    AlertNotification, BackgroundNotification, Broadcast, ComplicationNotification, ControlsNotification,
    Cut, FileProviderNotification, InvalidBroadcast, InvalidNotification, LiveActivityEnd, LiveActivityStart,
    LiveActivityUpdate, LocationNotification, MdmNotification, Notification, NotificationBuilder, Push,
    PushToTalkNotification, RawNotification, VoipNotification, WidgetsNotification,
};
pub use now::Now;
pub use outcome::{Acceptance, Ambiguity, NotSent, Outcome, Rejection};
pub use outgoing::Outgoing;
pub use payload::{Alert, AlertText, InterruptionLevel, LiveActivityAlert, LocalizableText, Sound};
pub use priority::Priority;
pub use provider_token::{
    AuthKey, AuthKeyError, ClockSteppedBack, InvalidIdentifier, KeyId, ProviderToken, TeamId, TokenFlaw,
    TokenInspection, TokenMismatch, TokenSource,
};
pub use push_type::PushType;
pub use reason::Reason;
pub use request::{Field, Indexing};
pub use retry::{AmbiguousPushes, AttemptEnd, Attempts, InvalidRetryPolicy, Next, RetryBudget, RetryPolicy};
pub use retry_after::RetryAfter;
pub use token_hygiene::{
    BadDeviceTokens, HygienePolicy, InvalidHygienePolicy, MissingTimestamps, Removal, Suspension,
    TokenHygiene, TokenVerdict,
};
pub use topic::{BundleId, InvalidBundleId, Topic};
pub use unix_time::UnixTime;

/// The `M` of [`NotificationBuilder<M>`]: what each push type says. Named only by code that keeps a builder
/// around; who builds a notification uses the builders' own names.
pub mod message {
    pub use crate::notification::{
        AlertMessage, BackgroundMessage, ComplicationMessage, ControlsMessage, End, FileProviderMessage,
        LiveActivityMessage, LocationMessage, MdmMessage, PushToTalkMessage, RawMessage, Start, Update,
        VoipMessage, WidgetsMessage,
    };
}

/// The examples of the page on messages.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/messages.md")]
struct MessagesPage;
