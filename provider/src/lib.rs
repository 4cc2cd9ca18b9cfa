//! A full APNs provider: this crate is its shell, `apns_provider_core` its heart.
//!
//! ```text
//!   send(push).await ──▶ Dispatcher ──take──▶ connections: HTTP/2 over TLS ──▶ APNs
//!        ▲                 │   ▲                     │
//!        └──── Outcome ◀───┘   └──────── ended ──────┘
//! ```
//!
//! A [`Client`] holds one credential and one address. It opens connections as there is something to send,
//! keeps them, sends as many pushes at once as APNs allows, again what it is of use to send again, and gives each one
//! [`Outcome`](apns_provider_core::Outcome). What a push may
//! look like and what an answer means is decided in `apns_provider_core`, whose items are exported from here
//! under [`core`]. The command `apns-provider` is a crate of its own, `apns-provider-cli`.
//!
//! | module | what |
//! |---|---|
//! | `client` | [`Client`] and its builder |
//! | `endpoint`, `credential`, `tls` | where to, as whom, trusting whom |
//! | `clock` | [`Clock`]: what the date is |
//! | `connect` | the way to the server: [`Resolve`], [`Proxy`], the race of its addresses, TLS |
//! | `engine` | the dispatcher's shell: what is handed in, the time, what is told |
//! | `connection` | one connection: streams, windows, answers |
//! | `transmit` | HTTP/2's bytes into the socket |
//! | `telemetry` | what is told through the `metrics` facade |
//! | `channels` | [`Channels`]: broadcast channels, created and deleted on a connection of their own |
//! | [`doctor`] | each step from DNS to the answer, what its failure means and what to do |
//!
//! # Example
//!
//! A push to the simulated service, which any test can start:
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use apns_provider::core::{AlertNotification, BundleId, DeviceToken, Outcome};
//! use apns_provider::{Client, Credential, Endpoint};
//!
//! let mock = mock_apns::MockApns::start().await?;
//! let team = mock.ready_made();
//! let ca = mock.certificates().authority().root_pem(apns_certs::Purpose::Server);
//!
//! let p8 = team.keys[0].key.to_p8();
//! let client = Client::builder(Endpoint::custom("localhost", mock.sandbox().port())?)
//!     .credential(Credential::from_p8(p8.as_bytes(), team.keys[0].key_id, team.team_id)?)
//!     .ca_pem(ca.as_bytes())
//!     .build()?;
//!
//! let hello = AlertNotification::new(BundleId::parse(team.bundle_id)?).alert("Hello").build()?;
//! let outcome = client.send(hello, DeviceToken::from_hex(&team.device_tokens[0].token)?).await;
//! assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod channels;
mod client;
mod clock;
mod connect;
mod connection;
mod credential;
pub mod doctor;
mod endpoint;
mod engine;
mod error;
mod telemetry;
mod tls;
mod transmit;

pub use apns_provider_core as core;
pub use channels::{Channels, ChannelsBuilder};
pub use client::{Client, ClientBuilder};
pub use clock::{Clock, SystemClock};
pub use connect::{InvalidProxy, Proxy, Resolve, Resolving, SystemResolver};
pub use credential::{Credential, CredentialError};
pub use endpoint::{Endpoint, InvalidEndpoint};
pub use error::BuildError;
pub use tls::web_tls;
