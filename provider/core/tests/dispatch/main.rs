//! The dispatcher under a time of its own: no sockets, no sleeps, and every hour passes at once.
#![expect(clippy::unwrap_used, reason = "a test that is not set up right has failed")]

mod any;
mod breakers;
mod broadcasts;
mod opening;
mod queue;
mod taking;
mod world;
