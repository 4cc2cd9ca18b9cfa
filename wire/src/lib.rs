//! Moves TLS bytes between a socket and an HTTP/2 connection, in large batches.
//!
//! Both shells of this project, the simulated service and the provider, do the same with a socket and only
//! this: read all there is, let a state machine handle all of it, write once. [`TlsSocket`] is that, over
//! rustls and a tokio `TcpStream`. It knows nothing of HTTP/2 or APNs.
//!
//! ```text
//!   TcpStream ──64 KiB reads──▶ rustls ──read(sink)──▶ state machine
//!             ◀──one writev────        ◀──write(bytes)──
//! ```
//!
//! Reading and writing never wait; [`TlsSocket::ready`] does, for both directions at once. A task that waited
//! for its writes alone would deadlock against a peer that does the same while both sockets' buffers are
//! full.
//!
//! A server that has to see who says hello before it answers, or that answers with an alert or not at all, reads the
//! [`Hello`] by itself.
//!
//! # Example
//!
//! ```no_run
//! # async fn example(tcp: tokio::net::TcpStream, config: std::sync::Arc<rustls::ServerConfig>) -> Result<(), apns_wire::WireError> {
//! use apns_wire::{Received, TlsSocket};
//!
//! let mut socket = TlsSocket::accept(tcp, |_hello| config).await?;
//! loop {
//!     socket.ready().await?;
//!     let mut echo = Vec::new();
//!     let received = socket.read(|bytes| echo.extend_from_slice(bytes))?;
//!     socket.write(&echo)?;
//!     socket.flush()?;
//!     if received == Received::End {
//!         return Ok(());
//!     }
//! }
//! # }
//! ```

mod error;
mod hello;
mod socket;

pub use error::WireError;
pub use hello::Hello;
pub use socket::{Received, TlsSocket, UNSENT_HIGH_WATER};
