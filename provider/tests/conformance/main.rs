//! What a correct provider does, item by item of the checklist: the real engine over real sockets against the double on a bad day.
//! `docs/provider-conformance.md` has the items and their tests.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

mod answers;
mod authentication;
mod connections;
#[path = "../support/control.rs"]
mod control;
mod dispatch;
mod frames;
mod framing;
mod goaway;
mod hpack;
mod raw_server;
mod representations;
mod roads;
#[path = "../support/server_identity.rs"]
mod server_identity;
mod streams;
mod table;
mod tls;
mod way;
mod world;
