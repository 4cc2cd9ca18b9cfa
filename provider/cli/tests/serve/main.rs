//! `apns-provider serve` and `admin` as processes, against the double.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

mod admin;
#[path = "../../../server/tests/databases/mod.rs"]
mod databases;
mod killed;
mod process;
mod shared;
mod soak;
mod stopped;
mod telemetry;
mod traces;
