//! What a correct provider does, item by item of the checklist: the real engine over real sockets against the double on a bad day.
//! `docs/provider-conformance.md` has the items and their tests.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

mod answers;
mod authentication;
mod broadcast;
mod channels;
mod clocks;
#[path = "../support/connect_proxy.rs"]
mod connect_proxy;
mod connections;
mod content;
#[path = "../support/control.rs"]
mod control;
mod dispatch;
mod endings;
mod frames;
mod framing;
mod goaway;
mod hpack;
mod hygiene;
mod logs;
mod raw_server;
mod recorder;
mod representations;
mod roads;
mod secrecy;
#[path = "../support/server_identity.rs"]
mod server_identity;
mod streams;
mod table;
mod telemetry;
mod tls;
mod way;
mod world;
