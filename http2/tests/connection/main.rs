//! A [`Connection`](apns_http2::Connection) seen from outside: against a peer of hand-written frames, and against another connection.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod flow_control;
mod framing;
mod goaway;
mod h2_interop;
mod limits;
mod messages;
mod properties;
mod settings;
mod states;
mod support;
mod trace;
