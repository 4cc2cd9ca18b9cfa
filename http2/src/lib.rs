//! HTTP/2 with no IO, for both sides of the Apple Push Notification service.
//!
//! A [`Connection`] is a state machine over bytes, in the manner of rustls and quinn-proto: it opens no socket, reads no clock and
//! never waits. Whoever owns the socket moves the bytes:
//!
//! ```text
//!            recv(now, bytes)                 poll_event(visitor)
//!   socket ───────────────────▶ Connection ───────────────────────▶ caller
//!          ◀───────────────────            ◀───────────────────────
//!       poll_transmit / transmitted     open, send_headers, send_data, reset,
//!                                       settings, ping, goaway, grants, framing, raw frames
//! ```
//!
//! It implements RFC 9113 and RFC 7541 whole, in both roles, but for server push (never enabled) and the priority tree (which RFC
//! 9113 abandons). It exists because a simulated APNs must do what general libraries hide: send and read GOAWAY debug data, change
//! SETTINGS in mid-connection, see and withhold windows, decide field by field what HPACK indexes, break a frame on purpose; and
//! because provider and double want to spend about a microsecond on a request.
//!
//! | module | what |
//! |---|---|
//! | `connection` | the state machine: receiving, commands, queued bodies, forms of frames |
//! | `frame`, `settings`, `stream_id`, `window` | the wire's own types |
//! | `stream`, `message` | states of a stream, well-formedness of a message |
//! | [`hpack`] | field compression |
//! | [`limits`] | every limit with its unit and reason |
//! | `error`, `event` | what a peer did wrong, what a peer did |
//! | [`trace`] | the frames of a connection for somebody who only watches |
//!
//! # Example
//!
//! A request and its answer between two connections, with no socket at all:
//!
//! ```
//! use std::time::Duration;
//!
//! use apns_http2::{Config, Connection, Event, hpack::Field};
//! use bytes::Bytes;
//!
//! let now = Duration::ZERO;
//! let mut client = Connection::client(Config::default());
//! let mut server = Connection::server(Config::default());
//!
//! let request = [
//!     Field::incremental(b":method", b"POST"),
//!     Field::incremental(b":scheme", b"https"),
//!     Field::never(b":path", b"/3/device/00fc13adff78"),
//! ];
//! let stream = client.open(&request, false)?;
//! client.send_data(stream, Bytes::from_static(b"{}"), true)?;
//!
//! let bytes = client.poll_transmit().expect("a request waits").to_vec();
//! client.transmitted(bytes.len());
//! server.recv(now, &bytes);
//!
//! let mut fields = Vec::new(); // any `FieldVisitor`
//! while let Some(event) = server.poll_event(&mut fields)? {
//!     if let Event::Data { stream, data: b"{}", end_stream: true } = event {
//!         server.send_headers(stream, &[Field::incremental(b":status", b"200")], true)?;
//!     }
//! }
//! assert_eq!(fields[2], (b":path".to_vec(), b"/3/device/00fc13adff78".to_vec()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod connection;
mod error;
mod event;
mod frame;
pub mod hpack;
pub mod limits;
mod message;
mod settings;
mod stream;
mod stream_id;
pub mod trace;
mod window;

pub use connection::{Config, Connection, Framing, Grants, Role};
pub use error::{CommandError, ConnectionError, ErrorCode, Violation};
pub use event::{Event, FieldVisitor, Section};
pub use settings::{
    DEFAULT_WINDOW, MAX_MAX_FRAME_SIZE, MAX_WINDOW, MIN_MAX_FRAME_SIZE, Settings, SettingsInForce,
};
pub use stream_id::StreamId;
