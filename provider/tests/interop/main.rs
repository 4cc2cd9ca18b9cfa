//! The engine against HTTP/2 servers of other people: the h2 crate's here, Node's and nghttp2's where they
//! are installed (`interop/run` runs those too).

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

mod h2_crate;
mod nghttpd;
mod node;
mod pushes;
#[path = "../support/server_identity.rs"]
mod server_identity;
