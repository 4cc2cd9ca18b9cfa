//! mock-apns: an Apple Push Notification service that anyone can run.
//!
//! A simulated APNs for tests and load: the same TLS, HTTP/2, provider tokens, certificates, headers, limits
//! and reasons, on this machine, with no Apple credentials. **Nothing is ever sent to Apple or to a real
//! device.**
//!
//! ```text
//!   provider ──TLS──▶ listener ──▶ connection ────▶ mock_apns_core::Service ◀──▶ wake_up
//!            ◀──────            ◀── HTTP/2 ◀── answers      │  ▲
//!                                                  messages ▼  │ lines
//!   device   ◀─TLS──▶ listener ◀────────────────▶ device_gateway
//! ```
//!
//! This crate is the shell: sockets, TLS, the clock, files, the command line. What is answered is decided in
//! `mock_apns_core`, which does none of that.
//!
//! | module | what |
//! |---|---|
//! | `builder`, `beginning`, `double` | [`MockApns`]: how it starts, and with what; how it stops |
//! | `listener`, `closing` | accepting connections, and closing them so that the peer reads the last word |
//! | `door` | what goes wrong before there is a connection |
//! | `entrance`, `ledger` | who is let in, and what all may hold |
//! | `connection` | one connection of a provider, from bytes to bytes, well-behaved or by a fault |
//! | `device_gateway` | one connection of a device, from lines to lines |
//! | `shared`, `wake_up` | the service behind its lock, the way from it to each device, and time |
//! | `connections`, `metrics` | who is connected; what was counted |
//! | `data_dir`, `snapshot` | what is kept on disk; the whole state |
//! | `control` | the control API: HTTP for tests in any language |
//! | `device` | [`Device`]: a device for tests |
//! | `tls`, `certificates`, `credentials` | the handshakes; the CA; private keys |
//! | `team`, `received`, `fault_guard` | [`MockTeam`]: a team for tests; [`ReceivedPush`]; [`FaultGuard`] |
//! | `expectation`, `evidence` | what tests expect; what failing ones leave behind |
//! | `json` | what the core says, as text |
//! | `ready_made` | the team that is there from the start |
//! | [`scenarios`] | bad days: the library of ready ones, and reading others |
//! | [`client_settings`] | programs to paste, one for each provider client |
//! | [`cli`] | the `mock-apns` command |
//!
//! # Example
//!
//! ```
//! # async fn example() -> Result<(), mock_apns::StartError> {
//! use mock_apns::MockApns;
//!
//! let mock = MockApns::start().await?;
//! let sandbox = format!("https://localhost:{}", mock.sandbox().port());
//! let token = &mock.ready_made().device_tokens[0].token;
//! // Point a provider at `sandbox`, with the CA and key of `mock`, and push to `token`.
//! # let _ = (sandbox, token);
//! mock.stop().await;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod beginning;
mod builder;
mod certificates;
pub mod cli;
pub mod client_settings;
mod clock;
mod closing;
mod connection;
mod connections;
mod control;
mod credentials;
mod data_dir;
mod device;
mod device_gateway;
mod door;
mod double;
mod endpoint;
mod entrance;
mod error;
mod es256;
mod evidence;
mod expectation;
mod fault_guard;
mod journal_file;
mod json;
mod ledger;
mod listener;
mod metrics;
mod provider_token;
mod ready_made;
mod received;
pub mod scenarios;
mod shared;
mod snapshot;
mod team;
mod tls;
mod wake_up;
mod wiretap;

pub use builder::Builder;
pub use certificates::Certificates;
pub use data_dir::DataDirError;
pub use device::{Acknowledge, Device, DeviceError, DeviceOptions};
pub use double::MockApns;
pub use error::{StartError, TeamCreationError};
pub use es256::verify_es256;
pub use expectation::{ExpectationError, NotReceived};
pub use fault_guard::FaultGuard;
pub use mock_apns_core::fault;
pub use mock_apns_core::{
    App, BundleId, BundleIdError, CloseReason, ConnectedMessage, DeviceId, DeviceState, DeviceToken,
    Environment, Event, Filter, FilterError, GatewayErrorCode, Named, NewTokens, NotificationMessage,
    Profile, RawJson, Record, SETTINGS, Scenario, ScenarioError, ScenarioEvent, SettingError, SettingText,
    Settings, Status, TeamAt, TeamError, TeamId, TimedEvent, Timestamp, TokenKind, TokenMessage, Transcript,
    TranscriptError, TranscriptProgress,
};
pub use provider_token::MintError;
pub use ready_made::{ReadyKey, ReadyMade, ReadyToken};
pub use received::ReceivedPush;
pub use team::MockTeam;
pub use wiretap::Wiretap;
