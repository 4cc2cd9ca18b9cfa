//! `apns-provider`, run as a process against the double.

#![expect(clippy::unwrap_used, reason = "a test says what went wrong by where it panics")]

mod adapter;
mod bench;
mod bulk;
mod channels;
#[path = "../../../tests/support/connect_proxy.rs"]
mod connect_proxy;
mod desk;
mod doctor;
mod help;
mod output;
mod send;
#[cfg(feature = "server")]
mod serve;
mod token;
mod validate;
