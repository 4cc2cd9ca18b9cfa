//! What happens behind the 200, told as users would: a device is offline, two pushes are sent, a day passes.
//!
//! No test here opens a socket or sleeps: time is an argument.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "../common/mod.rs"]
mod common;

mod clock;
mod everyone;
mod faults;
mod gateway;
mod live_activities;
mod playing;
mod replaying;
mod reset;
mod showing;
mod snapshots;
mod storage;
mod teams;
mod tokens;
mod world;
