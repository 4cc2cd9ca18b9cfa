//! `apns-provider serve` and `admin` as processes, against the double.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

mod admin;
mod killed;
mod process;
mod stopped;
