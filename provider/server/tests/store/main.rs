//! What the store promises, on both databases.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

#[path = "../databases/mod.rs"]
mod databases;

mod campaigns;
mod devices;
mod intake;
mod opening;
mod outcomes;
mod planning;
mod rates;
mod set_up;
mod shards;
mod support;
mod sweeping;
mod webhooks;
